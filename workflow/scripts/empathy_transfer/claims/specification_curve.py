"""Specification curves: the effect that a claim is about under every defensible choice, and one test of them all.

After Simonsohn, Simmons and Nelson (2020). Each specification gives an effect and says whether it differs from 0. As
specifications share their data, they are tested together: the data are permuted as if the claim were about nothing, all
specifications are computed again, and the median effect and the share of significant ones are compared with what
permutations give. An effect is compared across scales in units of the standard deviation of the outcome over pairs.

What is permuted depends on the claim. Of differences between themes (`themes`): the themes of tasks, within kinds of
task, and between datasets of equally many tasks; the larger p counts. Of means (`signs`): the signs of what sources
add, of what targets add, and of the rest, dataset by dataset. Of features (`features`): what a feature has beside the
others, over tasks, and between datasets of equally many tasks; the larger p counts.

Standard errors allow for pairs that share a task in either role, or a dataset (Fafchamps and Gubert 2007; Aronow, Samii
and Assenova 2015), with as many degrees of freedom as there are tasks (datasets), less one.
"""

import itertools
from typing import NamedTuple

import numpy
from scipy import stats

from empathy_transfer.importance.quadratic_assignment import orders_within_datasets, residuals
from empathy_transfer.report.style import THEMES
from empathy_transfer.significance.theme_permutation import permuted_labels, stratum

SCHEMES = ("tasks", "datasets")
PERMUTATIONS, ALPHA = 500, 0.05
LEAST_UNITS = 3
ENDS = ("source", "target")
NOTHING = 1e-9


class Curve(NamedTuple):
    """Effects of a specification, the true arrangement first: arrays (1 + permutations,).

    `effect` is in the outcome's unit, `standardised` in standard deviations of it; `low` and `high` are ends of the
    interval of the true one (None of features); `side` is 1 or -1 where an effect differs from 0, else 0.
    """

    effect: numpy.ndarray
    standardised: numpy.ndarray
    low: float | None
    high: float | None
    side: numpy.ndarray


def theme_arrangements(tasks):
    """Themes of tasks by number (1 + permutations x tasks), and the nulls as lists of positions, see `joint_test`.

    Moved within kinds of task, and between datasets of equally many tasks. (None, {}) if they can't be moved.
    """
    labels = numpy.array([THEMES.index(about["theme"]) for about in tasks.values()])
    strata, found = [stratum(about, "kind") for about in tasks.values()], {}
    within = permuted_labels(labels, strata, PERMUTATIONS, numpy.random.default_rng(0))
    if within is not None:
        true = numpy.flatnonzero((within == labels).all(axis=1))[0]
        found["kinds"] = numpy.delete(within, true, axis=0)
    orders = _orders_of_datasets([about["dataset"] for about in tasks.values()])
    if orders is not None:
        found["datasets"] = labels[orders]
    return _stacked(labels, found) if found else (None, {})


def sign_arrangements(tasks):
    """Signs of what tasks add as sources and targets, alike in a dataset: 1 + permutations x roles x tasks."""
    datasets = [about["dataset"] for about in tasks.values()]
    names = list(dict.fromkeys(datasets))
    if 2 ** (2 * len(names)) <= PERMUTATIONS:
        signs = numpy.array(list(itertools.product((1.0, -1.0), repeat=2 * len(names))))
    else:
        signs = numpy.random.default_rng(0).choice([1.0, -1.0], (1 + PERMUTATIONS, 2 * len(names)))
        signs[0] = 1.0
    return signs.reshape(len(signs), 2, len(names))[:, :, [names.index(name) for name in datasets]]


def task_arrangements(datasets):
    """Orders of tasks (1 + permutations x tasks), and the nulls: over all `tasks`, and between `datasets`.

    ``datasets`` is the dataset of each task; those of equally many tasks are exchanged, and tasks within them. Where
    only one such order exists there is no such null.
    """
    generator, number = numpy.random.default_rng(0), len(datasets)
    found = {"tasks": numpy.stack([generator.permutation(number) for _ in range(PERMUTATIONS)])}
    orders = _orders_of_datasets(datasets)
    return _stacked(numpy.arange(number), found if orders is None else found | {"datasets": orders})


def _orders_of_datasets(datasets):
    """Orders of tasks that keep datasets together (permutations x tasks), or None."""
    return orders_within_datasets(datasets, PERMUTATIONS, numpy.random.default_rng(0))


