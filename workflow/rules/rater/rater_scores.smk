"""
Stage: scores of the raters, what is better than what, their tables, slices and figures.

NEEDS    <results>/rater/runs/**/{run.json,predictions.parquet,epochs.jsonl}
         <results>/pairs/{scheme}/{pairs}/test.parquet
MAKES    <results>/rater/{scores,cells,comparisons,slices,curves}.csv
         <results>/tables/raters.{csv,html,tex}, <results>/figures/{raters,rater_curves}.{png,svg,csv}
"""


rule score_raters:
    input:
        runs=rater_runs("run.json"),
        predictions=rater_runs("predictions.parquet"),
    output:
        scores="<results>/rater/scores.csv",
        provenance="<results>/rater/scores.provenance.json",
    log:
        "<logs>/rater/scores.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("score_raters"),
    message:
        "Scoring all raters"
    script:
        "../../scripts/rater/score_raters.py"


rule compare_raters:
    input:
        scores="<results>/rater/scores.csv",
        runs=rater_runs("run.json"),
        predictions=rater_runs("predictions.parquet"),
        tests=rater_tests(),
    output:
        cells="<results>/rater/cells.csv",
        comparisons="<results>/rater/comparisons.csv",
        provenance="<results>/rater/comparisons.provenance.json",
    log:
        "<logs>/rater/comparisons.log",
    conda:
        "../../../environment.yml"
    params:
        settings={key: config["analysis"][key] for key in ("alpha", "resamples")},
        code=code_fingerprint("compare_raters"),
    message:
        "Comparing raters: architectures, losses, variants"
    script:
        "../../scripts/rater/compare_raters.py"


rule slice_raters:
    input:
        runs=rater_runs("run.json"),
        predictions=rater_runs("predictions.parquet"),
        tests=rater_tests(),
    output:
        slices="<results>/rater/slices.csv",
        provenance="<results>/rater/slices.provenance.json",
    log:
        "<logs>/rater/slices.log",
    conda:
        "../../../environment.yml"
    params:
        settings={key: config["analysis"][key] for key in ("alpha", "resamples")},
        code=code_fingerprint("slice_raters"),
    message:
        "Looking where raters err: by level and by length"
    script:
        "../../scripts/rater/slice_raters.py"


rule tabulate_raters:
    input:
        scores="<results>/rater/scores.csv",
        cells="<results>/rater/cells.csv",
    output:
        csv="<results>/tables/raters.csv",
        html="<results>/tables/raters.html",
        tex="<results>/tables/raters.tex",
        provenance="<results>/tables/raters.provenance.json",
    log:
        "<logs>/tables/raters.log",
    conda:
        "../../../environment.yml"
    params:
        level=config["analysis"]["alpha"],
        code=code_fingerprint("tabulate_raters"),
    message:
        "Writing the tables of raters"
    script:
        "../../scripts/rater/tabulate_raters.py"


rule plot_raters:
    input:
        cells="<results>/rater/cells.csv",
    output:
        png=report(
            "<results>/figures/raters.png",
            caption="../../report/raters.rst",
            category="Raters of pairs of texts",
        ),
        svg="<results>/figures/raters.svg",
        csv="<results>/figures/raters.csv",
        provenance="<results>/figures/raters.provenance.json",
    log:
        "<logs>/figures/raters.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("plot_raters"),
    message:
        "Drawing the scores of raters"
    script:
        "../../scripts/rater/plot_raters.py"


rule plot_rater_curves:
    input:
        epochs=rater_runs("epochs.jsonl"),
        runs=rater_runs("run.json"),
    output:
        png=report(
            "<results>/figures/rater_curves.png",
            caption="../../report/rater_curves.rst",
            category="Raters of pairs of texts",
        ),
        svg="<results>/figures/rater_curves.svg",
        csv="<results>/figures/rater_curves.csv",
        provenance="<results>/figures/rater_curves.provenance.json",
    log:
        "<logs>/figures/rater_curves.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("plot_rater_curves"),
    message:
        "Drawing the learning curves of raters"
    script:
        "../../scripts/rater/plot_rater_curves.py"
