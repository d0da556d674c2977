"""Kind `regression`: a number for each item, within the range of the task. See the package for what each name means."""

import re

import numpy as np

from empathy_transfer.errors import DataError, shown
from empathy_transfer.kinds import LabelScale, plain
from empathy_transfer.statistics.values import finite

MATRIX = "regression"
LABEL_SCALES = ("standardised", "raw")
# Numbers in files: Python would also take underscores, other scripts' digits, "nan" and "infinity".
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def label_of(value, task, column=()):
    """A number within the task's `range`, from a number or from its digits."""
    text = plain(value).strip()
    if not text:
        raise DataError(
            "the label is missing. Fill it in, leave such rows out with `rows`, or take them out of the file."
        )
    if not NUMBER.fullmatch(text):
        comma = NUMBER.fullmatch(text.replace(",", "."))
        remedy = "Write a point in place of the decimal comma." if comma else "Correct the file."
        raise DataError(f"the label {shown(text, column)} is not a number. {remedy}")
    low, high = task["range"]
    if not low <= float(text) <= high:
        raise DataError(
            f"the label {shown(text, column)} is outside of the range {low} to {high}. Correct the file, or `range` of "
            "the task."
        )
    return float(text)


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


def label_scale(labels, wanted):
    """The `LabelScale` of training labels (n numbers), or None where labels are trained as they are.

    On raw labels, squared errors of a wide scale have gradients that clipping makes all alike, and next to nothing but
    the mean is learnt; the same labels in another unit would be learnt well. Of constant labels the SD counts as 1.

    Raises:
        ValueError: `wanted` is none of `LABEL_SCALES`, or a label is not finite.
    """
    if wanted not in LABEL_SCALES:
        raise ValueError(f"label scale {wanted!r} is none of {', '.join(LABEL_SCALES)}")
    if wanted == "raw":
        return None
    labels = finite(labels, "training labels")
    # Equal numbers have a standard deviation of rounding.
    return LabelScale(float(labels.mean()), float(labels.std()) if np.ptp(labels) > 0 else 1.0)


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
