"""Scores of many systems on the same resamples of the test items, for all resamples at once: numpy only.

A resample is a vector of counts: how often each unit (an item, or a group of items that stay together) was drawn. Both
scores depend on the items only through sums over them: macro F1 through the counts of labels, predictions and hits per
class, Pearson r through five moments. So each unit's sums are made once, and one matrix product of counts with sums
gives those of all resamples. This is exact, and there is no loop over items or resamples.
"""

from dataclasses import dataclass

import numpy as np

from empathy_transfer.statistics.moments import pearson_of_means
from empathy_transfer.statistics.values import is_constant

# Counts held in memory at once: 8 million 32-bit numbers are 32 MB.
BLOCK_CELLS = 8_000_000
# Below this, few large units may rule a resample.
FEW_CLUSTERS = 40
LEAST_CLUSTERS = 5  # fewer have no variance to speak of: no test, no interval
ABSENT_CLASSES = ("drop", "zero")


@dataclass(frozen=True)
class Sample:
    """The test items that all systems answer, in one order.

    ``labels`` are booleans (n items, k classes among the test labels) for F1, or n numbers for Pearson r. Items are
    sorted by unit through ``order``; unit u begins at ``starts[u]`` in that order.
    """

    labels: np.ndarray
    order: np.ndarray
    starts: np.ndarray

    @property
    def n_units(self):
        """Number of units."""
        return len(self.starts)

    @property
    def counts_classes(self):
        """Whether the score is F1; otherwise it is Pearson r."""
        return self.labels.ndim == 2

    def sums(self, values):
        """Sums of values (n, columns) over the items of each unit: an array (units, columns)."""
        return np.add.reduceat(values[self.order], self.starts, axis=0)


@dataclass(frozen=True)
class Scores:
    """What resamples say of each system: a row per system, a column per resample.

    For F1, ``values`` are the sums of F1 over the classes, and ``occurs`` (systems, resamples, classes) marks the
    classes that a resample holds in its labels or in the system's predictions. For Pearson r, ``values`` is r.
    """

    values: np.ndarray
    occurs: np.ndarray | None


