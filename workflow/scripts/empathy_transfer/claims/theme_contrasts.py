"""How much more an outcome of transfers is for one theme of sources (or targets) than for another."""

import functools

import numpy

from empathy_transfer.claims.engine import ALPHA, DRAWS
from empathy_transfer.report.style import THEMES
from empathy_transfer.significance.theme_permutation import permutation_p, permuted_labels, stratum
from empathy_transfer.statistics.task_bootstrap import pair_weights


def contrast(pairs, values, tasks, role, theme, other, number):
    """Mean of a theme less that of another: number, interval, high end corrected for `number`, permutation p, excess.

    The excess is the number less the mean of the permutations, which is not 0 where themes differ in their kinds.
    """
    themes = pairs[f"{role}_theme"].to_numpy()
    one, two = (themes == theme).astype(float), (themes == other).astype(float)
    weights = _weights(tuple(pairs["source"]), tuple(pairs["target"]))
    drawn = _ratio(weights @ (values * one), weights @ one) - _ratio(weights @ (values * two), weights @ two)
    levels = [ALPHA / 2, 1 - ALPHA / 2, 1 - ALPHA / number / 2]
    low, high, corrected = (float(value) for value in numpy.nanquantile(drawn, levels))
    observed = float(values[one > 0].mean() - values[two > 0].mean())
    names = tuple(dict.fromkeys(pairs[role]))
    labels = tuple(THEMES.index(tasks[name]["theme"]) for name in names)
    strata = tuple(stratum(tasks[name], "kind") for name in names)
    moved, p, excess = _moved(tuple(pairs[role]), names, labels, strata), None, 0.0
    if moved is not None:
        means = [_ratio(moved[name] @ values, moved[name].sum(axis=1)) for name in (theme, other)]
        p, excess = permutation_p(observed, means[0] - means[1]), observed - float(numpy.nanmean(means[0] - means[1]))
    return {"number": observed, "low": low, "high": high, "corrected_high": corrected, "p": p, "excess": excess}


import pandas


@functools.lru_cache(maxsize=4)
def _weights(sources, targets):
    return pair_weights(
        pandas.DataFrame({"source": sources, "target": targets}), "tasks", DRAWS, numpy.random.default_rng(0)
    )


@functools.lru_cache(maxsize=8)
def _moved(ends, names, labels, strata):
    permuted = permuted_labels(labels, strata, DRAWS, numpy.random.default_rng(0))
    if permuted is None:
        return None
    moved = permuted[:, [names.index(n) for n in ends]]
    return {t: (moved == i).astype(float) for i, t in enumerate(THEMES)}


def _ratio(numerator, denominator):
    """Element by element; NaN where the denominator is 0."""
    return numpy.divide(
        numerator, denominator, out=numpy.full(numpy.shape(numerator), numpy.nan), where=denominator > 0
    )
