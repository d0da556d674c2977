"""From a reader's frame to the rows of one task: filter, map and check labels."""

import pandas

from empathy_transfer.data.lost_rows import tell_lost_rows
from empathy_transfer.data.readers.common import CANONICAL, PLACE, value_column, value_names
from empathy_transfer.data.texts import group_key, is_blank, is_broken, name_in_pool
from empathy_transfer.errors import DataError, shown, shown_names
from empathy_transfer.kinds import is_missing, kind_of, plain

COLUMNS = ["id", "group", "context", "text", "label", "label_source"]
LABEL_SOURCES = ("human", "model", "mixed")


def task_frame(frame, task_name, task, max_lost=None):
    """The rows of one task, checked.

    Args:
        frame: what a reader returned (see `empathy_transfer.data.readers`).
        task_name, task: the task's id and its description: label, kind, labels or range, label_mapping, rows ...
        max_lost: largest share of the rows, 0 to 1, that may lack a label where the kind allows it; None: a half.

    Returns:
        A frame with the columns id, group, context (None if none), text, label (string, float or list of strings) and
        label_source, in the reader's order. Rows that nobody has annotated (multilabel) are left out and counted.

    Raises:
        DataError: a missing column, an unknown label, a label out of range, an empty text or id or group, a repeated
            id, groups that look alike, or no row at all; names file, row and column, and a value that is no text.
    """
    missing = [column for column in CANONICAL if column not in frame.columns]
    if missing:
        raise DataError(f"task {task_name}: the reader gives no column {', '.join(map(repr, missing))}")
    rows = _chosen_rows(frame, task_name, task)
    if value_column(task["label"]) not in rows.columns:
        raise _no_column(rows, task_name, task["label"], "label")
    places = _places(rows)
    _check_rows(rows, places, task_name)
    values = rows[value_column(task["label"])]
    labels = [
        _label(value, f"{place}, column {task['label']!r}", task_name, task, values)
        for value, place in zip(values, places, strict=True)
    ]
    result = rows[["id", "group", "text"]].astype("str").reset_index(drop=True)
    contexts = [None if _is_empty(context) else str(context) for context in rows["context"]]
    result["context"] = pandas.Series(contexts, dtype="object")
    result["label"] = pandas.Series(labels, dtype="object")
    result["label_source"] = _label_sources(rows, places, task_name, task)
    annotated = [label is not None for label in labels]
    lost = len(annotated) - sum(annotated)
    tell_lost_rows(f"task {task_name}", lost, len(annotated), "nobody has annotated them", max_lost)
    result = result[annotated].reset_index(drop=True)
    return result.assign(label=kind_of(task).typed(result["label"]))[COLUMNS]


def _chosen_rows(frame, task_name, task):
    """The rows that the task's filter keeps."""
    total = len(frame)
    for column, allowed in task.get("rows", {}).items():
        if value_column(column) not in frame.columns:
            raise _no_column(frame, task_name, column, "rows")
        allowed = {str(value) for value in allowed}
        found = [
            _plain(value, f"{place}, column {column!r}: task {task_name}")
            for value, place in zip(frame[value_column(column)], _places(frame), strict=True)
        ]
        if unused := sorted(allowed - set(found)):
            print(
                f"WARNING: task {task_name}: `rows` keeps {', '.join(map(repr, unused))} of {column!r}: no row has it"
            )
        frame = frame[[value in allowed for value in found]]
    if len(frame) < total:
        print(f"task {task_name}: {len(frame):,} of {total:,} rows are kept by `rows`")
    if not len(frame):
        raise DataError(f"task {task_name}: no rows left. Check `rows` in its description, and the raw files.")
    return frame


def _plain(value, place):
    """A value as descriptions write it."""
    try:
        return plain(value)
    except DataError as error:
        raise DataError(f"{place}: {error}") from None


def _check_rows(rows, places, task_name):
    """Refuse empty or broken ids, groups and texts, repeated ids, and groups that look alike."""
    for column in CANONICAL:
        for value, place in zip(rows[column], places, strict=True):
            if column != "context" and _is_empty(name_in_pool(value) if column == "group" else value):
                raise DataError(
                    f"{place}: task {task_name}: empty {column}. Fill it in or take the row out of the file."
                )
            if is_broken(str(value)):
                raise DataError(
                    f"{place}: task {task_name}: {column} with half of a character (a lone surrogate). Write it anew."
                )
    _refuse_repeated_ids(rows["id"].astype("str"), places, task_name)
    _refuse_groups_alike(rows["group"], places, task_name)


def _refuse_repeated_ids(ids, places, task_name):
    """Raise DataError that names the first rows that share an id."""
    repeated = ids[ids.duplicated(keep=False).to_numpy()]
    if len(repeated):
        where = [place for name, place in zip(ids, places, strict=True) if name == repeated.iloc[0]]
        more = f" and {len(where) - 3} more" if len(where) > 3 else ""
        raise DataError(
            f"{' and '.join(where[:3])}{more}: task {task_name}: {len(where)} rows have the same id. Ids must differ: "
            "take the repeated rows out of the file, or name another id column."
        )


def _refuse_groups_alike(groups, places, task_name):
    """Raise DataError for two groups that differ in spacing only: rows of one writer could stand in two splits."""
    first = {}
    for group, place in dict(zip(groups, places, strict=True)).items():
        key = group_key(group)
        if key in first:
            raise DataError(
                f"{first[key]} and {place}: task {task_name}: their groups differ only in white space or in characters "
                "that can't be seen. Write them alike."
            )
        first[key] = place


def _label(value, place, task_name, task, column):
    """The value as a label of the task's kind."""
    try:
        return kind_of(task).label_of(value, task, column)
    except DataError as error:
        raise DataError(f"{place}: task {task_name}: {error}") from None


def _label_sources(rows, places, task_name, task):
    """Who gave each label: as the reader says, or else as the task says."""
    if "label_source" not in rows.columns:
        return [task["label_source"]] * len(rows)
    given = rows["label_source"]
    for value, place in zip(given, places, strict=True):
        if value not in LABEL_SOURCES:
            raise DataError(
                f"{place}, column 'label_source': task {task_name}: unknown value {shown(value, given)} (known: "
                f"{', '.join(LABEL_SOURCES)}). Correct or rename the column."
            )
    return list(given)


def _places(rows):
    """File and row of each row, or its position where the reader doesn't say."""
    if PLACE in rows.columns:
        return list(rows[PLACE])
    return [f"row {position + 1}" for position in range(len(rows))]


def _no_column(frame, task_name, column, key):
    """The error of a column that isn't there."""
    source = str(frame[PLACE].iloc[0]).rsplit(", row", 1)[0] if PLACE in frame.columns and len(frame) else "data"
    return DataError(
        f"{source}: task {task_name}: no column {column!r}, which `{key}` of the task names. There are "
        f"{shown_names(value_names(frame))}. Correct the description of the dataset, or the file."
    )


def _is_empty(value):
    """Whether a value is missing, or a text in which nothing can be seen."""
    return is_missing(value) or is_blank(str(value))
