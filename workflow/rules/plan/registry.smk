"""
The registry of datasets and tasks: which are planned, from which files, and which are left out and why.
"""

import csv
import functools
import re
from pathlib import Path

DATASET_SCHEMA = Path(workflow.basedir) / "workflow/schemas/dataset.schema.yaml"
PUBLISHED_ORDER = Path(workflow.basedir) / "resources/published/tables4_5_tasks.csv"


def load_datasets(folder, pairs=False):
    """Read and check all dataset files of a folder, by dataset; no two may hold a task of the same name.

    Whether they are to be about pairs is `pairs`.
    """
    paths = sorted(Path(folder).glob("*.yaml"))
    if others := sorted(Path(folder).glob("*.yml")):
        raise WorkflowError(f"{others[0]}: rename it to {others[0].stem}.yaml, else it would not be read.")
    if not paths:
        raise WorkflowError(f"datasets: {folder} holds no *.yaml file. Name a folder of dataset files in the config.")
    datasets, owners = {}, {}
    for path in paths:
        if not re.fullmatch("[a-z0-9_]+", path.stem):
            raise WorkflowError(f"{path}: the file's name is the dataset's id: only a-z, 0-9 and _ can stand in it.")
        content = load_yaml(path)
        if isinstance(content, dict) and ("pairs" in content) != pairs:
            other = "datasets" if pairs else "pairs: datasets"
            fault = (
                "say how its pairs are split, with the key `pairs`, or" if pairs else "its key `pairs` is for pairs:"
            )
            raise WorkflowError(f"{path}: {fault} move it to the folder that `{other}` of the config names.")
        check_schema(content, DATASET_SCHEMA, path)
        check_words(path, content)
        datasets[path.stem] = content
        for task in [*content["tasks"], *content.get("variants", {})]:
            if task in owners:
                raise WorkflowError(f"{path}: task '{task}' is also in {owners[task]}. Rename one of them.")
            owners[task] = path
        for variant, entry in content.get("variants", {}).items():
            if (parent := entry["variant_of"]) not in content["tasks"]:
                hint = suggestion(parent, content["tasks"])
                raise WorkflowError(f"{path}: variants.{variant}: '{parent}' is no task of this dataset{hint}.")
    return datasets


@functools.cache
def known_readers():
    """Names of the readers: modules of their folder that have the function `read`."""
    files = sorted((SCRIPTS / PACKAGE / "data/readers").glob("*.py"))
    return [file.stem for file in files if "\ndef read(" in file.read_text(encoding="utf-8")]


def check_words(path, dataset):
    """Check the words of a dataset file that refer to something: readers, classes of mappings, and files of raters."""
    readers = known_readers()
    for form in [dataset, *dataset.get("alternatives", [])]:
        if (reader := form.get("reader", dataset["reader"])) not in readers:
            hint = suggestion(reader, readers)
            raise WorkflowError(f"{path}: reader: there is no '{reader}'{hint}. Known: {', '.join(readers)}")
    files = [name for form in [dataset, *dataset.get("alternatives", [])] for name in form["files"]]
    for task, about in dataset["tasks"].items():
        mapping = about.get("label_mapping", {})
        if len({str(value) for value in mapping}) < len(mapping):
            raise WorkflowError(
                f"{path}: tasks.{task}.label_mapping: a value stands there twice, with quotes and without."
            )
        for value, label in mapping.items():
            if label not in about["labels"]:
                raise WorkflowError(
                    f"{path}: tasks.{task}.label_mapping: '{value}' stands for '{label}', which is not among the "
                    f"task's labels{suggestion(label, about['labels'])}: {', '.join(about['labels'])}"
                )
        file = about.get("raters", {}).get("file")
        if file and file not in files:
            raise WorkflowError(
                f"{path}: tasks.{task}.raters.file: '{file}' is no file of this dataset{suggestion(file, files)}."
            )


def plan_variants(datasets, tasks):
    """Return (planned variants, left-out ones with the reason) of those that the study asks for; `tasks` are planned."""
    every = {name: entry for dataset in datasets.values() for name, entry in dataset.get("variants", {}).items()}
    planned, left_out = {}, {}
    for name in config["variants"]:
        if name not in every:
            known = f"Known variants: {', '.join(sorted(every))}" if every else "There are none."
            raise WorkflowError(
                f"variants: '{name}' is in no file of {config['datasets']}{suggestion(name, every)}. {known}"
            )
        variant, parent = every[name], every[name]["variant_of"]
        if parent not in tasks:
            left_out[name] = f"it is made from {parent}, which is not among the tasks of this run"
        elif reason := without_label_source(variant, tasks[parent], datasets[tasks[parent]["dataset"]]):
            left_out[name] = reason
        else:
            training = tasks[parent].get("training", {}) | variant.get("training", {})
            planned[name] = tasks[parent] | variant | {"training": training}
    return planned, left_out


def without_label_source(variant, task, dataset):
    """Why the task's data has no rows, or none that can be told, with labels of the variant's sources; else None."""
    wanted, form = variant.get("label_sources"), task["form"]
    if wanted is None or task["label_source"] in wanted or form["label_sources_known"]:
        return None
    givers = {"human": "people", "model": "a model", "mixed": "people and models"}[task["label_source"]]
    if task["label_source"] != "mixed":
        return f"{givers} gave all labels of {variant['variant_of']}, so that no row is left"
    known = [", ".join(other["files"]) for other in forms(dataset) if other["label_sources_known"]]
    return (
        f"{givers} gave the labels of {variant['variant_of']}, and the files that were found (layout '{form['form']}') "
        f"don't say which row has whose; {' or '.join(known) or 'no other layout'} does"
    )


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


def known_tasks(datasets):
    """The tasks that ratings may be about: those of the dataset files, and the published ones."""
    return [task for dataset in datasets.values() for task in dataset["tasks"]] + list(published_order())


def plan_tasks(datasets):
    """Return (wanted tasks, planned ones, left-out ones with the reason); in the published order, others after it."""
    order = published_order()
    every = {task: name for name, dataset in datasets.items() for task in dataset["tasks"]}
    wanted = sorted(every, key=lambda task: (order.get(task, len(order)), task))
    wanted = chosen_tasks(wanted, config["tasks"], f"tasks: '{{}}' is in no file of {config['datasets']}")
    planned, left_out = with_data(datasets, wanted)
    # A job's own process is not asked for targets; the run that started it has checked this.
    if not planned and workflow.is_main_process and not (only_published() or only_labels() or only_pairs()):
        raise WorkflowError("\n  ".join(["None of the study's tasks has its data:", *left_out_lines(left_out)]))
    return wanted, planned, left_out


def chosen_tasks(known, chosen, problem):
    """Return the known tasks that a config chooses, which may be `all`; `problem` is said of an unknown one."""
    if chosen == "all":
        return known
    if unknown := [task for task in chosen if task not in known]:
        hint = suggestion(unknown[0], known)
        raise WorkflowError(f"{problem.format(unknown[0])}{hint}. Known tasks: {', '.join(known)}")
    return [task for task in known if task in chosen]


def with_data(datasets, wanted):
    """Return (the wanted tasks whose files can be had, each with its dataset and layout; the others with the reason)."""
    every = {task: name for name, dataset in datasets.items() for task in dataset["tasks"]}
    planned, left_out = {}, {}
    chosen = {name: choose_form(name, dataset) for name, dataset in datasets.items()}
    for task in wanted:
        name = every[task]
        form, reason = chosen[name]
        if form is None:
            left_out[task] = reason
        else:
            planned[task] = datasets[name]["tasks"][task] | {"dataset": name, "form": form}
    return planned, left_out
