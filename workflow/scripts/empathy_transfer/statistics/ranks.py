"""Ranks of values of which each counts as often as it was drawn, for many resamples at once: numpy only."""

import numpy as np


def weighted_midranks(values, weights):
    """Ranks of the values (items) in each resample: an array (resamples, items), ties at their mean.

    ``weights`` (resamples, items) say how often each item was drawn. Ranks are those of `scipy.stats.rankdata` less one
    half, which no correlation notices; an item that was not drawn has the rank that its value would have.
    """
    order = np.argsort(values, kind="stable")
    ordered, place = values[order], np.empty(len(values), dtype=int)
    place[order] = np.arange(len(values))
    below = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(weights[:, order], axis=1, dtype=float)], axis=1)
    firsts, ends = (np.searchsorted(ordered, ordered, side=side)[place] for side in ("left", "right"))
    return (below[:, firsts] + below[:, ends]) / 2
