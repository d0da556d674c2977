"""Accuracy: the share of the items whose class, or whose whole row of labels, is right. In [0, 1]."""

from empathy_transfer.statistics.class_counts import resampled_accuracy as resampled
from empathy_transfer.statistics.values import paired_indicators

__all__ = ["KINDS", "resampled", "value"]
KINDS = ("classification", "multilabel")


def value(labels, predictions):
    """Accuracy of indicators (items, classes)."""
    labels, predictions = paired_indicators(labels, predictions)
    return float((labels == predictions).all(axis=1).mean())
