"""
Run files: which files of which runs a rule reads.
"""


def runs(pattern):
    """Paths of all baselines or transfers of the study, in all conditions."""
    return expand(pattern, data=DATA, seed=SEEDS, task=TASKS, pair=PAIRS)


def baseline_records(wildcards):
    """Paths of the records of all baselines. As a function, so that only a plan with them pays for their list."""
    return runs(f"{RESULTS}/baseline/{{data}}/seed={{seed}}/{{task}}/run.json")


def transfer_records(wildcards):
    """Paths of the records of all transfers."""
    return runs(f"{RESULTS}/transfer/{{data}}/seed={{seed}}/{{pair}}/run.json")


def all_records(wildcards):
    """Paths of the records of all runs: baselines, then transfers."""
    return baseline_records(wildcards) + transfer_records(wildcards)


def target_runs(target, name):
    """Paths of a file of all runs that train a target: its baselines, and the transfers to it."""
    pairs = [f"{source}--{target}" for source in TASKS if source != target]
    baselines = expand(f"{RESULTS}/baseline/{{data}}/seed={{seed}}/{target}/{name}", data=DATA, seed=SEEDS)
    return baselines + expand(
        f"{RESULTS}/transfer/{{data}}/seed={{seed}}/{{pair}}/{name}", data=DATA, seed=SEEDS, pair=pairs
    )


def other_tasks(wildcards):
    """All tasks but a target: its sources."""
    return [task for task in TASKS if task != wildcards.target]


def source_adapters(wildcards):
    """Paths of the adapters of a target's sources, of one seed."""
    pattern = f"{RESULTS}/baseline/full/seed={wildcards.seed}/{{source}}/adapter.safetensors"
    return expand(pattern, source=other_tasks(wildcards))


def source_heads(wildcards):
    """Paths of the heads of a target's sources, of one seed."""
    return [path.replace("adapter.safetensors", "head.safetensors") for path in source_adapters(wildcards)]


def target_records(wildcards):
    """Paths of the records of all runs that train a target."""
    return target_runs(wildcards.target, "run.json")


def target_predictions(wildcards):
    """Paths of the test predictions of all runs that train a target."""
    return target_runs(wildcards.target, "predictions.parquet")


def control_adapter(wildcards):
    """Path of the frozen adapter below a control: the target's own of the same data condition, or a random one."""
    if wildcards.source == "self":
        return f"{RESULTS}/baseline/{wildcards.data}/seed={wildcards.seed}/{wildcards.target}/adapter.safetensors"
    return f"{RESULTS}/controls/adapters/seed={wildcards.seed}/{wildcards.source}/adapter.safetensors"


def control_runs(target, name):
    """Paths of a file of the controls of a target, in all conditions."""
    pattern = f"{RESULTS}/controls/{{data}}/seed={{seed}}/{{control}}--{target}/{name}"
    return expand(pattern, data=DATA, seed=SEEDS, control=CONTROLS)


def control_records(wildcards):
    """Paths of the records of the controls of a target."""
    return control_runs(wildcards.target, "run.json")


def control_predictions(wildcards):
    """Paths of the test predictions of the controls of a target."""
    return control_runs(wildcards.target, "predictions.parquet")


def compared_predictions(wildcards):
    """Paths of the test predictions of all runs that train a target, controls included."""
    return target_predictions(wildcards) + control_predictions(wildcards)


def target_test(wildcards):
    """Path of the test items of a target, as a param: it is not made for want of it."""
    return f"{RESULTS}/data/{wildcards.target}/test.parquet"


def existing_records(wildcards):
    """Paths of the records of the study's runs that have been made; of a target's, if a job has one.

    Runs of tasks, seeds and data conditions that the study no longer asks for may lie there, too: they don't count.
    """
    target, planned = wildcards.get("target"), {*TASKS, *PAIRS}
    paths = [
        path
        for folder in expand("{stage}/{data}/seed={seed}", stage=["baseline", "transfer"], data=DATA, seed=SEEDS)
        for path in Path(RESULTS, folder).glob("*/run.json")
        if path.parent.name in planned
    ]
    return sorted(str(path) for path in paths if target is None or path.parent.name.split("--")[-1] == target)


def existing_predictions(wildcards):
    """Paths of the test predictions of the study's runs that have been made, as of `existing_records`."""
    return [path.replace("run.json", "predictions.parquet") for path in existing_records(wildcards)]


def newest_change(wildcards):
    """Time of the last change among the existing records, in seconds, so that a partial result follows them."""
    return max((os.path.getmtime(path) for path in existing_records(wildcards)), default=0.0)


def existing_leaked_pairs(wildcards):
    """Path of the flags of the audit of leakage if there has been one; a partial result does not start one."""
    path = f"{RESULTS}/analysis/leaked_pairs.csv"
    return path if Path(path).exists() else []
