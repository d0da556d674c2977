"""
Stage: controls of capacity: each target on its own adapter, on random ones, and trained twice as long.

NEEDS    <results>/tokens/{target}/tokens.safetensors
         <results>/baseline/{data}/seed={seed}/{target}/adapter.safetensors
MAKES    <results>/controls/adapters/seed={seed}/{control}/adapter.safetensors
         <results>/controls/{data}/seed={seed}/{control}--{target}/{run.json,predictions.parquet}, and all else that
         a baseline or a transfer has
"""

RANDOM_ADAPTERS = "random_identity|random_full"


rule draw_adapter:
    output:
        adapter="<results>/controls/adapters/seed={seed}/{control}/adapter.safetensors",
        provenance="<results>/controls/adapters/seed={seed}/{control}/provenance.json",
    log:
        "<logs>/controls/adapters/seed={seed}/{control}.log",
    wildcard_constraints:
        control=RANDOM_ADAPTERS,
    conda:
        "../../../environment.yml"
    params:
        encoder=config["encoder"],
        adapter=study_training()["adapter"],
        code=code_fingerprint("draw_adapter"),
    message:
        "Drawing the adapter {wildcards.control} (seed {wildcards.seed})"
    script:
        "../../scripts/train/draw_adapter.py"


use rule train_transfer as train_control with:
    input:
        adapter=control_adapter,
        tokens="<results>/tokens/{target}/tokens.safetensors",
        task_json="<results>/data/{target}/task.json",
    output:
        adapter="<results>/controls/{data}/seed={seed}/{source}--{target}/adapter.safetensors",
        head="<results>/controls/{data}/seed={seed}/{source}--{target}/head.safetensors",
        predictions="<results>/controls/{data}/seed={seed}/{source}--{target}/predictions.parquet",
        run="<results>/controls/{data}/seed={seed}/{source}--{target}/run.json",
        epochs="<results>/controls/{data}/seed={seed}/{source}--{target}/epochs.jsonl",
        provenance="<results>/controls/{data}/seed={seed}/{source}--{target}/provenance.json",
    log:
        "<logs>/controls/{data}/seed={seed}/{source}--{target}.log",
    wildcard_constraints:
        source=f"self|{RANDOM_ADAPTERS}",


use rule train_baseline as train_longer with:
    output:
        adapter="<results>/controls/{data}/seed={seed}/longer--{task}/adapter.safetensors",
        head="<results>/controls/{data}/seed={seed}/longer--{task}/head.safetensors",
        predictions="<results>/controls/{data}/seed={seed}/longer--{task}/predictions.parquet",
        run="<results>/controls/{data}/seed={seed}/longer--{task}/run.json",
        epochs="<results>/controls/{data}/seed={seed}/longer--{task}/epochs.jsonl",
        provenance="<results>/controls/{data}/seed={seed}/longer--{task}/provenance.json",
    log:
        "<logs>/controls/{data}/seed={seed}/longer--{task}.log",
    params:
        training=longer_training,
        encoder=config["encoder"],
        code=baseline_code,
    message:
        "Training {wildcards.task} for twice the epochs ({wildcards.data} data, seed {wildcards.seed})"
