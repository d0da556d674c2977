"""Scales on which the error of a measure depends little on its size: functions of the number of raters.

Each gives (a function to the scale, one back). Agreement of several raters can't be far below 0, since not all of them
can disagree with each other: its least value is -1 / (raters - 1), and near it numbers lie closer together.
"""

import numpy as np

# Values beyond what a scale can take are taken as near its ends.
NEAR = 1e-6
LEAST_SHARE = 0.01


def intraclass(raters):
    """The scale of intraclass correlations (Fisher 1925): half the logarithm of (1 + (k - 1) a) / (1 - a).

    Of two raters it is Fisher's z. ``raters`` (k) is how many of them an item has.
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

    return to_scale, from_scale


def fishers_z(raters=2):
    """Fisher's z, for correlations of two things, however many raters there are."""
    return lambda number: np.arctanh(np.clip(number, NEAR - 1, 1 - NEAR)), np.tanh


def unchanged(raters=2):
    """The number as it is."""
    return np.asarray, float
