"""
Common: the plan of the study, and the functions that hand each job its settings.
"""

import functools
import gc
import itertools
import os

# A plan holds millions of small objects for its whole life. With Python's own thresholds, looking through them for
# garbage takes a sixth of the time.
gc.set_threshold(200_000, 20, 100)

# The library beside the scripts comes before any installed copy of it, also in a copy of this folder.
os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, [str(SCRIPTS), os.getenv("PYTHONPATH")])))

# No param, since it changes no result.
os.environ.update(EMPATHY_FIRST_LAYER_GB=str(config["first_layer_gb"]))

check_ratings(config["ratings"])
DATASETS = load_datasets(config["datasets"])
WANTED, TASKS, LEFT_OUT = plan_tasks(DATASETS)
VARIANTS, VARIANTS_LEFT_OUT = plan_variants(DATASETS, TASKS)
KNOWN = TASKS | VARIANTS
FORMS = {task["dataset"]: task["form"] for task in TASKS.values()}
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
    folder="|".join(sorted({folder for folder, _ in DOWNLOADED}) or ["none"]),


def download_source(wildcards):
    """Where a raw file is downloaded from: dataset, address, digest and the terms that were accepted."""
    return DOWNLOADED[(wildcards.folder, wildcards.file)]


def study_training():
    """Training settings of the study, without those that tasks choose for themselves."""
    return config["training"]["defaults"] | config["training"]["override"]


@functools.cache  # one dict for all jobs of a task
def training_settings(task):
    """Training settings of a task: the study's defaults, then the task's own, then the study's override."""
    settings = config["training"]["defaults"] | KNOWN[task].get("training", {}) | config["training"]["override"]
    return dict(sorted(settings.items()))


def longer_training(wildcards):
    """Training settings of a task with twice the epochs."""
    settings = training_settings(wildcards.task)
    return settings | {"epochs": 2 * settings["epochs"]}


def target_training(wildcards):
    """Training settings of the task that a job trains."""
    return training_settings(wildcards.get("target") or wildcards.task)


def task_form(wildcards):
    """How a task is read: the layout of its raw files, without what is for people or downloads."""
    form = TASKS[wildcards.task]["form"]
    used = {key: form[key] for key in ("columns", "context", "folder", "form", "reader")}
    return used | {"files": list(form["files"])}


def task_definition(wildcards):
    """A task's own entry in its dataset's file, without what only training or reporting uses."""
    unused = {"title", "theme", "theme_deviates", "training", "dataset", "form"}
    return dict(sorted((key, value) for key, value in TASKS[wildcards.task].items() if key not in unused))


def variant_definition(wildcards):
    """What makes a variant's data another than its task's."""
    entry = VARIANTS[wildcards.task]
    return {key: entry[key] for key in ("label_sources", "variant_of") if key in entry}


def task_dataset(wildcards):
    """The dataset of a task."""
    return TASKS[wildcards.task]["dataset"]


def task_digests(wildcards):
    """The checked digests of the raw files of a task."""
    return f"{RESULTS}/raw/{task_dataset(wildcards)}.json"


def prepare_code(wildcards):
    """Fingerprint of preparing a task: the entry point and the reader of its data."""
    return code_fingerprint("prepare_task", f"readers.{task_form(wildcards)['reader']}")


def raw_files(wildcards):
    """Paths of the raw files of a task, in the order of its dataset's file."""
    return form_files(TASKS[wildcards.task]["form"])


def dataset_files(wildcards):
    """Paths of the raw files of a dataset."""
    return form_files(FORMS[wildcards.dataset])


def expected_digests(wildcards):
    """SHA-256 of the raw files of a dataset; None where it is recorded at first use."""
    return {name: file.get("sha256") for name, file in FORMS[wildcards.dataset]["files"].items()}


def generated_files(wildcards):
    """Names of the raw files of a dataset that a job of this workflow generates."""
    return [name for name, file in FORMS[wildcards.dataset]["files"].items() if file.get("generated")]


def reported(tasks):
    """What tables and figures need to know of each of these tasks."""
    keys = ["dataset", "title", "kind", "metric", "theme", "labels", "range"]
    known = {
        name: task | {"dataset": dataset}
        for dataset, content in DATASETS.items()
        for name, task in content["tasks"].items()
    }
    return {name: {key: known[name][key] for key in keys if key in known[name]} for name in tasks}


def significance_settings():
    """What the tests of significance use of the config's block `analysis`."""
    return {key: config["analysis"][key] for key in ("absent_classes", "alpha", "margins", "resamples")}


def test_settings():
    """What tests of differences use of the config's block `analysis`."""
    return {key: config["analysis"][key] for key in ("absent_classes", "alpha", "resamples")}


def described(tasks):
    """What features of pairs need to know of each of these tasks."""
    about = {}
    for task in tasks:
        dataset = DATASETS[TASKS[task]["dataset"]]
        about[task] = {key: dataset[key] for key in ("data_source", "language_setting")}
        about[task] |= {key: TASKS[task][key] for key in ("dataset", "kind", "labels") if key in TASKS[task]}
    return about


def published_tasks(wildcards):
    """Of the published study's tasks, in its order, what the paper says in words: where their texts come from."""
    about = {}
    for name, dataset in load_datasets("config/datasets").items():
        words = {key: dataset[key] for key in ("data_source", "language_setting")}
        about |= {task: {"dataset": name} | words for task in dataset["tasks"]}
    return {task: about[task] for task in published_order()}


def importance_settings():
    """Settings of the importance analysis in a fixed order, without those of its neighbours."""
    settings = config["analysis"]["importance"]
    others = ("regression_labels", "null_draws")
    plain = {key: value for key, value in sorted(settings.items()) if key not in others}
    return plain | {"grid": dict(sorted(settings["grid"].items()))}


def shared_ids(wildcards):
    """What rows of different groups of a task can have in common, as far as the raw files at hand tell it."""
    about = DATASETS[task_dataset(wildcards)].get("shared_ids")
    here = about and set(about.get("files", [])) <= set(TASKS[wildcards.task]["form"]["files"])
    return about if here else None


def shared_id_files(wildcards):
    """Paths of the raw files in which the shared ids of a task stand."""
    form = TASKS[wildcards.task]["form"]
    return [file_path(form, name) for name in (shared_ids(wildcards) or {}).get("files", [])]


def training_table(wildcards):
    """Path of the training rows of a task or a variant, see `training_rows`."""
    return training_rows(wildcards.task)


def training_rows(task):
    """Path of training rows: as prepared, or in a strict study without those that touch held-out rows.

    A variant is made from what its task trains on, so nothing is taken out of it again.
    """
    prepared = f"{RESULTS}/data/{task}/train.parquet"
    if task in VARIANTS or not config["leakage"]["strict"]:
        return prepared
    touched = checkpoints.find_leakage.get().output.touched[list(TASKS).index(task)]
    with open(touched, encoding="utf-8") as file:
        return f"{RESULTS}/strict/{task}/train.parquet" if len(file.readlines()) > 1 else prepared
