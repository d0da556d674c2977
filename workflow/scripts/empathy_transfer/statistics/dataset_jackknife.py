"""Intervals for means over pairs of tasks that speak of other datasets: each dataset is left out once, in both roles.

All pairs from or to a dataset share what it brings: its texts, its raters, the luck of its baselines. Pairs drawn one
by one would hide that, and so would tasks, since most datasets have several. So a dataset is left out with all its
tasks, as sources and as targets, and how the mean moves gives its standard error (the delete-a-group jackknife, Efron
and Stein 1981). It needs no model of what datasets share. Where pairs share nothing it errs on the side of too wide,
by a factor of up to 1.5, since every pair belongs to two datasets.
"""

import numpy
from scipy import stats

from empathy_transfer.statistics.intervals import wilson_interval

LEAST_DATASETS = 3


class DatasetJackknife:
    """How the mean over pairs, or the difference of two such means, varies with the choice of datasets.

    Attributes:
        weights: array (pairs,), by which values are summed to the number itself.
        deviations: array (datasets, pairs); the squares of values summed by its rows add up to the variance of the
            number. None where that can't be told: there are fewer than three datasets, or one of them holds all pairs
            of a mean, so that a theme can't be told from a dataset.
        freedom: degrees of freedom; None without deviations.
    """

    def __init__(self, pairs, one=None, other=None):
        """Prepare the number for a choice of pairs.

        Args:
            pairs: frame with source, target, source_dataset and target_dataset.
            one: booleans, the pairs whose mean is taken; None for all.
            other: booleans, the pairs whose mean is subtracted; None for no such mean.
        """
        one = numpy.ones(len(pairs), dtype=bool) if one is None else numpy.asarray(one, dtype=bool)
        sides = [one] if other is None else [one, numpy.asarray(other, dtype=bool)]
        self.weights, self.deviations, self.freedom = _weights(sides), None, None
        used = pairs[numpy.any(sides, axis=0)]
        datasets = datasets_of(used)
        names = sorted(set(datasets.values()))
        if len(names) < LEAST_DATASETS:
            return
        ends = (pairs[end].to_numpy() for end in ("source_dataset", "target_dataset"))
        source, target = ends
        left_out = numpy.stack(
            [_weights([side & (source != name) & (target != name) for side in sides]) for name in names]
        )
        if numpy.isnan(left_out).any():
            return
        number = len(names)
        self.deviations = numpy.sqrt((number - 1) / number) * (left_out - left_out.mean(axis=0))
        sizes = numpy.unique(list(datasets.values()), return_counts=True)[1]
        self.freedom = freedom_of_datasets(sizes)

    def mean(self, values):
        """The number; `values` are an array (..., pairs)."""
        return values @ self.weights

    def variance(self, values):
        """The variance of the number over datasets; `values` are an array (..., pairs). None where it can't be told."""
        return None if self.deviations is None else ((values @ self.deviations.T) ** 2).sum(axis=-1)

    def interval(self, values, alpha):
        """(low, high) at the error rate `alpha`, .05 for an interval of 95 %; (None, None) where it can't be told."""
        variance = self.variance(values)
        if variance is None:
            return None, None
        half = stats.t.isf(alpha / 2, self.freedom) * numpy.sqrt(variance)
        return self.mean(values) - half, self.mean(values) + half

    def share_interval(self, hits, alpha):
        """Wilson's interval of the share of all pairs that are hits, for as many as datasets leave independent.

        That number is such that their share has the variance of the jackknife, and t the place of normal quantiles
        (Korn and Graubard 1998). Where no pair is a hit, or every one, it is that of a share of a single hit: what
        moves together can't be seen then.

        Args:
            hits: booleans, one per pair. alpha: error rate, .05 for 95 %.

        Returns:
            (low, high), between 0 and 1; (None, None) where the jackknife can't tell.
        """
        if self.deviations is None:
            return None, None
        hits, number = numpy.asarray(hits, dtype=float), len(self.weights)
        count = int(hits.sum())
        counted = min(max(count, 1), number - 1)
        single = (self.deviations**2).sum(axis=0).mean()  # of the share where one pair alone is a hit
        variance = self.variance(hits) if counted == count else single
        share, narrowed = counted / number, (stats.norm.isf(alpha / 2) / stats.t.isf(alpha / 2, self.freedom)) ** 2
        independent = min(number, share * (1 - share) / variance * narrowed) if variance > 0 else number
        return wilson_interval(count, number, alpha, number / independent)


def datasets_of(pairs):
    """{task: its dataset} of all sources and targets of a frame of pairs with their datasets."""
    found = dict(zip(pairs["source"], pairs["source_dataset"], strict=True))
    return found | dict(zip(pairs["target"], pairs["target_dataset"], strict=True))


def freedom_of_datasets(sizes):
    """Half-way between those of so many datasets, and of as many equal ones as weigh the same.

    `sizes` are the datasets' numbers of tasks; as many equal ones as weigh the same are sum(sizes)² / sum(sizes²) (Kish
    1965), from which one is taken, and one at least is left. The first alone are too many where few datasets have most
    tasks (coverage 91 %), the second too few (98 %); half-way it is 93 to 97 % (docs/validation.md).
    """
    sizes = numpy.asarray(sizes, dtype=float)
    effective = sizes.sum() ** 2 / (sizes**2).sum()
    return (len(sizes) - 1 + max(effective - 1, 1.0)) / 2


def share_interval(hits, pairs, alpha):
    """`DatasetJackknife.share_interval` of all pairs, booleans `hits`; (None, None) for no pairs."""
    return DatasetJackknife(pairs).share_interval(hits, alpha)


def _weights(sides):
    """By which values are summed to the mean of a side, less that of the other; NaN where a side has no pair."""
    means = [side / side.sum() if side.any() else numpy.full(len(side), numpy.nan) for side in sides]
    return means[0] if len(means) == 1 else means[0] - means[1]
