"""What seeds make scores differ by, beyond what the choice of test items makes them differ by.

Two seeds of a run err on different items, so their scores on the same items differ even if one seed is as good as
another. The bootstrap over items holds that part already; adding it once more makes intervals too wide.
"""

from typing import NamedTuple

import numpy as np

from empathy_transfer.statistics.resampling import paired_difference


class SeedVariance(NamedTuple):
    """Variance of a score between seeds of a cell, pooled over the cells of a target.

    ``between`` is that of the scores on the same items, with ``freedom`` degrees of freedom (0: no cell has two seeds,
    and it can't be told); ``items`` is the part of it that the choice of test items makes, of ``n_units`` units.
    """

    between: float
    items: float
    freedom: int
    n_units: int

    @property
    def own(self):
        """What seeds differ by whatever the items; never below 0."""
        return max(self.between - self.items, 0.0)

    @property
    def own_freedom(self):
        """Degrees of freedom of ``own``, as Satterthwaite's of a difference; 0 where it can't be told."""
        if not self.freedom or not self.own:
            return self.freedom
        return self.own**2 / (self.between**2 / self.freedom + self.items**2 / (self.n_units - 1))


def seed_variance(values):
    """Variance of a score between seeds, pooled over the cells of a target, and its degrees of freedom.

    ``values`` is {(source, data, seed): score}. Each cell (source and data condition) gives the squared deviations from
    its own mean. (0.0, 0) where no cell has two seeds: the variance can't be told then.
    """
    cells = _cells(values)
    freedom = sum(len(cell) - 1 for cell in cells)
    squares = sum(float(np.square(np.asarray(cell) - np.mean(cell)).sum()) for cell in cells)
    return (squares / freedom if freedom else 0.0), freedom


def beyond_items(values, scores, rows, n_units, few, absent):
    """``SeedVariance`` of the runs of a target.

    The part of the items is the variance, over the resamples, of the deviations of each cell's seeds from its mean.

    Args:
        values: {(source, data, seed): score on all items}.
        scores: ``resampling.Scores`` in the resamples of ``n_units`` units. rows: {the same keys: row in ``scores``}.
        few: see ``spread``. absent: see ``resampling.paired_difference``.
    """
    between, freedom = seed_variance(values)
    items = 0.0
    if n_units > 1:
        for cell in (cell for cell in _cells(rows) if len(cell) > 1):
            items += sum(float(spread(paired_difference(scores, [row], cell, absent=absent), few)) for row in cell)
    return SeedVariance(between, items / freedom if freedom else 0.0, freedom, n_units)


def changes_beyond_items(changes, replicates, n_units, few):
    """``SeedVariance`` of what a change does to trained models, each compared with itself.

    Args:
        changes: a list of series, each the differences of all seeds on all items (seeds).
        replicates: the same differences in the resamples of ``n_units`` units, a list of (seeds x resamples).
        few: see ``spread``.
    """
    freedom = sum(len(series) - 1 for series in changes)
    if not freedom:
        return SeedVariance(0.0, 0.0, 0, n_units)
    squares = sum(float(np.square(series - np.mean(series)).sum()) for series in changes)
    items = sum(float(spread(series - series.mean(axis=0), few).sum()) for series in replicates) if n_units > 1 else 0.0
    return SeedVariance(squares / freedom, items / freedom, freedom, n_units)


def spread(replicates, few):
    """Variance of a statistic from its resamples (..., resamples): bootstrap, or for ``few`` clusters the jackknife.

    The bootstrap variance of few clusters is too small. The jackknife (each cluster left out once) is not: for a mean
    it is the usual variance of a mean over clusters.
    """
    factor = replicates.shape[-1] - 1 if few else 1
    return np.var(replicates, axis=-1, ddof=0 if few else 1) * factor


def _cells(values):
    """The values of each cell (source and data condition) as lists."""
    cells = {}
    for (source, data, _), value in values.items():
        cells.setdefault((source, data), []).append(value)
    return list(cells.values())
