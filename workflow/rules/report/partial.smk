"""
Stage: scores, tables and heat maps of the runs that exist, whatever failed or is still to come: `snakemake partial`.

NEEDS    nothing that would train anything: the runs are params here, and not inputs
MAKES    below <results>/partial what the stages of the scores, of their significance and of the claims make
"""


use rule score_target as score_partial_target with:
    input:
        runs=[],
    output:
        scores="<results>/partial/analysis/scores/{target}.csv",
        provenance="<results>/partial/analysis/scores/{target}.provenance.json",
    log:
        "<logs>/partial/analysis/scores/{target}.log",
    params:
        runs=existing_records,
        changed=newest_change,
        code=code_fingerprint("score_target"),


use rule collect_scores as collect_partial_scores with:
    input:
        scores=expand("<results>/partial/analysis/scores/{target}.csv", target=TASKS),
        leaked_pairs=existing_leaked_pairs,
    output:
        scores="<results>/partial/analysis/scores.csv",
        improvement="<results>/partial/analysis/improvement.csv",
        findings="<results>/partial/analysis/findings.json",
        provenance="<results>/partial/analysis/provenance.json",
    log:
        "<logs>/partial/analysis/scores.log",


use rule compare_with_baseline as compare_partial_with_baseline with:
    input:
        scores="<results>/partial/analysis/scores/{target}.csv",
    output:
        tests="<results>/partial/analysis/significance/{target}/tests.csv",
        covariance="<results>/partial/analysis/significance/{target}/covariance.csv",
        provenance="<results>/partial/analysis/significance/{target}/provenance.json",
    log:
        "<logs>/partial/analysis/significance/{target}.log",
    params:
        settings=significance_settings(),
        test=target_test,
        predictions=existing_predictions,
        code=code_fingerprint("compare_with_baseline"),


use rule collect_significance as collect_partial_significance with:
    input:
        tests=expand("<results>/partial/analysis/significance/{target}/tests.csv", target=TASKS),
        covariances=expand("<results>/partial/analysis/significance/{target}/covariance.csv", target=TASKS),
        scores="<results>/partial/analysis/scores.csv",
        improvement="<results>/partial/analysis/improvement.csv",
        leaked_pairs=existing_leaked_pairs,
    output:
        significance="<results>/partial/analysis/significance.csv",
        theme_counts="<results>/partial/analysis/theme_counts.csv",
        provenance="<results>/partial/analysis/significance.provenance.json",
    log:
        "<logs>/partial/analysis/significance.log",


use rule tabulate_scores as tabulate_partial_scores with:
    input:
        scores="<results>/partial/analysis/scores.csv",
        improvement="<results>/partial/analysis/improvement.csv",
        leaked_pairs=existing_leaked_pairs,
    output:
        csv="<results>/partial/tables/scores_{kind}_{data}.csv",
        html="<results>/partial/tables/scores_{kind}_{data}.html",
        tex="<results>/partial/tables/scores_{kind}_{data}.tex",
        provenance="<results>/partial/tables/scores_{kind}_{data}.provenance.json",
    log:
        "<logs>/partial/tables/scores_{kind}_{data}.log",


use rule plot_improvement as plot_partial_improvement with:
    input:
        improvement="<results>/partial/analysis/improvement.csv",
        ratings=local(config["ratings"]),
        leaked_pairs=existing_leaked_pairs,
    output:
        png="<results>/partial/figures/improvement_{kind}_{data}.png",
        svg="<results>/partial/figures/improvement_{kind}_{data}.svg",
        csv="<results>/partial/figures/improvement_{kind}_{data}.csv",
        provenance="<results>/partial/figures/improvement_{kind}_{data}.provenance.json",
    log:
        "<logs>/partial/figures/improvement_{kind}_{data}.log",


use rule tabulate_claims as tabulate_partial_claims with:
    input:
        claims=local("resources/claims/transfer.yaml"),
        scores=local("resources/published/tables7_8_scores.csv"),
        labels=local("resources/published/tables10_12_label_shares.csv"),
        themes=local("resources/published/tables4_5_tasks.csv"),
        significance="<results>/partial/analysis/significance.csv",
        registration=REGISTRATION,
    output:
        csv="<results>/partial/analysis/claims.csv",
        text="<results>/partial/analysis/claims.md",
        provenance="<results>/partial/analysis/claims.provenance.json",
    log:
        "<logs>/partial/analysis/claims.log",


rule partial:
    input:
        [path.replace("<results>", "<results>/partial") for path in SCORE_AGGREGATES],
