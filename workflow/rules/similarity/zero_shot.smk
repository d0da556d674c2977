"""
Stage: language models that are asked how similar two stories are. Answers are kept in `label_store`, as those of labels.

NEEDS    <results>/pairs/{fold}/{task}/test.parquet, config/scales/pairs/, config/prompts/pairs/
MAKES    <results>/similarity/zero_shot/{model}/{form}/{label}/{answers,labels}.parquet
"""

check_judges()


wildcard_constraints:
    judge="|".join(JUDGES or ["none"]),


rule list_story_pairs:
    input:
        tables=embedded_pairs,
    output:
        pairs="<results>/similarity/zero_shot/pairs/{form}.parquet",
        provenance="<results>/similarity/zero_shot/pairs/{form}.provenance.json",
    log:
        "<logs>/similarity/zero_shot/pairs/{form}.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("list_story_pairs"),
    message:
        "Listing pairs of stories to ask about ({wildcards.form})"
    script:
        "../../scripts/similarity/list_story_pairs.py"


rule ask_about_pairs:
    input:
        texts="<results>/similarity/zero_shot/pairs/{form}.parquet",
        scale=judge_scale,
        prompt=judge_prompt,
        recorded=judge_recorded,
    output:
        answers="<results>/similarity/zero_shot/{judge}/{form}/{story_label}/answers.parquet",
        provenance="<results>/similarity/zero_shot/{judge}/{form}/{story_label}/answers.provenance.json",
    log:
        "<logs>/similarity/zero_shot/{judge}/{form}/{story_label}/answers.log",
    conda:
        "../../../environment.yml"
    threads: judge_threads
    params:
        question=judge_question,
        recorded=judge_digest,
        code=code_fingerprint("ask_about_pairs"),
    message:
        "Asking {wildcards.judge} about the {wildcards.story_label} of two stories ({wildcards.form})"
    script:
        "../../scripts/similarity/ask_about_pairs.py"


use rule parse_labels as parse_pair_ratings with:
    input:
        answers="<results>/similarity/zero_shot/{judge}/{form}/{story_label}/answers.parquet",
        scale=judge_scale,
        prompt=judge_prompt,
    output:
        labels="<results>/similarity/zero_shot/{judge}/{form}/{story_label}/labels.parquet",
        provenance="<results>/similarity/zero_shot/{judge}/{form}/{story_label}/labels.provenance.json",
    log:
        "<logs>/similarity/zero_shot/{judge}/{form}/{story_label}/labels.log",
    message:
        "Reading the answers of {wildcards.judge} about {wildcards.story_label} ({wildcards.form} stories)"
