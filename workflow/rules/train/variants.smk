"""
Stage: variants of tasks, beside the study's own tasks and out of their tables.

NEEDS    <results>/data/{variant_of}/{train,validation,test}.parquet, and the file of training labels if there is one
MAKES    <results>/data/{variant}/{train,validation,test}.parquet and task.json, as of a task
         <results>/baseline/{data}/seed={seed}/{variant}/ and, as the study asks for them,
         <results>/transfer/{data}/seed={seed}/{variant}--{target}/ and {source}--{variant}/
         <results>/analysis/{variants,variant_gains}.csv
"""


include: "../plan/variant_files.smk"


VARIANT_PATTERN = "|".join(VARIANTS or ["none"])
VARIANT_PARENTS = {name: entry["variant_of"] for name, entry in sorted(VARIANTS.items())}


rule derive_variant:
    input:
        unpack(variant_splits),
        labels=variant_labels,
    output:
        train="<results>/data/{task}/train.parquet",
        validation="<results>/data/{task}/validation.parquet",
        test="<results>/data/{task}/test.parquet",
        task_json="<results>/data/{task}/task.json",
        released="<results>/data/{task}/released",
        provenance="<results>/data/{task}/provenance.json",
    log:
        "<logs>/data/{task}.log",
    wildcard_constraints:
        task=VARIANT_PATTERN,
    conda:
        "../../../environment.yml"
    params:
        variant=variant_definition,
        code=code_fingerprint("derive_variant"),
    message:
        "Deriving {wildcards.task}"
    script:
        "../../scripts/train/derive_variant.py"


rule compare_variants:
    input:
        runs=variant_runs("run.json") + variant_counterparts("run.json"),
        predictions=variant_runs("predictions.parquet") + variant_counterparts("predictions.parquet"),
        tests=expand("<results>/data/{task}/test.parquet", task=KNOWN),
    output:
        table="<results>/analysis/variants.csv",
        gains="<results>/analysis/variant_gains.csv",
        provenance="<results>/analysis/variants.provenance.json",
    log:
        "<logs>/analysis/variants.log",
    conda:
        "../../../environment.yml"
    params:
        variants=VARIANT_PARENTS,
        settings=test_settings(),
        code=code_fingerprint("compare_variants"),
    message:
        "Comparing the variants with their tasks"
    script:
        "../../scripts/train/compare_variants.py"


# Without variants nothing of this stage is asked for.
VARIANT_RESULTS = expand("<results>/analysis/{name}.csv", name=["variants", "variant_gains"]) if VARIANTS else []


rule variants:
    input:
        asked_variants,
