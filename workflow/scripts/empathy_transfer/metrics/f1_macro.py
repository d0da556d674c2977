"""Macro F1: the plain mean over the classes that the test items carry (section 5 of the study, which says F1 only).

A class of the task that the test items lack neither raises nor lowers it, but predicting the class counts as an error.
In [0, 1].
"""

import numpy as np

from empathy_transfer.statistics.class_counts import class_f1, resampled_f1

KINDS = ("classification", "multilabel")


def value(labels, predictions):
    """Macro F1 of indicators (items, classes)."""
    f1, occurs, _ = class_f1(labels, predictions)
    return float(_mean(f1, occurs))


def resampled(labels, predictions, seed, resamples):
    """Macro F1 in resamples of the items (resamples)."""
    return np.concatenate([_mean(f1, occurs) for f1, occurs, _ in resampled_f1(labels, predictions, seed, resamples)])


def _mean(f1, occurs):
    """Mean over the classes that count."""
    return f1.sum(axis=-1) / np.maximum(occurs.sum(axis=-1), 1)
