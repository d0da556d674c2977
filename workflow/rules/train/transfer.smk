"""
Stage: continue from every source adapter on every other task.

NEEDS    <results>/tokens/{target}/tokens.safetensors
         <results>/baseline/full/seed={seed}/{source}/adapter.safetensors
MAKES    <results>/transfer/{data}/seed={seed}/{source}--{target}/{adapter,head}.safetensors
         <results>/transfer/{data}/seed={seed}/{source}--{target}/{run.json,predictions.parquet}
"""


rule train_transfer:
    input:
        adapter="<results>/baseline/full/seed={seed}/{source}/adapter.safetensors",
        tokens="<results>/tokens/{target}/tokens.safetensors",
        task_json="<results>/data/{target}/task.json",
    output:
        adapter="<results>/transfer/{data}/seed={seed}/{source}--{target}/adapter.safetensors",
        head="<results>/transfer/{data}/seed={seed}/{source}--{target}/head.safetensors",
        predictions="<results>/transfer/{data}/seed={seed}/{source}--{target}/predictions.parquet",
        run="<results>/transfer/{data}/seed={seed}/{source}--{target}/run.json",
        epochs="<results>/transfer/{data}/seed={seed}/{source}--{target}/epochs.jsonl",
        provenance="<results>/transfer/{data}/seed={seed}/{source}--{target}/provenance.json",
    log:
        "<logs>/transfer/{data}/seed={seed}/{source}--{target}.log",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
        mem_mb=training_memory,
        runtime=training_minutes,
    params:
        training=target_training,
        encoder=config["encoder"],
        code=transfer_code,
    message:
        "Training {wildcards.target} from {wildcards.source} ({wildcards.data} data, seed {wildcards.seed})"
    script:
        "../../scripts/train/train_transfer.py"


rule transfer:
    input:
        transfer_records,
