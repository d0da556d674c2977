"""Mean squared error, in squared units of the label."""

import numpy as np

from empathy_transfer.statistics.item_bootstrap import multinomial_blocks
from empathy_transfer.statistics.values import paired_numbers

KINDS = ("regression",)


def value(labels, predictions):
    """Mean squared difference of two vectors (items)."""
    labels, predictions = paired_numbers(labels, predictions)
    return float(((predictions - labels) ** 2).mean())


def resampled(labels, predictions, seed, resamples):
    """Mean squared difference in resamples of the items (resamples)."""
    labels, predictions = paired_numbers(labels, predictions)
    squares = (predictions - labels) ** 2
    blocks = multinomial_blocks(np.ones(len(squares), dtype=int), seed, resamples)
    return np.concatenate([drawn @ squares / len(squares) for drawn in blocks])
