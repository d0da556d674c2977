"""
Stage: empathic similarity on one page: models beside the human ceiling, and the printed claims judged.

NEEDS    resources/claims/similarity.yaml, <results>/similarity/{agreement,machines,cultures,peers}.csv
         where models are trained: <results>/similarity/{scores,comparisons}.csv
MAKES    <results>/similarity/{beside_ceiling,claims}.csv, <results>/figures/similarity_ceiling.{png,svg,csv}
         <results>/similarity/report.md
"""


rule compare_with_ceiling:
    input:
        agreement="<results>/similarity/agreement.csv",
        machines="<results>/similarity/machines.csv",
        peers="<results>/similarity/peers.csv",
        scores=model_scores,
    output:
        csv="<results>/similarity/beside_ceiling.csv",
        provenance="<results>/similarity/beside_ceiling.provenance.json",
    log:
        "<logs>/similarity/beside_ceiling.log",
    conda:
        "../../../environment.yml"
    params:
        about=ceiling_settings(),
        code=code_fingerprint("compare_with_ceiling"),
    message:
        "Comparing models with the human ceiling"
    script:
        "../../scripts/similarity/compare_with_ceiling.py"


rule plot_similarity_ceiling:
    input:
        beside="<results>/similarity/beside_ceiling.csv",
    output:
        png=report(
            "<results>/figures/similarity_ceiling.png",
            caption="../../report/similarity_ceiling.rst",
            category="Empathic similarity",
        ),
        svg="<results>/figures/similarity_ceiling.svg",
        csv="<results>/figures/similarity_ceiling.csv",
        provenance="<results>/figures/similarity_ceiling.provenance.json",
    log:
        "<logs>/figures/similarity_ceiling.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("plot_similarity_ceiling"),
    message:
        "Drawing models beside the human ceiling"
    script:
        "../../scripts/similarity/plot_similarity_ceiling.py"


rule judge_similarity_claims:
    input:
        claims=local("resources/claims/similarity.yaml"),
        agreement="<results>/similarity/agreement.csv",
        cultures="<results>/similarity/cultures.csv",
        beside="<results>/similarity/beside_ceiling.csv",
        comparisons=model_comparisons,
    output:
        claims="<results>/similarity/claims.csv",
        provenance="<results>/similarity/claims.provenance.json",
    log:
        "<logs>/similarity/claims.log",
    conda:
        "../../../environment.yml"
    params:
        level=config["analysis"]["alpha"],
        code=code_fingerprint("judge_similarity_claims"),
    message:
        "Judging the printed claims on empathic similarity"
    script:
        "../../scripts/similarity/judge_similarity_claims.py"


rule report_similarity:
    input:
        **{name: f"<results>/similarity/{name}.csv" for name in REPORTED_TABLES},
    output:
        page="<results>/similarity/report.md",
        provenance="<results>/similarity/report.provenance.json",
    log:
        "<logs>/similarity/report.log",
    conda:
        "../../../environment.yml"
    params:
        about={"level": config["analysis"]["alpha"], "split": config["similarity"]["shown"]},
        code=code_fingerprint("report_similarity"),
    message:
        "Writing what people and models say of the similarity of stories"
    script:
        "../../scripts/similarity/report_similarity.py"


rule similarity:
    input:
        "<results>/similarity/report.md",
        "<results>/similarity/disagreements.csv",
        "<results>/figures/similarity_ceiling.png",
        "<results>/figures/similarity_models.png",
        "<results>/tables/similarity.html",
