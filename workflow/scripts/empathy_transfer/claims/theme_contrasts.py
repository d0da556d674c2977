"""How much more an outcome of transfers is for one theme of sources (or targets) than for another."""

import functools

import numpy
import pandas

from empathy_transfer.claims.engine import ALPHA, DRAWS
from empathy_transfer.report.style import THEMES
from empathy_transfer.significance.theme_permutation import permutation_p, permuted_labels, stratum
from empathy_transfer.statistics.task_bootstrap import pair_weights


def contrast(pairs, values, tasks, role, theme, other, number):
    """Mean of a theme less that of another: number, interval, high end corrected for `number`, permutation p, excess.

    The excess is the number less the mean of the permutations, which is not 0 where themes differ in their kinds.

    Args:
        pairs: frame with source, target, and the theme of each. values: one number per pair.
        tasks: {task: its theme and kind}. role: `source` or `target`. theme, other: names of themes.
    """
    themes = pairs[f"{role}_theme"].to_numpy()
    one, two = (themes == theme).astype(float), (themes == other).astype(float)
    weights = _weights(tuple(pairs["source"]), tuple(pairs["target"]))
    sums = weights @ numpy.column_stack([values * one, one, values * two, two])
    drawn = _ratio(sums[:, 0], sums[:, 1]) - _ratio(sums[:, 2], sums[:, 3])
    levels = [ALPHA / 2, 1 - ALPHA / 2, 1 - ALPHA / number / 2]
    low, high, corrected = (float(value) for value in numpy.nanquantile(drawn, levels))
    observed = float(values[one > 0].mean() - values[two > 0].mean())
    names = tuple(dict.fromkeys(pairs[role]))
    labels = tuple(THEMES.index(tasks[name]["theme"]) for name in names)
    strata = tuple(stratum(tasks[name], "kind") for name in names)
    moved, p, excess = _moved(tuple(pairs[role]), names, labels, strata), None, 0.0
    if moved is not None:
        inside, numbers = moved
        means = [_ratio(inside[name] @ values, numbers[name]) for name in (theme, other)]
        p, excess = permutation_p(observed, means[0] - means[1]), observed - float(numpy.nanmean(means[0] - means[1]))
    return {"number": observed, "low": low, "high": high, "corrected_high": corrected, "p": p, "excess": excess}


# Several claims are about the same pairs, and simulated studies are all about the same ones.
@functools.lru_cache(maxsize=4)
def _weights(sources, targets):
    """How often each pair counts in each draw of tasks (draws x pairs), see `pair_weights`."""
    pairs = pandas.DataFrame({"source": sources, "target": targets})
    return pair_weights(pairs, "tasks", DRAWS, numpy.random.default_rng(0))


@functools.lru_cache(maxsize=4)
def _moved(ends, names, labels, strata):
    """Which pairs are of a theme in each arrangement of the labels of tasks, and how many.

    Args:
        ends: the task of each pair that has the role. names: these tasks. labels, strata: one for each of them.

    Returns:
        tuple: {theme: arrangements x pairs} and {theme: arrangements}; None if there is one arrangement only.
    """
    permuted = permuted_labels(labels, strata, DRAWS, numpy.random.default_rng(0))
    if permuted is None:
        return None
    placed = permuted[:, [names.index(name) for name in ends]]
    inside = {theme: (placed == place).astype(float) for place, theme in enumerate(THEMES)}
    return inside, {theme: pairs.sum(axis=1) for theme, pairs in inside.items()}


def _ratio(numerator, denominator):
    """Element by element; NaN where the denominator is 0."""
    return numpy.divide(
        numerator, denominator, out=numpy.full(numpy.shape(numerator), numpy.nan), where=denominator > 0
    )
