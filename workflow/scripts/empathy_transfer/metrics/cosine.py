"""Cosine of the vector of predictions and the vector of labels, in [-1, 1]; 0 where one of them is all zeros.

Labels that are all above 0 make it large for any constant answer, so that it means little without that answer's own.
"""

import numpy as np

from empathy_transfer.statistics.values import paired_numbers

KINDS = ("regression",)
OF_PAIRS = True


def value(labels, predictions):
    """Cosine of two vectors (items)."""
    labels, predictions = paired_numbers(labels, predictions)
    sizes = np.linalg.norm(labels) * np.linalg.norm(predictions)
    return float(labels @ predictions / sizes) if sizes > 0 else 0.0
