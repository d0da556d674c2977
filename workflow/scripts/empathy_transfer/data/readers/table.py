"""Any table with one row per text: CSV, TSV, JSONL or Parquet, described by the dataset's `columns`."""

from pathlib import Path

import pandas

from empathy_transfer.data.raw_records import name_of, read_jsonl, read_parquet, text_of
from empathy_transfer.data.readers.common import (
    PLACE,
    context_policy,
    ordered_columns,
    read_delimited,
    require_columns,
    row_numbers,
    value_column,
    with_place,
)
from empathy_transfer.data.texts import is_blank
from empathy_transfer.errors import DataError, shown_names


def read(files, form, task):
    """Read a dataset that is described by column names alone; any column can be a label or a filter.

    The rows of several files follow one another; columns that the task uses must be in all of them. Without an id
    column, a row is named by its file and number; without a group column, it is its own group. Group ids begin with the
    dataset's folder. Raises DataError for a damaged file, a missing column, an empty id or group, or a value
    that is no text where a text must be.
    """
    columns = form["columns"]
    policy = context_policy(form, task, ["none", "paired"])
    if policy == "paired" and "context" not in columns:
        raise DataError(
            "reader table: context `paired` needs `context` among the `columns` of the dataset's description"
        )
    parts = []
    for name, path in files.items():
        table = _read_any(path, form.get("quote"))
        require_columns(table, columns.values(), path)
        parts.append(
            _with_canonical_columns(table, columns, policy, f"{Path(name).stem}-" if len(files) > 1 else "row")
        )
        _refuse_gaps(parts, files, {task.get("label"), *task.get("rows", {}), "label_source"})
    frame = pandas.concat(parts, ignore_index=True)
    pool = form.get("folder") or next(iter(files.values())).parent.name
    frame["group"] = f"{pool}:" + frame["group"].astype("str")
    return frame


def _with_canonical_columns(table, columns, policy, row_prefix):
    """What a reader returns of a table, whose own columns keep clear of it."""
    ids = _names(table, columns["id"]) if "id" in columns else row_prefix + row_numbers(table)
    groups = _names(table, columns["group"]) if "group" in columns else ids
    contexts = _texts(table, columns["context"]) if policy == "paired" else None
    own = {value_column(name): table[name] for name in table.columns if name != PLACE}
    canonical = {"id": ids, "group": groups, "context": contexts, "text": _texts(table, columns["text"])}
    frame = pandas.DataFrame(canonical | {PLACE: table[PLACE]} | own, index=table.index)
    return ordered_columns(frame, own)


def _names(table, column):
    """A column of ids as strings; raises DataError at the first empty one."""
    names = []
    for value, place in zip(table[column], table[PLACE], strict=True):
        names.append(name_of(value, f"{place}, column {column!r}"))
        if is_blank(names[-1]):
            raise DataError(f"{place}, column {column!r}: empty. Fill it in or take the row out.")
    return pandas.Series(names, index=table.index, dtype="object")


def _texts(table, column):
    """A column of texts as strings, "" for missing ones."""
    places = table[PLACE] + f", column {column!r}"
    texts = [text_of(value, place) for value, place in zip(table[column], places, strict=True)]
    return pandas.Series(texts, index=table.index, dtype="object")


def _refuse_gaps(parts, files, used):
    """Raise DataError if only one of first and last table has a column that is used: rows would lack its values."""
    columns = [{name for name in used if name and value_column(name) in part.columns} for part in parts]
    if other := sorted(columns[-1] ^ columns[0]):
        names = [path.name for path in files.values()]
        raise DataError(
            f"{names[0]} and {names[len(parts) - 1]}: only one of them has the column {shown_names(other)}. The files "
            "of a dataset need the same columns."
        )


def _read_any(path, quote):
    """The file as a table, by its ending."""
    ending = path.suffix.lower()
    if ending in (".csv", ".tsv"):
        return read_delimited(path, quote=quote)
    if ending in (".jsonl", ".ndjson"):
        return with_place(read_jsonl(path), path)
    if ending == ".parquet":
        return with_place(read_parquet(path), path)
    raise DataError(
        f"{path.name}: reader table reads .csv, .tsv, .jsonl and .parquet, not {ending or 'a nameless type'!r}"
    )
