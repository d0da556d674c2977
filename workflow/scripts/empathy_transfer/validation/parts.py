"""The analysis on simulated studies whose truth is known: error rates, power, coverage, and bars that they must pass.

Simulation i of a part always starts from the same seed, so a part can be split over processes, and its first few
simulations give the same numbers when they are run alone.
"""

from typing import NamedTuple

import numpy
import pandas

from empathy_transfer.statistics.intervals import wilson_interval
from empathy_transfer.validation.calibration import published_conditions
from empathy_transfer.validation.cells import cell_conditions
from empathy_transfer.validation.claim_rates import claim_conditions
from empathy_transfer.validation.coverage import coverage_conditions
from empathy_transfer.validation.leaks import leak_conditions
from empathy_transfer.validation.means import means_conditions
from empathy_transfer.validation.predictors import predictor_conditions
from empathy_transfer.validation.rating_studies import level_conditions, power_conditions
from empathy_transfer.validation.reliability import reliability_conditions
from empathy_transfer.validation.simulated_studies import make_design
from empathy_transfer.validation.theme_rates import theme_conditions
from empathy_transfer.validation.variants import variant_conditions

SEED = 2026
FIRST = 40  # the mean of so many is recorded, too, for tests that run them again
COLUMNS = ["part", "condition", "statistic", "value", "low", "high", "simulations", "bar_low", "bar_high", "met"]
COLUMNS += ["first", "first_value", "seed"]
# Each part yields a condition in words, how often it is simulated, and what it needs (`Part.about`).
PARTS = {
    "level": level_conditions,
    "power": power_conditions,
    "published": published_conditions,
    "coverage": coverage_conditions,
    "cells": cell_conditions,
    "means": means_conditions,
    "themes": theme_conditions,
    "variants": variant_conditions,
    "leaks": leak_conditions,
    "predictors": predictor_conditions,
    "claims": claim_conditions,
    "reliability": reliability_conditions,
}


class Part(NamedTuple):
    """A condition to simulate.

    `about` has `run`, a function of the truth, `about` (with `numbers` and `seed` of the simulations) and the
    simulations' generators, which returns {statistic: one number per simulation, NaN where it has none}; and `bars`,
    {statistic: (lowest, highest) mean that passes}. The rest of it is for `run`.
    """

    name: str
    condition: str
    simulations: int
    about: dict


class Truth(NamedTuple):
    """What all parts share: pairs of the study, their design, feature columns, and numbers of draws.

    `tasks` is {task: its theme, kind and dataset} in the order of positions; `claims` and `label_claims` are those on
    transfer and on labels (`claims.engine.ClaimSet`).
    """

    pairs: pandas.DataFrame
    design: object
    columns: dict
    tasks: dict | None = None
    claims: object = None
    label_claims: object = None
    draws: int = 1000

    @property
    def themes(self):
        """{task: its theme}."""
        return {task: about["theme"] for task, about in self.tasks.items()}


def make_truth(pairs, columns, tasks, claims, label_claims):
    """`Truth` from a frame of pair features and their columns (`pair_features.feature_columns`).

    ``tasks`` is {task: its theme, kind and dataset}, with others maybe; ``claims`` and ``label_claims`` the claims.
    """
    ordered = {task: tasks[task] for task in dict.fromkeys(pairs["source"])}
    return Truth(pairs, make_design(pairs), columns, ordered, claims, label_claims)


def parts():
    """All parts of the validation, in the order of the report."""
    return [Part(name, *condition) for name, conditions in PARTS.items() for condition in conditions()]


def simulate(truth, part, numbers):
    """Outcomes of these simulations of a part: {statistic: one number per simulation}."""
    generators = [numpy.random.default_rng([SEED, *part.name.encode(), *part.condition.encode(), n]) for n in numbers]
    return part.about["run"](truth, part.about | {"numbers": numbers, "seed": SEED}, generators)


def summarise_simulations(part, outcomes):
    """Rows of the table of results for one part, from the outcomes of all of its simulations."""
    rows = []
    for statistic, values in outcomes.items():
        known = values[~numpy.isnan(values)]
        mean = float(known.mean())
        if set(known) <= {0.0, 1.0}:
            low, high = wilson_interval(int(known.sum()), len(known), 0.05)
        else:
            half = 1.96 * known.std(ddof=1) / len(known) ** 0.5
            low, high = mean - half, mean + half
        bar = part.about["bars"].get(statistic)
        met = "" if bar is None else "yes" if bar[0] <= mean <= bar[1] else "no"
        row = [part.name, part.condition, statistic, mean, low, high, len(known), *(bar or (None, None)), met]
        rows.append([*row, FIRST, float(numpy.nanmean(values[:FIRST])), SEED])
    return pandas.DataFrame(rows, columns=COLUMNS).astype({"bar_low": "float64", "bar_high": "float64"})
