"""Predictors that rank sources no better than chance: how often the table of predictors says otherwise, and power.

Improvements have effects of targets, of sources, of their datasets and of pairs of datasets, as in `simulated_studies`.
Predictors are of the kinds that a study has: a number of its own for each pair; a number of the source, the same for
all targets, which may be alike within datasets; and a similarity of two tasks. None of them has to do with the
improvements, but for the one that is planted.
"""

from typing import NamedTuple

import numpy
from scipy.stats import false_discovery_control

from empathy_transfer.importance.ranking_test import ranking_p_values
from empathy_transfer.validation.bars import MOST_WRONG, each

SIMULATIONS = 60
LEVEL = 0.05
DRAWS = 250
EACH = 2  # predictors of each kind
KINDS = ("pair", "source", "source_dataset", "similarity")
# Standard deviations in percent: target, source dataset, source, pair of datasets, and pair.
TARGET, SOURCE_DATASET, DATASET_PAIR, NOISE, NOISE_SPREAD = 3.0, 2.0, 2.0, 3.0, 0.4


class PredictorStudy(NamedTuple):
    """A condition: tasks of each dataset, effects of sources, and how much the planted predictor explains."""

    sizes: tuple
    source: float = 0.0
    effect: float = 0.0


STUDIES = {
    "three tasks of three datasets": PredictorStudy((1, 1, 1)),
    "six tasks of three datasets": PredictorStudy((2, 2, 2)),
    "six tasks of six datasets": PredictorStudy((1,) * 6, source=2.0),
    "18 tasks of nine datasets": PredictorStudy((3, 3, 3, 2, 2, 2, 1, 1, 1)),
    "18 tasks of nine datasets, sources differ": PredictorStudy((3, 3, 3, 2, 2, 2, 1, 1, 1), source=2.0),
    "18 tasks of nine datasets, a predictor of 1.5 % per standard deviation": PredictorStudy(
        (3, 3, 3, 2, 2, 2, 1, 1, 1), effect=1.5
    ),
}


def predictor_conditions():
    """Yield (condition, simulations, what they need) of this part, see `parts.Part`."""
    for words, study in STUDIES.items():
        yield words, SIMULATIONS, {"run": each(simulate_predictors), "condition": study, "bars": predictor_bars(study)}


def simulate_predictors(study, generator):
    """Outcomes of one simulated study, 1 for a verdict and 0 for none: {statistic: number}.

    `one test: <kind>` is the share of single tests at 5 % of predictors of a kind; `any verdict` says whether any of
    the table's rows has one, at a false discovery rate of 5 %. With an effect, the planted predictor has the verdicts
    of its measures under `planted: <measure>`, and stands in a table with the others.
    """
    datasets = numpy.repeat(numpy.arange(len(study.sizes)), study.sizes)
    planted = _predictor("pair", datasets, generator)
    percent = _improvements(study, datasets, generator) + study.effect * planted
    numpy.fill_diagonal(percent, numpy.nan)
    found, table = {}, []
    for kind in KINDS:
        tests = [_tested(_predictor(kind, datasets, generator), percent, datasets, generator) for _ in range(EACH)]
        values = [p for test in tests for p in test.values()]
        found[f"one test: {kind}"] = float(numpy.mean([p <= LEVEL for p in values])) if values else 0.0
        table += values
    if study.effect:
        test = _tested(planted, percent, datasets, generator)
        q = false_discovery_control([*test.values(), *table], method="bh")
        return {f"planted: {measure}": float(q[place] <= LEVEL) for place, measure in enumerate(test)}
    return found | {"any verdict": float((false_discovery_control(table, method="bh") <= LEVEL).any())}


def predictor_bars(study):
    """{statistic: (lowest, highest) mean that passes}."""
    if study.effect:
        return {}
    return dict.fromkeys(("any verdict", *(f"one test: {kind}" for kind in KINDS)), MOST_WRONG)


def _tested(predictor, percent, datasets, generator):
    """The p values of a predictor."""
    return ranking_p_values(predictor, percent, datasets.tolist(), DRAWS, generator)


def _improvements(study, datasets, generator):
    """Improvements, sources x targets, without the effect."""
    tasks, groups = len(datasets), datasets.max() + 1
    draw = generator.standard_normal
    spread = numpy.exp(NOISE_SPREAD * draw(tasks))
    percent = TARGET * draw(tasks) + NOISE * spread * draw((tasks, tasks))
    percent += (SOURCE_DATASET * draw(groups)[datasets] + study.source * draw(tasks))[:, None]
    return percent + DATASET_PAIR * draw((groups, groups))[numpy.ix_(datasets, datasets)]


def _predictor(kind, datasets, generator):
    """A predictor of some kind, sources x targets, of standard deviation 1 or so."""
    tasks, groups, draw = len(datasets), datasets.max() + 1, generator.standard_normal
    if kind == "pair":
        return draw((tasks, tasks))
    if kind == "similarity":
        places = draw((groups, 3))[datasets] + 0.5 * draw((tasks, 3))
        return -((places[:, None] - places[None]) ** 2).sum(axis=2)
    own = draw(tasks) if kind == "source" else draw(groups)[datasets] + 0.3 * draw(tasks)
    return numpy.repeat(own[:, None], tasks, axis=1)
