"""
Stage: models that say how similar two stories are, and how well they say it.

NEEDS    <results>/pairs/{fold}/stories_{label}[_summary]/{train,validation,test}.parquet
MAKES    <results>/similarity/embedding/{encoder}/{form}/{predictions.parquet,run.json}
         <results>/similarity/runs/{family}/{model}/{form}/{label}/{fold}/seed={seed}/{predictions.parquet,run.json}
"""


include: "../plan/similarity_plan.smk"
include: "../plan/judge_settings.smk"


check_trainings()


wildcard_constraints:
    story_encoder="|".join(STORY_ENCODERS),
    contrastive="|".join(CONTRASTIVE_MODELS or ["none"]),
    story_label="|".join(STORY_LABELS),
    form="|".join(STORY_FORMS),
    fold="|".join(FOLDS),


rule embed_pairs:
    input:
        tables=embedded_pairs,
    output:
        predictions="<results>/similarity/embedding/{story_encoder}/{form}/predictions.parquet",
        run="<results>/similarity/embedding/{story_encoder}/{form}/run.json",
        provenance="<results>/similarity/embedding/{story_encoder}/{form}/provenance.json",
    log:
        "<logs>/similarity/embedding/{story_encoder}/{form}.log",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
    params:
        encoder=story_encoder,
        mapping=SIMILARITY["scores_as"],
        code=code_fingerprint("embed_pairs"),
    message:
        "Comparing the embeddings of two stories ({wildcards.story_encoder}, {wildcards.form} stories)"
    script:
        "../../scripts/similarity/embed_pairs.py"


rule train_contrastive:
    input:
        unpack(trained_pairs),
    output:
        **CONTRASTIVE_FILES,
    log:
        "<logs>/similarity/runs/contrastive/{contrastive}/{form}/{story_label}/{fold}/seed={seed}.log",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
    params:
        settings=contrastive_settings,
        encoder=story_encoder,
        code=code_fingerprint("train_contrastive", metrics="pearson_r"),
    message:
        "Training {wildcards.contrastive} on {wildcards.story_label} ({wildcards.form} stories, {wildcards.fold}, seed {wildcards.seed})"
    script:
        "../../scripts/similarity/train_contrastive.py"


include: "zero_shot.smk"
include: "fine_tuning.smk"
include: "scores.smk"
