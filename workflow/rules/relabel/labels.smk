"""
Stage: labels from language models. Answers are kept in `label_store`, outside of the results; nothing is asked twice.

NEEDS    <results>/relabel/data/{set}.parquet, config/scales/, config/prompts/; recorded labels in raw_dir
MAKES    <results>/relabel/{model}/{set}/{answers,labels}.parquet
         <results>/relabel/prompts.{csv,html}
"""


include: "../plan/relabel_plan.smk"
include: "../plan/label_settings.smk"


check_models()
COMPARED = compared_prompts()


wildcard_constraints:
    set="|".join(LABEL_SETS),
    model="|".join(MODELS or ["none"]),
    prompt="|".join(PROMPTS or ["none"]),


rule ask_model:
    input:
        texts=asked_texts,
        scale=scale_file,
        prompt=prompt_file,
        recorded=recorded_file,
    output:
        answers="<results>/relabel/{model}/{set}/answers.parquet",
        provenance="<results>/relabel/{model}/{set}/answers.provenance.json",
    log:
        "<logs>/relabel/{model}/{set}/answers.log",
    conda:
        "../../../environment.yml"
    threads: asking_threads
    params:
        question=question,
        recorded=recorded_digest,
        code=code_fingerprint("ask_model"),
    message:
        "Asking {wildcards.model} about {wildcards.set}"
    script:
        "../../scripts/relabel/ask_model.py"


rule parse_labels:
    input:
        answers="<results>/relabel/{model}/{set}/answers.parquet",
        scale=scale_file,
        prompt=prompt_file,
    output:
        labels="<results>/relabel/{model}/{set}/labels.parquet",
        provenance="<results>/relabel/{model}/{set}/labels.provenance.json",
    log:
        "<logs>/relabel/{model}/{set}/labels.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("parse_labels"),
    message:
        "Reading the answers of {wildcards.model} about {wildcards.set}"
    script:
        "../../scripts/relabel/parse_labels.py"


use rule ask_model as ask_sample with:
    output:
        answers="<results>/relabel/validation/{model}/{prompt}/answers.parquet",
        provenance="<results>/relabel/validation/{model}/{prompt}/answers.provenance.json",
    log:
        "<logs>/relabel/validation/{model}/{prompt}/answers.log",
    message:
        "Asking {wildcards.model} about a sample ({wildcards.prompt} prompt)"


use rule parse_labels as parse_sample with:
    input:
        answers="<results>/relabel/validation/{model}/{prompt}/answers.parquet",
        scale=scale_file,
        prompt=prompt_file,
    output:
        labels="<results>/relabel/validation/{model}/{prompt}/labels.parquet",
        provenance="<results>/relabel/validation/{model}/{prompt}/labels.provenance.json",
    log:
        "<logs>/relabel/validation/{model}/{prompt}/labels.log",
    message:
        "Reading the answers of {wildcards.model} about a sample ({wildcards.prompt} prompt)"


rule report_prompts:
    input:
        answers=[f"<results>/relabel/validation/{c['model']}/{c['prompt']}/answers.parquet" for c in COMPARED],
        labels=[f"<results>/relabel/validation/{c['model']}/{c['prompt']}/labels.parquet" for c in COMPARED],
        sets=expand("<results>/relabel/data/{set}.parquet", set=LABEL_SETS),
    output:
        csv="<results>/relabel/prompts.csv",
        html="<results>/relabel/prompts.html",
        provenance="<results>/relabel/prompts.provenance.json",
    log:
        "<logs>/relabel/prompts.log",
    conda:
        "../../../environment.yml"
    params:
        names=COMPARED,
        validation_set=RELABEL["validation"]["set"],
        level=config["analysis"]["alpha"],
        concurrency={name: MODELS[name].get("concurrency", 1) for name in MODELS},
        code=code_fingerprint("report_prompts"),
    message:
        "Comparing prompts on a sample"
    script:
        "../../scripts/relabel/report_prompts.py"


rule labels:
    input:
        asked_labels,


rule validate_prompts:
    input:
        "<results>/relabel/prompts.html",
