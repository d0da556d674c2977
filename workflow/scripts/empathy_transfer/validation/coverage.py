"""Do the 95 % intervals of single cells hold the true difference in 95 % of simulated targets?

A simulated target has test items of unequal difficulty, which all systems share, a baseline and some transfers that are
truly better or worse, and seeds that come out better or worse by chance. The true score of a run is that over all items
there could be; the truth of a cell is the difference of the expected scores over all seeds there could be. With one
seed an interval covers the choice of items only, so there the truth is that of the two runs themselves.
"""

import functools
from typing import NamedTuple

import numpy
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import ndtr, ndtri

from empathy_transfer.significance.paired_tests import between_seeds, primary_test, system_score
from empathy_transfer.statistics.resampling import (
    make_sample,
    resampled_counts,
    score_systems,
    whole_counts,
)
from empathy_transfer.validation.bars import COVERAGE, each

SETTINGS = {"alpha": 0.05, "margins": [], "absent_classes": "drop"}
NODES, WEIGHTS = hermegauss(40)
RESAMPLES = 500
LEAST_ITEMS, LEAST_EXPECTED = 300, 5
EVEN, SKEWED = (1 / 3, 1 / 3, 1 / 3), (0.75, 0.2, 0.05)
NINE = (0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.04, 0.02)
KINDS = {"r": (), "F1, 3 even classes": EVEN, "F1, 3 skewed classes": SKEWED, "F1, 9 classes": NINE}
# Beside 300 items one by one: class shares, items, and how many are in a group.
OTHERS = (((), 60, 1), (SKEWED, 60, 1), (EVEN, 120, 1), ((), 300, 3), (SKEWED, 300, 10))


class Target(NamedTuple):
    """A kind of target.

    `shares` are the true class shares, empty for a regression; `items` the number of test items, in groups of
    `group_size`; `level` the accuracy of the baseline (or its r), `seed_spread` the standard deviation between seeds
    and `system_spread` that between true systems, both on the probit (or Fisher's z) scale; `shared` the share of an
    item's variance that all runs have in common. The baseline differs between seeds `baseline_spread` times as much as
    transfers do; `seed_correlation` is that of runs of one seed. Transfers are better by `gain`, on the same scale.
    """

    shares: tuple
    items: int
    seeds: int
    group_size: int = 1
    transfers: int = 3
    level: float = 0.7
    seed_spread: float = 0.08
    system_spread: float = 0.1
    shared: float = 0.6
    baseline_spread: float = 1.0
    seed_correlation: float = 0.0
    gain: float = 0.0


def coverage_conditions():
    """Yield (condition, simulations, what they need) of this part, see `parts.Part`."""
    for seeds in (1, 3, 5):
        for shares in KINDS.values():
            yield _condition(Target(shares, 300, seeds, level=0.7 if shares else 0.6), 2000)
    for shares, items, group_size in OTHERS:
        yield _condition(Target(shares, items, 3, group_size, level=0.7 if shares else 0.6), 1000)


def _condition(target, simulations):
    """A target as a condition of this part."""
    kind = next(name for name, shares in KINDS.items() if shares == target.shares)
    groups = "" if target.group_size == 1 else f" in groups of {target.group_size}"
    seeds = f"{target.seeds} seed{'s' if target.seeds > 1 else ''}"
    about = {"run": each(_covered), "condition": target, "bars": coverage_bars(target)}
    return f"{kind}, {target.items} items{groups}, {seeds}", simulations, about


def _covered(target, generator):
    """`covered` of one target, with the resamples of this part."""
    return {"coverage": covered(target, RESAMPLES, generator)}


def coverage_bars(target):
    """93.5 to 96.5 % with at least 300 test items, one by one, of which each class is expected to have five or more."""
    enough = target.items >= LEAST_ITEMS and expected_least(target) >= LEAST_EXPECTED
    return {"coverage": COVERAGE} if target.group_size == 1 and enough else {}


def expected_least(target):
    """How many test items the rarest class is expected to have; all items for a regression."""
    return target.items * min(target.shares, default=1.0)


def true_macro_f1(accuracy, shares):
    """Macro F1 over all items there could be, when wrong answers are spread evenly over the other classes.

    Args:
        accuracy: array, the share of right answers in every class. shares: of the classes.
    """
    accuracy, shares = numpy.asarray(accuracy)[..., None], numpy.asarray(shares)
    answered = shares * accuracy + (1 - shares) * (1 - accuracy) / (len(shares) - 1)
    return (2 * shares * accuracy / (shares + answered)).mean(axis=-1)


def true_score(target, strength):
    """True score of runs whose strength is given on the probit (or Fisher's z) scale."""
    return true_macro_f1(ndtr(strength), target.shares) if target.shares else numpy.tanh(strength)


def expected_score(target, strength, spread=1.0):
    """The true score of a system, over all seeds there could be, of which it differs ``spread`` x `seed_spread`."""
    strengths = numpy.asarray(strength)[..., None] + target.seed_spread * numpy.asarray(spread)[..., None] * NODES
    return true_score(target, strengths) @ WEIGHTS / WEIGHTS.sum()


