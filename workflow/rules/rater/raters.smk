"""
Stage: raters of pairs of texts, by architecture, loss and variant.

NEEDS    <results>/pairs/{scheme}/{pairs}/{train,validation,test}.parquet and task.json
         <results>/baseline/full/seed={seed}/{source}/adapter.safetensors, for raters on an adapter of the transfer study
MAKES    <results>/rater/tokens/{architecture}/{scheme}/{pairs}/tokens.safetensors
         <results>/rater/runs/{scheme}/{pairs}/{architecture}/{loss}/{variant}/seed={seed}/
"""


include: "../plan/rater_plan.smk"


wildcard_constraints:
    architecture="|".join(ARCHITECTURES),
    loss="[a-z_]+",
    variant="|".join([PLAIN, *RATER_VARIANTS]),


rule tokenise_pairs:
    input:
        train="<results>/pairs/{scheme}/{pairs}/train.parquet",
        validation="<results>/pairs/{scheme}/{pairs}/validation.parquet",
        test="<results>/pairs/{scheme}/{pairs}/test.parquet",
        task_json="<results>/pairs/{scheme}/{pairs}/task.json",
    output:
        tokens="<results>/rater/tokens/{architecture}/{scheme}/{pairs}/tokens.safetensors",
        provenance="<results>/rater/tokens/{architecture}/{scheme}/{pairs}/provenance.json",
    log:
        "<logs>/rater/tokens/{architecture}/{scheme}/{pairs}.log",
    conda:
        "../../../environment.yml"
    params:
        encoder=RATER["encoder"],
        code=pair_tokens_code,
    message:
        "Tokenising {wildcards.pairs} ({wildcards.scheme} splits) for {wildcards.architecture}-encoders"
    script:
        "../../scripts/rater/tokenise_pairs.py"


rule train_rater:
    input:
        tokens="<results>/rater/tokens/{architecture}/{scheme}/{pairs}/tokens.safetensors",
        task_json="<results>/pairs/{scheme}/{pairs}/task.json",
        adapter=rater_source,
    output:
        model="<results>/rater/runs/{scheme}/{pairs}/{architecture}/{loss}/{variant}/seed={seed}/model.safetensors",
        predictions="<results>/rater/runs/{scheme}/{pairs}/{architecture}/{loss}/{variant}/seed={seed}/predictions.parquet",
        run="<results>/rater/runs/{scheme}/{pairs}/{architecture}/{loss}/{variant}/seed={seed}/run.json",
        epochs="<results>/rater/runs/{scheme}/{pairs}/{architecture}/{loss}/{variant}/seed={seed}/epochs.jsonl",
        provenance="<results>/rater/runs/{scheme}/{pairs}/{architecture}/{loss}/{variant}/seed={seed}/provenance.json",
    log:
        "<logs>/rater/runs/{scheme}/{pairs}/{architecture}/{loss}/{variant}/seed={seed}.log",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
    params:
        training=rater_training,
        encoder=RATER["encoder"],
        code=rater_code,
    message:
        "Training a {wildcards.architecture}-encoder on {wildcards.pairs}: {wildcards.loss}, {wildcards.variant} ({wildcards.scheme} splits, seed {wildcards.seed})"
    script:
        "../../scripts/rater/train_rater.py"


include: "rater_scores.smk"
include: "rater_report.smk"
