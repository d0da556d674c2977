"""
Stage: pairs of texts with one label, split for raters.

NEEDS    raw files in raw_dir, or their download
MAKES    <results>/pairs/{scheme}/{pairs}/{train,validation,test}.parquet
         <results>/pairs/{scheme}/{pairs}/task.json
"""


rule prepare_pairs:
    input:
        files=pair_files,
        digests=pair_digests,
    output:
        train="<results>/pairs/{scheme}/{pairs}/train.parquet",
        validation="<results>/pairs/{scheme}/{pairs}/validation.parquet",
        test="<results>/pairs/{scheme}/{pairs}/test.parquet",
        task_json="<results>/pairs/{scheme}/{pairs}/task.json",
        provenance="<results>/pairs/{scheme}/{pairs}/provenance.json",
    log:
        "<logs>/pairs/{scheme}/{pairs}.log",
    conda:
        "../../../environment.yml"
    params:
        dataset=pair_dataset,
        form=pair_form,
        task=pair_definition,
        splits=pair_splits,
        code=pair_code,
    message:
        "Preparing the pairs {wildcards.pairs} ({wildcards.scheme})"
    script:
        "../../scripts/pairs/prepare_pairs.py"


rule pairs:
    input:
        pair_tables("task.json"),
