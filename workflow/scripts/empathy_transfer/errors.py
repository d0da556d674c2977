"""The errors of data and of encoders that can't be used, and how a message shows a value."""

import re

# Numbers are no texts: codes, ratings, years. Longer ones could be telephone numbers with words around them.
_NUMBER = re.compile(r"[+-]?[0-9.,]{0,20}(e[+-]?[0-9]{1,3})?", re.ASCII | re.IGNORECASE)
_MOST_VALUES, _MOST_CHARACTERS = 50, 40


class DataError(ValueError):
    """Data that can't be used as it is.

    The message names file, row, column and value where they apply, and what to do. It never quotes the text of a row:
    several datasets hold private matters, and logs are passed around.
    """


class EncoderError(ValueError):
    """A pretrained encoder that can't be used as it is.

    The message names the encoder, and the key, tensor or file that is wrong, and says what to do.
    """


def shown(value: object, column: object = ()) -> str:
    """Return a value as a message may show it.

    Quoted are numbers, and what stands in a column of labels: `column` has all values of that column, and counts as one
    if it has at most 50 distinct ones of at most 40 characters, each twice on average. All else may be the text of a
    person, even if it is short: only its length is told.
    """
    text = str(value)
    if _NUMBER.fullmatch(text) or _are_labels(column):
        return repr(text)
    return f"of {len(text)} character{'s' * (len(text) != 1)}"


def shown_names(names: object) -> str:
    """Return names of columns as a message may show them; where a file has no header, they may be a row of texts."""
    names = [str(name) for name in names]
    return ", ".join(repr(name) if _is_name(name) else f"a name of {len(name)} characters" for name in names)


def _is_name(name):
    """Whether a text is short enough for the name of a column."""
    return len(name) <= _MOST_CHARACTERS and len(name.split()) <= 3


def _are_labels(column):
    """Whether a column has few distinct short values."""
    values = [str(value) for value in column]
    distinct = set(values)
    few = 0 < 2 * len(distinct) <= len(values) and len(distinct) <= _MOST_VALUES
    return few and max(map(len, distinct)) <= _MOST_CHARACTERS
