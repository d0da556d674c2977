"""From the raw files of a pair dataset to the three tables of one pair task (job of rule prepare_pairs)."""

from importlib import import_module

from empathy_transfer.data import readers
from empathy_transfer.data.raw_text import count_lines
from empathy_transfer.data.readers.common import PLACE, value_column
from empathy_transfer.data.split_check import check_splits
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.tasks import COLUMNS, task_frame
from empathy_transfer.errors import DataError
from empathy_transfer.pairs.splits import pair_masks
from empathy_transfer.records.artefacts import write_json, write_table

TEXTS = ("id", "group", "context", "text", "label_source")
DESCRIBED = ("kind", "labels", "ordered", "range", "metric", "label_source")


def prepare_pairs(files, form, task_name, task, dataset, splits, outputs, task_path):
    """Read, label, check and split the pairs of one task.

    Args:
        files, form, task_name, task, dataset: as of `data.prepare.prepare_task`.
        splits: {scheme, seed, shares, folds, tasks, split_column}, of which a scheme has what it uses: see
            `pair_masks`; `tasks` are the descriptions of all tasks of the dataset, `split_column` names the published
            split of each row, or is None.
        outputs, task_path: where the tables {train, validation, test} and the description (JSON) go. Tables are as
            those of `prepare_task`, with the first text as context; the description also counts the pairs `left_out`.

    Raises:
        DataError: the data can't be used, a text of a pair is missing, or a split is empty.
    """
    reader = import_module(f"{readers.__name__}.{form['reader']}")

    def pairs_of(name, about):
        """The pairs of a task, in the order of its files."""
        raw = reader.read(files, form, about)
        return _with_part(raw, task_frame(raw, name, about, form.get("max_lost")), splits["split_column"], name), raw

    frame, raw = pairs_of(task_name, task)
    scheme, together = splits["scheme"], {}
    if scheme not in ("grouped", "published"):
        together = {name: pairs_of(name, about)[0] for name, about in sorted(splits["tasks"].items())}
    masks = pair_masks(frame, together, dataset, splits)
    if scheme in ("grouped", "balanced"):
        check_splits(masks, frame, task_name, splits)
    _refuse_empty(masks, task_name, scheme)
    for split in SPLITS:
        rows = frame.loc[masks[split], COLUMNS].sort_values("id", kind="stable", ignore_index=True)
        write_table(outputs[split], rows.astype(dict.fromkeys(TEXTS, "str")))
        print(f"{task_name}: {len(rows)} pairs in {split}")
    description = {key: task[key] for key in DESCRIBED if key in task}
    description |= {"task": task_name, "dataset": dataset, "form": form["form"]}
    description |= {"n": {split: int(masks[split].sum()) for split in SPLITS}}
    description |= {"left_out": len(frame) - sum(description["n"].values())}
    description |= {"raw_rows": len(raw), "raw_lines": count_lines(files.values())}
    description |= {key: splits[key] for key in ("scheme", "seed", "shares", "folds") if key in splits}
    write_json(task_path, description)


def _with_part(raw, frame, column, task_name):
    """A task's pairs with the column `part`; refuses pairs that lack their first text."""
    places = dict(zip(raw["id"].astype("str"), raw[PLACE], strict=True))
    if (alone := frame["context"].isna()).any():
        place = places[frame.loc[alone, "id"].iloc[0]]
        raise DataError(f"{place}: task {task_name}: a pair without its first text (`context`). Take the row out.")
    if column is None:
        return frame.assign(part=None)
    if value_column(column) not in raw.columns:
        raise DataError(
            f"task {task_name}: no column {column!r}, which `split_column` of the dataset names. Correct it."
        )
    parts = dict(zip(raw["id"].astype("str"), raw[value_column(column)], strict=True))
    return frame.assign(part=frame["id"].map(parts))


def _refuse_empty(masks, task_name, scheme):
    """Stop where a split is empty; a release without training pairs can still be tested on."""
    needed = SPLITS if scheme != "published" else ("validation", "test")
    if empty := [split for split in needed if not masks[split].any()]:
        raise DataError(
            f"task {task_name}: no pairs for {' and '.join(empty)} (scheme {scheme}). Add pairs, name a finer unit as "
            "their group, or take the scheme out of `pairs` in the dataset's description."
        )
    if not masks["train"].any():
        print(f"{task_name}: no training pairs under the scheme {scheme}: nothing can be trained there")
