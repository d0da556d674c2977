"""
Stage: what transfer gains net of capacity, as the controls tell.

NEEDS    <results>/{baseline,transfer,controls}/**/{run.json,predictions.parquet}
         <results>/analysis/scores/{target}.csv
         <results>/data/{target}/test.parquet
MAKES    <results>/analysis/controls/{target}/tests.csv
         <results>/analysis/controls.csv, <results>/tables/controls.html
         <results>/figures/controls_{data}.{png,svg,csv}
"""


use rule score_target as score_controls with:
    input:
        runs=control_records,
        predictions=control_predictions,
    output:
        scores="<results>/analysis/controls/{target}/scores.csv",
        provenance="<results>/analysis/controls/{target}/scores.provenance.json",
    log:
        "<logs>/analysis/controls/{target}.scores.log",
    message:
        "Scoring the controls of {wildcards.target}"


rule compare_with_controls:
    input:
        scores=[
            "<results>/analysis/scores/{target}.csv",
            "<results>/analysis/controls/{target}/scores.csv",
        ],
        predictions=compared_predictions,
        test="<results>/data/{target}/test.parquet",
        leaked_pairs="<results>/analysis/leaked_pairs.csv",
    output:
        tests="<results>/analysis/controls/{target}/tests.csv",
        provenance="<results>/analysis/controls/{target}/provenance.json",
    log:
        "<logs>/analysis/controls/{target}.log",
    conda:
        "../../../environment.yml"
    params:
        settings=test_settings(),
        code=code_fingerprint("compare_with_controls"),
    message:
        "Comparing the transfers to {wildcards.target} with its controls"
    script:
        "../../scripts/analyse/compare_with_controls.py"


rule collect_controls:
    input:
        tests=expand("<results>/analysis/controls/{target}/tests.csv", target=TASKS),
    output:
        controls="<results>/analysis/controls.csv",
        provenance="<results>/analysis/controls.provenance.json",
    log:
        "<logs>/analysis/controls.log",
    conda:
        "../../../environment.yml"
    params:
        settings=test_settings(),
        code=code_fingerprint("collect_controls"),
    message:
        "Collecting the comparisons with controls"
    script:
        "../../scripts/analyse/collect_controls.py"


rule tabulate_controls:
    input:
        controls="<results>/analysis/controls.csv",
    output:
        html="<results>/tables/controls.html",
        provenance="<results>/tables/controls.provenance.json",
    log:
        "<logs>/tables/controls.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(TASKS),
        code=code_fingerprint("tabulate_controls"),
    message:
        "Writing the table of controls"
    script:
        "../../scripts/analyse/tabulate_controls.py"


rule plot_controls:
    input:
        controls="<results>/analysis/controls.csv",
    output:
        png=report(
            "<results>/figures/controls_{data}.png",
            caption="../../report/controls.rst",
            category="Transfer",
            labels={"targets": "all", "data": "{data}"},
        ),
        svg="<results>/figures/controls_{data}.svg",
        csv="<results>/figures/controls_{data}.csv",
        provenance="<results>/figures/controls_{data}.provenance.json",
    log:
        "<logs>/figures/controls_{data}.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(TASKS),
        code=code_fingerprint("plot_controls"),
    message:
        "Drawing the controls ({wildcards.data} data)"
    script:
        "../../scripts/analyse/plot_controls.py"


# Without controls there is nothing to compare with, so nothing of this stage is asked for.
CAPACITY = (
    ["<results>/tables/controls.html", *expand("<results>/figures/controls_{data}.png", data=DATA)] if CONTROLS else []
)


rule controls:
    input:
        CAPACITY,
