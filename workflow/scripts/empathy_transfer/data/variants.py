"""Variants of a task, made from its splits: rows with labels of some sources only, or other labels in training.

A variant keeps the split of every row, so that its test items are test items of its task and of every other task of the
dataset. Which items a cap or half of the data takes is drawn as for the task itself.
"""

from empathy_transfer.data.lost_rows import tell_lost_rows
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.errors import DataError
from empathy_transfer.kinds import kind_of
from empathy_transfer.records.artefacts import read_csv, read_json, read_table, write_json, write_table, write_text
from empathy_transfer.records.provenance import study_of


def derive_variant(name, variant, splits, task_path, labels_path, outputs):
    """Make the splits and the description of a variant.

    Args:
        name: the variant. variant: its `variant_of` and, if it has them, `label_sources` and `max_lost`, the largest
            share of a foreign file's ids that may be no rows of the task (a half if not given).
        splits: {split: path} of its task. task_path: the task's description.
        labels_path: CSV file with the columns id and label for training rows, or None.
        outputs: a path for each split, `task_json`, and `released` (empty: the variant's training may start).

    Raises:
        DataError: a split has no row left, a label of the file is none of the task's (names file and row), or most ids
            of the file are no rows of the task.
    """
    task = read_json(task_path)
    counts, labels = {}, {} if labels_path is None else read_labels(labels_path)
    unknown = set(labels)
    for split in SPLITS:
        frame = read_table(splits[split])
        kept = frame
        if wanted := variant.get("label_sources"):
            kept = frame[frame["label_source"].isin(wanted)].reset_index(drop=True)
        if not len(kept):
            found = ", ".join(f"{count} {source}" for source, count in frame["label_source"].value_counts().items())
            raise DataError(
                f"variant {name}: no {split} row has a label by {' or '.join(wanted)} "
                f"(rows of {variant['variant_of']}: {found}). Leave the variant out, or give its task more rows."
            )
        unknown -= set(frame["id"])
        if split == "train" and labels_path is not None:
            kept = relabel(kept, labels, task, labels_path)
        write_table(outputs[split], kept)
        counts[split] = len(kept)
        print(f"{name}: {len(kept):,} of {len(frame):,} {split} rows of {variant['variant_of']}")
    if labels_path is not None:
        # Labels that this workflow made are of several sets of texts, of which the task may be a small one.
        allowed = 1 if study_of(labels_path) is not None else variant.get("max_lost")
        reason = f"their id is no row of {variant['variant_of']}"
        tell_lost_rows(labels_path, len(unknown), len(labels), reason, allowed)
    # The task's own name stays: items are drawn by it, so that variant and task are trained and tested on the same ones
    # as far as both have them.
    write_json(outputs["task_json"], task | {"variant": name, "n": counts})
    write_text(outputs["released"], "")


def read_labels(path):
    """Read labels by id, as text: {id: label}; a file of this workflow is checked against what its job wrote.

    Raises:
        DataError: a column is missing, or an id is empty or stands there twice.
    """
    frame = read_csv(path, verify=study_of(path) is not None, dtype=str).fillna("")
    if missing := [column for column in ("id", "label") if column not in frame.columns]:
        raise DataError(f"{path}: no column {' and '.join(map(repr, missing))}; training labels need id and label.")
    for problem, wrong in {
        "an empty id": frame["id"] == "",
        "an id that another row has": frame["id"].duplicated(),
    }.items():
        if wrong.any():
            raise DataError(f"{path}, row {wrong.argmax() + 1}: {problem}. Take the row out.")
    return dict(zip(frame["id"], frame["label"], strict=True))


def relabel(frame, labels, task, path):
    """Training rows with the labels that `labels` has for their ids, which then count as given by a model.

    Raises:
        DataError: a label is none of the task's, out of its range, or missing; or no row has a new one.
    """
    new = {place: labels[key] for place, key in enumerate(frame["id"]) if key in labels}
    if not new:
        raise DataError(f"{path}: none of its ids is a training row of {task['task']}. Check the file's column id.")
    values, sources = frame["label"].tolist(), frame["label_source"].tolist()
    row_of = {key: row for row, key in enumerate(labels, 1)}
    for place, text in new.items():
        where = f"{path}, row {row_of[frame['id'].iloc[place]]}"
        values[place], sources[place] = _label(text, task, where, labels.values()), "model"
    print(f"{len(new):,} of {len(frame):,} training rows have a label from {path}")
    return frame.assign(label=values, label_source=sources)


def _label(text, task, place, column):
    """A label of the task's kind from its text, which says the label itself and no raw value."""
    try:
        return kind_of(task).label_of(text, task | {"label_mapping": None}, column)
    except DataError as error:
        raise DataError(f"{place}: {error}") from None
