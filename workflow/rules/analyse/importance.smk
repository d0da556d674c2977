"""
Stage: which features of a pair predict transfer, as published and under a protocol that holds up.

NEEDS    <results>/analysis/{improvement,pair_features,rating_model}.csv, <results>/analysis/significance/{target}/tests.csv
MAKES    <results>/analysis/{importance,importance_variants,fit,shapley,rating_nulls}.csv, <results>/analysis/importance.md
         <results>/figures/importance.{png,svg,csv}
"""


rule measure_importance:
    input:
        improvement="<results>/analysis/improvement.csv",
        features="<results>/analysis/pair_features.csv",
        tests=expand("<results>/analysis/significance/{target}/tests.csv", target=TASKS),
    output:
        importance="<results>/analysis/importance/{protocol}.csv",
        fit="<results>/analysis/importance/{protocol}_fit.csv",
        shapley="<results>/analysis/importance/{protocol}_shapley.csv",
        provenance="<results>/analysis/importance/{protocol}.provenance.json",
    log:
        "<logs>/analysis/importance/{protocol}.log",
    conda:
        "../../../environment.yml"
    params:
        settings=importance_settings(),
        code=code_fingerprint("measure_importance"),
    message:
        "Measuring the importance of features ({wildcards.protocol} protocol)"
    script:
        "../../scripts/analyse/measure_importance.py"


rule permute_ratings:
    input:
        improvement="<results>/analysis/improvement.csv",
        features="<results>/analysis/pair_features.csv",
    output:
        nulls="<results>/analysis/rating_nulls.csv",
        provenance="<results>/analysis/rating_nulls.provenance.json",
    log:
        "<logs>/analysis/rating_nulls.log",
    conda:
        "../../../environment.yml"
    params:
        draws=config["analysis"]["importance"]["null_draws"],
        seed=config["analysis"]["importance"]["seed"],
        code=code_fingerprint("permute_ratings"),
    message:
        "Testing the construct ratings"
    script:
        "../../scripts/analyse/permute_ratings.py"


rule report_importance:
    input:
        importance=expand("<results>/analysis/importance/{protocol}.csv", protocol=PROTOCOLS),
        fit=expand("<results>/analysis/importance/{protocol}_fit.csv", protocol=PROTOCOLS),
        shapley=expand("<results>/analysis/importance/{protocol}_shapley.csv", protocol=PROTOCOLS),
        nulls="<results>/analysis/rating_nulls.csv",
        model="<results>/analysis/rating_model.csv",
        printed=local("resources/published/table6_importance.csv"),
    output:
        importance="<results>/analysis/importance.csv",
        variants="<results>/analysis/importance_variants.csv",
        fit="<results>/analysis/fit.csv",
        shapley="<results>/analysis/shapley.csv",
        text="<results>/analysis/importance.md",
        provenance="<results>/analysis/importance.provenance.json",
    log:
        "<logs>/analysis/importance.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("report_importance"),
    message:
        "Putting the protocols of the importance analysis side by side"
    script:
        "../../scripts/analyse/report_importance.py"


rule plot_importance:
    input:
        importance="<results>/analysis/importance.csv",
    output:
        png=report(
            "<results>/figures/importance.png",
            caption="../../report/importance.rst",
            category="Importance",
        ),
        svg="<results>/figures/importance.svg",
        csv="<results>/figures/importance.csv",
        provenance="<results>/figures/importance.provenance.json",
    log:
        "<logs>/figures/importance.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("plot_importance"),
    message:
        "Drawing the importance of features"
    script:
        "../../scripts/analyse/plot_importance.py"


rule importance:
    input:
        "<results>/figures/importance.png",
        "<results>/figures/rating_model.png",
