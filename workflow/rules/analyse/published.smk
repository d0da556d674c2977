"""
Stage: the importance analysis on the printed scores: `snakemake published_analysis`. It needs neither data nor encoder.

NEEDS    resources/published/, config/datasets/, results/published/rating_model.csv
MAKES    results/published/{improvement,pair_features,importance,importance_variants,fit,shapley,rating_nulls}.csv
         results/published/{importance,claims}.md, results/published/claims.csv
         results/published/figures/importance.{png,svg,csv}
"""


rule collect_published_scores:
    input:
        scores=local("resources/published/tables7_8_scores.csv"),
        labels=local("resources/published/tables10_12_label_shares.csv"),
    output:
        improvement="results/published/improvement.csv",
        provenance="results/published/improvement.provenance.json",
    log:
        "logs/published/improvement.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("collect_published_scores"),
    message:
        "Comparing the printed scores with their baselines"
    script:
        "../../scripts/analyse/collect_published_scores.py"


rule compute_published_features:
    input:
        sizes=local("resources/published/table1_datasets.csv"),
        ratings=local("resources/published/table2_ratings.csv"),
        scores=local("resources/published/tables7_8_scores.csv"),
        labels=local("resources/published/tables10_12_label_shares.csv"),
    output:
        features="results/published/pair_features.csv",
        provenance="results/published/pair_features.provenance.json",
    log:
        "logs/published/pair_features.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=published_tasks,
        regression_labels=config["analysis"]["importance"]["regression_labels"],
        code=code_fingerprint("compute_published_features"),
    message:
        "Computing the features of all pairs of tasks from the printed tables"
    script:
        "../../scripts/analyse/compute_published_features.py"


use rule measure_importance as measure_published_importance with:
    input:
        improvement="results/published/improvement.csv",
        features="results/published/pair_features.csv",
    output:
        importance="results/published/importance/{protocol}.csv",
        fit="results/published/importance/{protocol}_fit.csv",
        shapley="results/published/importance/{protocol}_shapley.csv",
        provenance="results/published/importance/{protocol}.provenance.json",
    log:
        "logs/published/importance/{protocol}.log",


use rule permute_ratings as permute_published_ratings with:
    input:
        improvement="results/published/improvement.csv",
        features="results/published/pair_features.csv",
    output:
        nulls="results/published/rating_nulls.csv",
        provenance="results/published/rating_nulls.provenance.json",
    log:
        "logs/published/rating_nulls.log",


use rule report_importance as report_published_importance with:
    input:
        importance=expand("results/published/importance/{protocol}.csv", protocol=PROTOCOLS),
        fit=expand("results/published/importance/{protocol}_fit.csv", protocol=PROTOCOLS),
        shapley=expand("results/published/importance/{protocol}_shapley.csv", protocol=PROTOCOLS),
        nulls="results/published/rating_nulls.csv",
        model="results/published/rating_model.csv",
        printed=local("resources/published/table6_importance.csv"),
    output:
        importance="results/published/importance.csv",
        variants="results/published/importance_variants.csv",
        fit="results/published/fit.csv",
        shapley="results/published/shapley.csv",
        text="results/published/importance.md",
        provenance="results/published/importance.provenance.json",
    log:
        "logs/published/importance.log",


use rule plot_importance as plot_published_importance with:
    input:
        importance="results/published/importance.csv",
    output:
        png="results/published/figures/importance.png",
        svg="results/published/figures/importance.svg",
        csv="results/published/figures/importance.csv",
        provenance="results/published/figures/importance.provenance.json",
    log:
        "logs/published/figures/importance.log",


use rule tabulate_claims as tabulate_published_claims with:
    input:
        claims=local("resources/claims/transfer.yaml"),
        scores=local("resources/published/tables7_8_scores.csv"),
        labels=local("resources/published/tables10_12_label_shares.csv"),
        themes=local("resources/published/tables4_5_tasks.csv"),
        importance="results/published/importance_variants.csv",
        nulls="results/published/rating_nulls.csv",
    output:
        csv="results/published/claims.csv",
        text="results/published/claims.md",
        provenance="results/published/claims.provenance.json",
    log:
        "logs/published/claims.log",
    params:
        tasks=published_tasks,
        code=code_fingerprint("tabulate_claims"),


rule published_analysis:
    input:
        "results/published/claims.csv",
        "results/published/importance.csv",
        "results/published/figures/importance.png",
        "results/published/figures/rating_model.png",
