"""The error of data that can't be used."""


class DataError(ValueError):
    """Data that can't be used as it is.

    The message names file, row, column and value where they apply, and what to do. It never quotes the text of a row:
    several datasets hold private matters, and logs are passed around.
    """


def shown(value: object) -> str:
    """A value as a message may show it: one too long for a label or an id may be text and is not quoted."""
    return repr(str(value)) if len(str(value)) <= 40 else f"of {len(str(value))} characters"
