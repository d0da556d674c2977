"""Kind `multilabel`: any number of several labels for each item. See the package for what each name means."""

import numpy as np

from empathy_transfer.errors import DataError
from empathy_transfer.kinds import is_missing, known_label, label_shares, plain

MATRIX = "classification"
FLAGS = {"0": False, "1": True, "false": False, "true": True}
statistics = label_shares


def label_of(value, task, column=()):
    """A list of labels, or None for a missing value, which says that nobody has annotated the item.

    From a list; from flags such as {"joy": 1, "fear": 0}; or from a text in which `label_separator` of the task parts
    labels. An empty list or text, or flags without a 1, say that the item has none of the labels.
    """
    if is_missing(value):
        return None
    separator, mapping = task.get("label_separator", "|"), task.get("label_mapping")
    # Read for messages only: the column as single labels.
    column = (part for other in column for part in (_parts(other, separator) if isinstance(other, str) else [other]))
    if isinstance(value, dict):
        flags = {known_label(name, task, mapping, column): _flag(flag) for name, flag in value.items()}
        return [label for label, flag in flags.items() if flag]
    if not isinstance(value, str | list | tuple | np.ndarray):
        raise DataError(
            f"a value of type {type(value).__name__} is no list of labels. Write a list, flags (0 or 1) by label, or "
            f"text with {separator!r} between labels."
        )
    values = _parts(value, separator) if isinstance(value, str) else value
    return list(dict.fromkeys(known_label(one, task, mapping, column) for one in values))


def _parts(text, separator):
    """The labels in a text."""
    return [part.strip() for part in text.split(separator) if part.strip()]


def _flag(value):
    """Whether a label is set."""
    text = plain(value)
    if text not in FLAGS:
        raise DataError(
            "a flag of a label is neither 0, 1, true nor false. Correct it, or leave the whole value empty."
        )
    return FLAGS[text]


def typed(labels):
    """A pandas column of labels as lists of texts."""
    return labels.map(lambda row: [str(label) for label in row])


def classes(labels):
    """The first label of each item as a number (n); items without a label are a class of their own."""
    return np.unique(np.asarray([str(row[0]) if len(row) else "" for row in labels]), return_inverse=True)[1]


def encode(labels, task):
    """Indicators (n, labels, float32)."""
    import torch

    return torch.from_numpy(comparable(labels, task["labels"]).astype("float32"))


def outputs(task):
    """An output for each label."""
    return len(task["labels"])


def label_scale(labels, wanted):
    """None: indicators have no unit."""


def values(numbers, task):
    """Lists of labels from indicators (n, labels)."""
    names = np.array(task["labels"], dtype=object)
    return [list(names[np.asarray(row) == 1]) for row in numbers]


def decode(outputs, task):
    """The labels of each item whose logits (n, labels) are above 0: lists."""
    return values(outputs > 0, task)


def comparable(labels, names):
    """Booleans (n, labels): which of the labels `names` each item has."""
    found = [[name in row for name in names] for row in map(set, labels)]
    return np.array(found, dtype=bool).reshape(len(labels), len(names))


def constant_answer(labels):
    """The labels that more than half of the items carry, in sorted order."""
    names = sorted({label for row in labels for label in row})
    return [name for name in names if np.mean([name in row for row in labels]) > 0.5]


def probabilities(outputs):
    """Probability of each label (n, labels) from logits."""
    import torch

    return torch.from_numpy(outputs).sigmoid().numpy()


def log_likelihood(outputs, labels, variance=1.0):
    """Log-likelihood of each item's labels (n), from logits and indicators."""
    from torch.nn import functional

    return -functional.binary_cross_entropy_with_logits(outputs, labels, reduction="none").sum(dim=1)


def indicators(labels):
    """Indicators as they are, as numbers."""
    return np.asarray(labels, float)
