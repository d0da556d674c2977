"""Kinds of tasks: what a model answers, and how labels become numbers and answers become labels again.

A kind is a file of its own, found by the word in a task's description. Each has the same names:

``MATRIX``              the table and heat map that its targets stand in: `classification` (F1) or `regression` (r)
``label_of``            a label from a value of a file (None: not annotated), or DataError whose words follow its place
``typed``               a column of labels with the type that files hold
``classes``             the class of each item (n, numbers) by which a draw of items is stratified; None: by deciles
``statistics``          numbers of the report on the data
``encode``, ``decode``  labels as a tensor for training; labels from a head's outputs
``outputs``             the number of outputs of a head
``label_scale``         a `LabelScale`, in whose units a head is trained; None where it is trained on labels as they are
``values``              labels as in files from numbers for training
``comparable``          labels or answers as arrays that `metrics` take
``constant_answer``     the best answer that knows the training labels alone (the floor)
``probabilities``       of each label, from a head's outputs; None for numbers
``log_likelihood``      of each item's label, from a head's outputs
``indicators``          labels as columns of numbers (n, columns), for estimators of transferability
"""

import difflib
import importlib
import numbers
from dataclasses import dataclass

from empathy_transfer.errors import DataError, shown


@dataclass(frozen=True)
class LabelScale:
    """Numbers in standard deviations from a mean: `mean` and `sd` are in the label's unit, and `sd` is above 0."""

    mean: float
    sd: float

    def standardised(self, labels):
        """Labels (array or tensor) in standard deviations from the mean."""
        return (labels - self.mean) / self.sd

    def mapped_back(self, values):
        """Values in standard deviations from the mean (array or tensor), in the label's unit."""
        return values * self.sd + self.mean


def kind_of(task):
    """Return the module of a task's kind; `task` is its description, or the name of a kind.

    Raises:
        ValueError: the kind is unknown.
    """
    name = task if isinstance(task, str) else task["kind"]
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError:
        raise ValueError(f"unknown kind of task {name!r}") from None


def plain(value):
    """Return a value of a file as descriptions write it.

    "" for a missing one, "1" for 1, also where it is 1.0, and "true" or "false".

    Raises:
        DataError: the value is no single one, such as a list, or neither text nor number, such as a date.
    """
    if is_missing(value):
        return ""
    if isinstance(value, str):
        return value
    if type(value).__name__ in ("bool", "bool_"):  # Python's and NumPy's
        return str(value).lower()
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        # Above 2^53 a float has lost digits, so that it must not pass for a whole number.
        value = float(value)
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else str(value)
    raise DataError(f"a value of type {type(value).__name__} is neither text nor number. Write it as text.")


def is_missing(value):
    """Whether a single value of a file is None or NaN."""
    import pandas

    return value is None or (
        not isinstance(value, list | tuple | str) and pandas.api.types.is_scalar(value) and pandas.isna(value)
    )


def known_label(value, task, mapping=None, column=()):
    """Return the label that a text stands for.

    Args:
        value: the value. task: has `labels`. mapping: {text: label}, or None where texts are labels.
        column: all values of the column, which decide whether a message may quote one (see `errors.shown`).

    Raises:
        DataError: there is no such label.
    """
    value = plain(value)
    if mapping is not None:
        mapping = {str(raw): str(label) for raw, label in mapping.items()}
    label = value if mapping is None else mapping.get(value)
    known = [str(label) for label in task["labels"]]
    if label not in known:
        written = known if mapping is None else list(mapping)
        close = difflib.get_close_matches(value, written, n=1)
        hint = f", similar to {close[0]!r}" if close else ""
        raise DataError(
            f"unknown label {shown(value, column)}{hint} (known: {', '.join(written)}). Add it to `labels` or "
            "`label_mapping` of the task, leave its rows out with `rows`, or correct the file."
        )
    return label


def label_shares(labels, task):
    """Return the share in percent of each declared label in a pandas column of labels."""
    counts = labels.explode().astype(str).value_counts()
    return {f"share:{label}": 100 * counts.get(str(label), 0) / len(labels) for label in task["labels"]}
