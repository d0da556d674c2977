"""Any table with one row per text: CSV, TSV, JSONL or Parquet, described by the dataset's `columns`."""

import json
from pathlib import Path

import pandas

from empathy_transfer.data.readers.common import (
    AGAIN,
    context_policy,
    ordered_columns,
    read_delimited,
    refuse,
    require_columns,
    row_numbers,
    with_place,
)
from empathy_transfer.errors import DataError

# Names of the result: a label column can't bear one of them.
RESERVED = ("id", "group", "context", "text", "place")


def read(files, form, task):
    """Read a dataset that is described by column names alone; all other columns can be labels or filters.

    Several files of one dataset must have the same columns; their rows follow one another. Without an id column, a row
    is named by its file and number; without a group column, it is its own group. Group ids begin with the dataset's
    folder. Raises DataError for a damaged file, a missing column, or an empty id or group.
    """
    columns = form["columns"]
    policy = context_policy(form, task, ["none", "paired"])
    if policy == "paired" and "context" not in columns:
        raise DataError(
            "reader table: context `paired` needs `context` among the `columns` of the dataset's description"
        )
    if task.get("label") in RESERVED and task["label"] not in columns.values():
        raise DataError(f"reader table: a label column can't be called {task['label']!r}; rename it in the file")
    parts = []
    for name, path in files.items():
        table = _read_any(path)
        require_columns(table, columns.values(), path)
        parts.append(
            _with_canonical_columns(table, columns, policy, f"{Path(name).stem}-" if len(files) > 1 else "row")
        )
    frame = pandas.concat(parts, ignore_index=True)
    pool = form.get("folder") or next(iter(files.values())).parent.name
    frame["group"] = f"{pool}:" + frame["group"].astype("str")
    return ordered_columns(frame, [column for column in frame.columns if column not in RESERVED])


def _with_canonical_columns(table, columns, policy, row_prefix):
    """The table with id, group, context and text beside its own columns."""
    ids = _filled(table, columns["id"]) if "id" in columns else row_prefix + row_numbers(table)
    groups = _filled(table, columns["group"]) if "group" in columns else ids
    contexts = None
    if policy == "paired":
        contexts = [None if not _plain(value).strip() else _plain(value) for value in table[columns["context"]]]
    texts = [_plain(value) for value in table[columns["text"]]]
    return table.assign(
        id=ids, group=groups, context=pandas.Series(contexts, index=table.index, dtype="object"), text=texts
    )


def _filled(table, column):
    """A column of ids as strings; raises DataError at the first empty one."""
    values = table[column].map(_plain).astype("str")
    refuse(table[values.str.strip() == ""], column, "empty. Fill it in or take the row out.")
    return values


def _plain(value):
    """A value as string; "" for a missing one. Whole numbers stay whole where a gap in the column made them floats."""
    if value is None or value is pandas.NA or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _read_any(path):
    """The file as a table, by its ending."""
    ending = path.suffix.lower()
    if ending in (".csv", ".tsv"):
        return read_delimited(path)
    if ending in (".jsonl", ".ndjson"):
        return with_place(_read_jsonl(path), path)
    if ending == ".parquet":
        return with_place(_read_parquet(path), path)
    raise DataError(
        f"{path.name}: reader table reads .csv, .tsv, .jsonl and .parquet, not {ending or 'a nameless type'!r}"
    )


def _read_jsonl(path):
    """One JSON object per line, all with the same keys."""
    records = []
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for line in stream:
                if line.strip():
                    records.append(json.loads(line))
                    if not isinstance(records[-1], dict) or set(records[-1]) != set(records[0]):
                        raise DataError(
                            f"{path.name}, row {len(records)}: not an object with the keys of row 1. {AGAIN}"
                        )
    except json.JSONDecodeError as error:
        # `from None`: that error carries the whole line.
        raise DataError(
            f"{path.name}, row {len(records) + 1}: not JSON ({error.msg}); it may be cut off or damaged. {AGAIN}"
        ) from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name}, row {len(records) + 1}: not UTF-8 ({error.reason}); it may be cut off or damaged. {AGAIN}"
        ) from None
    if not records:
        raise DataError(f"{path.name}: the file is empty. {AGAIN}")
    # Type `object` keeps lists, and keeps ids such as 1 from becoming 1.0 beside a gap.
    return pandas.DataFrame({key: pandas.Series([row[key] for row in records], dtype="object") for key in records[0]})


def _read_parquet(path):
    """A Parquet file, with page checksums verified where it has them."""
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True).read()
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path.name}: not readable as Parquet ({reason}). {AGAIN}") from error
    columns = {name: pandas.Series(table[name].to_pylist(), dtype="object") for name in table.column_names}
    return pandas.DataFrame(columns)
