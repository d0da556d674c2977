"""Krippendorff's alpha: of a table of ratings, and of many resamples of its units at once."""

import numpy as np

from empathy_transfer.statistics.moments import CONSTANT_TOLERANCE


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


def resampled_alphas(number, total, square, observed):
    """(alphas at interval level of the resamples where it is defined, the share of these).

    Args:
        number, total, square: how many values each resample has, their sum, and that of their squares.
        observed: sum of (a - b)^2 over the ordered pairs of each unit, divided by its number of values less one.

    """
    alphas = alpha_from(number, observed, square, total**2)
    defined = ~np.isnan(alphas)
    return alphas[defined], defined.mean()


def alpha_from(number, observed, square, total_square):
    """Alpha at interval level from sums over units, each an array; NaN where all values are equal.

    Alpha = 1 - (N - 1) Do / De, where De = sum over all pairs of values of (a - b)^2 = 2 (N sum a^2 - (sum a)^2).

    Args:
        number, square: how many values there are, and the sum of their squares. observed: as for `resampled_alphas`.
        total_square: the square of their sum; of values with several columns the sum of these squares.
    """
    expected = 2 * (number * square - total_square)
    defined = expected > CONSTANT_TOLERANCE
    return np.where(defined, 1 - (number - 1) * observed / np.where(defined, expected, 1.0), np.nan)
