"""Root mean squared error, in units of the label."""

import numpy as np

from empathy_transfer.statistics.values import paired_numbers

KINDS = ("regression",)


def value(labels, predictions):
    """Root of the mean squared difference of two vectors (items)."""
    labels, predictions = paired_numbers(labels, predictions)
    return float(np.sqrt(((predictions - labels) ** 2).mean()))
