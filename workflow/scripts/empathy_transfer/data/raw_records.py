"""JSONL and Parquet files as frames of Python values, and values that must be text."""

import json
import numbers
import re

import pandas

from empathy_transfer.data.raw_text import AGAIN, read_lines, refuse_names, refuse_undecoded
from empathy_transfer.data.texts import is_broken
from empathy_transfer.errors import DataError, shown_names
from empathy_transfer.kinds import is_missing, plain

# Such an escape is one half of a character above U+FFFF, if the other half stands beside it.
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TYPES = {bool: "true or false", dict: "an object", list: "a list", bytes: "bytes"}


def read_jsonl(path):
    """Read one JSON object per line, all with the same keys; columns hold Python's own values.

    Raises:
        DataError: names the row, for what is no such object, a key that stands there twice, or too large a number.
    """
    records = []
    for line in read_lines(path):
        if line.strip():
            place = f"{path.name}, row {len(records) + 1}"
            refuse_undecoded(line, place)
            records.append(_record(line, place))
            if set(records[-1]) != set(records[0]):
                raise DataError(f"{place}: not an object with the keys of row 1. {AGAIN}")
    if not records:
        raise DataError(f"{path.name}: the file is empty. {AGAIN}")
    # Type `object` keeps lists, and keeps ids such as 1 from becoming 1.0 beside a gap.
    return pandas.DataFrame({key: pandas.Series([row[key] for row in records], dtype="object") for key in records[0]})


def read_parquet(path):
    """Read a Parquet file, page checksums verified where it has them; columns hold Python's own values.

    Raises:
        DataError: the file is damaged, has a column twice, or holds what Python has no value for.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True).read()
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path.name}: not readable as Parquet ({reason}). {AGAIN}") from error
    refuse_names(table.column_names, (), path)
    columns = {name: _values(table[name], name, path) for name in table.column_names}
    return pandas.DataFrame({name: pandas.Series(values, dtype="object") for name, values in columns.items()})


def text_of(value, place):
    """Return a value of a file that must be text: a string; "" for a missing one.

    Raises:
        DataError: it is anything else, which would have to become text in some way.
    """
    if is_missing(value):
        return ""
    if isinstance(value, str):
        return value
    raise DataError(f"{place}: {_type_of(value)}, not a text. Name another column, or write texts into this one.")


def name_of(value, place):
    """Return a value of a file that names something (a row, a group) as text: a string, or a whole number in digits.

    Raises:
        DataError: it is anything else, or a number with decimals or too large for its type to be exact.
    """
    if isinstance(value, numbers.Real) and not (isinstance(value, bool) or is_missing(value)):
        if isinstance(value, numbers.Integral) or (float(value).is_integer() and abs(value) < 2**53):
            return plain(value)
        raise DataError(
            f"{place}: a number with decimals, or one above 2^53 that has lost digits. Write such values as text."
        )
    return text_of(value, place)


def _record(line, place):
    """One line as an object. Errors leave out their cause, which would carry the whole line."""
    try:
        record = json.loads(line, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        raise DataError(f"{place}: not JSON ({error.msg}); it may be cut off or damaged. {AGAIN}") from None
    except RecursionError:
        raise DataError(f"{place}: lists or objects are nested too deeply. Take them out of the file.") from None
    except DataError as error:
        raise DataError(f"{place}: {error}") from None
    except ValueError:
        raise DataError(f"{place}: a number has too many digits. Write it as text.") from None
    if not isinstance(record, dict):
        raise DataError(f"{place}: not an object with keys and values. {AGAIN}")
    if _ESCAPED_SURROGATE.search(line):
        for name, value in record.items():
            if is_broken(json.dumps({name: value}, ensure_ascii=False)):
                raise DataError(
                    f"{place}, column {shown_names([name])}: half of a character (a lone surrogate). Write it anew."
                )
    return record


def _without_repeats(pairs):
    """An object from its keys and values; of a key that stands there twice, JSON's reader would take the last value."""
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [key for key, _ in pairs]
        repeated = next(key for key in names if names.count(key) > 1)
        raise DataError(f"the key {shown_names([repeated])} stands there twice. Take one out.")
    return record


def _values(column, name, path):
    """The values of a Parquet column; raises DataError that names the first row that Python can't read."""
    import pyarrow

    unreadable = (pyarrow.ArrowException, ValueError, OverflowError)
    try:
        values = column.to_pylist()
    except unreadable:
        for number, value in enumerate(column, 1):
            try:
                value.as_py()
            except unreadable:
                raise DataError(
                    f"{path.name}, row {number}, column {shown_names([name])}: not a readable value (text that is not "
                    "UTF-8, or a time out of range). Correct the file, or take the column out."
                ) from None
        raise
    if pyarrow.types.is_decimal(column.type):
        # As in JSON, so that what follows knows two types of numbers.
        values = [value if value is None else int(value) if value == int(value) else float(value) for value in values]
    return values


def _type_of(value):
    """The type of a value in words."""
    if isinstance(value, numbers.Number) and not isinstance(value, bool):
        return "a number"
    return _TYPES.get(type(value), f"a value of type {type(value).__name__}")
