"""Do intervals of reliabilities and of corrected rating effects hold the truth, in studies whose raters err?

A study has the pairs and datasets of the published one. Its true ratings differ between datasets and between tasks of a
dataset; each rater adds an error of his own. Improvements follow the differences of the true ratings, beside what moves
them in all simulated studies (`simulated_studies`). Measured slopes are too small by the reliability; corrected ones
should not be.
"""

from typing import NamedTuple

import numpy
import pandas

from empathy_transfer.ratings.agreement import ASPECTS
from empathy_transfer.reliability.rating_effects import rating_effects, rating_reliability
from empathy_transfer.reliability.seeds import retest, with_intervals
from empathy_transfer.validation.bars import by_statistic, each
from empathy_transfer.validation.simulated_studies import simulate_study

SLOPE = 2.0  # percent per rating point
STATISTIC = "slope within targets"
DATASET_SHARE = 0.4  # of the variance of true ratings, that between datasets
SETTINGS = {"resamples": 200}


class Raters(NamedTuple):
    """How reliable one rater is (0 to 1), and how many there are."""

    reliability: float
    number: int = 2


class Seeds(NamedTuple):
    """Test-retest: tasks with `items` test items and `seeds` trainings, of which answers correlate by `reliability`.

    Some trainings learn less well: the standard deviation of their noise differs by `spread` (of its logarithm).
    """

    reliability: float
    items: int = 300
    seeds: int = 3
    tasks: int = 18
    spread: float = 0.2


def rating_study(truth, raters, generator):
    """Whether intervals hold the truth in one study: {statistic: 0 or 1}, and the two slopes over the true one.

    Args:
        truth: `parts.Truth`. raters: `Raters`. generator: NumPy random generator.
    """
    pairs, design = truth.pairs, truth.design
    tasks = list(dict.fromkeys(pairs["source"]))
    datasets = dict(zip(pairs["source"], pairs["source_dataset"], strict=True))
    codes = numpy.unique([datasets[task] for task in tasks], return_inverse=True)[1]
    own = numpy.sqrt(1 - DATASET_SHARE) * generator.standard_normal(len(tasks))
    true = numpy.sqrt(DATASET_SHARE) * generator.standard_normal(codes.max() + 1)[codes] + own
    error = numpy.sqrt(1 / raters.reliability - 1) * generator.standard_normal((len(tasks), raters.number))
    given = true[:, None] + error
    outcome, collapsed = simulate_study(design, generator)
    outcome = outcome + SLOPE * (true[design.target] - true[design.source])
    rated = given.mean(axis=1)
    ends = pairs[["source", "target", "source_dataset", "target_dataset"]]
    differences = rated[design.target] - rated[design.source]
    frame = ends.assign(outcome=outcome, **{ASPECTS[0]: differences}).drop(index=pairs.index[collapsed])
    rows = [
        (task, ASPECTS[0], str(rater), given[place, rater])
        for place, task in enumerate(tasks)
        for rater in range(raters.number)
    ]
    scores = pandas.DataFrame(rows, columns=["task", "aspect", "annotator", "score"])
    found = {row["statistic"]: row for row in rating_reliability(scores, datasets, 0.05)}
    effect = next(row for row in rating_effects(frame, scores, 0.05) if row["statistic"] == STATISTIC)
    numbers = {"coverage of alpha": _holds(found["alpha"], raters.reliability)}
    numbers["coverage of the corrected slope"] = _holds(effect, SLOPE)
    measured = {"low": effect["uncorrected_low"], "high": effect["uncorrected_high"]}
    numbers["coverage of the measured slope"] = _holds(measured, SLOPE)
    return numbers | {
        "measured slope over the true one": effect["uncorrected"] / SLOPE,
        "corrected slope over the true one": numpy.nan if effect["number"] is None else effect["number"] / SLOPE,
    }


def retest_study(seeds, generator):
    """The share of tasks whose interval of test-retest reliability holds the truth: {statistic: number}."""
    found = []
    for _ in range(seeds.tasks):
        shared = generator.standard_normal(seeds.items)
        noise = numpy.sqrt(1 / seeds.reliability - 1) * numpy.exp(
            seeds.spread * generator.standard_normal(seeds.seeds) - seeds.spread**2
        )
        answers = shared[:, None] + noise * generator.standard_normal((seeds.items, seeds.seeds))
        found.append(retest(list(answers.T), numpy.arange(seeds.items), "regression", SETTINGS))
    held = [_holds(row, seeds.reliability) for row in with_intervals(found, 0.05)]
    return {"coverage of test-retest alpha": float(numpy.mean(held))}


def simulate_ratings(truth, about, generators):
    """Outcomes of simulated studies, {statistic: one number per study}: see `rating_study`."""
    return by_statistic([rating_study(truth, about["raters"], generator) for generator in generators])


def reliability_conditions():
    """Yield (condition, simulations, what they need) of this part, see `parts.Part`.

    Bars: at least 92 % of the intervals of alpha, of a corrected slope and of test-retest reliability hold the truth.
    """
    held = (0.92, 1.0)
    for reliability in (0.8, 0.46):
        bars = {"coverage of alpha": held, "coverage of the corrected slope": held}
        words = f"two raters, each of a reliability of {reliability:g}"
        yield words, 400, {"run": simulate_ratings, "raters": Raters(reliability), "bars": bars}
    for seeds in (Seeds(0.7), Seeds(0.9), Seeds(0.7, seeds=5)):
        bars = {"coverage of test-retest alpha": held}
        words = f"answers of {seeds.seeds} seeds correlate {seeds.reliability:g}"
        yield words, 100, {"run": each(retest_study), "condition": seeds, "bars": bars}


def _holds(row, truth):
    """1 if the interval of a row holds the truth, NaN where there is none."""
    return numpy.nan if row["low"] is None else float(row["low"] <= truth <= row["high"])
