"""
Stage: one adapter per task, without transfer; those of full data are also the source adapters.

NEEDS    <results>/tokens/{task}/tokens.safetensors
MAKES    <results>/baseline/{data}/seed={seed}/{task}/{adapter,head}.safetensors
         <results>/baseline/{data}/seed={seed}/{task}/{run.json,predictions.parquet}
"""


rule train_baseline:
    input:
        tokens="<results>/tokens/{task}/tokens.safetensors",
        task_json="<results>/data/{task}/task.json",
    output:
        adapter="<results>/baseline/{data}/seed={seed}/{task}/adapter.safetensors",
        head="<results>/baseline/{data}/seed={seed}/{task}/head.safetensors",
        predictions="<results>/baseline/{data}/seed={seed}/{task}/predictions.parquet",
        run="<results>/baseline/{data}/seed={seed}/{task}/run.json",
        epochs="<results>/baseline/{data}/seed={seed}/{task}/epochs.jsonl",
        provenance="<results>/baseline/{data}/seed={seed}/{task}/provenance.json",
    log:
        "<logs>/baseline/{data}/seed={seed}/{task}.log",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
        mem_mb=training_memory,
        runtime=training_minutes,
    params:
        training=target_training,
        encoder=config["encoder"],
        code=baseline_code,
    message:
        "Training {wildcards.task} ({wildcards.data} data, seed {wildcards.seed})"
    script:
        "../../scripts/train/train_baseline.py"


rule baseline:
    input:
        baseline_records,
