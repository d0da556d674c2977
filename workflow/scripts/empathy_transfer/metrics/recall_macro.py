"""Macro recall: the mean over the classes that occur among labels or predictions. In [0, 1].

It is 0 for a class that is no item's label.
"""

from empathy_transfer.statistics.class_counts import shares_right

KINDS = ("classification",)
OF_PAIRS = True


def value(labels, predictions):
    """Macro recall of indicators (items, classes)."""
    _, recall, _ = shares_right(labels, predictions)
    return float(recall.mean())
