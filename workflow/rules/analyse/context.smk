"""
Stage: do baselines use the context of their texts? Nothing is trained.

NEEDS    <results>/baseline/full/seed={seed}/{task}/{adapter,head}.safetensors and predictions.parquet
         <results>/data/{task}/test.parquet
MAKES    <results>/context/full/seed={seed}/{task}/{intact,blanked,shuffled}/predictions.parquet
         <results>/analysis/context_ablation.csv, <results>/figures/context_ablation.{png,svg,csv}
"""


rule ablate_context:
    input:
        test="<results>/data/{task}/test.parquet",
        task_json="<results>/data/{task}/task.json",
        adapter="<results>/baseline/full/seed={seed}/{task}/adapter.safetensors",
        head="<results>/baseline/full/seed={seed}/{task}/head.safetensors",
        predictions="<results>/baseline/full/seed={seed}/{task}/predictions.parquet",
    output:
        intact="<results>/context/full/seed={seed}/{task}/intact/predictions.parquet",
        blanked="<results>/context/full/seed={seed}/{task}/blanked/predictions.parquet",
        shuffled="<results>/context/full/seed={seed}/{task}/shuffled/predictions.parquet",
        scores="<results>/context/full/seed={seed}/{task}/scores.json",
        provenance="<results>/context/full/seed={seed}/{task}/provenance.json",
    log:
        "<logs>/context/full/seed={seed}/{task}.log",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
    params:
        training=target_training,
        encoder=config["encoder"],
        code=ablation_code,
    message:
        "Testing {wildcards.task} without its context (seed {wildcards.seed})"
    script:
        "../../scripts/analyse/ablate_context.py"


rule compare_contexts:
    input:
        scores=expand("<results>/context/full/seed={seed}/{task}/scores.json", seed=SEEDS, task=CONTEXT_TASKS),
        tests=expand("<results>/data/{task}/test.parquet", task=CONTEXT_TASKS),
    output:
        table="<results>/analysis/context_ablation.csv",
        provenance="<results>/analysis/context_ablation.provenance.json",
    log:
        "<logs>/analysis/context_ablation.log",
    conda:
        "../../../environment.yml"
    params:
        settings=test_settings(),
        code=code_fingerprint("compare_contexts"),
    message:
        "Comparing the scores with and without context"
    script:
        "../../scripts/analyse/compare_contexts.py"


rule plot_context_ablation:
    input:
        table="<results>/analysis/context_ablation.csv",
    output:
        png=report(
            "<results>/figures/context_ablation.png",
            caption="../../report/context_ablation.rst",
            category="Context",
        ),
        svg="<results>/figures/context_ablation.svg",
        csv="<results>/figures/context_ablation.csv",
        provenance="<results>/figures/context_ablation.provenance.json",
    log:
        "<logs>/figures/context_ablation.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(CONTEXT_TASKS),
        code=code_fingerprint("plot_context_ablation"),
    message:
        "Drawing what baselines lose without their context"
    script:
        "../../scripts/analyse/plot_context_ablation.py"


# Without a task that has a context, nothing of this stage is asked for.
CONTEXT = ["<results>/figures/context_ablation.png"] if CONTEXT_TASKS else []


rule context:
    input:
        CONTEXT,
