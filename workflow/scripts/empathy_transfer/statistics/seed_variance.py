"""What seeds make scores differ by, beyond what the choice of test items makes them differ by.

Two seeds of a run err on different items, so their scores on the same items differ even if one seed is as good as
another. The bootstrap over items holds that part already; adding it once more makes intervals too wide.

All transfers to a target share its baseline, and all runs of a seed share their order of items and weights to begin
with. So differences of a transfer and its baseline are taken seed by seed, and what seeds make them differ by has two
parts: one that all transfers have in common, of the baseline's luck and whatever a seed does to everybody, and one of
each transfer's own.

Near the ends of a scale scores lie closer together. So if the baseline's seeds are lucky, they also agree by more than
they should, and its luck seems to be well known. On Fisher's z (Fisher 1921) the spread doesn't depend on the mean. So
both parts are measured there. But z draws a collapsed run near where scores are high; so at least half of what the
scores themselves show counts.
"""

from typing import NamedTuple

import numpy as np

from empathy_transfer.statistics.resampling import paired_difference

# Scores beyond this are taken as this on Fisher's z, which is infinite at 1.
Z_LIMIT = 0.99
# Of the variance of scores as they are, at least this share counts beside that on Fisher's z.
LEAST_SHARE = 0.5


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

    def at_least(self, own):
        """The same with at least so much that seeds differ by whatever the items."""
        return self if self.own >= own else self._replace(between=self.items + own)

    def part(self, weight):
        """What ``own``, times a weight, adds to a variance: a part as `t_tests` takes it."""
        return self.own * weight, self.freedom, self.between * weight


class PairedVariance(NamedTuple):
    """Variance between seeds of the differences of transfers and their baseline, seed by seed.

    It is an analysis of variance of cells by seeds. ``seeds`` is the mean square of the seeds: what all cells have in
    common. ``rest`` is that of what is left: each transfer's own. ``cells`` is how many cells a seed has on average.
    """

    seeds: SeedVariance
    rest: SeedVariance
    cells: float

    def parts(self, number):
        """The parts that seeds add to the variance of a cell's mean difference over a number of seeds."""
        return [self.seeds.part(1 / self.cells / number), self.rest.part((1 - 1 / self.cells) / number)]

    def at_least(self, other):
        """The same with at least ``LEAST_SHARE`` of each part of another."""
        pairs = zip(self[:2], other[:2], strict=True)
        return PairedVariance(*(one.at_least(LEAST_SHARE * two.own) for one, two in pairs), self.cells)

    @property
    def shared(self):
        """Variance between seeds, on the same items, that two transfers have in common; it may be negative."""
        return (self.seeds.own - self.rest.own) / self.cells


def paired_variance(cells, seeds, differences, replicates, n_units, few):
    """``PairedVariance`` of a target's transfers.

    Args:
        cells, seeds: the cell and the seed of each difference (differences).
        differences: of a transfer's score and the baseline's of the same seed, on all items.
        replicates: the same in the resamples of ``n_units`` units (differences x resamples). few: see ``spread``.
    """
    cells, seeds = (np.asarray(values)[:, None] == np.unique(values) for values in (cells, seeds))
    within = np.eye(len(cells)) - _projection(cells.astype(float))
    of_seeds = _projection(within @ seeds)
    freedom = [round(np.trace(matrix)) for matrix in (of_seeds, within - of_seeds)]
    if not freedom[0]:
        nothing = SeedVariance(0.0, 0.0, 0, n_units)
        return PairedVariance(nothing, nothing, 1.0)
    differences, found = np.asarray(differences, dtype=float), []
    for matrix, number in zip((of_seeds, within - of_seeds), freedom, strict=True):
        between = items = 0.0
        if number:
            between = float(differences @ matrix @ differences) / number
            # The sum of a variance's diagonal in the directions of the matrix.
            items = float(spread(matrix @ replicates, few).sum()) / number if n_units > 1 else 0.0
        found.append(SeedVariance(max(between, 0.0), items, number, n_units))
    return PairedVariance(*found, sum(freedom) / freedom[0])


def on_fishers_z(scores):
    """Scores on Fisher's z, and how much each moves there per unit of the score; both in units of the mean score.

    Fisher's z is stretched so that at the mean z of all scores a small difference there is one of as much in scores.
    """
    inside = np.clip(scores, -Z_LIMIT, Z_LIMIT)
    z = np.arctanh(inside)
    unit = 1 - np.tanh(z.mean()) ** 2
    return unit * z, unit / (1 - inside**2)


def _projection(columns):
    """The matrix that projects on the space of some columns, which may depend on each other."""
    basis, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    basis = basis[:, sizes > 1e-9]
    return basis @ basis.T


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
