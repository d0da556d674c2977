"""Kind `multilabel`: any number of several labels for each item. See the package for what each name means."""

import numpy as np

from empathy_transfer.kinds import is_missing, known_label, label_shares

MATRIX = "classification"
statistics = label_shares


def label_of(value, task):
    """A list of labels from a list, or from a text in which `label_separator` of the task parts them."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(task.get("label_separator", "|")) if part.strip()]
    values = [] if is_missing(value) else value
    labels = (known_label(one, task, task.get("label_mapping")) for one in values)
    return list(dict.fromkeys(labels))


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


def values(numbers, task):
    """Lists of labels from indicators (n, labels)."""
    names = np.array(task["labels"], dtype=object)
    return [list(names[np.asarray(row) == 1]) for row in numbers]


def decode(outputs, task):
    """The labels of each item whose logits (n, labels) are above 0: lists."""
    return values(outputs > 0, task)


def comparable(labels, names):
    """Booleans (n, labels): which of the labels `names` each item has."""
    rows = [[name in row for name in names] for row in map(set, labels)]
    return np.array(rows, dtype=bool).reshape(len(labels), len(names))


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
