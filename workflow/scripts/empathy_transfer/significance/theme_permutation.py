"""Do themes differ by more than any other grouping of the same tasks would? Theme labels are permuted over tasks.

Pairs share sources and targets, so the labels of whole tasks are permuted, in both roles at once, and never those of
pairs. They are permuted within strata, since themes are not spread evenly over what else tells tasks apart:

`kind`: among classification tasks, and among regressions, whose scores and test sets differ. The main test.
`dataset`: among the tasks of a dataset only. It can't mistake a dataset for a theme, but few arrangements are left: 36
for the study's 18 tasks.
"""

import itertools
import math

import numpy

from empathy_transfer.kinds import kind_of
from empathy_transfer.report.style import THEMES

STRATA = ("kind", "dataset")


def stratum(task, strata):
    """The stratum of a task, given its kind and dataset."""
    if strata == "dataset":
        return task["dataset"]
    return kind_of(task).MATRIX


def permuted_labels(labels, strata, draws, generator):
    """Arrangements of the labels within strata: all that there are, or the true one and `draws` random ones.

    Args:
        labels: one whole number per task. strata: the stratum of each task. draws: number of random arrangements; if
            there are no more different ones than that, all of them are listed.
        generator: NumPy random generator.

    Returns:
        Array arrangements x tasks, or None if there is one arrangement only.
    """
    labels, strata = numpy.asarray(labels), numpy.asarray(strata)
    number = arrangements(labels, strata)
    groups = [numpy.flatnonzero(strata == name) for name in dict.fromkeys(strata.tolist())]
    if number == 1:
        return None
    if number <= draws:
        inside = [list(_distinct(labels[members].tolist())) for members in groups]
        permuted = numpy.empty((number, len(labels)), dtype=int)
        for row, chosen in enumerate(itertools.product(*inside)):
            for members, values in zip(groups, chosen, strict=True):
                permuted[row, members] = values
        return permuted
    permuted = numpy.tile(labels, (draws + 1, 1))
    for members in groups:
        permuted[1:, members] = generator.permuted(permuted[1:, members], axis=1)
    return permuted


def arrangements(labels, strata):
    """In how many different ways the labels can be arranged within strata."""
    number = 1
    for name in set(numpy.asarray(strata).tolist()):
        inside = [label for label, place in zip(labels, strata, strict=True) if place == name]
        number *= math.factorial(len(inside)) // math.prod(math.factorial(inside.count(one)) for one in set(inside))
    return number


def theme_rates(hits, source, target, labels):
    """Rate of hits between themes, for each arrangement of labels.

    Args:
        hits: one number per pair. source, target: position of each pair's tasks. labels: draws x tasks, 0 to 2.

    Returns:
        Array draws x themes of the source x themes of the target; NaN where there is no pair.
    """
    size = len(THEMES)
    cells = labels[:, source] * size + labels[:, target] + size * size * numpy.arange(len(labels))[:, None]
    length = size * size * len(labels)
    number = numpy.bincount(cells.ravel(), minlength=length)
    total = numpy.bincount(cells.ravel(), weights=numpy.tile(numpy.asarray(hits, float), len(labels)), minlength=length)
    rates = numpy.divide(total, number, out=numpy.full(length, numpy.nan), where=number > 0)
    return rates.reshape(-1, size, size)


def permutation_p(observed, permuted):
    """Two-sided p: the share of arrangements whose statistic lies as far from the mean of all as the observed one.

    The observed arrangement is among them, see `permuted_labels`. None where its statistic is undefined (NaN);
    arrangements where it is undefined don't count.
    """
    known = permuted[~numpy.isnan(permuted)]
    if numpy.isnan(observed) or len(known) == 0:
        return None
    middle = known.mean()
    return float((numpy.abs(known - middle) >= abs(observed - middle) - 1e-9).mean())


def theme_p_values(hits, pairs, tasks, draws, seed=0):
    """p of each rate between themes, by strata: {strata: array of source themes x target themes}, None for undefined.

    Args:
        hits: one number per pair. pairs: frame with source and target, the same length.
        tasks: {task: its theme, kind and dataset}. draws, seed: of random arrangements.
    """
    names = [task for task in tasks if task in set(pairs["source"]) | set(pairs["target"])]
    places = {name: place for place, name in enumerate(names)}
    source, target = (pairs[role].map(places).to_numpy(dtype=int) for role in ("source", "target"))
    labels = numpy.array([THEMES.index(tasks[name]["theme"]) for name in names], dtype=int)
    found = {}
    for strata in STRATA:
        groups = [stratum(tasks[name], strata) for name in names]
        permuted = permuted_labels(labels, groups, draws, numpy.random.default_rng(seed)) if names else None
        if permuted is None:
            found[strata] = numpy.full((len(THEMES), len(THEMES)), None)
            continue
        observed = theme_rates(hits, source, target, labels[None])[0]
        rates = theme_rates(hits, source, target, permuted)
        found[strata] = numpy.array(
            [
                [permutation_p(observed[one, other], rates[:, one, other]) for other in range(len(THEMES))]
                for one in range(len(THEMES))
            ],
            dtype=object,
        )
    return found


def _distinct(values):
    """Yield each different order of the values once."""
    if not values:
        yield ()
    for first in sorted(set(values)):
        rest = list(values)
        rest.remove(first)
        for others in _distinct(rest):
            yield (first, *others)
