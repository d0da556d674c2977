"""
The registry of datasets and tasks: which are planned, from which files, and which are left out and why.
"""

import csv
import os
import sys
from pathlib import Path

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


def left_out_lines(left_out):
    """One line for each reason for which tasks are left out."""
    tasks = {}
    for task, reason in left_out.items():
        tasks.setdefault(reason, []).append(task)
    return [f"Left out: {', '.join(names)}: {reason}" for reason, names in tasks.items()]


def published_order():
    """Return the place of each published task in the order of the study's tables."""
    with open(PUBLISHED_ORDER, encoding="utf-8", newline="") as file:
        return {row["task"]: place for place, row in enumerate(csv.DictReader(file))}


def only_published():
    """Whether this run was asked for nothing but the analysis of the printed numbers, which needs no data."""
    # Snakemake tells the targets only once the rules are read, and reading the arguments takes time.
    if not any("published" in argument for argument in sys.argv):
        return False
    from snakemake_logger_plugin_empathy.command import targets

    asked = targets(sys.argv[1:])
    return bool(asked) and all(
        target == "published_analysis" or target.startswith("results/published/") for target in asked
    )


def plan_tasks(datasets):
    """Return (wanted tasks, planned ones, left-out ones with the reason); in the published order, others after it."""
    order = published_order()
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
    # A job's own process is not asked for targets; the run that started it has checked this.
    if not planned and workflow.is_main_process and not only_published():
        raise WorkflowError("\n  ".join(["None of the study's tasks has its data:", *left_out_lines(left_out)]))
    return wanted, planned, left_out
