"""
Stage: scores and comparisons of the models of the similarity of stories, their table and figure.

NEEDS    <results>/similarity/{embedding,runs,zero_shot}/**, <results>/pairs/{fold}/{task}/{train,test}.parquet
MAKES    <results>/similarity/{scores,comparisons}.csv
         <results>/tables/similarity.{csv,html}, <results>/figures/similarity_models.{png,svg,csv}
"""


rule score_similarity:
    input:
        **similarity_answers(),
        trained=story_pairs("train"),
    output:
        scores="<results>/similarity/scores.csv",
        provenance="<results>/similarity/scores.provenance.json",
    log:
        "<logs>/similarity/scores.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=STORY_TASKS,
        level=config["analysis"]["alpha"],
        code=code_fingerprint("score_similarity"),
    message:
        "Scoring all models of the similarity of stories"
    script:
        "../../scripts/similarity/score_similarity.py"


rule compare_similarity:
    input:
        **similarity_answers(),
    output:
        comparisons="<results>/similarity/comparisons.csv",
        provenance="<results>/similarity/comparisons.provenance.json",
    log:
        "<logs>/similarity/comparisons.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=STORY_TASKS,
        level=config["analysis"]["alpha"],
        code=code_fingerprint("compare_similarity"),
    message:
        "Comparing models of the similarity of stories"
    script:
        "../../scripts/similarity/compare_similarity.py"


rule tabulate_similarity:
    input:
        scores="<results>/similarity/scores.csv",
    output:
        csv="<results>/tables/similarity.csv",
        html="<results>/tables/similarity.html",
        provenance="<results>/tables/similarity.provenance.json",
    log:
        "<logs>/tables/similarity.log",
    conda:
        "../../../environment.yml"
    params:
        level=config["analysis"]["alpha"],
        code=code_fingerprint("tabulate_similarity"),
    message:
        "Writing the table of models of the similarity of stories"
    script:
        "../../scripts/similarity/tabulate_similarity.py"


rule plot_similarity_models:
    input:
        scores="<results>/similarity/scores.csv",
    output:
        png=report(
            "<results>/figures/similarity_models.png",
            caption="../../report/similarity_models.rst",
            category="Empathic similarity",
        ),
        svg="<results>/figures/similarity_models.svg",
        csv="<results>/figures/similarity_models.csv",
        provenance="<results>/figures/similarity_models.provenance.json",
    log:
        "<logs>/figures/similarity_models.log",
    conda:
        "../../../environment.yml"
    params:
        level=config["analysis"]["alpha"],
        code=code_fingerprint("plot_similarity_models"),
    message:
        "Drawing models of the similarity of stories by label"
    script:
        "../../scripts/similarity/plot_similarity_models.py"
