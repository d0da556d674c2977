"""Weighted F1: the mean over the classes, each weighed by its number of test items. In [0, 1]."""

import numpy as np

from empathy_transfer.statistics.class_counts import class_f1, resampled_f1

KINDS = ("classification", "multilabel")


def value(labels, predictions):
    """Weighted F1 of indicators (items, classes)."""
    f1, _, support = class_f1(labels, predictions)
    return float(_mean(f1, support))


def resampled(labels, predictions, seed, resamples):
    """Weighted F1 in resamples of the items (resamples)."""
    return np.concatenate([_mean(f1, support) for f1, _, support in resampled_f1(labels, predictions, seed, resamples)])


def _mean(f1, support):
    """Mean over the classes, weighed by their items."""
    return (f1 * support).sum(axis=-1) / np.maximum(support.sum(axis=-1), 1)
