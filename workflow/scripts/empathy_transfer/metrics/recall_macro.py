"""Macro recall: the plain mean over the classes that the test items carry. In [0, 1]."""

import numpy as np

from empathy_transfer.statistics.precision_recall import class_precision_recall, resampled_precision_recall

KINDS = ("classification", "multilabel")


def value(labels, predictions):
    """Macro recall of indicators (items, classes)."""
    found = class_precision_recall(labels, predictions)
    return float(_mean(found[1], found[2]))


def resampled(labels, predictions, seed, resamples):
    """Macro recall in resamples of the items (resamples)."""
    blocks = resampled_precision_recall(labels, predictions, seed, resamples)
    return np.concatenate([_mean(found[1], found[2]) for found in blocks])


def _mean(shares, counts):
    """Mean over the classes that count."""
    return np.where(counts, shares, 0.0).sum(axis=-1) / np.maximum(counts.sum(axis=-1), 1)
