"""How reliable measurements are (Krippendorff's alpha), also of many resamples at once, and what that does to a number.

A measurement is reliable as far as its differences between units (items, tasks) are not those between its raters. Alpha
is that of one rater; the mean of several raters is more reliable (Spearman 1910, Brown 1910). Correlations with what is
measured unreliably are too small by the square root of the reliability, and slopes by the reliability itself (Spearman
1904): `attenuation`.
"""

import numpy as np
import pandas

from empathy_transfer.statistics.krippendorff_alpha import alpha_from
from empathy_transfer.statistics.resampling import FEW_CLUSTERS
from empathy_transfer.statistics.seed_variance import spread

# Columns of `alpha_sums` before the totals.
NUMBER, OBSERVED, SQUARE, UNITS, INVERSE = range(5)
TOTALS = 5


def sums_of_groups(sums, groups):
    """The sums (units, columns) of each group of units, in order of appearance: an array (groups, columns)."""
    numbers = pandas.factorize(np.asarray(groups))[0]
    found = np.zeros((numbers.max() + 1, sums.shape[1]))
    np.add.at(found, numbers, sums)
    return found


def resampled_variance(replicates, groups):
    """The variance of resamples of so many groups; those in which a number is undefined (NaN) don't count."""
    return float(spread(replicates[~np.isnan(replicates)], groups < FEW_CLUSTERS))


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

    NaN where all values that count are equal, or none counts.
    """
    squares = (sums[..., TOTALS:] ** 2).sum(axis=-1)
    return alpha_from(sums[..., NUMBER], sums[..., OBSERVED], sums[..., SQUARE], squares)


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


def of_mean(alpha, raters):
    """Reliability of the mean of so many raters of whom one has the reliability `alpha` (Spearman-Brown).

    .46 of one rater is .63 of the mean of two. An alpha below 0 stands for raters without anything in common: 0.
    """
    alpha = np.maximum(alpha, 0.0)
    return raters * alpha / (1 + (raters - 1) * alpha)


def attenuation(reliability):
    """The factor by which a correlation is smaller than one without error, 0 to 1: .68 at a reliability of .46."""
    return np.sqrt(np.maximum(reliability, 0.0))


def corrected_correlation(r, reliability):
    """A correlation with what would be measured without error: r over the attenuation. It can exceed 1 by chance.

    NaN where the reliability is not above 0, for then the measurement says nothing.
    """
    factor = attenuation(reliability)
    return np.where(factor > 0, r / np.where(factor > 0, factor, 1.0), np.nan)


def corrected_slope(slope, reliability):
    """The slope of a regression on what would be measured without error: slope over reliability; NaN as above."""
    known = np.asarray(reliability) > 0
    return np.where(known, slope / np.where(known, reliability, 1.0), np.nan)
