"""Kinds of tasks: what a model answers, and how labels become numbers and answers become labels again.

A kind is a file of its own, found by the word in a task's description. Each has the same names:

``MATRIX``              the table and heat map that its targets stand in: `classification` (F1) or `regression` (r)
``label_of``            a label from a value of a file, or DataError in words that follow the place of the value
``typed``               a column of labels with the type that files hold
``classes``             the class of each item (n, numbers) by which a draw of items is stratified; None: by deciles
``statistics``          numbers of the report on the data
``encode``, ``decode``  labels as a tensor for training; labels from a head's outputs
``outputs``             the number of outputs of a head
``values``              labels as in files from numbers for training
``comparable``          labels or answers as arrays that `metrics` take
``constant_answer``     the best answer that knows the training labels alone (the floor)
``probabilities``       of each label, from a head's outputs; None for numbers
``log_likelihood``      of each item's label, from a head's outputs
``indicators``          labels as columns of numbers (n, columns), for estimators of transferability
"""

import importlib


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
    """Return a value of a file as descriptions write it: "" for a missing one, and "1" for 1, also where it is 1.0."""
    if is_missing(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def is_missing(value):
    """Whether a single value of a file is None or NaN."""
    import pandas

    return value is None or (
        not isinstance(value, list | tuple | str) and pandas.api.types.is_scalar(value) and pandas.isna(value)
    )


def known_label(value, task, mapping=None):
    """Return the label that a text stands for.

    Args:
        value: the value. task: has `labels`. mapping: {text: label}, or None where texts are labels.

    Raises:
        DataError: there is no such label.
    """
    from empathy_transfer.errors import DataError, shown

    value = plain(value)
    if mapping is not None:
        mapping = {str(raw): str(label) for raw, label in mapping.items()}
    label = value if mapping is None else mapping.get(value)
    known = [str(label) for label in task["labels"]]
    if label not in known:
        listed = ", ".join(known if mapping is None else mapping)
        raise DataError(
            f"unknown label {shown(value)} (known: {listed}). Add it to `labels` or `label_mapping` of the task, leave "
            "its rows out with `rows`, or correct the file."
        )
    return label


def label_shares(labels, task):
    """Return the share in percent of each declared label in a pandas column of labels."""
    counts = labels.explode().astype(str).value_counts()
    return {f"share:{label}": 100 * counts.get(str(label), 0) / len(labels) for label in task["labels"]}
