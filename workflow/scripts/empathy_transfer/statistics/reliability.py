"""What unreliable measurements do to numbers that rest on them, and the sums that reliability is resampled from.

A measurement is reliable as far as its differences between units (items, tasks) are not those between its raters. Alpha
is that of one rater; the mean of several raters is more reliable (Spearman 1910, Brown 1910). Correlations with what is
measured unreliably are too small by the square root of the reliability, and slopes by the reliability itself (Spearman
1904): `attenuation`.
"""

import numpy as np
import pandas

from empathy_transfer.statistics.resampling import FEW_CLUSTERS
from empathy_transfer.statistics.seed_variance import spread


def sums_of_groups(sums, groups):
    """The sums (units, columns) of each group of units, in order of appearance: an array (groups, columns)."""
    numbers = pandas.factorize(np.asarray(groups))[0]
    found = np.zeros((numbers.max() + 1, sums.shape[1]))
    np.add.at(found, numbers, sums)
    return found


def resampled_variance(replicates, groups):
    """The variance of resamples of so many groups; those in which a number is undefined (NaN) don't count."""
    return float(spread(replicates[~np.isnan(replicates)], groups < FEW_CLUSTERS))


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
