"""
Stage: what is known of each ordered pair of tasks before the pair is trained.

NEEDS    <results>/data/summary.csv, <results>/features/{dataset,task}_similarity.csv and the construct ratings
MAKES    <results>/analysis/pair_features.csv
"""


rule compute_pair_features:
    input:
        summary="<results>/data/summary.csv",
        ratings=local(config["ratings"]),
        datasets="<results>/features/dataset_similarity.csv",
        tasks="<results>/features/task_similarity.csv",
    output:
        features="<results>/analysis/pair_features.csv",
        provenance="<results>/analysis/pair_features.provenance.json",
    log:
        "<logs>/analysis/pair_features.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=described(TASKS),
        regression_labels=config["analysis"]["importance"]["regression_labels"],
        code=code_fingerprint("compute_pair_features"),
    message:
        "Computing the features of all pairs of tasks"
    script:
        "../../scripts/analyse/compute_pair_features.py"


rule features:
    input:
        "<results>/analysis/pair_features.csv",
        expand("<results>/figures/similarity_{similarity}.png", similarity=SIMILARITIES),
