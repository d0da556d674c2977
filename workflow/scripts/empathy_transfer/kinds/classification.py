"""Kind `classification`: one of several labels for each item. See the package for what each name means."""

import numpy as np

from empathy_transfer.kinds import known_label, label_shares

MATRIX = "classification"
statistics = label_shares


def label_of(value, task, column=()):
    """A label from a text; `label_mapping` of the task is applied."""
    return known_label(value, task, task.get("label_mapping"), column)


def typed(labels):
    """A pandas column of labels as texts."""
    return labels.astype("str")


def classes(labels):
    """The class of each item as a number (n)."""
    return np.unique(np.asarray(labels), return_inverse=True)[1]


def encode(labels, task):
    """Class indices (n, int64), in the order of the task's labels."""
    import torch

    index = {label: position for position, label in enumerate(task["labels"])}
    return torch.tensor([index[label] for label in labels], dtype=torch.int64)


def outputs(task):
    """An output for each label."""
    return len(task["labels"])


def label_scale(labels, wanted):
    """None: classes have no unit."""


def values(numbers, task):
    """Class names (n, objects) from indices."""
    return np.array(task["labels"], dtype=object)[numbers]


def decode(outputs, task):
    """The likeliest class of each item (n, objects), from logits (n, classes)."""
    return values(outputs.argmax(axis=1), task)


def comparable(labels, names):
    """Booleans (n, classes): which of the classes `names` each item has.

    Raises:
        ValueError: a label is none of them.
    """
    positions = {name: position for position, name in enumerate(names)}
    labels = np.asarray(labels).tolist()
    if unknown := {label for label in labels if label not in positions}:
        raise ValueError(f"not among the task's classes: {', '.join(sorted(map(repr, unknown)))}")
    indicators = np.zeros((len(labels), len(positions)), dtype=bool)
    indicators[np.arange(len(labels)), [positions[label] for label in labels]] = True
    return indicators


def constant_answer(labels):
    """The most frequent class; of equally frequent ones the first in sorted order."""
    names, counts = np.unique(np.asarray(labels), return_counts=True)
    return str(names[counts.argmax()])


def probabilities(outputs):
    """Probability of each class (n, classes) from logits."""
    import torch

    return torch.from_numpy(outputs).softmax(1).numpy()


def log_likelihood(outputs, labels, variance=1.0):
    """Log-likelihood of each item's class (n), from logits and class indices."""
    from torch.nn import functional

    return -functional.cross_entropy(outputs, labels, reduction="none")


def indicators(labels):
    """Class indices as 0 and 1, a column for each class that occurs."""
    return (labels[:, None] == np.unique(labels)[None, :]).astype(float)
