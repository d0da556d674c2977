"""Intervals over datasets for numbers that are no sums over pairs, such as correlations: each dataset is left out once.

A dataset is left out with all its tasks, in both roles of a pair. The variance is that of the jackknife (Tukey 1958).
For means `dataset_jackknife` does the same at once.
"""

import numpy as np

from empathy_transfer.statistics.dataset_jackknife import LEAST_DATASETS, freedom_of_datasets
from empathy_transfer.statistics.t_tests import t_test

UNCHANGED = (lambda number: number, lambda number: number)


def jackknife_variance(left_out):
    """Variance of a number from what it is without each of the units: (n - 1) / n x the sum of squared deviations."""
    left_out = np.asarray(left_out, dtype=float)
    return (len(left_out) - 1) / len(left_out) * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)


def jackknife_interval(statistic, datasets, alpha, scale=UNCHANGED):
    """A number and its interval over datasets: (number, low, high).

    Args:
        statistic: a function of the datasets that are kept (a set); a number, NaN where it is undefined.
        datasets: the dataset of each task. alpha: the error rate, .05 for an interval of 95 %.
        scale: a function to the scale on which the number varies evenly, and one back.

    The ends are None with fewer than three datasets, or where the number, or what the scale makes of it, is undefined
    with all datasets or without one of them.
    """
    names, sizes = np.unique(list(datasets), return_counts=True)
    number = float(statistic(set(names)))
    if len(names) < LEAST_DATASETS or np.isnan(number):
        return number, None, None
    numbers = np.array([number, *(float(statistic({*names} - {name})) for name in names)])
    with np.errstate(divide="ignore", invalid="ignore"):
        whole, *left_out = scale[0](numbers)
    if not np.isfinite([whole, *left_out]).all():
        return number, None, None
    tested = t_test(float(whole), [(float(jackknife_variance(left_out)), freedom_of_datasets(sizes))], alpha)
    return number, float(scale[1](tested["low"])), float(scale[1](tested["high"]))
