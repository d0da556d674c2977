"""Spearman's rank correlation of predictions and labels, in [-1, 1]: Pearson's r of their ranks, ties at their mean.

It is 0, not undefined, where predictions or labels are constant, as Pearson's r is.
"""

import numpy as np

from empathy_transfer.metrics import pearson_r
from empathy_transfer.statistics.item_bootstrap import multinomial_blocks
from empathy_transfer.statistics.moments import pearson_of_means
from empathy_transfer.statistics.ranks import weighted_midranks
from empathy_transfer.statistics.values import lacks_spread, paired_numbers

KINDS = ("regression",)


def value(labels, predictions):
    """Spearman's r of two vectors (items)."""
    x, y = paired_numbers(labels, predictions)
    if lacks_spread(x, y):
        return 0.0
    once = np.ones((1, len(x)))
    return pearson_r.value(weighted_midranks(x, once)[0], weighted_midranks(y, once)[0])


def resampled(labels, predictions, seed, resamples):
    """Spearman's r in resamples of the items (resamples), each with ranks of its own; 0 where one is constant."""
    x, y = paired_numbers(labels, predictions)
    if lacks_spread(x, y):
        return np.zeros(resamples)
    found = []
    for drawn in multinomial_blocks(np.ones(len(x), dtype=int), seed, resamples):
        # Ranks as shares of the items around 0, which keeps the sums of squares below free of cancellation.
        x_ranks, y_ranks = (weighted_midranks(values, drawn) / len(x) - 0.5 for values in (x, y))
        products = ((x_ranks, 1), (y_ranks, 1), (x_ranks, x_ranks), (y_ranks, y_ranks), (x_ranks, y_ranks))
        found.append(pearson_of_means(*[(drawn * one * other).mean(axis=1) for one, other in products]))
    return np.concatenate(found)
