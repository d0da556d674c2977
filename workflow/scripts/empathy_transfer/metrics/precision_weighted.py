"""Weighted precision: the mean over the classes, each weighed by its number of test items. In [0, 1].

It is 0 for a class that is never predicted.
"""

from empathy_transfer.statistics.class_counts import shares_right

KINDS = ("classification",)
OF_PAIRS = True


def value(labels, predictions):
    """Weighted precision of indicators (items, classes)."""
    precision, _, support = shares_right(labels, predictions)
    return float((precision * support).sum() / max(support.sum(), 1))
