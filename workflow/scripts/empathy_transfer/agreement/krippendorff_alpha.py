"""Krippendorff's alpha: of a table of ratings, and of many resamples of its units at once.

What each unit adds to alpha is a row of sums. The alpha of any part of the units, drawn as often as one likes, follows
from sums over these rows.
"""

import numpy as np

from empathy_transfer.statistics.moments import CONSTANT_TOLERANCE

# Columns of `alpha_sums` before the totals.
NUMBER, OBSERVED, SQUARE, UNITS, INVERSE = range(5)
TOTALS = 5


def krippendorff_alpha(scores, level):
    """(alpha, "") of an array of scores (units x raters, NaN where there is none), or (None, reason code).

    ``level`` is interval, ordinal or nominal. 1 is full agreement, 0 that of chance; it can be negative. Undefined if
    no unit has two ratings (``no_ratings``) or all ratings of such units are equal (``constant``).
    """
    import krippendorff

    counted = np.isfinite(scores).sum(axis=1) >= 2
    if not counted.any():
        return None, "no_ratings"
    if len(np.unique(scores[counted][np.isfinite(scores[counted])])) == 1:
        return None, "constant"
    return float(krippendorff.alpha(scores[counted].T, level_of_measurement=level)), ""


def alpha_sums(values):
    """What each unit adds to the sums that alpha is made of: an array (units, 5 + columns).

    Args:
        values: array (units, raters) of numbers, or (units, raters, columns): of classes or labels a column of 0 and 1
            for each. NaN (in all columns) where a rater gave nothing.

    Columns: how many ratings, the sum of (a - b)^2 over their ordered pairs divided by their number less one, the sum
    of squares, 1 for a unit that counts, one over the number of ratings, and the total of each column of values. A unit
    with fewer than two ratings is a row of zeros, since it says nothing of agreement.
    """
    values = np.asarray(values, dtype=float)
    values = values[..., None] if values.ndim == 2 else values
    given = ~np.isnan(values).any(axis=2)
    counted = given.sum(axis=1) >= 2
    given &= counted[:, None]
    filled = np.where(given[..., None], np.nan_to_num(values), 0.0)
    number, totals, squares = given.sum(axis=1), filled.sum(axis=1), (filled**2).sum(axis=(1, 2))
    observed = 2 * (number * squares - (totals**2).sum(axis=1)) / np.maximum(number - 1, 1)
    inverse = np.where(counted, 1 / np.maximum(number, 1), 0.0)
    return np.column_stack([number, np.maximum(observed, 0.0), squares, counted, inverse, totals])


def alpha_of_sums(sums):
    """Krippendorff's alpha from sums over units (..., 5 + columns): interval level, or nominal of columns of 0 and 1.

    Alpha = 1 - (N - 1) Do / De, where De = sum over all pairs of values of (a - b)^2 = 2 (N sum a^2 - (sum a)^2). NaN
    where all values that count are equal, or none counts.
    """
    number = sums[..., NUMBER]
    expected = 2 * (number * sums[..., SQUARE] - (sums[..., TOTALS:] ** 2).sum(axis=-1))
    defined = expected > CONSTANT_TOLERANCE
    return np.where(defined, 1 - (number - 1) * sums[..., OBSERVED] / np.where(defined, expected, 1.0), np.nan)


def raters_of_sums(sums):
    """How many raters the mean of a unit's ratings has: the harmonic mean over units; NaN where no unit counts."""
    inverse = sums[..., INVERSE]
    return np.where(inverse > 0, sums[..., UNITS] / np.where(inverse > 0, inverse, 1.0), np.nan)


def on_alpha_scale(alpha):
    """Alpha as -sqrt(1 - alpha): a scale that rises with it, on which its error depends little on its size.

    Disagreement, which is 1 - alpha, varies as counts do where there is little of it.
    """
    return -np.sqrt(1 - np.asarray(alpha))


def from_alpha_scale(number):
    """The alpha of a number on that scale, at least -1."""
    return np.maximum(1 - np.minimum(number, 0.0) ** 2, -1.0)
