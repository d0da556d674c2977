"""Precision and recall of indicators per class, whole and in resamples: numpy only."""

import numpy as np

from empathy_transfer.statistics.item_bootstrap import multinomial_blocks
from empathy_transfer.statistics.values import paired_indicators


def class_precision_recall(labels, predictions):
    """(precision, recall, whether it counts, support) of each class (classes), from indicators (items, classes).

    A class counts if the test items carry it. The precision of one that is never predicted is 0.
    """
    labels, predictions = paired_indicators(labels, predictions)
    sums = [part.sum(axis=0).astype(float) for part in (labels & predictions, predictions, labels)]
    return _shares(*sums, labels.any(axis=0))


def resampled_precision_recall(labels, predictions, seed, resamples):
    """Yield the same, each (rows, classes), in blocks of resamples; one that a resample holds nowhere doesn't count."""
    labels, predictions = paired_indicators(labels, predictions)
    columns = np.hstack([labels & predictions, predictions, labels]).astype(float)
    for drawn in multinomial_blocks(np.ones(len(labels), dtype=int), seed, resamples):
        yield _shares(*np.split(drawn @ columns, 3, axis=1), labels.any(axis=0))


def _shares(hits, predicted, support, present):
    """Precision, recall, whether the class counts, and support, from sums whose last axis is the class."""
    counts = present & (predicted + support > 0)
    return hits / np.maximum(predicted, 1), hits / np.maximum(support, 1), counts, support
