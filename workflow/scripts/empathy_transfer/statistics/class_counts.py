"""F1 and accuracy of indicators, whole and in resamples, from counts of hits and errors per class: numpy only."""

import numpy as np

from empathy_transfer.statistics.item_bootstrap import multinomial_blocks
from empathy_transfer.statistics.values import paired_indicators


def f1_scores(true_positives, errors, present):
    """F1 per class and whether the class counts; the last axis is the class, leading axes are resamples.

    ``errors`` are false positives plus false negatives, ``present`` marks the classes that the test set carries.
    F1 = 2 tp / (2 tp + errors); a class that a resample holds neither in its labels nor in its predictions does not
    count in it.
    """
    occurs = present & (true_positives + errors > 0)
    return np.where(occurs, 2.0 * true_positives / np.maximum(2.0 * true_positives + errors, 1.0), 0.0), occurs


def class_f1(labels, predictions):
    """(F1, whether it counts, support) of each class (classes), from indicators (items, classes)."""
    labels, predictions = paired_indicators(labels, predictions)
    hits, misses = (labels & predictions).sum(axis=0), (labels ^ predictions).sum(axis=0)
    return *f1_scores(hits, misses, labels.any(axis=0)), labels.sum(axis=0)


def resampled_f1(labels, predictions, seed, resamples):
    """Yield (F1, whether it counts, support), each (rows, classes), in blocks of resamples of the items.

    Only the joint table of labels and predictions matters, so its cells are drawn (multinomially) rather than items.
    """
    counts, labels, predictions = _patterns(labels, predictions)
    present = labels.any(axis=0)
    hits, misses = (labels & predictions).astype(float), (labels ^ predictions).astype(float)
    for drawn in multinomial_blocks(counts, seed, resamples):
        yield *f1_scores(drawn @ hits, drawn @ misses, present), drawn @ labels.astype(float)


def resampled_accuracy(labels, predictions, seed, resamples):
    """Share of the items whose whole row is right, in resamples of the items (resamples)."""
    counts, labels, predictions = _patterns(labels, predictions)
    right = (labels == predictions).all(axis=1).astype(float)
    return np.concatenate([drawn @ right / counts.sum() for drawn in multinomial_blocks(counts, seed, resamples)])


def _patterns(labels, predictions):
    """How often each distinct row of labels and predictions side by side occurs, and both sides of these rows."""
    labels, predictions = paired_indicators(labels, predictions)
    patterns, counts = np.unique(np.hstack([labels, predictions]), axis=0, return_counts=True)
    return counts, patterns[:, : labels.shape[1]], patterns[:, labels.shape[1] :]


def shares_right(labels, predictions):
    """Precision, recall and number of items of each class that occurs, from indicators (items, classes): three vectors.

    Precision is 0 for a class that is never predicted, and recall for one that is no item's label.
    """
    labels, predictions = np.asarray(labels, bool), np.asarray(predictions, bool)
    occurs = labels.any(axis=0) | predictions.any(axis=0)
    labels, predictions = labels[:, occurs], predictions[:, occurs]
    right, given, support = (labels & predictions).sum(0), predictions.sum(0), labels.sum(0)
    return right / np.maximum(given, 1), right / np.maximum(support, 1), support
