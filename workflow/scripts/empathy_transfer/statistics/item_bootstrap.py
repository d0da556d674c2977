"""The bootstrap of one system's score over the choice of test items: numpy only."""

import numpy as np

# Resampled counts held in memory at once: 4 million 64-bit integers are 32 MB.
BLOCK_CELLS = 4_000_000


def standard_error(metric, labels, predictions, seed, resamples=1000):
    """Standard error of a metric over the choice of test items: the standard deviation over resamples of the items.

    Args:
        metric: a module of `metrics`; without `resampled` in it, each resample is scored by its `value`.
        labels, predictions: as that takes them. seed: anything ``numpy.random.default_rng`` takes.
        resamples: how often as many items as there are are drawn with replacement; at least 2.

    Raises:
        ValueError: fewer than 2 resamples.
    """
    if resamples < 2:
        raise ValueError("the bootstrap needs at least 2 resamples")
    resampled = getattr(metric, "resampled", None) or one_by_one(metric.value)
    return float(np.std(resampled(labels, predictions, seed, resamples), ddof=1))


def one_by_one(value):
    """A function that scores resamples of items one after another, for a metric that knows no faster way."""

    def resampled(labels, predictions, seed, resamples):
        """Scores of resamples (resamples)."""
        generator = np.random.default_rng(seed)
        drawn = (generator.integers(0, len(labels), size=len(labels)) for _ in range(resamples))
        return np.array([value(labels[rows], predictions[rows]) for rows in drawn])

    return resampled


def multinomial_blocks(counts, seed, resamples):
    """Yield float arrays (rows, cells) of multinomial draws with the shares of ``counts``, in blocks of rows."""
    generator = np.random.default_rng(seed)
    total = int(counts.sum())
    rows = max(1, BLOCK_CELLS // len(counts))
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        yield generator.multinomial(total, counts / total, size=size).astype(float)
