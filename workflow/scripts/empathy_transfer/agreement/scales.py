"""Scales on which the error of a measure depends little on its size: functions of the number of raters.

Agreement of several raters can't be far below 0, since not all of them can disagree with each other: its least value is
-1 / (raters - 1), and near it numbers lie closer together.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

# Values beyond what a scale can take are taken as near its ends.
NEAR = 1e-6
LEAST_SHARE = 0.01


class ErrorScale(NamedTuple):
    """A function to the scale, one back, and the least distance of an interval's (low, high) end from its number.

    The latter is a function of the number of items and of the error rate. Variances that are measured on few items are
    often too small where the agreement is, too.
    """

    to_scale: Callable
    from_scale: Callable
    least: Callable


def intraclass(raters):
    """The scale of intraclass correlations (Fisher 1925): half the logarithm of (1 + (k - 1) a) / (1 - a).

    Of two raters it is Fisher's z. ``raters`` (k) is how many of them an item has. An end is at least as far away as
    that of the exact interval for normal ratings, by quantiles of F (Shrout and Fleiss 1979).
    """
    others = max(float(raters), 2.0) - 1

    def to_scale(number):
        """The number on the scale."""
        number = np.asarray(number, dtype=float)
        return 0.5 * np.log(np.maximum(1 + others * number, LEAST_SHARE) / np.maximum(1 - number, NEAR))

    def from_scale(number):
        """The number of a place on the scale."""
        share = np.exp(2 * np.asarray(number))
        return (share - 1) / (share + others)

    def least(items, alpha):
        """Distances of both ends."""
        freedom = (items - 1, items * others)
        return tuple(0.5 * np.log(stats.f.isf(alpha / 2, *side)) for side in (freedom, freedom[::-1]))

    return ErrorScale(to_scale, from_scale, least)


def fishers_z(raters=2):
    """Fisher's z, for correlations of two things, however many raters there are."""
    return ErrorScale(lambda number: np.arctanh(np.clip(number, NEAR - 1, 1 - NEAR)), np.tanh, _nothing)


def unchanged(raters=2):
    """The number as it is."""
    return ErrorScale(np.asarray, float, _nothing)


def _nothing(items, alpha):
    """No least distance."""
    return 0.0, 0.0
