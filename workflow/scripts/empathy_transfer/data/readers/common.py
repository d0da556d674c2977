"""What all readers need: strict reading of delimited files, contexts, and keys of texts."""

import csv
import hashlib

import pandas

from empathy_transfer.errors import DataError, shown

AGAIN = "Fetch the file again; if it is right, check that the dataset's `reader` fits it."
# Posts are long, and the default limit of 131,072 characters is a property of the process, not of a file.
_FIELD_LIMIT = 1 << 27


def read_delimited(path, required=(), delimiter=None):
    """Read a CSV or TSV file that has a header; nothing is guessed, all values are strings.

    Texts such as "NA" or "null" stay what they are. Fields follow the usual double-quote rules and may span lines.

    Args:
        path: the file, in UTF-8. required: columns that must be there.
        delimiter: tab for `.tsv` and comma otherwise, if not given.

    Returns:
        A frame with the file's columns and `place`.

    Raises:
        DataError: the file is cut off or otherwise not a table, or a column is missing.
    """
    header, *rows = _rows(path, delimiter)
    if repeated := {name for name in header if header.count(name) > 1}:
        raise DataError(f"{path.name}: column {min(repeated)!r} stands there more than once. {AGAIN}")
    frame = pandas.DataFrame(rows, columns=header, dtype="str")
    require_columns(frame, required, path)
    return with_place(frame, path)


def read_headless(path, columns, delimiter=None):
    """Read a CSV or TSV file without a header, giving names to its first columns; else as `read_delimited`."""
    rows = _rows(path, delimiter)
    if len(rows[0]) < len(columns):
        raise DataError(f"{path.name}: {len(rows[0])} columns, but at least {len(columns)} are needed. {AGAIN}")
    frame = pandas.DataFrame([row[: len(columns)] for row in rows], columns=list(columns), dtype="str")
    return with_place(frame, path)


def with_place(frame, path):
    """The frame with the column `place`, which names file and row (the first row below the header is row 1)."""
    return frame.assign(place=[f"{path.name}, row {number}" for number in range(1, len(frame) + 1)])


def require_columns(frame, columns, path):
    """Raise DataError unless the frame has all of the columns."""
    if missing := [column for column in columns if column not in frame.columns]:
        found = ", ".join(repr(str(column)) for column in frame.columns if column != "place")
        raise DataError(
            f"{path.name}: no column {', '.join(map(repr, missing))}. The file has {found}. Correct the column name in "
            "the dataset's description, or fetch the file again."
        )


def named_file(files, name):
    """The path of a file that the reader knows by name; raises DataError if the dataset's description lacks it."""
    if name not in files:
        raise DataError(f"the reader needs the file {name!r}, but the dataset's description lists {', '.join(files)}")
    return files[name]


def context_policy(form, task, known):
    """The task's context policy, or else that of its dataset; DataError for one that the reader does not know."""
    policy = task.get("context") or form.get("context") or "none"
    if policy not in known:
        reader = form["reader"]
        raise DataError(f"reader {reader}: context {policy!r} is not possible; choose {', '.join(known)}")
    return policy


def refuse(wrong, column, problem):
    """Raise DataError about the first row of a frame, if it has any: file, row and value, and what is wrong with it."""
    if len(wrong):
        first = wrong.iloc[0]
        raise DataError(f"{first['place']}, column {column!r}: {problem.format(shown(first[column]))}")


def row_numbers(table):
    """The rows' numbers as text, from 1 on: ids of rows that have none."""
    return pandas.Series(range(1, len(table) + 1), index=table.index).astype("str")


def earlier_turns(texts, conversations, policy):
    """The context of each turn, from turns in order (those of a conversation need not be adjacent).

    `previous_turn` gives the one before, `all_previous` all before it, oldest first, one per line, and `none` nothing.
    Only earlier turns are ever used.
    """
    if policy == "none":
        return [None] * len(texts)
    said, contexts = {}, []
    for text, conversation in zip(texts, conversations, strict=True):
        before = said.setdefault(conversation, [])
        contexts.append(join_turns(before[-1:] if policy == "previous_turn" else before))
        before.append(text)
    return contexts


def join_turns(turns):
    """Turns as one context, oldest first, a line each; None if nothing was said."""
    # A line break inside a turn would look like the start of another turn to whoever shortens contexts by turns.
    lines = [line for line in (" ".join(turn.split()) for turn in turns) if line]
    return "\n".join(lines) or None


def text_key(text):
    """A key that is equal for texts that differ only in case and white space; the text can't be read from it."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode("utf-8")).hexdigest()[:16]


def ordered_columns(frame, labels):
    """The columns that a reader returns, with a fresh index and None for every missing context."""
    columns = ["id", "group", "context", "text", "place", *labels]
    result = frame[columns].reset_index(drop=True)
    # Type `object` keeps None apart; pandas' string type would turn it into NaN.
    contexts = [None if pandas.isna(context) else context for context in result["context"]]
    return result.assign(context=pandas.Series(contexts, dtype="object"))


def _rows(path, delimiter):
    """All rows of a delimited file, each as long as the first."""
    delimiter = delimiter or ("\t" if path.suffix.lower() == ".tsv" else ",")
    rows = []
    before = csv.field_size_limit(_FIELD_LIMIT)
    try:
        # utf-8-sig: spreadsheets put a byte order mark before the first column's name.
        with path.open(encoding="utf-8-sig", newline="") as stream:
            # Strict, so that a file that ends inside a quoted field is an error and not a very long last field.
            for row in csv.reader(stream, delimiter=delimiter, strict=True):
                if row:
                    rows.append(row)
                    if len(row) != len(rows[0]):
                        raise DataError(
                            f"{path.name}, row {len(rows) - 1}: {len(row)} fields where the first line has "
                            f"{len(rows[0])}; the file may be cut off or damaged. {AGAIN}"
                        )
    except csv.Error as error:
        raise DataError(
            f"{path.name}, row {len(rows)}: not a readable table ({error}); it may be cut off or damaged. {AGAIN}"
        ) from error
    except UnicodeDecodeError as error:
        # `from None`: that error carries the bytes around the place, which are text of a row.
        raise DataError(
            f"{path.name}, row {len(rows)}: not UTF-8 ({error.reason}); it may be cut off or damaged. {AGAIN}"
        ) from None
    finally:
        csv.field_size_limit(before)
    if not rows:
        raise DataError(f"{path.name}: the file is empty. {AGAIN}")
    return rows
