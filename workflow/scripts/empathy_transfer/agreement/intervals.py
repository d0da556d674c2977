"""Intervals of measures of agreement over the choice of items, and of differences between groups of raters.

Items, or groups of items that belong together, are drawn with replacement; with few of them each is left out once
(jackknife). The variance on the measure's own scale gives an interval by Student's t. It is one for other items that
the same raters rate; another one covers other raters, too.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

from empathy_transfer.agreement.krippendorff_alpha import alpha_of_sums, alpha_sums, raters_of_sums
from empathy_transfer.statistics.left_out_datasets import jackknife_variance
from empathy_transfer.statistics.reliability import resampled_variance
from empathy_transfer.statistics.resampling import FEW_CLUSTERS, LEAST_CLUSTERS, make_sample, resampled_counts
from empathy_transfer.statistics.t_tests import t_test

LEAST_RATERS = 3


class Measured(NamedTuple):
    """A number, the ends of its interval (None where there is none), and why it or they are missing."""

    number: float | None
    low: float | None
    high: float | None
    reason: str


def measured(values, measure, scale, settings, groups=None):
    """A measure of agreement and its interval over items: `Measured`.

    Args:
        values: array (items, raters), NaN where there is none. measure, scale: of `measures.MEASURES`.
        settings: `resamples` and `alpha`, the error rate of the interval. groups: the group of each item, or None.

    `reason` is `no_ratings` where no item has two ratings, `constant` where the measure is undefined, and `too_few`
    with fewer than five groups of items.
    """
    return _measured(values, measure, scale, settings, groups, over_raters=False)[0]


def measured_twice(values, measure, scale, settings, groups=None):
    """The same with two intervals: (over items, over items and raters), each `Measured`.

    For the latter each rater is left out once; it needs three, else its `reason` is `too_few`.
    """
    return _measured(values, measure, scale, settings, groups, over_raters=True)


def _measured(values, measure, scale, settings, groups, over_raters):
    """`measured_twice`; the second is without an interval where raters are not left out."""
    values = np.asarray(values, dtype=float)
    values = values[:, ~np.isnan(values).all(axis=0)]
    counted = (~np.isnan(values)).sum(axis=1) >= 2
    if not counted.any():
        return (Measured(None, None, None, "no_ratings"),) * 2
    values, once = values[counted], np.ones((1, int(counted.sum())))
    units = np.unique(np.arange(len(values)) if groups is None else np.asarray(groups)[counted], return_inverse=True)[1]
    number, n_units = float(measure(values, once)[0]), units.max() + 1
    if np.isnan(number):
        return (Measured(None, None, None, "constant"),) * 2
    few = Measured(number, None, None, "too_few")
    if n_units < LEAST_CLUSTERS:
        return few, few

    to_scale, from_scale, least = scale(float(raters_of_sums(alpha_sums(values).sum(axis=0))))
    distances = least(n_units, settings["alpha"]) if n_units < FEW_CLUSTERS else (0.0, 0.0)

    def interval(parts):
        """The number with the interval of a variance that is the sum of these parts."""
        place = float(to_scale(number))
        tested = t_test(place, parts, settings["alpha"])
        ends = min(tested["low"], place - distances[0]), max(tested["high"], place + distances[1])
        return Measured(number, *(float(from_scale(end)) for end in ends), "")

    blocks = resampled_counts(n_units, settings["resamples"])
    drawn = to_scale(np.concatenate([measure(values, counts[:, units]) for counts in blocks]))
    of_items = (resampled_variance(drawn, n_units), n_units - 1)
    raters = range(values.shape[1] if over_raters and values.shape[1] >= LEAST_RATERS else 0)
    without = [measure(np.delete(values, rater, axis=1), once)[0] for rater in raters]
    if not without or np.isnan(without).any():
        return interval([of_items]), few
    of_raters = (float(jackknife_variance(to_scale(np.array(without)))), len(without) - 1)
    return interval([of_items]), interval([of_items, of_raters])


def difference(first, second):
    """The difference of two independent numbers (`Measured`), first less second, and its interval.

    Its ends follow from those of both intervals (the method of variance estimates recovery: Zou and Donner 2008), so
    that neither needs to be as wide above as below.
    """
    if first.number is None or second.number is None:
        return Measured(None, None, None, first.reason or second.reason)
    number = first.number - second.number
    if first.low is None or second.low is None:
        return Measured(number, None, None, first.reason or second.reason)
    low = number - np.hypot(first.number - first.low, second.high - second.number)
    high = number + np.hypot(first.high - first.number, second.number - second.low)
    return Measured(number, float(low), float(high), "")


def percentile_interval(sums, resamples, alpha, seed):
    """Percentile interval of Krippendorff's alpha: (low, high, the share of resamples in which alpha is undefined).

    Args:
        sums: `alpha_sums` of each unit that is drawn (units, columns). resamples: how often as many are drawn.
        alpha: error rate of the interval. seed: of the draws.

    A resample in which alpha is undefined is left out. The ends are None with fewer than two units, or where more than
    half of the resamples are undefined.
    """
    if len(sums) < 2:
        return None, None, None
    drawn = np.random.default_rng(seed).multinomial(len(sums), [1 / len(sums)] * len(sums), size=resamples)
    alphas = alpha_of_sums(drawn @ sums)
    known = alphas[~np.isnan(alphas)]
    ends = (None, None) if len(known) < len(alphas) / 2 else np.quantile(known, [alpha / 2, 1 - alpha / 2])
    return *ends, 1 - len(known) / len(alphas)


def alpha_error(labels, groups, resamples):
    """{clusters, alpha_se}: standard error of Krippendorff's alpha of labels (items, raters) over other ``groups``.

    By a bootstrap of whole groups, or with few of them the jackknife.
    """
    sample = make_sample(labels[:, 0], groups)
    sums = sample.sums(alpha_sums(labels - labels.mean()))
    alphas = [alpha_of_sums(counts.astype(float) @ sums) for counts in resampled_counts(sample.n_units, resamples)]
    variance = resampled_variance(np.concatenate(alphas), sample.n_units)
    return {"clusters": sample.n_units, "alpha_se": float(np.sqrt(variance))}


def alpha_interval(row, level):
    """(low, high) of a row's `krippendorff_alpha` by Student's t, from its `clusters` and `alpha_se` of `alpha_error`.

    (None, None) of one group.
    """
    if row["clusters"] < 2:
        return None, None
    half_width = stats.t.isf(level / 2, row["clusters"] - 1) * row["alpha_se"]
    return row["krippendorff_alpha"] - half_width, row["krippendorff_alpha"] + half_width
