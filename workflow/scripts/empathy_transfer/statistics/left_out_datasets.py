"""Intervals over datasets by leaving each out once: for numbers over pairs of tasks that are no plain means.

A dataset is left out with all its tasks, in both roles of a pair. The variance is that of the jackknife (Tukey 1958),
and t has a degree of freedom less than there are datasets.
"""

import numpy as np

from empathy_transfer.statistics.t_tests import t_test

LEAST_DATASETS = 3
UNCHANGED = (lambda number: number, lambda number: number)


def jackknife_variance(left_out):
    """Variance of a number from what it is without each of the units: (n - 1) / n x the sum of squared deviations."""
    left_out = np.asarray(left_out, dtype=float)
    return (len(left_out) - 1) / len(left_out) * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)


def jackknife_interval(statistic, datasets, alpha, scale=UNCHANGED):
    """A number and its interval over datasets: (number, low, high).

    Args:
        statistic: a function of the datasets that are kept (a set); a number, NaN where it is undefined.
        datasets: names of all datasets. alpha: the error rate, .05 for an interval of 95 %.
        scale: a function to the scale on which the number varies evenly, and one back.

    The ends are None with fewer than three datasets, or where the number, or what the scale makes of it, is undefined
    with all datasets or without one of them.
    """
    datasets = sorted(set(datasets))
    number = float(statistic(set(datasets)))
    if len(datasets) < LEAST_DATASETS or np.isnan(number):
        return number, None, None
    numbers = np.array([number, *(float(statistic({*datasets} - {dataset})) for dataset in datasets)])
    with np.errstate(divide="ignore", invalid="ignore"):
        whole, *left_out = scale[0](numbers)
    if not np.isfinite([whole, *left_out]).all():
        return number, None, None
    tested = t_test(float(whole), [(float(jackknife_variance(left_out)), len(datasets) - 1)], alpha)
    return number, float(scale[1](tested["low"])), float(scale[1](tested["high"]))
