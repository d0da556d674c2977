"""
Stage: how reliable labels, ratings and scores are: `snakemake reliability`. Nothing is trained.

NEEDS    <results>/analysis/{improvement,pair_features,scores}.csv, <results>/baseline/full/**/predictions.parquet, ratings
         raw files in which single raters' labels stand, for the tasks that have them
MAKES    <results>/analysis/ceilings/{task}.csv, <results>/analysis/reliability.{csv,md}
         <results>/figures/reliability.{png,svg,csv}
"""

RATED = rated_tasks()
CEILINGS = expand("<results>/analysis/ceilings/{task}.csv", task=RATED)


rule measure_ceiling:
    input:
        raters=raters_file,
        digests=task_digests,
        tables=expand("<results>/data/{{task}}/{split}.parquet", split=SPLITS),
    output:
        ceiling="<results>/analysis/ceilings/{task}.csv",
        provenance="<results>/analysis/ceilings/{task}.provenance.json",
    log:
        "<logs>/analysis/ceilings/{task}.log",
    wildcard_constraints:
        task="|".join(RATED or ["none"]),
    conda:
        "../../../environment.yml"
    params:
        task=rated_definition,
        form=task_form,
        settings=interval_settings(),
        code=ceiling_code,
    message:
        "Measuring how well the raters of {wildcards.task} agree"
    script:
        "../../scripts/analyse/measure_ceiling.py"


rule measure_reliability:
    input:
        ratings=local(config["ratings"]),
        improvement="<results>/analysis/improvement.csv",
        features="<results>/analysis/pair_features.csv",
        scores="<results>/analysis/scores.csv",
        ceilings=CEILINGS,
        predictions=expand("<results>/baseline/full/seed={seed}/{task}/predictions.parquet", seed=SEEDS, task=TASKS),
        tests=expand("<results>/data/{task}/test.parquet", task=TASKS),
    output:
        csv="<results>/analysis/reliability.csv",
        text="<results>/analysis/reliability.md",
        provenance="<results>/analysis/reliability.provenance.json",
    log:
        "<logs>/analysis/reliability.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(TASKS),
        settings=interval_settings(),
        code=code_fingerprint("measure_reliability"),
    message:
        "Measuring how reliable ratings, labels and answers are"
    script:
        "../../scripts/analyse/measure_reliability.py"


rule plot_reliability:
    input:
        reliability="<results>/analysis/reliability.csv",
        ratings=local(config["ratings"]),
    output:
        png=report(
            "<results>/figures/reliability.png",
            caption="../../report/reliability.rst",
            category="Reliability",
        ),
        svg="<results>/figures/reliability.svg",
        csv="<results>/figures/reliability.csv",
        provenance="<results>/figures/reliability.provenance.json",
    log:
        "<logs>/figures/reliability.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(TASKS),
        code=code_fingerprint("plot_reliability"),
    message:
        "Drawing how reliable answers and ratings are"
    script:
        "../../scripts/analyse/plot_reliability.py"


rule reliability:
    input:
        "<results>/analysis/reliability.md",
        "<results>/figures/reliability.png",
