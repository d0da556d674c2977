"""
Stage: what training with labels from language models says: the printed claims judged, signs of failure, and one page.

NEEDS    resources/claims/labels.yaml
         <results>/relabel/{scores,comparisons,agreement,demographics}.csv
MAKES    <results>/relabel/{claims,flags}.csv, <results>/relabel/report.md
"""


rule judge_claims:
    input:
        claims=local("resources/claims/labels.yaml"),
        scores="<results>/relabel/scores.csv",
        comparisons="<results>/relabel/comparisons.csv",
        agreement="<results>/relabel/agreement.csv",
    output:
        claims="<results>/relabel/claims.csv",
        provenance="<results>/relabel/claims.provenance.json",
    log:
        "<logs>/relabel/claims.log",
    conda:
        "../../../environment.yml"
    params:
        level=config["analysis"]["alpha"],
        code=code_fingerprint("judge_claims"),
    message:
        "Judging the printed claims on labels from language models"
    script:
        "../../scripts/relabel/judge_claims.py"


rule flag_failures:
    input:
        scores="<results>/relabel/scores.csv",
        comparisons="<results>/relabel/comparisons.csv",
        slices="<results>/relabel/demographics.csv",
    output:
        flags="<results>/relabel/flags.csv",
        provenance="<results>/relabel/flags.provenance.json",
    log:
        "<logs>/relabel/flags.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("flag_failures"),
    message:
        "Looking for signs of failure in training with labels from language models"
    script:
        "../../scripts/relabel/flag_failures.py"


rule report_relabelled:
    input:
        scores="<results>/relabel/scores.csv",
        comparisons="<results>/relabel/comparisons.csv",
        claims="<results>/relabel/claims.csv",
        flags="<results>/relabel/flags.csv",
    output:
        page="<results>/relabel/report.md",
        provenance="<results>/relabel/report.provenance.json",
    log:
        "<logs>/relabel/report.log",
    conda:
        "../../../environment.yml"
    params:
        level=config["analysis"]["alpha"],
        code=code_fingerprint("report_relabelled"),
    message:
        "Writing what labels from language models gained"
    script:
        "../../scripts/relabel/report_relabelled.py"


rule relabel:
    input:
        "<results>/relabel/report.md",
        *[f"<results>/relabel/{name}.csv" for name in ("claims", "costs", "disagreements", "audit_summary")],
        "<results>/tables/relabel.html",
        "<results>/figures/relabel_thresholds.png",
        "<results>/figures/relabel_writers.png",
