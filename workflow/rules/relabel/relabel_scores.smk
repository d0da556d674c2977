"""
Stage: scores of the runs with corrected and added labels, their comparisons, table, sweep and cost.

NEEDS    <results>/relabel/runs/**/{run.json,predictions.parquet,validation.parquet,training_set.parquet}
MAKES    <results>/relabel/{scores,comparisons,costs}.csv
         <results>/tables/relabel.{csv,html,tex}, <results>/figures/relabel_thresholds.{png,svg,csv}
"""


rule collect_relabelled:
    input:
        runs=relabel_runs("run.json"),
        predictions=relabel_runs("predictions.parquet"),
        validation=relabel_runs("validation.parquet"),
        training_sets=relabel_runs("training_set.parquet"),
        thresholds=expand(
            "<results>/relabel/thresholds/{encoder}/{labeller}/seed={seed}.json",
            encoder=RELABEL_ENCODERS,
            labeller=LABEL_MODELS,
            seed=RELABEL["seeds"],
        ),
        test=f"<results>/relabel/data/{ROLES['test']}.parquet",
    output:
        scores="<results>/relabel/scores.csv",
        provenance="<results>/relabel/scores.provenance.json",
    log:
        "<logs>/relabel/scores.log",
    conda:
        "../../../environment.yml"
    params:
        thresholds=RELABEL["correction"]["thresholds"],
        width=WIDTH,
        code=code_fingerprint("collect_relabelled"),
    message:
        "Collecting the scores of all runs with corrected and added labels"
    script:
        "../../scripts/relabel/collect_relabelled.py"


rule compare_relabelled:
    input:
        scores="<results>/relabel/scores.csv",
        predictions=relabel_runs("predictions.parquet"),
        test=f"<results>/relabel/data/{ROLES['test']}.parquet",
    output:
        comparisons="<results>/relabel/comparisons.csv",
        provenance="<results>/relabel/comparisons.provenance.json",
    log:
        "<logs>/relabel/comparisons.log",
    conda:
        "../../../environment.yml"
    params:
        settings={key: config["analysis"][key] for key in ("alpha", "resamples")},
        code=code_fingerprint("compare_relabelled"),
    message:
        "Comparing corrected and added labels with the crowd's, and with controls of equal size"
    script:
        "../../scripts/relabel/compare_relabelled.py"


rule tabulate_relabelled:
    input:
        scores="<results>/relabel/scores.csv",
        comparisons="<results>/relabel/comparisons.csv",
    output:
        csv="<results>/tables/relabel.csv",
        html="<results>/tables/relabel.html",
        tex="<results>/tables/relabel.tex",
        provenance="<results>/tables/relabel.provenance.json",
    log:
        "<logs>/tables/relabel.log",
    conda:
        "../../../environment.yml"
    params:
        level=config["analysis"]["alpha"],
        code=code_fingerprint("tabulate_relabelled"),
    message:
        "Writing the table of settings with corrected and added labels"
    script:
        "../../scripts/relabel/tabulate_relabelled.py"


rule plot_thresholds:
    input:
        scores="<results>/relabel/scores.csv",
    output:
        png=report(
            "<results>/figures/relabel_thresholds.png",
            caption="../../report/relabel_thresholds.rst",
            category="Labels from language models",
        ),
        svg="<results>/figures/relabel_thresholds.svg",
        csv="<results>/figures/relabel_thresholds.csv",
        provenance="<results>/figures/relabel_thresholds.provenance.json",
    log:
        "<logs>/figures/relabel_thresholds.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("plot_thresholds"),
    message:
        "Drawing the sweep over thresholds"
    script:
        "../../scripts/relabel/plot_thresholds.py"


rule weigh_costs:
    input:
        **bought_answers(),
        scores="<results>/relabel/scores.csv",
        comparisons="<results>/relabel/comparisons.csv",
        sets=[f"<results>/relabel/data/{ROLES[role]}.parquet" for role in ("train", "added")],
    output:
        costs="<results>/relabel/costs.csv",
        provenance="<results>/relabel/costs.provenance.json",
    log:
        "<logs>/relabel/costs.log",
    conda:
        "../../../environment.yml"
    params:
        prices=RELABEL["prices"],
        models=LABEL_MODELS,
        code=code_fingerprint("weigh_costs"),
    message:
        "Weighing what labels cost against what they gain"
    script:
        "../../scripts/relabel/weigh_costs.py"
