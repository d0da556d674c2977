"""From a reader's frame to the rows of one task: filter, map and check labels."""

import pandas

from empathy_transfer.errors import DataError, shown
from empathy_transfer.kinds import is_missing, kind_of, plain

COLUMNS = ["id", "group", "context", "text", "label", "label_source"]
LABEL_SOURCES = ("human", "model", "mixed")


def task_frame(frame, task_name, task):
    """The rows of one task, checked.

    Args:
        frame: what a reader returned (see `empathy_transfer.data.readers`).
        task_name, task: the task's id and its description: label, kind, labels or range, label_mapping, rows ...

    Returns:
        A frame with the columns id, group, context (None if none), text, label (string, float or list of strings) and
        label_source, in the reader's order.

    Raises:
        DataError: a missing column, an unknown label, a label out of range, an empty text or id or group, a repeated
            id, or no row at all; names file, row, column and value.
    """
    missing = [column for column in ["id", "group", "context", "text"] if column not in frame.columns]
    if missing:
        raise DataError(f"task {task_name}: the reader gives no column {', '.join(map(repr, missing))}")
    rows = _chosen_rows(frame, task_name, task)
    if task["label"] not in rows.columns:
        raise _no_column(rows, task_name, task["label"], "label")
    places = _places(rows)
    _check_rows(rows, places, task_name)
    labels = [
        _label(value, f"{place}, column {task['label']!r}", task_name, task)
        for value, place in zip(rows[task["label"]], places, strict=True)
    ]
    result = rows[["id", "group", "text"]].astype("str").reset_index(drop=True)
    contexts = [None if _is_empty(context) else str(context) for context in rows["context"]]
    result["context"] = pandas.Series(contexts, dtype="object")
    result["label"] = kind_of(task).typed(pandas.Series(labels, dtype="object"))
    result["label_source"] = _label_sources(rows, places, task_name, task)
    return result[COLUMNS]


def _chosen_rows(frame, task_name, task):
    """The rows that the task's filter keeps."""
    for column, allowed in task.get("rows", {}).items():
        if column not in frame.columns:
            raise _no_column(frame, task_name, column, "rows")
        frame = frame[[plain(value) in {str(value) for value in allowed} for value in frame[column]]]
    if not len(frame):
        raise DataError(f"task {task_name}: no rows left. Check `rows` in its description, and the raw files.")
    return frame


def _check_rows(rows, places, task_name):
    """Refuse empty ids, groups and texts, and repeated ids."""
    for column in ("id", "group", "text"):
        for value, place in zip(rows[column], places, strict=True):
            if _is_empty(value):
                raise DataError(
                    f"{place}: task {task_name}: empty {column}. Fill it in or take the row out of the file."
                )
    repeated = rows["id"].astype("str").duplicated(keep=False).to_numpy().nonzero()[0]
    if len(repeated):
        first = str(rows["id"].iloc[repeated[0]])
        where = [places[position] for position in repeated if str(rows["id"].iloc[position]) == first]
        raise DataError(
            f"{' and '.join(where)}: task {task_name}: the id {shown(first)} stands there {len(where)} times. "
            "Ids must differ: take the repeated rows out of the file, or name another id column."
        )


def _label(value, place, task_name, task):
    """The value as a label of the task's kind."""
    try:
        return kind_of(task).label_of(value, task)
    except DataError as error:
        raise DataError(f"{place}: task {task_name}: {error}") from None


def _label_sources(rows, places, task_name, task):
    """Who gave each label: as the reader says, or else as the task says."""
    if "label_source" not in rows.columns:
        return [task["label_source"]] * len(rows)
    for value, place in zip(rows["label_source"], places, strict=True):
        if value not in LABEL_SOURCES:
            raise DataError(
                f"{place}, column 'label_source': task {task_name}: unknown value {shown(plain(value))} (known: "
                f"{', '.join(LABEL_SOURCES)}). Correct or rename the column."
            )
    return list(rows["label_source"])


def _places(rows):
    """File and row of each row, or its position where the reader doesn't say."""
    if "place" in rows.columns:
        return list(rows["place"])
    return [f"row {position + 1}" for position in range(len(rows))]


def _no_column(frame, task_name, column, key):
    """The error of a column that isn't there."""
    source = str(frame["place"].iloc[0]).rsplit(", row", 1)[0] if "place" in frame.columns and len(frame) else "data"
    found = ", ".join(repr(str(name)) for name in frame.columns if name != "place")
    return DataError(
        f"{source}: task {task_name}: no column {column!r}, which `{key}` of the task names. There are {found}. "
        "Correct the description of the dataset, or the file."
    )


def _is_empty(value):
    """Whether a value is missing or blank."""
    return is_missing(value) or not str(value).strip()
