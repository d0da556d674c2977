"""
Stage: scores of all runs from their predictions, and of each transfer against its baseline. Nothing is trained.

NEEDS    <results>/{baseline,transfer}/**/{run.json,predictions.parquet}, <results>/analysis/leaked_pairs.csv
MAKES    <results>/analysis/scores/{target}.csv
         <results>/analysis/{scores,improvement}.csv, <results>/analysis/findings.json
"""


rule score_target:
    input:
        runs=target_records,
        predictions=target_predictions,
    output:
        scores="<results>/analysis/scores/{target}.csv",
        provenance="<results>/analysis/scores/{target}.provenance.json",
    log:
        "<logs>/analysis/scores/{target}.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("score_target"),
    message:
        "Scoring all runs that train {wildcards.target}"
    script:
        "../../scripts/analyse/score_target.py"


rule collect_scores:
    input:
        scores=expand("<results>/analysis/scores/{target}.csv", target=TASKS),
        leaked_pairs="<results>/analysis/leaked_pairs.csv",
    output:
        scores="<results>/analysis/scores.csv",
        improvement="<results>/analysis/improvement.csv",
        findings="<results>/analysis/findings.json",
        provenance="<results>/analysis/provenance.json",
    log:
        "<logs>/analysis/scores.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(WANTED),
        left_out=LEFT_OUT,
        seeds=SEEDS,
        data=DATA,
        logs=LOGS,
        code=code_fingerprint("collect_scores"),
    message:
        "Collecting the scores of all runs"
    script:
        "../../scripts/analyse/collect_scores.py"
