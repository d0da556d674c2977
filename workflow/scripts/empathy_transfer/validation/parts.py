"""The analysis on simulated studies whose truth is known: error rates, power, coverage, and bars that they must pass.

Simulation i of a part always starts from the same seed, so a part can be split over processes, and its first few
simulations give the same numbers when they are run alone.
"""

from typing import NamedTuple

import numpy
import pandas

from empathy_transfer.importance.kernel_regression import Model
from empathy_transfer.significance.theme_counts import wilson_interval
from empathy_transfer.validation import cells, theme_rates, variants
from empathy_transfer.validation.calibration import published_findings, published_importance
from empathy_transfer.validation.claim_rates import claim_conditions
from empathy_transfer.validation.coverage import Target, covered, expected_least
from empathy_transfer.validation.leaks import leak_conditions
from empathy_transfer.validation.means import means_conditions
from empathy_transfer.validation.predictors import predictor_conditions
from empathy_transfer.validation.rating_studies import KIND, rating_bar, rating_conditions, rating_findings
from empathy_transfer.validation.reliability import reliability_conditions
from empathy_transfer.validation.simulated_studies import make_design, simulate_study

SEED = 2026
FIRST = 40  # so many simulations of each part are run again by the tests
COLUMNS = ["part", "condition", "statistic", "value", "low", "high", "simulations", "bar_low", "bar_high", "met"]
COLUMNS += ["first", "first_value", "seed"]
COVERAGE = (0.935, 0.965)
LEAST_ITEMS, LEAST_EXPECTED = 300, 5
PUBLISHED = {"splits": 10, "test_share": 0.2, "permutations": 50, "seed": 0}
# Parts with a file of their own: each yields a condition in words, how often it is simulated, and what it needs.
OWN_PARTS = {
    "cells": cells.cell_conditions,
    "means": means_conditions,
    "themes": theme_rates.theme_conditions,
    "variants": variants.variant_conditions,
    "leaks": leak_conditions,
    "predictors": predictor_conditions,
    "claims": claim_conditions,
    "reliability": reliability_conditions,
}
EVEN, SKEWED = (1 / 3, 1 / 3, 1 / 3), (0.75, 0.2, 0.05)
NINE = (0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.04, 0.02)


class Part(NamedTuple):
    """A condition to simulate. `kind` is ratings, published, coverage or one of `OWN_PARTS`.

    `about` is what that needs. A part with a file of its own has there: `run`, a function of the truth, `about` (with
    `numbers` and `seed` of the simulations) and the simulations' generators, which returns {statistic: one number per
    simulation}; and `bars`, {statistic: (lowest, highest) value that passes}.
    """

    name: str
    condition: str
    kind: str
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
    resamples: int = 500

    @property
    def themes(self):
        """{task: its theme}."""
        return {task: about["theme"] for task, about in self.tasks.items()}


def make_truth(pairs, columns, tasks, claims, label_claims, draws=1000, resamples=500):
    """`Truth` from a frame of pair features and their columns (`pair_features.feature_columns`).

    ``tasks`` is {task: its theme, kind and dataset}, with others maybe; ``claims`` and ``label_claims`` the claims.
    """
    ordered = {task: tasks[task] for task in dict.fromkeys(pairs["source"])}
    return Truth(pairs, make_design(pairs), columns, ordered, claims, label_claims, draws, resamples)


def parts(truth):
    """All parts of the validation, in the order of the report."""
    found = [Part(*part, KIND, number, {"condition": about}) for *part, number, about in rating_conditions()]
    found.append(Part("published", "no effect, kernel ridge", "published", 500, {}))
    found.append(Part("published", "no effect, support vectors", "published", 100, {"support_vectors": True}))
    kinds = {"r": (), "F1, 3 even classes": EVEN, "F1, 3 skewed classes": SKEWED, "F1, 9 classes": NINE}
    for seeds in (1, 3, 5):
        for name, shares in kinds.items():
            level = 0.6 if name == "r" else 0.7
            target = Target(shares=shares, items=300, seeds=seeds, level=level)
            found.append(Part("coverage", f"{name}, {_described(target)}", "coverage", 2000, {"target": target}))
    for shares, items, group_size in (((), 60, 1), (SKEWED, 60, 1), (EVEN, 120, 1), ((), 300, 3), (SKEWED, 300, 10)):
        target = Target(shares, items, seeds=3, group_size=group_size, level=0.7 if shares else 0.6)
        name = next(name for name, known in kinds.items() if known == shares)
        found.append(Part("coverage", f"{name}, {_described(target)}", "coverage", 1000, {"target": target}))
    for name, conditions in OWN_PARTS.items():
        found += [Part(name, words, name, number, about) for words, number, about in conditions()]
    return found


def simulate(truth, part, numbers):
    """Outcomes of these simulations of a part: {statistic: one number per simulation}.

    A number is 1 where a test found something (`level`, `power`, `published`), or the share of the cells of a target
    whose interval held the truth (`coverage`).
    """
    generators = [numpy.random.default_rng([SEED, *part.name.encode(), *part.condition.encode(), n]) for n in numbers]
    if part.kind in OWN_PARTS:
        return part.about["run"](truth, part.about | {"numbers": numbers, "seed": SEED}, generators)
    if part.kind == "coverage":
        shares = [covered(part.about["target"], truth.resamples, generator) for generator in generators]
        return {"coverage": numpy.array(shares)}
    if part.kind == KIND:
        return rating_findings(truth, part.about["condition"], numbers, generators)
    outcomes = numpy.stack([simulate_study(truth.design, generator)[0] for generator in generators])
    model = Model(100.0, 0.1, False, False) if part.about.get("support_vectors") else None
    found = published_findings(*published_importance(truth.pairs, truth.columns, outcomes, PUBLISHED, model))
    return {name: values.astype(float) for name, values in found.items()}


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
        bar = bar_of(part, statistic)
        met = "" if bar is None else "yes" if bar[0] <= mean <= bar[1] else "no"
        row = [part.name, part.condition, statistic, mean, low, high, len(known), *(bar or (None, None)), met]
        rows.append([*row, FIRST, float(numpy.nanmean(values[:FIRST])), SEED])
    return pandas.DataFrame(rows, columns=COLUMNS).astype({"bar_low": "float64", "bar_high": "float64"})


def bar_of(part, statistic):
    """(lowest, highest) value that passes, or None where there is no bar.

    Tests of the ratings: see `rating_bar`. Coverage of 95 % intervals: 93.5 to 96.5 % with at least 300 test items, one
    by one, of which each class is expected to have five or more. Other parts have their bars in their own files.
    """
    if "bars" in part.about:
        return part.about["bars"].get(statistic)
    if part.kind == KIND:
        return rating_bar(part, statistic)
    target = part.about.get("target")
    if target and target.group_size == 1 and target.items >= LEAST_ITEMS and expected_least(target) >= LEAST_EXPECTED:
        return COVERAGE
    return None


def _described(target):
    """Items, groups and seeds in words."""
    groups = "" if target.group_size == 1 else f" in groups of {target.group_size}"
    return f"{target.items} items{groups}, {target.seeds} seed{'s' if target.seeds > 1 else ''}"
