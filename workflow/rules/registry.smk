"""
The registry of datasets and tasks: which are planned, from which files, and which are left out and why.
"""

import csv
import os
from pathlib import Path

RAW_DIR = Path(os.environ.get("EMPATHY_RAW_DIR") or config["raw_dir"])
DOWNLOADS = Path("resources/downloads")
DATASET_SCHEMA = Path(workflow.basedir) / "workflow/schemas/dataset.schema.yaml"
RATING_COLUMNS = ["task", "aspect", "annotator", "score"]
ASPECTS = ["definition", "link", "conduciveness"]
PUBLISHED_ORDER = Path(workflow.basedir) / "resources/published/tables4_5_tasks.csv"


def check_ratings(path):
    """Check the table of construct ratings: its columns, and in each row the aspect and a score from 1 to 5, none twice."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != RATING_COLUMNS:
            raise WorkflowError(f"{path}: the first line must be {','.join(RATING_COLUMNS)}")
        seen = set()
        for number, row in enumerate(rows, start=2):
            if row["aspect"] not in ASPECTS:
                raise WorkflowError(f"{path}, line {number}: aspect '{row['aspect']}' is none of {', '.join(ASPECTS)}")
            if not is_number(row["score"] or "") or not 1 <= float(row["score"]) <= 5:
                raise WorkflowError(f"{path}, line {number}: score '{row['score']}' is not a number from 1 to 5")
            if (rating := (row["task"], row["aspect"], row["annotator"])) in seen:
                raise WorkflowError(f"{path}, line {number}: {' '.join(rating)} is rated twice. Take one row out.")
            seen.add(rating)


def load_datasets(folder):
    """Read and check all dataset files of a folder, by dataset; no two may hold a task of the same name."""
    paths = sorted(Path(folder).glob("*.yaml"))
    if not paths:
        raise WorkflowError(f"datasets: {folder} holds no *.yaml file. Name a folder of dataset files in the config.")
    datasets, owners = {}, {}
    for path in paths:
        content = load_yaml(path)
        check_schema(content, DATASET_SCHEMA, path)
        datasets[path.stem] = content
        for task in content["tasks"]:
            if task in owners:
                raise WorkflowError(f"{path}: task '{task}' is also in {owners[task]}. Rename one of them.")
            owners[task] = path
    return datasets


def forms(dataset):
    """Return the layouts of a dataset in the order of preference; an alternative has the main one's unset fields."""
    main = {key: dataset.get(key) for key in ("folder", "files", "reader", "columns", "context")}
    alternatives = [main | {"columns": None} | alternative for alternative in dataset.get("alternatives", [])]
    return [dict(sorted(form.items())) for form in ({"form": "main", "note": None} | main, *alternatives)]


def file_path(form, name):
    """Return where a raw file lies, or will lie once it is generated or downloaded."""
    if form["files"][name].get("generated"):
        return f"results/{config['study']}/raw/{form['folder']}/{name}"
    given = RAW_DIR / form["folder"] / name
    return str(given if given.is_file() else DOWNLOADS / form["folder"] / name)


def form_files(form):
    """Return where the raw files of a layout lie, in the order of the dataset's file."""
    return [file_path(form, name) for name in form["files"]]


def missing_files(form, accepted):
    """Return the raw files that are neither there nor to be made by a job of this run."""
    return [
        name
        for name, file in form["files"].items()
        if not file.get("generated") and not Path(file_path(form, name)).is_file() and not ("url" in file and accepted)
    ]


def choose_form(name, dataset):
    """Return (the first layout whose files can all be had, None), or (None, the reason in one line)."""
    accepted = name in config["accept_terms"]
    for form in forms(dataset):
        if not missing_files(form, accepted):
            return form, None
    form = forms(dataset)[0]
    missing = missing_files(form, accepted)
    ways = dict.fromkeys(
        (
            f"add '{name}' to accept_terms to download it"
            if "url" in form["files"][file]
            else form["files"][file]["obtain"]
        )
        for file in missing
    )
    shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
    how = "; or ".join(way.strip().rstrip(".") for way in ways)
    terms = " ".join(dataset["terms"].split())
    return None, f"{shown} not found in {RAW_DIR / form['folder']}. To get it: {how}. Terms: {terms}"


def left_out_lines(left_out):
    """One line for each reason for which tasks are left out."""
    tasks = {}
    for task, reason in left_out.items():
        tasks.setdefault(reason, []).append(task)
    return [f"Left out: {', '.join(names)}: {reason}" for reason, names in tasks.items()]


def plan_tasks(datasets):
    """Return (wanted tasks, planned ones, left-out ones with the reason); in the published order, others after it."""
    with open(PUBLISHED_ORDER, encoding="utf-8", newline="") as file:
        order = {row["task"]: place for place, row in enumerate(csv.DictReader(file))}
    every = {task: name for name, dataset in datasets.items() for task in dataset["tasks"]}
    wanted = sorted(every, key=lambda task: (order.get(task, len(order)), task))
    if config["tasks"] != "all":
        if unknown := [task for task in config["tasks"] if task not in every]:
            raise WorkflowError(
                f"tasks: '{unknown[0]}' is in no file of {config['datasets']}"
                f"{suggestion(unknown[0], every)}. Known tasks: {', '.join(wanted)}"
            )
        wanted = [task for task in wanted if task in config["tasks"]]
    planned, left_out = {}, {}
    chosen = {name: choose_form(name, dataset) for name, dataset in datasets.items()}
    for task in wanted:
        name = every[task]
        form, reason = chosen[name]
        if form is None:
            left_out[task] = reason
        else:
            planned[task] = datasets[name]["tasks"][task] | {"dataset": name, "form": form}
    if not planned:
        raise WorkflowError("\n  ".join(["None of the study's tasks has its data:", *left_out_lines(left_out)]))
    return wanted, planned, left_out


def downloads():
    """Return {(folder, file): its dataset, address, digest and terms} of the files that this run downloads."""
    return {
        (form["folder"], name): {
            "dataset": dataset,
            "sha256": file.get("sha256"),
            "terms": DATASETS[dataset]["terms"],
            "url": file["url"],
        }
        for dataset, form in FORMS.items()
        for name, file in form["files"].items()
        if file_path(form, name) == str(DOWNLOADS / form["folder"] / name)
    }
