"""
Variant files: what a variant of a task is made from, and which runs it has.
"""


def asked_variants(wildcards):
    """The results of the stage `variants` for its own target, which stops where there are none to make."""
    if not VARIANTS:
        known = ", ".join(sorted(name for dataset in DATASETS.values() for name in dataset.get("variants", {})))
        why = "all that the config names are left out" if config["variants"] else "the config names none"
        raise WorkflowError(
            f"variants: there is nothing to make, since {why}. A variant is named with what it is compared as, such as "
            f"`variants: {{<name>: [source, target]}}` (docs/add-a-dataset.md). Known variants: {known or 'none'}"
        )
    return [path.replace("<results>", RESULTS) for path in VARIANT_RESULTS]


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
        ends = [pair.split("--") for pair in variant_pairs(variant)]
        pairs = [f"{task}--{target}" if source == variant else f"{source}--{task}" for source, target in ends]
        found += expand(pattern, stage="baseline", data=DATA, seed=SEEDS, run=task)
        found += expand(pattern, stage="transfer", data=DATA, seed=SEEDS, run=pairs)
    return list(dict.fromkeys(found))
