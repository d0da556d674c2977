"""The mean of a table of objects by seeds, where another study would have other objects and other seeds.

All values of a seed share its luck, such as that of one trained adapter, and all values of an object what it is. Taken
as independent, they make an interval far too narrow: with 17 objects and luck as large as the spread between seeds it
misses the truth in 6 of 10 tables.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats


class CrossedMean(NamedTuple):
    """A mean, its interval, and the numbers of objects and seeds behind it."""

    mean: float
    low: float
    high: float
    objects: int
    seeds: int


def complete_table(table):
    """The rows and columns of a frame (objects x seeds) that have all values: as many values as leaving out gives.

    Either objects without a value are left out, or seeds, whichever keeps more values.
    """
    return max((table.dropna(axis=0), table.dropna(axis=1)), key=lambda kept: kept.size)


def crossed_interval(values, level, common=(0.0, 1)):
    """`CrossedMean` of a table, with an interval over objects and seeds; over objects alone with one seed.

    The variance of the mean is that of an analysis of variance with two random factors: mean squares of objects and of
    seeds, less that of what is left. The critical value is Cochran's (1964): t quantiles of the parts, weighted by the
    parts. Of the seeds the whole mean square counts there, since it is measured as a whole.

    Args:
        values: two or more objects x seeds, without gaps. level: the error rate, .05 for an interval of 95 %.
        common: variance that all values share, which no table shows, and its degrees of freedom.
    """
    values = np.asarray(values, dtype=float)
    objects, seeds = values.shape
    mean, number = float(values.mean()), values.size
    of_objects, of_seeds = values.mean(axis=1) - mean, values.mean(axis=0) - mean
    rest = values - mean - of_objects[:, None] - of_seeds
    # Each mean square as a part of the mean's variance.
    parts = [(common[0], common[1]), (seeds * float(of_objects @ of_objects) / (objects - 1) / number, objects - 1)]
    variance, weighed = common[0] + parts[1][0], parts
    if seeds > 1:
        square = objects * float(of_seeds @ of_seeds) / (seeds - 1) / number
        left = float((rest**2).sum()) / (objects - 1) / (seeds - 1) / number
        variance, weighed = variance + max(square - left, 0.0), [*parts, (square, seeds - 1)]
    total = sum(part for part, _ in weighed)
    critical = sum(part * stats.t.isf(level / 2, freedom) for part, freedom in weighed) / total if total > 0 else 0.0
    half_width = critical * np.sqrt(variance)
    return CrossedMean(mean, float(mean - half_width), float(mean + half_width), objects, seeds)


def shared_variance(replicates, spread):
    """Variance that the values of a table share because they are of the same test items; never below 0.

    It is the mean covariance between values of two objects and two seeds (of two objects where there is one seed).

    Args:
        replicates: the table in resamples of the items (objects x seeds x resamples), two or more objects.
        spread: gives the variance of a statistic from its resamples.
    """
    objects, seeds = replicates.shape[:2]
    # Sums of covariances by way of variances of sums: all pairs, less those of one object or of one seed.
    whole, by_object = spread(replicates.sum(axis=(0, 1))), spread(replicates.sum(axis=1)).sum()
    if seeds == 1:
        return max(float(whole - by_object) / (objects * (objects - 1)), 0.0)
    apart = whole - by_object - spread(replicates.sum(axis=0)).sum() + spread(replicates).sum()
    return max(float(apart) / (objects * (objects - 1) * seeds * (seeds - 1)), 0.0)
