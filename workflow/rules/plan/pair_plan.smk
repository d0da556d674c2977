"""
Plan of pairs: which pair tasks are planned, under which schemes they are split, and what their jobs get. They are only
read where a run may need them (`pairs_asked`).
"""


def plan_pairs():
    """Return (pair datasets, planned pair tasks, left-out ones with the reason)."""
    folder, chosen = config["pairs"]["datasets"], config["pairs"]["tasks"]
    datasets = load_datasets(folder, pairs=True)
    every = [task for dataset in datasets.values() for task in dataset["tasks"]]
    for kind, names, taken in (("dataset", datasets, DATASETS), ("task", every, known_tasks(DATASETS))):
        if both := [name for name in names if name in taken]:
            raise WorkflowError(f"{folder}: the {kind} '{both[0]}' is also one of the study. Rename one of them.")
    wanted = chosen_tasks(every, chosen, f"pairs: tasks: '{{}}' is in no file of {folder}")
    return datasets, *with_data(datasets, wanted)


def schemes_of(pairs):
    """The schemes that a pair task is split by, as paths name them."""
    schemes = PAIR_DATASETS[PAIR_TASKS[pairs]["dataset"]]["pairs"]["schemes"]
    folds = [f"fold{number}" for number in range(1, config["pairs"]["folds"] + 1)]
    return [name for scheme in schemes for name in (folds if scheme == "folds" else [scheme])]


def pair_tables(name, tasks=None, schemes=None):
    """Paths of a file of all pair tasks under all their schemes, or of some of them."""
    return [
        f"{RESULTS}/pairs/{scheme}/{pairs}/{name}"
        for pairs in (PAIR_TASKS if tasks is None else tasks)
        for scheme in schemes_of(pairs)
        if schemes is None or scheme in schemes
    ]


def pair_dataset(wildcards):
    """The dataset of a pair task."""
    return PAIR_TASKS[wildcards.pairs]["dataset"]


def pair_files(wildcards):
    """Paths of the raw files of a pair task, in the order of its dataset's file."""
    return form_files(PAIR_TASKS[wildcards.pairs]["form"])


def pair_digests(wildcards):
    """The checked digests of the raw files of a pair task."""
    return f"{RESULTS}/raw/{pair_dataset(wildcards)}.json"


def pair_form(wildcards):
    """How a pair task is read."""
    return reading_form(PAIR_TASKS[wildcards.pairs]["form"])


def pair_definition(wildcards):
    """A pair task's own entry in its dataset's file, without what only training or reporting uses."""
    return own_definition(PAIR_TASKS[wildcards.pairs])


def pair_splits(wildcards):
    """How a pair task is split, without what its scheme doesn't use."""
    dataset = PAIR_DATASETS[pair_dataset(wildcards)]
    column = dataset["pairs"].get("split_column")
    if wildcards.scheme == "published":
        return {"scheme": "published", "split_column": column}
    splits = {"seed": config["splits"]["seed"], "split_column": None}
    together = {task: own_definition(about) for task, about in sorted(dataset["tasks"].items())}
    if wildcards.scheme != "grouped":
        folds = {"folds": config["pairs"]["folds"], "split_column": column}
        return dict(sorted((splits | folds | {"scheme": wildcards.scheme, "tasks": together}).items()))
    balanced = "balanced" in (dataset.get("splits"), config["splits"]["scheme"])
    scheme = {"scheme": "balanced", "tasks": together} if balanced else {"scheme": "grouped"}
    return dict(sorted((splits | scheme | {"shares": config["splits"]["shares"]}).items()))


def pair_code(wildcards):
    """Fingerprint of preparing a pair task, with the reader of its data and the kinds of the tasks that decide its splits."""
    together = pair_splits(wildcards).get("tasks", {}).values()
    kinds = {PAIR_TASKS[wildcards.pairs]["kind"], *(about["kind"] for about in together)}
    return code_fingerprint("prepare_pairs", readers=pair_form(wildcards)["reader"], kinds=tuple(sorted(kinds)))


def whole_pairs(tasks):
    """Paths of tables of tasks in which each pair stands once: of all splits of a scheme, or the tests of all folds."""
    paths = []
    for pairs in tasks:
        schemes = schemes_of(pairs)
        tables = [(schemes[0], split) for split in SPLITS]
        if schemes[0].startswith("fold"):
            tables = [(scheme, "test") for scheme in schemes if scheme.startswith("fold")]
        paths += [f"{RESULTS}/pairs/{scheme}/{pairs}/{split}.parquet" for scheme, split in tables]
    return paths


def pairs_of_different_texts():
    """The pair tasks without those whose texts an earlier one has: of the same dataset, in the same form."""
    first = {}
    for pairs, task in PAIR_TASKS.items():
        first.setdefault((task["dataset"], task.get("texts"), json.dumps(task.get("rows"), sort_keys=True)), pairs)
    return list(first.values())


def shown_pairs():
    """What the figure of texts shows of each pair task."""
    keys = ("kind", "labels", "ordered", "title")
    return {pairs: {key: task[key] for key in keys if key in task} for pairs, task in PAIR_TASKS.items()}


def pair_results():
    """What the target of the stage makes beside the tables: counts, leaks, and the figure of texts."""
    sums = [f"{RESULTS}/rater/data/sums.csv"] if "epitome_share" in PAIR_TASKS else []
    made = [f"{RESULTS}/rater/data/{name}.csv" for name in ("splits", "items", "leaks")]
    return [*sums, *made, f"{RESULTS}/figures/pair_texts.png"] if PAIR_TASKS else []
