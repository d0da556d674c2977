"""
Stage: what the construct ratings say: agreement of the raters, their differences, and the table of themes.

NEEDS    the table of ratings that the config names; no data and no training
MAKES    <results>/analysis/{agreement,rater_pairs,differences}.csv
         <results>/tables/themes.{csv,html,tex}
         <results>/figures/rating_differences.{png,svg,csv}
"""


rule measure_agreement:
    input:
        ratings=local(config["ratings"]),
    output:
        agreement="<results>/analysis/agreement.csv",
        pairs="<results>/analysis/rater_pairs.csv",
        differences="<results>/analysis/differences.csv",
        provenance="<results>/analysis/agreement.provenance.json",
    log:
        "<logs>/analysis/agreement.log",
    conda:
        "../../../environment.yml"
    params:
        resamples=config["analysis"]["resamples"],
        alpha=config["analysis"]["alpha"],
        code=code_fingerprint("measure_agreement"),
    message:
        "Measuring how well raters agree"
    script:
        "../../scripts/analyse/measure_agreement.py"


rule tabulate_themes:
    input:
        ratings=local(config["ratings"]),
    output:
        csv="<results>/tables/themes.csv",
        html="<results>/tables/themes.html",
        tex="<results>/tables/themes.tex",
        provenance="<results>/tables/themes.provenance.json",
    log:
        "<logs>/tables/themes.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(WANTED),
        code=code_fingerprint("tabulate_themes"),
    message:
        "Writing the table of themes"
    script:
        "../../scripts/analyse/tabulate_themes.py"


rule plot_differences:
    input:
        differences="<results>/analysis/differences.csv",
    output:
        png=report(
            "<results>/figures/rating_differences.png",
            caption="../../report/rating_differences.rst",
            category="Ratings",
        ),
        svg="<results>/figures/rating_differences.svg",
        csv="<results>/figures/rating_differences.csv",
        provenance="<results>/figures/rating_differences.provenance.json",
    log:
        "<logs>/figures/rating_differences.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("plot_differences"),
    message:
        "Drawing the differences between raters"
    script:
        "../../scripts/analyse/plot_differences.py"


RATINGS = [
    "<results>/analysis/agreement.csv",
    "<results>/tables/themes.html",
    "<results>/figures/rating_differences.png",
]


rule ratings:
    input:
        RATINGS,
