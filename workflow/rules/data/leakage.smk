"""
Stage: what training data has in common with held-out data, within and between tasks, and how to take it out.

NEEDS    <results>/data/{task}/{train,validation,test}.parquet
MAKES    <results>/leakage/{pairs,within}.csv, <results>/leakage/touched/{task}.csv
         <results>/analysis/{leakage,leakage_within,leaked_pairs}.csv, <results>/analysis/leakage.md
         <results>/figures/leakage.{png,svg,csv}
         with leakage: strict: <results>/strict/{task}/train.parquet
"""


rule sign_task:
    input:
        train="<results>/data/{task}/train.parquet",
        validation="<results>/data/{task}/validation.parquet",
        test="<results>/data/{task}/test.parquet",
        files=shared_id_files,
    output:
        signed="<results>/leakage/signatures/{task}/items.parquet",
        pieces="<results>/leakage/signatures/{task}/pieces.parquet",
        shingles="<results>/leakage/signatures/{task}/shingles.parquet",
        provenance="<results>/leakage/signatures/{task}/provenance.json",
    log:
        "<logs>/leakage/signatures/{task}.log",
    conda:
        "../../../environment.yml"
    params:
        shared_ids=shared_ids,
        code=code_fingerprint("sign_task"),
    message:
        "Computing signatures of the texts of {wildcards.task}"
    script:
        "../../scripts/data/sign_task.py"


# A checkpoint, since only its result says which training tables lose rows in a strict study.
checkpoint find_leakage:
    input:
        signed=expand("<results>/leakage/signatures/{task}/items.parquet", task=TASKS),
        pieces=expand("<results>/leakage/signatures/{task}/pieces.parquet", task=TASKS),
        shingles=expand("<results>/leakage/signatures/{task}/shingles.parquet", task=TASKS),
    output:
        pairs="<results>/leakage/pairs.csv",
        within="<results>/leakage/within.csv",
        touched=expand("<results>/leakage/touched/{task}.csv", task=TASKS),
        provenance="<results>/leakage/provenance.json",
    log:
        "<logs>/leakage/audit.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=list(TASKS),
        settings={key: config["leakage"][key] for key in ("chance", "containment", "counted", "jaccard")},
        code=code_fingerprint("find_leakage"),
    message:
        "Looking for held-out texts in training data"
    script:
        "../../scripts/data/find_leakage.py"


rule remove_leaked_rows:
    input:
        train="<results>/data/{task}/train.parquet",
        touched="<results>/leakage/touched/{task}.csv",
    output:
        train="<results>/strict/{task}/train.parquet",
        provenance="<results>/strict/{task}/provenance.json",
    log:
        "<logs>/strict/{task}.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("remove_leaked_rows"),
    message:
        "Taking rows that touch held-out data out of the training data of {wildcards.task}"
    script:
        "../../scripts/data/remove_leaked_rows.py"


rule report_leakage:
    input:
        pairs="<results>/leakage/pairs.csv",
        within="<results>/leakage/within.csv",
        touched=expand("<results>/leakage/touched/{task}.csv", task=TASKS),
    output:
        leakage="<results>/analysis/leakage.csv",
        within="<results>/analysis/leakage_within.csv",
        leaked_pairs="<results>/analysis/leaked_pairs.csv",
        page="<results>/analysis/leakage.md",
        provenance="<results>/analysis/leakage.provenance.json",
    log:
        "<logs>/analysis/leakage.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=list(TASKS),
        settings=dict(sorted(config["leakage"].items())),
        code=code_fingerprint("report_leakage"),
    message:
        "Reporting what training data has in common with held-out data"
    script:
        "../../scripts/data/report_leakage.py"


rule plot_leakage:
    input:
        leaked_pairs="<results>/analysis/leaked_pairs.csv",
        ratings=local(config["ratings"]),
    output:
        png=report(
            "<results>/figures/leakage.png",
            caption="../../report/leakage.rst",
            category="Data",
            labels={"shown": "leakage"},
        ),
        svg="<results>/figures/leakage.svg",
        csv="<results>/figures/leakage.csv",
        provenance="<results>/figures/leakage.provenance.json",
    log:
        "<logs>/figures/leakage.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(TASKS),
        code=code_fingerprint("plot_leakage"),
    message:
        "Drawing the heat map of leakage"
    script:
        "../../scripts/data/plot_leakage.py"


LEAKAGE = [
    "<results>/analysis/leakage.csv",
    "<results>/figures/leakage.png",
]


rule leakage:
    input:
        LEAKAGE,
