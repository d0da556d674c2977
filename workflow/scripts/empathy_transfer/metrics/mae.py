"""Mean absolute error, in units of the label."""

import numpy as np

from empathy_transfer.statistics.values import paired_numbers

KINDS = ("regression",)


def value(labels, predictions):
    """Mean absolute difference of two vectors (items)."""
    labels, predictions = paired_numbers(labels, predictions)
    return float(np.abs(predictions - labels).mean())
