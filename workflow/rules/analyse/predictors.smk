"""
Stage: how well each single predictor ranks the sources of a target, estimators of transferability included.

NEEDS    <results>/tokens/{target}/tokens.safetensors
         <results>/baseline/full/seed={seed}/{source}/{adapter,head}.safetensors
         <results>/analysis/{improvement,pair_features}.csv, <results>/features/{dataset,task}_similarity.csv
MAKES    <results>/features/estimates/seed={seed}/{target}.csv
         <results>/analysis/{predictors,predictors_by_target}.csv, <results>/figures/predictors.{png,svg,csv}
"""


rule estimate_sources:
    input:
        tokens="<results>/tokens/{target}/tokens.safetensors",
        task_json="<results>/data/{target}/task.json",
        adapters=source_adapters,
        heads=source_heads,
    output:
        estimates="<results>/features/estimates/seed={seed}/{target}.csv",
        provenance="<results>/features/estimates/seed={seed}/{target}.provenance.json",
    log:
        "<logs>/features/estimates/seed={seed}/{target}.log",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
    params:
        sources=other_tasks,
        training=target_training,
        encoder=config["encoder"],
        examples=config["analysis"]["features"]["estimator_examples"],
        code=estimates_code,
    message:
        "Estimating which sources suit {wildcards.target} (seed {wildcards.seed})"
    script:
        "../../scripts/analyse/estimate_sources.py"


rule rank_predictors:
    input:
        improvement="<results>/analysis/improvement.csv",
        features="<results>/analysis/pair_features.csv",
        datasets="<results>/features/dataset_similarity.csv",
        tasks="<results>/features/task_similarity.csv",
        estimates=expand("<results>/features/estimates/seed={seed}/{target}.csv", seed=SEEDS, target=TASKS),
    output:
        predictors="<results>/analysis/predictors.csv",
        by_target="<results>/analysis/predictors_by_target.csv",
        provenance="<results>/analysis/predictors.provenance.json",
    log:
        "<logs>/analysis/predictors.log",
    conda:
        "../../../environment.yml"
    params:
        draws=config["analysis"]["importance"]["interval_draws"],
        seed=config["analysis"]["importance"]["seed"],
        code=code_fingerprint("rank_predictors"),
    message:
        "Measuring how well single predictors rank sources"
    script:
        "../../scripts/analyse/rank_predictors.py"


rule plot_predictors:
    input:
        predictors="<results>/analysis/predictors.csv",
    output:
        png=report(
            "<results>/figures/predictors.png",
            caption="../../report/predictors.rst",
            category="Predictors",
        ),
        svg="<results>/figures/predictors.svg",
        csv="<results>/figures/predictors.csv",
        provenance="<results>/figures/predictors.provenance.json",
    log:
        "<logs>/figures/predictors.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("plot_predictors"),
    message:
        "Drawing how well single predictors rank sources"
    script:
        "../../scripts/analyse/plot_predictors.py"


rule predictors:
    input:
        "<results>/figures/predictors.png",
