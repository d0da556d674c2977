"""Counts by theme in studies without any true difference: do their intervals hold the rate that chance gives?

Tasks have three themes. A run's score is off by its own luck, by that of its source's adapter, which all transfers of a
seed from this source share, and by the choice of test items. Each cell is tested as in a study, from scores instead of
predictions; what the choice of items makes scores differ by is known.
"""

from typing import NamedTuple

import numpy
import pandas
from scipy import special

from empathy_transfer.report.style import THEMES
from empathy_transfer.significance.adapter_luck import adapter_luck
from empathy_transfer.significance.paired_tests import ALL, COVARIANCE_COLUMNS
from empathy_transfer.significance.theme_counts import design_effect, draw_target, draws_of_cells
from empathy_transfer.statistics.intervals import wilson_interval
from empathy_transfer.statistics.seed_variance import PairedVariance, SeedVariance
from empathy_transfer.statistics.t_tests import degrees_of_freedom, variance_of
from empathy_transfer.validation.bars import MOST_WRONG, each

SEED_SPREAD, ITEM_SPREAD = 0.03, 0.02
TEST_ITEMS = 300
ALPHA, RATE = 0.05, 0.025
MISSED, AS_IF_INDEPENDENT = "intervals that miss the rate", "the same as if rows were independent"
BARS = {MISSED: MOST_WRONG}
SIMULATIONS = 100


class ThemeStudy(NamedTuple):
    """`luck` is the spread of adapters between seeds, in units of the spread of a run's own luck."""

    seeds: int
    luck: float
    tasks: int = 18


def theme_studies():
    """{condition in words: `ThemeStudy`} of all that is simulated."""
    return {
        f"adapters differ {luck:g} times as much as seeds of a run, {seeds} seeds": ThemeStudy(seeds, luck)
        for seeds, luck in ((3, 0.0), (3, 1.0), (3, 2.0), (5, 1.0))
    }


def theme_conditions():
    """Yield (condition, simulations, what they need) of this part, see `parts.Part`."""
    for words, study in theme_studies().items():
        yield words, SIMULATIONS, {"run": each(missed_rates), "condition": study, "bars": BARS}


def missed_rates(study, generator):
    """{statistic: the share of one study's intervals without the rate that a test at 5 % should give}.

    That is 2.5 % of cells found better. `AS_IF_INDEPENDENT` leaves out the luck of adapters.
    """
    intervals = zip((MISSED, AS_IF_INDEPENDENT), theme_intervals(study, generator), strict=True)
    return {name: ((low > RATE) | (high < RATE)).mean() for name, (low, high) in intervals}


def theme_intervals(study, generator):
    """Intervals of the rate of cells found better, for each theme of sources and targets, with and without the luck.

    Two pairs of (low, high), nine numbers each.
    """
    scores = simulate_scores(study, generator)
    found, covariances = [], {}
    for target, runs in scores.groupby("target", sort=False):
        table = runs.pivot(index="source", columns="seed", values="value")
        tests, covariances[target] = _tests_of(table.drop(index="none") - table.loc["none"])
        found += [row | {"target": target} for row in tests]
    cells = pandas.DataFrame(found)
    limits = (special.stdtrit(cells["df"], 1 - ALPHA / 2) * cells["se"]).to_numpy()
    better = cells["difference"].to_numpy() > limits
    sources, targets = (cells[role].str[1:].astype(int).to_numpy() % len(THEMES) for role in ("source", "target"))
    luck, freedom = adapter_luck(scores)["full"], cells.groupby("target")["df"].median()
    for of_targets in (luck, {}):
        draws = {
            target: draw_target(target, frame, "full", ALL, of_targets.get(target, 0.0), freedom[target])
            for target, frame in covariances.items()
        }
        drawn = cells["difference"].to_numpy() + draws_of_cells(cells, draws, "total") > limits
        ends = []
        for chosen in ((sources == one) & (targets == two) for one in range(3) for two in range(3)):
            effect = design_effect(drawn[:, chosen])
            ends.append(wilson_interval(int(better[chosen].sum()), int(chosen.sum()), ALPHA, effect))
        yield numpy.array(ends).T


def simulate_scores(study, generator):
    """Scores of all runs of one study: a frame as scores.csv."""
    tasks, seeds = study.tasks, study.seeds
    # Rows are sources, with the baseline as the last one.
    own = SEED_SPREAD * generator.standard_normal((tasks + 1, tasks, seeds))
    adapters = study.luck * SEED_SPREAD * generator.standard_normal((tasks, 1, seeds))
    items = ITEM_SPREAD * generator.standard_normal(own.shape)
    values = own + items + numpy.concatenate([adapters, numpy.zeros((1, 1, seeds))])
    names = [f"t{number}" for number in range(tasks)]
    places = pandas.MultiIndex.from_product([[*names, "none"], names, range(seeds)], names=["source", "target", "seed"])
    frame = pandas.DataFrame({"value": values.ravel()}, index=places).reset_index()
    return frame[frame["source"] != frame["target"]].assign(data="full", main=True, collapsed=False)


def _tests_of(differences):
    """Tests of a target's transfers, from differences to its baseline (sources x seeds), and their covariances."""
    sources, seeds = differences.shape
    values = differences.to_numpy()
    rest = values - values.mean(axis=1, keepdims=True)
    common = rest.mean(axis=0)
    squares = (
        sources * float(common @ common) / (seeds - 1),
        float(((rest - common) ** 2).sum()) / (seeds - 1) / (sources - 1),
    )
    items = ITEM_SPREAD**2 * numpy.array([sources + 1, 1.0])
    freedom = seeds - 1, (seeds - 1) * (sources - 1)
    both = zip(squares, items, freedom, strict=True)
    variance = PairedVariance(*(SeedVariance(*one, TEST_ITEMS) for one in both), sources)
    parts = [(2 * ITEM_SPREAD**2 / seeds, TEST_ITEMS - 1), *variance.parts(seeds)]
    test = {"se": numpy.sqrt(variance_of(parts)), "df": degrees_of_freedom(parts)}
    means = zip(differences.index, values.mean(axis=1), strict=True)
    tests = [{"source": source, "difference": mean} | test for source, mean in means]
    rows = [
        ("full", ALL, one, other, *_covariance(one == other, variance, parts, seeds))
        for place, one in enumerate(differences.index)
        for other in differences.index[: place + 1]
    ]
    return tests, pandas.DataFrame(rows, columns=COVARIANCE_COLUMNS)


def _covariance(same, variance, parts, seeds):
    """Covariance of two cells of a target, by items and in all: both share the baseline's runs."""
    if same:
        return parts[0][0], variance_of(parts)
    return ITEM_SPREAD**2 / seeds, ITEM_SPREAD**2 / seeds + variance.shared / seeds
