"""Is one cell of runs better than another by more than chance? Over test items and over seeds.

A cell is all that the seeds of a run have in common. The variance of the difference of two means over seeds is the
bootstrap variance over the test items, paired and in whole groups, plus the variance between seeds beyond that of
items, pooled over all cells, since five seeds of one cell say too little about it; compared with a t distribution. That
is the test which verdicts use.

All cells of a seed share items and order, so that a lucky draw lifts both sides. Columns ending in ``_paired`` take
each seed's difference and let it vary by what the seeds of this comparison alone tell. Its level holds from five seeds
on: in simulations it rejects a true null 3 to 6 % of the time at 5 %, with three seeds up to 8 %, with two up to 12 %.
With fewer than five these columns are empty.

The t-test over five against five seeds of the studies of labels and raters stands beside them (``p_published``): it
measures the seeds' noise only, not the choice of test items.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from empathy_transfer.statistics.moments import concordance_of_means, pearson_of_means
from empathy_transfer.statistics.resampling import FEW_CLUSTERS, Scores, resampled_counts, whole_counts
from empathy_transfer.statistics.seed_variance import beyond_items, changes_beyond_items, spread
from empathy_transfer.statistics.t_tests import detectable, t_test

# Fewer seeds than this tell too little about their own differences.
PAIRED_SEEDS = 5
NUMBER_METRICS = ("pearson_r", "ccc", "rmse")
CLASS_METRICS = ("f1_weighted", "accuracy")


@dataclass(frozen=True)
class Resampled:
    """Scores of runs on all test items (runs) and in resamples of them (runs x resamples), by metric."""

    whole: dict
    replicates: dict

    def between(self, place, n_units):
        """``SeedVariance`` by metric, pooled over all cells; ``place`` is {(cell, seed): row of the run}."""
        placed = {(cell, "", seed): row for (cell, seed), row in place.items()}
        few, found = n_units < FEW_CLUSTERS, {}
        for metric, scores in self.whole.items():
            values = {key: scores[row] for key, row in placed.items()}
            found[metric] = beyond_items(values, Scores(self.replicates[metric], None), placed, n_units, few, "drop")
        return found


class Cells(NamedTuple):
    """Runs that are tested: ``found`` (``Resampled``), {(cell, seed): its row}, ``SeedVariance`` by metric, and sizes.

    ``items`` are test items, ``units`` what is resampled of them, ``alpha`` the error rate of intervals.
    """

    found: Resampled
    place: dict
    between: dict
    items: int
    units: int
    alpha: float


def resampled_cells(sample, runs, settings):
    """The ``Cells`` of runs, which all tests and intervals of these runs share.

    Args:
        sample: the test items (``resampling.Sample``); booleans for classes, or numbers.
        runs: {(cell, seed): its predictions, like the sample's labels}. settings: ``resamples`` and ``alpha``.
    """
    place, units = {run: number for number, run in enumerate(runs)}, sample.n_units
    found = resample(sample, list(runs.values()), resampled_counts(units, settings["resamples"]))
    return Cells(found, place, found.between(place, units), len(sample.labels), units, settings["alpha"])


def tested_pairs(tested, cells, pairs):
    """Test pairs of cells by each metric.

    Args:
        tested: ``Cells``. cells: {cell: {seed: the run (cell, seed) of ``tested`` that stands for it}}.
        pairs: (kind, cell, other cell) of each comparison.

    Returns:
        (kind, cell, other cell, columns) of each comparison and metric; of cells that have no seed in common, or the
        same runs, there is none.
    """
    found, place, rows = tested.found, tested.place, []
    for metric, between in tested.between.items():
        for kind, cell, other in pairs:
            seeds = sorted(cells[cell].keys() & cells[other].keys())
            sides = [[place[cells[side][seed]] for seed in seeds] for side in (cell, other)]
            if seeds and sides[0] != sides[1]:
                row = pooled_test(found, metric, sides, between, tested.units, tested.alpha)
                rows.append((kind, cell, other, {"metric": metric, "n_test": tested.items} | row))
    return rows


def intervals_of_cells(tested):
    """Mean over seeds of each cell of ``Cells`` with its interval over items and seeds, by metric.

    Returns:
        (cell, columns) of each cell and metric. With one seed an interval covers the choice of items alone.
    """
    few, rows = tested.units < FEW_CLUSTERS, []
    for metric, between in tested.between.items():
        for cell in dict.fromkeys(cell for cell, _ in tested.place):
            own = [row for run, row in tested.place.items() if run[0] == cell]
            value = float(tested.found.whole[metric][own].mean())
            parts = [(spread(tested.found.replicates[metric][own].mean(axis=0), few), tested.units - 1)]
            ends = t_test(value, [*parts, between.part(1 / len(own))], tested.alpha)
            row = {"metric": metric, "seeds": len(own), "n_test": tested.items, "clusters": tested.units}
            rows.append((cell, row | {"value": value} | {name: ends[name] for name in ("low", "high", "se", "df")}))
    return rows


def resample(sample, predictions, blocks):
    """Scores of all runs, whole and in each resample: ``Resampled``; of numbers or of classes.

    Args:
        sample: the test items (``resampling.Sample``). predictions: an array per run, like the sample's labels.
        blocks: iterable of counts (resamples x units).
    """
    return (resample_classes if sample.counts_classes else resample_numbers)(sample, predictions, blocks)


def resample_classes(sample, predictions, blocks):
    """Weighted F1 and accuracy of all runs; arguments as in ``resample``."""
    labels = sample.labels
    columns = [labels]
    for predicted in predictions:
        columns += [predicted, predicted & labels]
    sums = sample.sums(np.hstack(columns).astype(np.float64))

    def scores(sums):
        """Scores by metric (runs x resamples) from sums over items: support, and per run given and right by class."""
        support, *runs = np.split(sums, 1 + 2 * len(predictions), axis=1)
        number = support.sum(axis=1)
        hits = [2 * right / np.maximum(support + given, 1) for given, right in zip(runs[::2], runs[1::2], strict=True)]
        return {
            "f1_weighted": np.array([(f1 * support).sum(axis=1) / number for f1 in hits]),
            "accuracy": np.array([right.sum(axis=1) / number for right in runs[1::2]]),
        }

    return _resampled(sample, sums, blocks, scores)


def resample_numbers(sample, predictions, blocks):
    """Pearson r, concordance and root mean squared error of all runs, whole and in each resample: ``Resampled``.

    Args:
        sample: the test items (``resampling.Sample``). predictions: a vector per run. blocks: iterable of counts
            (resamples x units). r and concordance are 0 where either side of a resample is constant.
    """
    x = sample.labels
    # Centred on the labels' mean, which keeps sums of squares free of cancellation.
    centre = x.mean()
    columns = [np.ones(len(x)), x - centre, (x - centre) ** 2]
    for values in predictions:
        y = values - centre
        columns += [y, y * y, (x - centre) * y]
    sums = sample.sums(np.column_stack(columns))
    return _resampled(sample, sums, blocks, _scores_of_numbers)


def _resampled(sample, sums, blocks, scores):
    """``Resampled`` from sums over the items of each unit (units x columns) and what makes scores of them."""
    whole = scores(next(iter(whole_counts(sample.n_units))).astype(np.float64) @ sums)
    parts = [scores(counts.astype(np.float64) @ sums) for counts in blocks]
    return Resampled(
        {name: values[:, 0] for name, values in whole.items()},
        {name: np.concatenate([part[name] for part in parts], axis=1) for name in whole},
    )


def _scores_of_numbers(sums):
    """Scores by metric (runs x resamples) from sums over items: count, x, xx, and per run y, yy, xy."""
    means = sums[:, 1:] / sums[:, :1]
    mean_x, mean_xx = means[:, :1], means[:, 1:2]
    mean_y, mean_yy, mean_xy = np.moveaxis(means[:, 2:].reshape(len(means), -1, 3), 2, 0)
    moments = mean_x, mean_y, mean_xx, mean_yy, mean_xy
    rmse = np.sqrt((mean_xx + mean_yy - 2 * mean_xy).clip(0))
    return {"pearson_r": pearson_of_means(*moments).T, "ccc": concordance_of_means(*moments).T, "rmse": rmse.T}


def pooled_test(found, metric, sides, between, n_units, alpha):
    """The test of one comparison as columns.

    Args:
        found: ``Resampled``. metric: its name. sides: rows of the runs of both cells, by seed in one order.
        between: ``seed_variance.SeedVariance`` of the metric. n_units: units that are resampled. alpha: level.
    """
    few, number = n_units < FEW_CLUSTERS, len(sides[0])
    values = [found.whole[metric][side] for side in sides]
    replicates = [found.replicates[metric][side].mean(axis=0) for side in sides]
    difference = float(values[0].mean() - values[1].mean())
    parts = [(spread(replicates[0] - replicates[1], few), n_units - 1), between.part(2 / number)]
    row = {"seeds": number, "clusters": n_units, "value": values[0].mean(), "other_value": values[1].mean()}
    row |= {"difference": difference, "seed_sd": float(np.sqrt(between.own)), **t_test(difference, parts, alpha)}
    varied = number > 1 and np.ptp(np.concatenate(values)) > 0
    row |= {
        "mde": detectable(row["se"], row["df"], alpha),
        "p_published": stats.ttest_ind(*values).pvalue if varied else None,
    }
    return row | paired_test(found, metric, sides, n_units, alpha)


def paired_test(found, metric, sides, n_units, alpha):
    """The test on the differences of each seed as columns, None with too few seeds; arguments as in ``pooled_test``."""
    few, number = n_units < FEW_CLUSTERS, len(sides[0])
    if number < PAIRED_SEEDS:
        return dict.fromkeys(("low_paired", "high_paired", "p_paired"))
    changes = found.whole[metric][sides[0]] - found.whole[metric][sides[1]]
    replicates = found.replicates[metric][sides[0]] - found.replicates[metric][sides[1]]
    between = changes_beyond_items([changes], [replicates], n_units, few)
    parts = [(spread(replicates.mean(axis=0), few), n_units - 1), between.part(1 / number)]
    tested = t_test(float(changes.mean()), parts, alpha)
    return {f"{name}_paired": tested[name] for name in ("low", "high", "p")}