def _stacked(true, permuted):
    """The true arrangement and all others, and {name of a null: its positions, the true one first}."""
    ends = numpy.cumsum([1, *map(len, permuted.values())])
    nulls = {name: [0, *range(*ends[place : place + 2])] for place, name in enumerate(permuted)}
    return numpy.vstack([true, *permuted.values()]), nulls


def theme_curve(pairs, tasks, role, differences, sign, scheme, arrangements):
    """The `Curve` of the smallest of some differences between themes, turned so that positive supports.

    Args:
        pairs: frame with source, target, value. tasks: {task: its theme, kind and dataset}. role: whose themes.
        differences: pairs of themes. sign: 1 or -1. scheme: of `SCHEMES`. arrangements: see `theme_arrangements`.

    Returns None where there are too few tasks (datasets). The smallest difference is above 0 if each interval is, and
    below if that of one is, corrected for their number.
    """
    shared = _shared(pairs, tasks, scheme)
    if shared is None:
        return None
    placed = arrangements[:, [list(tasks).index(name) for name in pairs[role]]]
    values = sign * pairs["value"].to_numpy(float)
    found = [_difference(values, placed, *themes, *shared) for themes in differences]
    effects, errors = (numpy.stack(part) for part in zip(*found, strict=True))
    half, corrected = (stats.t.isf(ALPHA / 2 / number, shared[1] - 1) * errors for number in (1, len(differences)))
    least = numpy.argmin(numpy.where(numpy.isnan(effects), numpy.inf, effects), axis=0)
    above, below = (effects - half > 0).all(axis=0), (effects + corrected < 0).any(axis=0)
    effect, half = (numpy.take_along_axis(part, least[None], axis=0)[0] for part in (effects, half))
    return _curve(effect, values, half[0], above.astype(int) - below.astype(int))


def mean_curve(pairs, tasks, sign, scheme, arrangements):
    """The `Curve` of the mean over pairs; arguments as for `theme_curve`, arrangements of `sign_arrangements`."""
    shared = _shared(pairs, tasks, scheme)
    if shared is None:
        return None
    values = sign * pairs["value"].to_numpy(float)
    places = [[list(tasks).index(name) for name in pairs[end]] for end in ENDS]
    turned = (numpy.stack(_roles(values, *places)) * _signs(arrangements, *places)).sum(axis=1)
    effect = turned.mean(axis=1)
    half = stats.t.isf(ALPHA / 2, shared[1] - 1) * _errors((turned - effect[:, None]) / len(values), *shared)
    side = (effect - half > 0).astype(int) - (effect + half < 0).astype(int)
    return _curve(effect, values, half[0], side)


def feature_curve(pairs, grid, feature, beside, arrangements, null):
    """The `Curve` of the slope of a feature beside targets, the datasets of sources, and other features.

    Args:
        pairs: frame with source, target, value. grid: frame of all ordered pairs of some tasks, with source_dataset
            and the features. feature, beside: names of the feature and of others. arrangements: see
            `task_arrangements`; over the tasks in the order of the grid's sources. null: positions of those by which
            a slope is judged.

    What the others leave of the feature is moved over tasks, in both roles at once. There are no intervals: a slope
    differs from 0 if at most 5 % of the arrangements of the null have a t as far from 0. The standardised effect is the
    partial correlation. None where nothing of the feature or of the outcome is left.
    """
    values = grid[["source", "target"]].merge(pairs, on=["source", "target"], how="left")["value"].to_numpy(float)
    known = ~numpy.isnan(values)
    tasks = list(dict.fromkeys(grid["source"]))
    source, target = (grid[end].map(tasks.index).to_numpy() for end in ENDS)
    datasets = grid["source_dataset"].to_numpy()
    fixed = [numpy.eye(len(tasks))[target], (datasets[:, None] == list(dict.fromkeys(datasets))).astype(float)]
    others = numpy.column_stack([numpy.ones(len(grid)), *fixed, grid[beside].to_numpy(float)])
    place = numpy.zeros((len(tasks), len(tasks)), dtype=int)
    place[source, target] = numpy.arange(len(grid))
    own = residuals(grid[[feature]].to_numpy(float), others)[:, 0]
    moved = own[place[arrangements[:, source], arrangements[:, target]]].T
    if known.sum() <= others.shape[1]:
        return None
    columns = residuals(moved[known], others[known])
    outcome = residuals(values[known, None], others[known])[:, 0]
    squares, size = (columns**2).sum(axis=0), (outcome**2).sum()
    if size < NOTHING or squares[0] < NOTHING:
        return None
    slopes = numpy.divide(outcome @ columns, squares, out=numpy.zeros(len(squares)), where=squares > NOTHING)
    # The t statistic grows with the size of the partial correlation, so that this ranks arrangements as t does.
    correlation = slopes * numpy.sqrt(squares / size)
    limit = numpy.quantile(numpy.abs(correlation[null]), 1 - ALPHA)
    return Curve(slopes, correlation, None, None, numpy.sign(correlation) * (numpy.abs(correlation) >= limit))


