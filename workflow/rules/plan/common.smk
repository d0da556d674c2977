"""
Common: the plan of the study, and the functions that hand each job its settings.
"""

import functools
import gc
import itertools
import json
import os
import sys


include: "code_trees.smk"
include: "fingerprint.smk"
include: "layouts.smk"
include: "asked.smk"
include: "registry.smk"
include: "rating_file.smk"
include: "pair_plan.smk"


# A plan holds millions of small objects for its whole life. With Python's own thresholds, looking through them for
# garbage takes a seventh of the time.
gc.set_threshold(200_000, 20, 100)

# The library beside the scripts comes before any installed copy of it, also in a copy of this folder.
os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, [str(SCRIPTS), os.getenv("PYTHONPATH")])))

sys.executable = program_for_shells(sys.executable)

# No param, since it changes no result.
os.environ.update(EMPATHY_FIRST_LAYER_GB=str(config["first_layer_gb"]))
os.environ.update(EMPATHY_PLAN=json.dumps(plan_of_run()))

DATASETS = load_datasets(config["datasets"])
UNKNOWN_RATED = check_ratings(config["ratings"], known_tasks(DATASETS))
WANTED, TASKS, LEFT_OUT = plan_tasks(DATASETS)
VARIANTS, VARIANTS_LEFT_OUT = plan_variants(DATASETS, TASKS)
KNOWN = TASKS | VARIANTS
PAIR_DATASETS, PAIR_TASKS, PAIRS_LEFT_OUT = plan_pairs() if pairs_asked() else ({}, {}, {})
FORMS = {task["dataset"]: task["form"] for task in (TASKS | PAIR_TASKS).values()}
DOWNLOADED = downloads()
SEEDS, DATA = config["seeds"], config["data"]
CONTROLS = config["controls"]
PAIRS = [f"{source}--{target}" for source, target in itertools.permutations(TASKS, 2)]
CONTEXT_TASKS = [task for task in TASKS if (TASKS[task].get("context") or TASKS[task]["form"]["context"]) != "none"]
SPLITS = ["train", "validation", "test"]
KINDS = ["classification", "regression"]
PROTOCOLS = ["published", "sound"]
SIMILARITIES = ["dataset", "task"]
RESULTS, LOGS = f"results/{config['study']}", f"logs/{config['study']}"


wildcard_constraints:
    task="|".join(KNOWN or ["none"]),
    source="|".join(KNOWN or ["none"]),
    target="|".join(KNOWN or ["none"]),
    dataset="|".join(sorted(FORMS) or ["none"]),
    data="full|half",
    kind="|".join(KINDS),
    protocol="|".join(PROTOCOLS),
    similarity="|".join(SIMILARITIES),
    seed=r"\d+",
    pairs="|".join(PAIR_TASKS or ["none"]),
    scheme=r"grouped|published|fold\d+",
    folder="|".join(sorted({folder for folder, _ in DOWNLOADED}) or ["none"]),


def study_training():
    """Training settings of the study, without those that tasks choose for themselves."""
    return config["training"]["defaults"] | config["training"]["override"]


@functools.cache  # one dict for all jobs of a task
def training_settings(task):
    """Training settings of a task: the study's defaults, then the task's own, then the study's override."""
    settings = config["training"]["defaults"] | KNOWN[task].get("training", {}) | config["training"]["override"]
    losses = config["training"]["defaults"]["losses"] | config["training"]["override"].get("losses", {})
    kind = KNOWN[task]["kind"]
    unused = {"losses"} | (set() if kind == "regression" else {"label_scale"})
    settings = {key: value for key, value in settings.items() if key not in unused}
    settings["loss"] = dict(sorted(losses[kind].items()))
    return dict(sorted(settings.items()))


# The engines that a setting chooses among.
ENGINES = {"auto": ("packed", "library"), "fast": "packed", "reference": "library"}


def training_code(script, task, engines=None):
    """Fingerprint of a job that trains a task or uses its models: of kinds, losses and so on those that it uses."""
    settings = training_settings(task)
    return code_fingerprint(
        script,
        kinds=KNOWN[task]["kind"],
        losses=settings["loss"]["name"],
        metrics=KNOWN[task]["metric"],
        adaptations=settings["adapter"]["type"],
        engines=engines or ENGINES[settings["engine"]],
    )


def baseline_code(wildcards):
    """Fingerprint of training a task without a source."""
    return training_code("train_baseline", wildcards.task)


def transfer_code(wildcards):
    """Fingerprint of training a task from a source."""
    return training_code("train_transfer", wildcards.target)


def embedding_code(wildcards):
    """Fingerprint of a task embedding."""
    return training_code("embed_task", wildcards.task, engines="packed")


def estimates_code(wildcards):
    """Fingerprint of the estimates of all sources of a target."""
    return training_code("estimate_sources", wildcards.target, engines="packed")


def ablation_code(wildcards):
    """Fingerprint of testing a baseline without its contexts."""
    return training_code("ablate_context", wildcards.task)


def tokens_code(wildcards):
    """Fingerprint of tokenising a task, with the kind that it has."""
    return code_fingerprint("tokenise_task", kinds=KNOWN[wildcards.task]["kind"])


def longer_training(wildcards):
    """Training settings of a task with twice the epochs."""
    settings = training_settings(wildcards.task)
    return settings | {"epochs": 2 * settings["epochs"]}


def target_training(wildcards):
    """Training settings of the task that a job trains."""
    return training_settings(wildcards.get("target") or wildcards.task)


include: "storage.smk"
include: "task_data.smk"
include: "run_files.smk"
include: "analysis_settings.smk"
include: "cluster.smk"
include: "result_cache.smk"
