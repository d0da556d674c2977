"""
Run files: which files of which runs a rule reads.
"""


def runs(pattern):
    """Paths of all baselines or transfers of the study, in all conditions."""
    return expand(pattern, data=DATA, seed=SEEDS, task=TASKS, pair=PAIRS)


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


def target_metrics(wildcards):
    """Paths of the metrics of all runs that train a target."""
    return target_runs(wildcards.target, "metrics.json")


def target_predictions(wildcards):
    """Paths of the test predictions of all runs that train a target."""
    return target_runs(wildcards.target, "predictions.parquet")


def target_test(wildcards):
    """Path of the test items of a target, as a param: it is not made for want of it."""
    return f"{RESULTS}/data/{wildcards.target}/test.parquet"


def existing_metrics(wildcards):
    """Paths of the metrics of the runs that have been made, whatever made them; of a target's, if a job has one."""
    target = wildcards.get("target")
    paths = sorted(str(path) for path in Path(RESULTS).glob("*/*/seed=*/*/metrics.json"))
    return [path for path in paths if target is None or Path(path).parent.name.split("--")[-1] == target]


def newest_change(wildcards):
    """Time of the last change among the existing metrics, in seconds, so that a partial result follows them."""
    return max((os.path.getmtime(path) for path in existing_metrics(wildcards)), default=0.0)


def existing_leaked_pairs(wildcards):
    """Path of the flags of the audit of leakage if there has been one; a partial result does not start one."""
    path = f"{RESULTS}/analysis/leaked_pairs.csv"
    return path if Path(path).exists() else []
