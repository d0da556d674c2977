"""
Stage: several pairs of one target in one process, where `pack` is above 1; each pair stays a job that takes its results.

NEEDS    <results>/tokens/{target}/tokens.safetensors
         <results>/baseline/full/seed={seed}/{source}/adapter.safetensors
MAKES    <results>/packs/{data}/seed={seed}/{target}/{part}/pack.json, until its pairs have their results
         <results>/transfer/{data}/seed={seed}/{source}--{target}/, as transfer.smk does
"""


include: "../plan/pack_plan.smk"


ruleorder: unpack_transfer > train_transfer


rule train_pack:
    input:
        adapters=pack_adapters,
        tokens="<results>/tokens/{target}/tokens.safetensors",
        task_json="<results>/data/{target}/task.json",
    output:
        report=temp("<results>/packs/{data}/seed={seed}/{target}/{part}/pack.json"),
        provenance=temp("<results>/packs/{data}/seed={seed}/{target}/{part}/provenance.json"),
    log:
        "<logs>/packs/{data}/seed={seed}/{target}/{part}.log",
    wildcard_constraints:
        part=r"\d+",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
        mem_mb=training_memory,
        runtime=pack_minutes,
    params:
        sources=pack_sources,
        wanted=f"{PACKS}/wanted.json",
        training=target_training,
        encoder=config["encoder"],
        pair_code=code_fingerprint("train_transfer"),
        code=code_fingerprint("train_pack"),
    message:
        "Training {wildcards.target} from several sources ({wildcards.data} data, seed {wildcards.seed})"
    script:
        "../../scripts/train/train_pack.py"


rule unpack_transfer:
    input:
        adapter="<results>/baseline/full/seed={seed}/{source}/adapter.safetensors",
        tokens="<results>/tokens/{target}/tokens.safetensors",
        task_json="<results>/data/{target}/task.json",
        after=pack_report,
    output:
        adapter="<results>/transfer/{data}/seed={seed}/{source}--{target}/adapter.safetensors",
        head="<results>/transfer/{data}/seed={seed}/{source}--{target}/head.safetensors",
        predictions="<results>/transfer/{data}/seed={seed}/{source}--{target}/predictions.parquet",
        metrics="<results>/transfer/{data}/seed={seed}/{source}--{target}/metrics.json",
        epochs="<results>/transfer/{data}/seed={seed}/{source}--{target}/epochs.jsonl",
        provenance="<results>/transfer/{data}/seed={seed}/{source}--{target}/provenance.json",
    log:
        "<logs>/transfer/{data}/seed={seed}/{source}--{target}.log",
    localrule: True
    conda:
        "../../../environment.yml"
    params:
        training=target_training,
        encoder=config["encoder"],
        code=code_fingerprint("train_transfer"),
    message:
        "Taking {wildcards.target} from {wildcards.source} out of its pack ({wildcards.data} data, seed {wildcards.seed})"
    script:
        "../../scripts/train/unpack_transfer.py"