def joint_test(curves, nulls=None):
    """Test the specifications of a claim together: {specifications, median, share_above, ..., arrangements}.

    `median` is that of the standardised effects; `p_median` the share of all arrangements, the true one among them,
    that have a median at least as far from the mean of all medians. `p_share` likewise: that have a share of effects on
    one side of 0 at least as large. ``nulls`` are {name: positions of arrangements, the true one (0) among them} where
    there are several ways to permute; the larger p counts.
    """
    standardised = numpy.stack([curve.standardised for curve in curves])
    sides = numpy.stack([curve.side for curve in curves])
    medians = numpy.nanmedian(standardised, axis=0)
    shares = numpy.maximum((sides > 0).mean(axis=0), (sides < 0).mean(axis=0))
    p = {"p_median": 0.0, "p_share": 0.0}
    for null in (nulls or {"": range(len(medians))}).values():
        far = numpy.abs(medians[null] - medians[null].mean())
        found = {"p_median": far >= far[0] - NOTHING, "p_share": shares[null] >= shares[0] - NOTHING}
        p = {name: max(p[name], float(as_far.mean())) for name, as_far in found.items()}
    return {
        "specifications": len(curves),
        "median": float(medians[0]),
        "share_above": float((sides[:, 0] > 0).mean()),
        "share_below": float((sides[:, 0] < 0).mean()),
        **p,
        "arrangements": len(medians),
    }


def _difference(values, placed, theme, other, shared, units):
    """Differences of two themes' means and their standard errors, one for each arrangement (arrangements x pairs)."""
    influence, effect = numpy.zeros(placed.shape), numpy.zeros(len(placed))
    for name, sign in ((theme, 1), (other, -1)):
        inside = (placed == THEMES.index(name)).astype(float)
        number = inside.sum(axis=1)
        mean = numpy.divide(inside @ values, number, out=numpy.full(len(number), numpy.nan), where=number > 0)
        effect += sign * mean
        influence += sign * inside * (values - mean[:, None]) / numpy.maximum(number, 1)[:, None]
    return effect, _errors(influence, shared, units)


def _roles(values, source, target):
    """What pairs have from their sources, from their targets, and beside both: three arrays (pairs,) that add up.

    By least squares, with the mean shared by both roles.
    """
    columns = [numpy.eye(max(*source, *target) + 1)[places] for places in (source, target)]
    both = numpy.hstack(columns)
    found = numpy.linalg.lstsq(both, values, rcond=None)[0]
    parts = [column @ part for column, part in zip(columns, numpy.split(found, 2), strict=True)]
    shift = (parts[0].mean() - parts[1].mean()) / 2
    parts = [parts[0] - shift, parts[1] + shift]
    return [*parts, values - sum(parts)]


def _signs(arrangements, source, target):
    """The signs of what `_roles` gives (arrangements x 3 x pairs)."""
    of_source, of_target = arrangements[:, 0][:, source], arrangements[:, 1][:, target]
    return numpy.stack([of_source, of_target, of_source * of_target], axis=1)


def _errors(influence, shared, units):
    """Standard errors from what each pair adds to a mean (arrangements x pairs); no less than of independent pairs."""
    alone = (influence**2).sum(axis=1)
    return numpy.sqrt(numpy.maximum(((influence @ shared) * influence).sum(axis=1), alone) * units / (units - 1))


def _shared(pairs, tasks, scheme):
    """(Which pairs share a task (or dataset) in any role: pairs x pairs; number of these), or None if too few."""
    ends = [pairs[end] if scheme == "tasks" else pairs[end].map(lambda name: tasks[name]["dataset"]) for end in ENDS]
    names = sorted(set(ends[0]) | set(ends[1]))
    if len(names) < LEAST_UNITS:
        return None
    touched = sum(numpy.eye(len(names))[[names.index(name) for name in end]] for end in ends)
    return (touched @ touched.T > 0).astype(float), len(names)


def _curve(effect, values, half_width, side):
    """The `Curve` of effects, of which the true one has an interval of this half width."""
    spread = values.std()
    standardised = effect / spread if spread > NOTHING else numpy.zeros(len(effect))
    return Curve(effect, standardised, float(effect[0] - half_width), float(effect[0] + half_width), side)
