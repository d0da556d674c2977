"""False positives and power of single cells of a target whose runs share their luck.

Seeds of the baseline lie farther apart than those of transfers, and runs of a seed correlate. The test is the primary
one. Its variances over items are those of the scores' influence functions (each item's share in a score's error)
instead of a bootstrap, which they come close to, so that thousands of targets take a minute. The score is Pearson's r.
"""

import itertools

import numpy
from scipy import special

from empathy_transfer.statistics.seed_variance import PairedVariance, SeedVariance, on_fishers_z
from empathy_transfer.statistics.t_tests import degrees_of_freedom, variance_of
from empathy_transfer.validation.coverage import Target, simulate_target

ALPHA = 0.05
LEVEL = (0.035, 0.065)
# A transfer that is better by this much on Fisher's z scale, and in r where the baseline has .6.
GAIN, GAIN_IN_R = 0.1, 0.060
FALSE_POSITIVES, POWER = "false positives", f"power at r {GAIN_IN_R:+.3f}"
SIMULATIONS, FOR_POWER = 4000, 600


def cell_targets():
    """{condition in words: `coverage.Target`} of all that is simulated."""
    found = {}
    for seeds, spread, correlation in itertools.product((3, 5), (1.0, 1.5, 2.0, 3.0), (0.0, 0.4, 0.8)):
        target = Target((), 300, seeds, transfers=8, level=0.6, system_spread=0.0, baseline_spread=spread)
        words = f"seeds of the baseline {spread:g} times as far apart, runs of a seed correlate {correlation:g}"
        found[f"{words}, 300 items, {seeds} seeds"] = target._replace(seed_correlation=correlation)
    return found


def cell_conditions():
    """Yield (condition, simulations, what they need) of this part, see `parts.Part`."""
    for words, target in cell_targets().items():
        yield words, SIMULATIONS, {"run": _rates, "condition": target, "bars": {FALSE_POSITIVES: LEVEL}}


def cell_rates(target, numbers, generators):
    """{statistic: one number per generator}: the share of a target's transfers that are found different, or better.

    Without gain a found difference is a false positive. Power is worked out for the first simulations only.
    """
    wrong, right = [], []
    better = target._replace(gain=GAIN)
    for number, generator in zip(numbers, generators, strict=True):
        t, critical = compare_cells(target, generator)
        wrong.append((numpy.abs(t) > critical).mean())
        if number < FOR_POWER:
            t, critical = compare_cells(better, generator, of_truth=False)
            right.append((t > critical).mean())
        else:
            right.append(numpy.nan)
    return {FALSE_POSITIVES: numpy.array(wrong), POWER: numpy.array(right)}


def compare_cells(target, generator, of_truth=True):
    """t and critical t of each transfer of one simulated target; of the difference less its truth, or of all of it."""
    labels, answers, truth = simulate_target(target, generator)
    given = numpy.stack(list(answers.values())).reshape(target.transfers + 1, target.seeds, -1)
    scores, influences = score_and_influence(labels, given)
    differences = (scores[1:] - scores[0]).mean(axis=1)
    items = (((influences[1:] - influences[0]).mean(axis=1) / target.items) ** 2).sum(axis=-1)
    z, moves = (values.reshape(scores.shape) for values in on_fishers_z(scores.ravel()))
    plain = _between(scores, influences)
    between = _between(z, influences * moves[..., None]).at_least(plain)
    tests = [[(item, target.items - 1), *between.parts(target.seeds)] for item in items]
    se = numpy.sqrt([variance_of(parts) for parts in tests])
    critical = special.stdtrit([degrees_of_freedom(parts) for parts in tests], 1 - ALPHA / 2)
    return (differences - (truth if of_truth else 0)) / se, critical


def score_and_influence(labels, answers):
    """Pearson r of answers (..., items) with labels (items), and each item's influence on it (..., items)."""
    x, y = (values - values.mean(axis=-1, keepdims=True) for values in (answers, labels))
    x, y = (values / numpy.sqrt((values**2).mean(axis=-1, keepdims=True)) for values in (x, y))
    r = (x * y).mean(axis=-1)
    return r, x * y - r[..., None] * (x**2 + y**2) / 2


def _rates(_, about, generators):
    """`cell_rates` as a part wants it."""
    return cell_rates(about["condition"], about["numbers"], generators)


def _between(scores, influences):
    """`PairedVariance` of transfers (systems 1, 2, ...) and their baseline (0), of scores (systems x seeds)."""
    items = influences.shape[-1]
    squares, by_items = (_mean_squares(values[1:] - values[0]) for values in (scores, influences / items))
    cells, seeds = scores.shape[0] - 1, scores.shape[1]
    freedom = seeds - 1, (cells - 1) * (seeds - 1)
    both = zip(squares, by_items, freedom, strict=True)
    return PairedVariance(*(SeedVariance(float(a), float(b.sum()), number, items) for a, b, number in both), cells)


def _mean_squares(differences):
    """Mean squares of seeds, and of what is left, of differences (cells x seeds, or cells x seeds x items)."""
    cells, seeds = differences.shape[:2]
    rest = differences - differences.mean(axis=1, keepdims=True)
    common = rest.mean(axis=0)
    left = ((rest - common) ** 2).sum(axis=(0, 1)) / (cells - 1) / (seeds - 1)
    return cells * (common**2).sum(axis=0) / (seeds - 1), left
