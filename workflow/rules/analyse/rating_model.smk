"""
Stage: how much transfer differs between what, and how much goes with the construct ratings: a mixed model. Of a study,
and of the printed scores.

NEEDS    <results>/analysis/{improvement,pair_features,scores}.csv, results/published/{improvement,pair_features}.csv
MAKES    <results>/analysis/rating_model.csv, <results>/figures/rating_model.{png,svg,csv}
         results/published/rating_model.csv, results/published/figures/rating_model.{png,svg,csv}
"""


rule model_ratings:
    input:
        improvement="<results>/analysis/improvement.csv",
        features="<results>/analysis/pair_features.csv",
        scores="<results>/analysis/scores.csv",
    output:
        model="<results>/analysis/rating_model.csv",
        provenance="<results>/analysis/rating_model.provenance.json",
    log:
        "<logs>/analysis/rating_model.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("model_ratings"),
    message:
        "Fitting the mixed model of transfer"
    script:
        "../../scripts/analyse/model_ratings.py"


rule plot_rating_model:
    input:
        model="<results>/analysis/rating_model.csv",
    output:
        png=report(
            "<results>/figures/rating_model.png",
            caption="../../report/rating_model.rst",
            category="Importance",
        ),
        svg="<results>/figures/rating_model.svg",
        csv="<results>/figures/rating_model.csv",
        provenance="<results>/figures/rating_model.provenance.json",
    log:
        "<logs>/figures/rating_model.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("plot_rating_model"),
    message:
        "Drawing the mixed model of transfer"
    script:
        "../../scripts/analyse/plot_rating_model.py"


use rule model_ratings as model_published_ratings with:
    input:
        improvement="results/published/improvement.csv",
        features="results/published/pair_features.csv",
    output:
        model="results/published/rating_model.csv",
        provenance="results/published/rating_model.provenance.json",
    log:
        "logs/published/rating_model.log",


use rule plot_rating_model as plot_published_rating_model with:
    input:
        model="results/published/rating_model.csv",
    output:
        png="results/published/figures/rating_model.png",
        svg="results/published/figures/rating_model.svg",
        csv="results/published/figures/rating_model.csv",
        provenance="results/published/figures/rating_model.provenance.json",
    log:
        "logs/published/figures/rating_model.log",