def make_sample(labels, groups=None):
    """The test items with these labels: booleans (n, k) or n numbers; ``groups`` names each item's unit, or is None.

    Raises ValueError for no items, for lengths that differ and for labels that are not finite.
    """
    labels = np.asarray(labels)
    if len(labels) == 0 or (groups is not None and len(groups) != len(labels)):
        raise ValueError(f"{len(labels)} labels and {'no' if groups is None else len(groups)} groups")
    if labels.ndim == 2:
        labels = labels.astype(bool)
        labels = labels[:, labels.any(axis=0)]
    else:
        labels = _finite(labels, "labels")
    units = np.arange(len(labels)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    order = np.argsort(units, kind="stable")
    return Sample(labels, order, np.flatnonzero(np.diff(units[order], prepend=-1)))


def bootstrap_counts(n_units, resamples, seed):
    """Yield blocks (rows, units) of counts: ``resamples`` times as many units as there are, drawn with replacement."""
    generator = np.random.default_rng(seed)
    rows = max(1, BLOCK_CELLS // n_units)
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        drawn = generator.integers(0, n_units, size=(size, n_units), dtype=np.int32)
        drawn += np.arange(size, dtype=np.int32)[:, None] * n_units
        yield np.bincount(drawn.ravel(), minlength=size * n_units).reshape(size, n_units).astype(np.float32)


def leave_one_out_counts(n_units):
    """Yield one block (units, units): each row leaves out one unit."""
    yield 1 - np.eye(n_units, dtype=np.float32)


def resampled_counts(n_units, resamples):
    """Yield the blocks of all resamples of a target's units: the same for all systems that are compared.

    Bootstrap draws; below ``FEW_CLUSTERS`` units each one is left out once instead (jackknife).
    """
    return leave_one_out_counts(n_units) if n_units < FEW_CLUSTERS else bootstrap_counts(n_units, resamples, seed=0)


def whole_counts(n_units):
    """Yield one block (1, units): every unit once."""
    yield np.ones((1, n_units), dtype=np.float32)


def score_systems(items, predictions, blocks):
    """Scores of all systems in all resamples.

    Args:
        items: the test items.
        predictions: one array per system, like the labels: booleans (n, k) for the classes *among the test labels*, or
            n numbers.
        blocks: iterable of counts (rows, units).

    Returns:
        ``Scores``. A Pearson r is 0 where labels or predictions of a resample are constant.
    """
    parts = list((_f1_blocks if items.counts_classes else _pearson_blocks)(items, predictions, blocks))
    values, occurs = zip(*parts, strict=True)
    return Scores(np.concatenate(values, axis=1), np.concatenate(occurs, axis=1) if items.counts_classes else None)


def paired_difference(scores, transfers, baselines, share=1.0, absent="drop"):
    """Mean score of some systems less ``share`` times that of others, in each resample: a vector.

    ``transfers`` and ``baselines`` list rows of ``scores``. For F1, a class that a resample holds neither in its labels
    nor in the predictions of any of these systems is left out of the means of both sides (``absent`` = drop), or counts
    as an F1 of 0 (zero). A class that only one side predicts counts for both, with an F1 of 0.
    """
    difference = scores.values[transfers].mean(axis=0) - share * scores.values[baselines].mean(axis=0)
    if scores.occurs is None:
        return difference
    return difference / _classes(scores, [*transfers, *baselines], absent)


def dropped_share(scores, systems):
    """Share of the resamples that lack a class in their labels and in the predictions of these systems; 0 for r."""
    if scores.occurs is None:
        return 0.0
    return float((_classes(scores, systems, "drop") < scores.occurs.shape[2]).mean())


def _classes(scores, systems, absent):
    """Number of classes that count in each resample."""
    if absent not in ABSENT_CLASSES:
        raise ValueError(f"absent classes: {absent!r} is none of {', '.join(ABSENT_CLASSES)}")
    if absent == "zero":
        return scores.occurs.shape[2]
    return np.maximum(scores.occurs[systems].any(axis=0).sum(axis=1), 1)


def _f1_blocks(items, predictions, blocks):
    """Yield (sums of F1, occurrence) of all systems, block by block."""
    # Sums are whole numbers below 2 ** 24, which 32-bit numbers hold exactly, in half of the time.
    labels = items.sums(items.labels.astype(np.float32))
    systems = []
    for predicted in predictions:
        if predicted.shape != items.labels.shape:
            raise ValueError(f"predictions {predicted.shape}, but labels {items.labels.shape}")
        predicted = predicted.astype(bool)
        hits = (predicted & items.labels).astype(np.float32)
        systems.append(np.hstack([items.sums(hits), items.sums(predicted.astype(np.float32))]))
    for counts in blocks:
        support, k = counts @ labels, labels.shape[1]
        values = np.empty((len(systems), len(counts)))
        occurs = np.empty((len(systems), len(counts), k), dtype=bool)
        for row, sums in enumerate(systems):
            drawn = counts @ sums
            total = support + drawn[:, k:]
            np.greater(total, 0, out=occurs[row])
            f1 = np.divide(drawn[:, :k], np.maximum(total, 1, out=total), dtype=np.float64)
            values[row] = 2 * f1.sum(axis=1)
        yield values, occurs


def _pearson_blocks(items, predictions, blocks):
    """Yield (r, None) of all systems, block by block."""
    x = _standard(items.labels, 0.0)
    answers = [_standard(_finite(values, "predictions", len(x)), np.ptp(items.labels)) for values in predictions]
    sizes, own = items.sums(np.ones((len(x), 1))), items.sums(np.column_stack([x, x * x]))
    none = np.empty((items.n_units, 0))  # no system at all has no scores, as for F1
    sums = np.hstack([none, *(items.sums(np.column_stack([y, y * y, x * y])) for y in answers)])
    for counts in blocks:
        counts = counts.astype(np.float64)
        number = counts @ sizes
        mean_x, mean_xx = (counts @ own / number).T
        mean_y, mean_yy, mean_xy = np.moveaxis((counts @ sums / number).reshape(len(counts), len(answers), 3), 2, 0)
        yield pearson_of_means(mean_x[:, None], mean_y, mean_xx[:, None], mean_yy, mean_xy).T, None


def _standard(values, size):
    """Values with mean 0 and standard deviation 1, which keeps sums of squares free of cancellation; else zeros.

    `size` is that of `is_constant`; with the labels' spread as that of predictions, no score depends on a unit.
    """
    if is_constant(values, size):
        return np.zeros(len(values))
    return (values - values.mean()) / values.std()


def _finite(values, name, length=None):
    """Values as a vector of finite 64-bit numbers, else ValueError."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or (length is not None and len(values) != length):
        raise ValueError(
            f"{name}: expected {'a vector' if length is None else length} of numbers, found {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: {int((~np.isfinite(values)).sum())} of {len(values)} values are not finite")
    return values
