"""Mean squared error, in squared units of the label."""

import numpy as np

from empathy_transfer.statistics.values import paired_numbers

KINDS = ("regression",)
OF_PAIRS = True


def value(labels, predictions):
    """Mean squared difference of two vectors (items)."""
    labels, predictions = paired_numbers(labels, predictions)
    return float(np.square(predictions - labels).mean())
