"""
Task data: where the data of a task comes from, and how its jobs read it.
"""


def download_source(wildcards):
    """Where a raw file is downloaded from: dataset, address, digest and the terms that were accepted."""
    return DOWNLOADED[(wildcards.folder, wildcards.file)]


def task_form(wildcards):
    """How a task is read: the layout of its raw files, without what is for people or downloads."""
    return reading_form(TASKS[wildcards.task]["form"])


def reading_form(form):
    """What of a layout the jobs need that read its files."""
    used = {key: form[key] for key in ("columns", "context", "folder", "form", "reader")}
    used |= {key: form[key] for key in READING if key in form}
    return dict(sorted((used | {"files": list(form["files"])}).items()))


def task_definition(wildcards):
    """A task's own entry in its dataset's file, without what only training or reporting uses."""
    return own_definition(TASKS[wildcards.task])


def own_definition(task):
    """What of a task's entry its data depend on."""
    unused = {"title", "theme", "theme_deviates", "training", "dataset", "form", "raters"}
    return dict(sorted((key, value) for key, value in task.items() if key not in unused))


def task_splits(wildcards):
    """How a task is split: as the study says, unless its dataset asks for `balanced`, which looks at all its tasks."""
    dataset, splits = task_dataset(wildcards), config["splits"]
    scheme = DATASETS[dataset].get("splits", splits["scheme"])
    if splits["scheme"] == "published" or scheme != "balanced":
        return splits
    tasks = {task: own_definition(about) for task, about in DATASETS[dataset]["tasks"].items()}
    return splits | {"scheme": scheme, "tasks": dict(sorted(tasks.items()))}


def rated_tasks():
    """The tasks of which each rater's labels are known: their file is one of the layout that was found."""
    return [task for task, about in TASKS.items() if about.get("raters", {}).get("file") in about["form"]["files"]]


def raters_file(wildcards):
    """Path of the raw file in which each rater's labels of a task stand."""
    about = TASKS[wildcards.task]
    return file_path(about["form"], about["raters"]["file"])


def rated_definition(wildcards):
    """A task's own entry with its raters."""
    return dict(sorted((task_definition(wildcards) | {"raters": TASKS[wildcards.task]["raters"]}).items()))


def ceiling_code(wildcards):
    """Fingerprint of measuring how raters of a task agree, with the kind that it has."""
    return code_fingerprint("measure_ceiling", kinds=TASKS[wildcards.task]["kind"])


def variant_definition(wildcards):
    """What makes a variant's data another than its task's."""
    entry = VARIANTS[wildcards.task]
    return {key: entry[key] for key in ("label_sources", "max_lost", "variant_of") if key in entry}


def task_dataset(wildcards):
    """The dataset of a task."""
    return TASKS[wildcards.task]["dataset"]


def task_digests(wildcards):
    """The checked digests of the raw files of a task."""
    return f"{RESULTS}/raw/{task_dataset(wildcards)}.json"


def prepare_code(wildcards):
    """Fingerprint of preparing a task, with the reader of its data and the kinds of all tasks that decide its splits."""
    together = task_splits(wildcards).get("tasks", {}).values()
    kinds = {TASKS[wildcards.task]["kind"], *(about["kind"] for about in together)}
    return code_fingerprint("prepare_task", readers=task_form(wildcards)["reader"], kinds=tuple(sorted(kinds)))


def raw_files(wildcards):
    """Paths of the raw files of a task, in the order of its dataset's file."""
    return form_files(TASKS[wildcards.task]["form"])


def dataset_files(wildcards):
    """Paths of the raw files of a dataset."""
    return form_files(FORMS[wildcards.dataset])


def expected_digests(wildcards):
    """SHA-256 of the raw files of a dataset; None where it is recorded at first use."""
    return {name: file.get("sha256") for name, file in FORMS[wildcards.dataset]["files"].items()}


def digests_now(wildcards):
    """SHA-256 of the raw files of a dataset as they are now; the expected one of those that a job of this run makes."""
    form, made = FORMS[wildcards.dataset], generated_files(wildcards)
    given = {name: digest_now(RAW_DIR / form["folder"] / name) for name in form["files"] if name not in made}
    return {name: given.get(name) or expected for name, expected in expected_digests(wildcards).items()}


def generated_files(wildcards):
    """Names of the raw files of a dataset that a job of this workflow generates."""
    return [name for name, file in FORMS[wildcards.dataset]["files"].items() if file.get("generated")]


def shared_ids(wildcards):
    """What rows of different groups of a task can have in common, as far as the raw files at hand tell it."""
    about, form = DATASETS[task_dataset(wildcards)].get("shared_ids"), TASKS[wildcards.task]["form"]
    if not about or not set(about.get("files", [])) <= set(form["files"]):
        return None
    # The files are those of the task, so that they are read in the same way.
    return about | {key: form[key] for key in ("quote",) if key in form}


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
    with touched.open(encoding="utf-8") as file:  # Snakemake's own, which fetches it from where results are stored
        return f"{RESULTS}/strict/{task}/train.parquet" if len(file.readlines()) > 1 else prepared
