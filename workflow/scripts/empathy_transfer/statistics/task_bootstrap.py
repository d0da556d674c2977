"""Intervals for numbers over pairs of tasks, by drawing tasks or datasets with replacement, never pairs.

A pair counts as often as its source was drawn times as often as its target was: each task is drawn once for both of
its roles. Pairs that share a task are dependent, and drawing pairs one by one would pretend that they are not.
"""

import numpy

LEVELS = ("tasks", "datasets")
MINIMUM_UNITS = 3


def pair_weights(pairs, level, draws, generator):
    """How often each pair counts in each draw.

    Args:
        pairs: frame with source, target, source_dataset, target_dataset.
        level: `tasks`, or `datasets`, which are drawn with all their tasks.
        draws: number of draws.
        generator: NumPy random generator.

    Returns:
        Array draws x pairs, or None where there are fewer than three tasks or datasets to draw from.
    """
    ends = ("source", "target") if level == "tasks" else ("source_dataset", "target_dataset")
    units = sorted(set(pairs[ends[0]]) | set(pairs[ends[1]]))
    if len(units) < MINIMUM_UNITS:
        return None
    counts = generator.multinomial(len(units), [1 / len(units)] * len(units), size=draws)
    first, second = (numpy.array([units.index(value) for value in pairs[end]]) for end in ends)
    return (counts[:, first] * counts[:, second]).astype(float)


def ratio_interval(weights, numerator, denominator, level=0.95):
    """Percentile interval of sum(weight * numerator) / sum(weight * denominator) over the draws.

    Args:
        weights: as from `pair_weights`.
        numerator: one number per pair.
        denominator: one number per pair, not negative.
        level: coverage aimed at.

    Returns:
        (low, high); NaN both if there are no weights, or if more than half of the draws have the denominator 0.
    """
    if weights is None:
        return float("nan"), float("nan")
    totals = weights @ denominator
    usable = totals > 0
    if usable.mean() <= 0.5:
        return float("nan"), float("nan")
    ratios = (weights @ numerator)[usable] / totals[usable]
    low, high = numpy.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
