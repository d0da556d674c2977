"""
Stage: from raw files to splits and tokens.

NEEDS    raw files in raw_dir, or their download
MAKES    <results>/data/{task}/{train,validation,test}.parquet
         <results>/data/summary.csv
         <results>/tokens/{task}/tokens.safetensors
"""


# On a cluster it runs where the run was started: nodes are often without internet.
rule download_file:
    output:
        file=local("resources/downloads/{folder}/{file}"),
        provenance=local("resources/downloads/{folder}/{file}.provenance.json"),
    log:
        "logs/downloads/{folder}/{file}.log",
    localrule: True
    conda:
        "../../../environment.yml"
    params:
        source=download_source,
        code=code_fingerprint("download_file"),
    message:
        "Downloading {wildcards.file}"
    script:
        "../../scripts/data/download_file.py"


rule check_raw:
    input:
        files=dataset_files,
    output:
        digests="<results>/raw/{dataset}.json",
        provenance="<results>/raw/{dataset}.provenance.json",
    log:
        "<logs>/raw/{dataset}.log",
    conda:
        "../../../environment.yml"
    params:
        expected=expected_digests,
        generated=generated_files,
        digests=digests_now,
        record_folder=RECORDED_DIGESTS,
        code=code_fingerprint("check_raw"),
    message:
        "Checking the raw files of {wildcards.dataset}"
    script:
        "../../scripts/data/check_raw.py"


rule prepare_task:
    input:
        files=raw_files,
        digests=task_digests,
    output:
        train="<results>/data/{task}/train.parquet",
        validation="<results>/data/{task}/validation.parquet",
        test="<results>/data/{task}/test.parquet",
        task_json="<results>/data/{task}/task.json",
        provenance="<results>/data/{task}/provenance.json",
    log:
        "<logs>/data/{task}.log",
    wildcard_constraints:
        task="|".join(TASKS or ["none"]),
    conda:
        "../../../environment.yml"
    params:
        dataset=task_dataset,
        form=task_form,
        task=task_definition,
        splits=task_splits,
        code=prepare_code,
    message:
        "Preparing {wildcards.task}"
    script:
        "../../scripts/data/prepare_task.py"


# A task waits for its first summary, so that any fault in any task's data shows before the first hour of training. Once
# it is released, it has no edge to the summary: Snakemake would not look for changes behind one that is made anew.
UNRELEASED = [task for task in TASKS if not exists(f"{RESULTS}/data/{task}/released")]


rule summarise_data:
    input:
        tables=expand("<results>/data/{task}/{split}.parquet", task=TASKS, split=SPLITS),
        task_files=expand("<results>/data/{task}/task.json", task=TASKS),
    output:
        summary="<results>/data/summary.csv",
        released=expand("<results>/data/{task}/released", task=UNRELEASED),
        provenance="<results>/data/summary.provenance.json",
    log:
        "<logs>/data/summary.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(TASKS),
        published="resources/published",
        code=code_fingerprint("summarise_data"),
    message:
        "Counting items, tokens and labels of all tasks"
    script:
        "../../scripts/data/summarise_data.py"


rule tokenise_task:
    input:
        train=training_table,
        validation="<results>/data/{task}/validation.parquet",
        test="<results>/data/{task}/test.parquet",
        task_json="<results>/data/{task}/task.json",
        after=ancient("<results>/data/{task}/released"),
    output:
        tokens="<results>/tokens/{task}/tokens.safetensors",
        provenance="<results>/tokens/{task}/provenance.json",
    log:
        "<logs>/tokens/{task}.log",
    conda:
        "../../../environment.yml"
    params:
        encoder=config["encoder"],
        code=tokens_code,
    message:
        "Tokenising {wildcards.task}"
    script:
        "../../scripts/data/tokenise_task.py"


# The new tasks are asked for by name: of a job with an output that it has never made, Snakemake doesn't compare the inputs.
rule data:
    input:
        "<results>/data/summary.csv",
        expand("<results>/data/{task}/released", task=UNRELEASED),
