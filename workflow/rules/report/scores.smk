"""
Stage: tables and heat maps of the whole study.

NEEDS    <results>/analysis/{scores,improvement,leaked_pairs}.csv, <results>/analysis/ceilings/{task}.csv
MAKES    <results>/tables/scores_{kind}_{data}.{csv,html,tex}
         <results>/figures/improvement_{kind}_{data}.{png,svg,csv}
         <results>/COMPLETE.json
"""


rule tabulate_scores:
    input:
        scores="<results>/analysis/scores.csv",
        improvement="<results>/analysis/improvement.csv",
        leaked_pairs="<results>/analysis/leaked_pairs.csv",
        ceilings=CEILINGS,
    output:
        csv="<results>/tables/scores_{kind}_{data}.csv",
        html="<results>/tables/scores_{kind}_{data}.html",
        tex="<results>/tables/scores_{kind}_{data}.tex",
        provenance="<results>/tables/scores_{kind}_{data}.provenance.json",
    log:
        "<logs>/tables/scores_{kind}_{data}.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(WANTED),
        code=code_fingerprint("tabulate_scores"),
    message:
        "Writing the table of {wildcards.kind} targets ({wildcards.data} data)"
    script:
        "../../scripts/report/tabulate_scores.py"


rule plot_improvement:
    input:
        improvement="<results>/analysis/improvement.csv",
        ratings=local(config["ratings"]),
        leaked_pairs="<results>/analysis/leaked_pairs.csv",
    output:
        png=report(
            "<results>/figures/improvement_{kind}_{data}.png",
            caption="../../report/improvement.rst",
            category="Transfer",
            labels={"targets": "{kind}", "data": "{data}"},
        ),
        svg="<results>/figures/improvement_{kind}_{data}.svg",
        csv="<results>/figures/improvement_{kind}_{data}.csv",
        provenance="<results>/figures/improvement_{kind}_{data}.provenance.json",
    log:
        "<logs>/figures/improvement_{kind}_{data}.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(WANTED),
        code=code_fingerprint("plot_improvement"),
    message:
        "Drawing the heat map of {wildcards.kind} targets ({wildcards.data} data)"
    script:
        "../../scripts/report/plot_improvement.py"


SCORE_AGGREGATES = [
    "<results>/analysis/scores.csv",
    "<results>/analysis/improvement.csv",
    "<results>/analysis/significance.csv",
    "<results>/analysis/theme_counts.csv",
    "<results>/analysis/claims.csv",
    *expand("<results>/tables/scores_{kind}_{data}.html", kind=KINDS, data=DATA),
    *expand("<results>/figures/improvement_{kind}_{data}.png", kind=KINDS, data=DATA),
]
# Whether the demo finds what its generator planted is its first finding; other studies of generated data may ask for it.
PLANTED = ["<results>/analysis/planted.json"] if config["study"] == "demo" else []
AGGREGATES = [
    *SCORE_AGGREGATES,
    *PLANTED,
    *LEAKAGE,
    "<results>/analysis/importance.csv",
    "<results>/figures/importance.png",
    "<results>/figures/rating_model.png",
    *expand("<results>/figures/similarity_{similarity}.png", similarity=SIMILARITIES),
    "<results>/figures/predictors.png",
]


rule complete_study:
    input:
        summary="<results>/data/summary.csv",
        scores="<results>/analysis/scores.csv",
        aggregates=AGGREGATES,
    output:
        complete="<results>/COMPLETE.json",
        provenance="<results>/COMPLETE.provenance.json",
    log:
        "<logs>/complete.log",
    conda:
        "../../../environment.yml"
    params:
        study=config["study"],
        expected=len(DATA) * len(SEEDS) * (len(TASKS) + len(PAIRS)),
        left_out=LEFT_OUT,
        code=code_fingerprint("complete_study"),
    message:
        "Checking that the study is complete"
    script:
        "../../scripts/report/complete_study.py"
