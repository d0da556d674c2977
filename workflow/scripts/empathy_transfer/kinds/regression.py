"""Kind `regression`: a number for each item, within the range of the task. See the package for what each name means."""

import math

import numpy as np

from empathy_transfer.errors import DataError, shown
from empathy_transfer.kinds import plain
from empathy_transfer.statistics.values import finite

MATRIX = "regression"


def label_of(value, task):
    """A number within the task's `range`."""
    low, high = task["range"]
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:  # also true of NaN
        problem = "is not a number" if math.isnan(number) else f"is outside of the range {low} to {high}"
        raise DataError(f"the label {shown(plain(value))} {problem}. Correct the file, or `range` of the task.")
    return number


def typed(labels):
    """A pandas column of labels as 64-bit numbers."""
    return labels.astype("float64")


def classes(labels):
    """None: a draw of items is stratified by deciles of the labels."""
    if not np.isfinite(np.asarray(labels, dtype=float)).all():
        raise ValueError("regression labels must be finite numbers")


def statistics(labels, task):
    """Moments of a pandas column of labels."""
    return {statistic: getattr(labels, statistic)() for statistic in ("min", "median", "max", "mean", "std")}


def encode(labels, task):
    """Values (n, float32)."""
    import torch

    return torch.tensor(labels.to_numpy(dtype="float32"))


def outputs(task):
    """One output."""
    return 1


def values(numbers, task):
    """Values as they are (n)."""
    return numbers


def decode(outputs, task):
    """The value of each item (n, float32), from outputs (n, 1)."""
    return outputs[:, 0]


def comparable(labels, names=None):
    """Numbers (n, float64)."""
    return finite(labels, "values")


def constant_answer(labels):
    """The mean."""
    return float(finite(labels, "training labels").mean())


def probabilities(outputs):
    """None: a value has no probability."""


def log_likelihood(outputs, labels, variance=1.0):
    """Gaussian log-likelihood of each item's value (n), up to a constant; `variance` is that of the residuals."""
    return -((outputs[:, 0] - labels) ** 2) / (2 * variance)


def indicators(labels):
    """Values as one column."""
    return np.asarray(labels, float)[:, None]
