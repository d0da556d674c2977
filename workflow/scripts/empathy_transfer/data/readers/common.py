"""What all readers need: strict reading of delimited files, contexts, and keys of texts."""

import hashlib

import pandas

from empathy_transfer.data.raw_text import AGAIN, other_separator, read_rows, refuse_names
from empathy_transfer.data.texts import is_blank
from empathy_transfer.errors import DataError, shown, shown_names

# The column that names file and row, for messages. No file may have a column of this name.
PLACE = "(place)"
# What a reader says of each row. Columns of a file may have these names, too: `value_column` keeps the two apart.
CANONICAL = ("id", "group", "context", "text")
_PREFIX = "column "


def read_delimited(path, required=(), delimiter=None, quote=None):
    """Read a CSV or TSV file that has a header; nothing is guessed, all values are strings.

    Texts such as "NA" or "null" stay what they are.

    Args:
        path: the file, in UTF-8. required: columns that must be there.
        delimiter, quote: see `read_rows`.

    Returns:
        A frame with the file's columns and `PLACE`.

    Raises:
        DataError: the file is cut off or otherwise not a table, or a column is missing.
    """
    header, *rows = read_rows(path, delimiter, quote)
    refuse_names(header, (), path)
    frame = pandas.DataFrame(rows, columns=header, dtype="str")
    require_columns(frame, required, path)
    return with_place(frame, path)


def read_headless(path, columns, delimiter=None, quote=None):
    """Read a CSV or TSV file without a header, giving names to its first columns; else as `read_delimited`."""
    rows = read_rows(path, delimiter, quote, first=1)
    if len(rows[0]) < len(columns):
        raise DataError(f"{path.name}: {len(rows[0])} columns, but at least {len(columns)} are needed. {AGAIN}")
    frame = pandas.DataFrame([row[: len(columns)] for row in rows], columns=list(columns), dtype="str")
    return with_place(frame, path)


def with_place(frame, path):
    """The frame with the column `PLACE`, which names file and row (the first row below the header is row 1)."""
    refuse_names(list(frame.columns), (PLACE,), path)
    return frame.assign(**{PLACE: [f"{path.name}, row {number}" for number in range(1, len(frame) + 1)]})


def value_column(name):
    """Where the frame of a reader has the values of the column that a task calls by this name.

    Never the same as a canonical column, and never the same for two names.
    """
    return f"{_PREFIX}{name}" if name in CANONICAL or name.startswith(_PREFIX) else name


def value_names(frame):
    """The names by which a task can call the columns of a reader's frame: the inverse of `value_column`."""
    names = [name for name in map(str, frame.columns) if name not in (*CANONICAL, PLACE)]
    return [name.removeprefix(_PREFIX) for name in names]


def require_columns(frame, columns, path):
    """Raise DataError unless the frame has all of the columns."""
    if missing := [column for column in columns if column not in frame.columns]:
        names = [str(column) for column in frame.columns if column != PLACE]
        raise DataError(
            f"{path.name}: no column {', '.join(map(repr, missing))}. The file has {shown_names(names)}."
            f"{other_separator(names)} Correct the column name in the dataset's description, or fetch the file again."
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


def refuse(frame, wrong, column, problem):
    """Raise DataError about the first row of a frame that is wrong (booleans), if any: file, row, value and problem."""
    if wrong.any():
        first = frame[wrong].iloc[0]
        raise DataError(f"{first[PLACE]}, column {column!r}: {problem.format(shown(first[column], frame[column]))}")


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
    """The columns that a reader returns, with a fresh index and None for every missing or blank context."""
    result = frame[[*CANONICAL, PLACE, *labels]].reset_index(drop=True)
    # Type `object` keeps None apart; pandas' string type would turn it into NaN.
    contexts = [None if pandas.isna(context) or is_blank(context) else context for context in result["context"]]
    return result.assign(context=pandas.Series(contexts, dtype="object"))
