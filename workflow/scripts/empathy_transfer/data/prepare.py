"""From the raw files of a dataset to the three tables of one task (job of rule prepare_task)."""

from importlib import import_module

import pandas

from empathy_transfer.data import readers
from empathy_transfer.data.balanced import balanced_splits
from empathy_transfer.data.raw_text import count_lines
from empathy_transfer.data.split_check import check_splits
from empathy_transfer.data.splits import SPLITS, assign_splits, marks_overlap
from empathy_transfer.data.tasks import task_frame
from empathy_transfer.kinds import kind_of
from empathy_transfer.records.artefacts import write_json, write_table


def prepare_task(files, form, task_name, task, dataset, splits, outputs, task_path):
    """Read, label, check and split one task.

    Args:
        files: raw file of each name in the form. form: the layout in which the files were found: form, reader, columns,
            context, and if they are set `quote` and `max_lost`.
        task_name, task, dataset: the task, its description and the name of its dataset.
        splits: {scheme, seed, shares {train, validation, test}}; with the scheme `balanced` also `tasks`, the
            descriptions of all tasks of the dataset, since a group of several tasks stands in one split.
        outputs, task_path: where the tables {train, validation, test} and the description (JSON) go. Tables have the
            columns id, group, context, text, label, label_source, and are ordered by id. The description has
            `raw_rows`, what the reader found, and `raw_lines`, the lines of the files, or null where one has none.

    Raises:
        DataError: the data can't be used (see `task_frame`), or its splits can't (see `check_splits`).
    """
    reader = import_module(f"{readers.__name__}.{form['reader']}")
    raw = reader.read(files, form, task)
    frame = task_frame(raw, task_name, task, form.get("max_lost"))
    frame = _typed(frame, task["kind"]).sort_values("id", kind="stable", ignore_index=True)
    _warn_of_unused_labels(frame["label"], task_name, task)
    if splits["scheme"] == "balanced":
        together = {
            name: frame
            if name == task_name
            else task_frame(reader.read(files, form, about), name, about, form.get("max_lost"))
            for name, about in sorted(splits["tasks"].items())
        }
        places = balanced_splits(together, splits["seed"], splits["shares"])
        masks = {split: (frame["group"].map(places) == split).to_numpy() for split in SPLITS}
    else:
        masks = assign_splits(frame["id"].tolist(), frame["group"].tolist(), dataset=dataset, **splits)
    check_splits(masks, frame, task_name, splits)
    for split in SPLITS:
        write_table(outputs[split], frame[masks[split]].reset_index(drop=True))
        print(f"{task_name}: {int(masks[split].sum())} rows in {split}")
    # Titles and themes stay out: training reads this file, and a new name must not train anything anew.
    kept = ("kind", "labels", "range", "metric", "label_source")
    description = {key: task[key] for key in kept if key in task}
    description |= {"task": task_name, "dataset": dataset, "form": form.get("form", "")}
    description |= {"n": {split: int(masks[split].sum()) for split in SPLITS}}
    description |= {"raw_rows": len(raw), "raw_lines": count_lines(files.values())}
    description |= {key: splits[key] for key in ("scheme", "seed", "shares")}
    write_json(task_path, description | {"overlap": marks_overlap(dataset, splits["scheme"])})


def _typed(frame, kind):
    """The task's columns with the types that all later jobs rely on, also where a column holds nothing at all."""
    # A column of Nones would otherwise be stored as type null, and as string in the next split.
    texts = {column: frame[column].astype("str") for column in ("id", "group", "context", "text", "label_source")}
    columns = ["id", "group", "context", "text", "label", "label_source"]
    return pandas.DataFrame({**texts, "label": kind_of(kind).typed(frame["label"])})[columns]


def _warn_of_unused_labels(labels, task_name, task):
    """Print the declared labels that no row has: possible in a partial release, so no error."""
    if "labels" in task:
        present = set(labels.explode())
        unused = [str(label) for label in task["labels"] if str(label) not in present]
        if unused:
            print(f"WARNING: task {task_name}: no row has the label {', '.join(map(repr, unused))}")
