"""
Stage: variants of tasks, beside the study's own tasks and out of their tables.

NEEDS    <results>/data/{variant_of}/{train,validation,test}.parquet, and the file of training labels if there is one
MAKES    <results>/data/{variant}/{train,validation,test}.parquet and task.json, as of a task
         <results>/baseline/{data}/seed={seed}/{variant}/ and, as the study asks for them,
         <results>/transfer/{data}/seed={seed}/{variant}--{target}/ and {source}--{variant}/
         <results>/analysis/variants.csv
"""


def variant_splits(wildcards):
    """The splits and the description of the task that a variant is made from, by the names of a job's inputs."""
    task = VARIANTS[wildcards.task]["variant_of"]
    paths = {name: f"{RESULTS}/data/{task}/{name}.parquet" for name in ("validation", "test")}
    return paths | {"train": training_rows(task), "task_json": f"{RESULTS}/data/{task}/task.json"}


def variant_labels(wildcards):
    """Path of the training labels of a variant; none if it keeps its task's labels."""
    path = VARIANTS[wildcards.task].get("training_labels")
    return path.replace("<results>", RESULTS) if path else []


def variant_pairs(variant):
    """The transfers from a variant or to it that the study asks for; never from or to its own task."""
    others = [task for task in TASKS if task != VARIANTS[variant]["variant_of"]]
    pairs = {"source": [f"{variant}--{task}" for task in others], "target": [f"{task}--{variant}" for task in others]}
    return [pair for role in config["variants"][variant] for pair in pairs[role]]


def variant_runs(name):
    """Paths of a file of all runs of the variants: their baselines, and the transfers that the study asks for."""
    pattern = f"{RESULTS}/{{stage}}/{{data}}/seed={{seed}}/{{run}}/{name}"
    baselines = expand(pattern, stage="baseline", data=DATA, seed=SEEDS, run=VARIANTS)
    pairs = [pair for variant in VARIANTS for pair in variant_pairs(variant)]
    return baselines + expand(pattern, stage="transfer", data=DATA, seed=SEEDS, run=pairs)


def variant_counterparts(name):
    """Paths of a file of the runs of the variants' tasks that those of the variants are compared with."""
    pattern = f"{RESULTS}/{{stage}}/{{data}}/seed={{seed}}/{{run}}/{name}"
    found = []
    for variant, entry in VARIANTS.items():
        task = entry["variant_of"]
        pairs = [
            f"{task}--{pair.partition('--')[2]}" for pair in variant_pairs(variant) if pair.startswith(f"{variant}--")
        ]
        found += expand(pattern, stage="baseline", data=DATA, seed=SEEDS, run=task)
        found += expand(pattern, stage="transfer", data=DATA, seed=SEEDS, run=pairs)
    return list(dict.fromkeys(found))


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
        "../../environment.yml"
    params:
        variant=variant_definition,
        code=code_fingerprint("derive_variant"),
    message:
        "Deriving {wildcards.task}"
    script:
        "../scripts/derive_variant.py"


rule compare_variants:
    input:
        metrics=variant_runs("metrics.json") + variant_counterparts("metrics.json"),
        predictions=variant_runs("predictions.parquet") + variant_counterparts("predictions.parquet"),
        tests=expand("<results>/data/{task}/test.parquet", task=KNOWN),
    output:
        table="<results>/analysis/variants.csv",
        provenance="<results>/analysis/variants.provenance.json",
    log:
        "<logs>/analysis/variants.log",
    conda:
        "../../environment.yml"
    params:
        variants=VARIANT_PARENTS,
        settings=test_settings(),
        code=code_fingerprint("compare_variants"),
    message:
        "Comparing the variants with their tasks"
    script:
        "../scripts/compare_variants.py"


# Without variants nothing of this stage is asked for.
VARIANT_RESULTS = ["<results>/analysis/variants.csv"] if VARIANTS else []


rule variants:
    input:
        VARIANT_RESULTS,
