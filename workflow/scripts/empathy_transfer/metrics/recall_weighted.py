"""Weighted recall: the mean over the classes, each weighed by its number of test items. In [0, 1].

With one label for each item it is the accuracy, which is why the two columns of the study of raters are equal.
"""

from empathy_transfer.statistics.class_counts import shares_right

KINDS = ("classification",)
OF_PAIRS = True


def value(labels, predictions):
    """Weighted recall of indicators (items, classes)."""
    _, recall, support = shares_right(labels, predictions)
    return float((recall * support).sum() / max(support.sum(), 1))
