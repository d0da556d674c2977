"""
Stage: is a transfer better or worse than its target's baseline by more than chance? Per target, then all side by side.

NEEDS    <results>/{baseline,transfer}/**/predictions.parquet, <results>/analysis/scores/{target}.csv
         <results>/data/{target}/test.parquet, <results>/analysis/{scores,improvement,leaked_pairs}.csv
MAKES    <results>/analysis/significance/{target}/{tests,covariance}.csv
         <results>/analysis/{significance,theme_counts}.csv
"""


rule compare_with_baseline:
    input:
        scores="<results>/analysis/scores/{target}.csv",
        predictions=target_predictions,
        test="<results>/data/{target}/test.parquet",
    output:
        tests="<results>/analysis/significance/{target}/tests.csv",
        covariance="<results>/analysis/significance/{target}/covariance.csv",
        provenance="<results>/analysis/significance/{target}/provenance.json",
    log:
        "<logs>/analysis/significance/{target}.log",
    conda:
        "../../../environment.yml"
    params:
        settings=significance_settings(),
        code=code_fingerprint("compare_with_baseline"),
    message:
        "Testing the transfers to {wildcards.target}"
    script:
        "../../scripts/analyse/compare_with_baseline.py"


rule collect_significance:
    input:
        tests=expand("<results>/analysis/significance/{target}/tests.csv", target=TASKS),
        covariances=expand("<results>/analysis/significance/{target}/covariance.csv", target=TASKS),
        scores="<results>/analysis/scores.csv",
        improvement="<results>/analysis/improvement.csv",
        leaked_pairs="<results>/analysis/leaked_pairs.csv",
    output:
        significance="<results>/analysis/significance.csv",
        theme_counts="<results>/analysis/theme_counts.csv",
        provenance="<results>/analysis/significance.provenance.json",
    log:
        "<logs>/analysis/significance.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(WANTED),
        settings=significance_settings(),
        code=code_fingerprint("collect_significance"),
    message:
        "Collecting the tests of all transfers"
    script:
        "../../scripts/analyse/collect_significance.py"


rule significance:
    input:
        "<results>/analysis/significance.csv",
        "<results>/analysis/theme_counts.csv",