def simulate_target(target, generator):
    """Labels, answers and truth of one target.

    Returns:
        tuple: labels (numbers, of classes or of a regression), answers {(system, seed): like the labels}, and the true
        differences of the transfers (systems 1, 2, ...) from the baseline (system 0).
    """
    strengths, runs, spread = _draw_strengths(target, generator)
    groups = numpy.repeat(generator.standard_normal(-(-target.items // target.group_size)), target.group_size)
    single = generator.standard_normal(target.items)
    # Items of a group are alike by half of what they share.
    common = single if target.group_size == 1 else numpy.sqrt(0.5) * (groups[: target.items] + single)
    if target.shares:
        labels = generator.choice(len(target.shares), size=target.items, p=target.shares)
    else:
        labels = generator.standard_normal(target.items)
    own = generator.standard_normal((*runs.shape, target.items))
    noise = numpy.sqrt(target.shared) * common + numpy.sqrt(1 - target.shared) * own
    given = _answers(target, labels, runs[:, :, None], noise, generator)
    answers = {place: given[place] for place in numpy.ndindex(*runs.shape)}
    truth = true_score(target, runs[:, 0]) if target.seeds == 1 else expected_score(target, strengths, spread)
    return labels, answers, truth[1:] - truth[0]


def _draw_strengths(target, generator):
    """True strengths of the systems, those of their runs (systems x seeds), and how far apart seeds are, per system."""
    number = target.transfers + 1
    transfers = numpy.arange(number) > 0
    level = numpy.arctanh(target.level) if not target.shares else ndtri(target.level)
    strengths = level + target.gain * transfers
    strengths = strengths + target.system_spread * generator.standard_normal(number) * transfers
    spread = numpy.where(transfers, 1.0, target.baseline_spread)
    luck = numpy.sqrt(1 - target.seed_correlation) * generator.standard_normal((number, target.seeds))
    if target.seed_correlation:
        luck += numpy.sqrt(target.seed_correlation) * generator.standard_normal(target.seeds)
    return strengths, strengths[:, None] + target.seed_spread * spread[:, None] * luck, spread


def cell_intervals(target, resamples, generator):
    """The interval of each transfer and the truth, in one simulated target: an array (transfers, low high truth).

    The intervals are those of the primary test; NaN stands for a cell without one.
    """
    labels, answers, truth = simulate_target(target, generator)
    groups = numpy.arange(target.items) // target.group_size
    known = numpy.unique(labels) if target.shares else None
    encoded = {key: _encoded(values, known) for key, values in answers.items()}
    sample = make_sample(_encoded(labels, known), groups)
    counts = _resamples(sample.n_units, resamples)
    keys = list(encoded)
    predictions = [encoded[key] for key in keys]
    whole, scores = (score_systems(sample, predictions, blocks) for blocks in (whole_counts(sample.n_units), counts))
    placed = {(system, "full", seed): row for row, (system, seed) in enumerate(keys)}
    values = {key: system_score(whole, row) for key, row in placed.items()}
    runs = [[key for key in placed if key[0] == system] for system in range(target.transfers + 1)]
    sides = [(transfer, runs[0]) for transfer in runs[1:]]
    units, absent = sample.n_units, SETTINGS["absent_classes"]
    between = between_seeds(values, scores, placed, sides, units, absent)
    found = []
    for pair, true in zip(sides, truth, strict=True):
        rows = [[placed[key] for key in side] for side in pair]
        cell, _ = primary_test(whole, scores, rows, between, units, SETTINGS, half=False)
        ends = [numpy.nan if cell.get(end) is None else cell[end] for end in ("low", "high")]
        found.append([*ends, true])
    return numpy.array(found, dtype=float)


def covered(target, resamples, generator):
    """Share of the transfers of one simulated target whose interval holds the truth; cells without one don't count."""
    low, high, truth = cell_intervals(target, resamples, generator).T
    known = ~numpy.isnan(low)
    return float(numpy.mean((low <= truth)[known] & (truth <= high)[known])) if known.any() else numpy.nan


@functools.cache
def _resamples(n_units, resamples):
    """The resamples of so many units: all targets are tested with the same ones."""
    return list(resampled_counts(n_units, resamples))


def _answers(target, labels, strength, noise, generator):
    """The answers of runs: right ones, or others drawn evenly; for a regression, numbers with r = tanh(strength)."""
    if not target.shares:
        r = numpy.tanh(strength)
        return r * labels + numpy.sqrt(1 - r**2) * noise
    others = generator.integers(1, len(target.shares), size=noise.shape)
    return numpy.where(noise < strength, labels, (labels + others) % len(target.shares))


def _encoded(values, classes):
    """Numbers as they are, or classes as booleans (items, classes among the test labels)."""
    return values if classes is None else values[:, None] == classes
