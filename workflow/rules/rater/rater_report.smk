"""
Stage: what the raters say: the printed claims judged, and one page.

NEEDS    resources/claims/raters.yaml
         <results>/rater/{cells,comparisons,slices}.csv, <results>/rater/data/{sums,splits,leaks}.csv
MAKES    <results>/rater/claims.csv, <results>/rater/report.md
"""


rule judge_raters:
    input:
        claims=local("resources/claims/raters.yaml"),
        comparisons="<results>/rater/comparisons.csv",
    output:
        claims="<results>/rater/claims.csv",
        provenance="<results>/rater/claims.provenance.json",
    log:
        "<logs>/rater/claims.log",
    conda:
        "../../../environment.yml"
    params:
        level=config["analysis"]["alpha"],
        code=code_fingerprint("judge_raters"),
    message:
        "Judging the printed claims on raters"
    script:
        "../../scripts/rater/judge_raters.py"


rule report_raters:
    input:
        claims="<results>/rater/claims.csv",
        cells="<results>/rater/cells.csv",
        comparisons="<results>/rater/comparisons.csv",
        slices="<results>/rater/slices.csv",
        leaks="<results>/rater/data/leaks.csv",
        runs=rater_runs("provenance.json"),
    output:
        page="<results>/rater/report.md",
        provenance="<results>/rater/report.provenance.json",
    log:
        "<logs>/rater/report.log",
    conda:
        "../../../environment.yml"
    params:
        level=config["analysis"]["alpha"],
        code=code_fingerprint("report_raters"),
    message:
        "Writing what the raters say"
    script:
        "../../scripts/rater/report_raters.py"


rule rater:
    input:
        "<results>/rater/report.md",
        *[f"<results>/rater/{name}.csv" for name in ("claims", "comparisons", "cells", "slices", "scores")],
        *[f"<results>/rater/data/{name}.csv" for name in ("sums", "splits", "leaks")],
        "<results>/tables/raters.html",
        *[f"<results>/figures/{name}.png" for name in ("raters", "rater_curves", "pair_texts")],
