"""How often do the tests of the construct ratings find something, in simulated studies whose truth is known?

Ratings that don't matter are tested where they correlate with ones that do, where datasets differ much, where sources
do or do not differ within datasets, and where datasets are few. Power is that of the definition's slope, in percent per
rating point, where sources differ within datasets too, as they do in the printed scores.
"""

from typing import NamedTuple

import numpy

from empathy_transfer.importance.rating_tests import PRIMARY_NULL, PRIMARY_OUTCOME, most_freedom
from empathy_transfer.statistics.mixed_slopes import SlopeModel
from empathy_transfer.validation.bars import MOST_WRONG
from empathy_transfer.validation.calibration import (
    LEVEL,
    RATINGS,
    semi_partialling_p_values,
    shuffled_p_values,
    variants_of,
)
from empathy_transfer.validation.simulated_studies import Sizes, made_design, simulate_study

# Tests beside the primary one are permutations, which take long: they are made in so many studies of a condition.
SECONDARY = 200
SOURCES_DIFFER = Sizes(source_task=2.0)
STRONG_DATASETS = Sizes(target_dataset=6.0, source_dataset=6.0, dataset_pair=4.0, source_task=2.0)
SLOPES = (1.0, 2.0, 3.0, 6.0)
# At 3 percent per rating point the primary test is to find more than ratings permuted between datasets (58 %).
PLAUSIBLE_SLOPE, LEAST_POWER = 3.0, 0.58
FEW_DATASETS = {"four datasets of three tasks": (3, 3, 3, 3), "four datasets of two tasks": (2, 2, 2, 2)}
OWN = PRIMARY_NULL


class RatingCondition(NamedTuple):
    """Slopes of the three ratings (percent per rating point), sizes of the other effects, and the tasks per dataset.

    `datasets` is empty for the tasks of the published study. `tests` are the tests beside the primary one.
    """

    slopes: tuple = (0.0, 0.0, 0.0)
    sizes: Sizes = SOURCES_DIFFER
    datasets: tuple = ()
    tests: tuple = ()


def level_conditions():
    """Yield (condition, simulations, what they need) of false positives, see `parts.Part`; bars for each true null."""
    every = ("semi_partialling", "tasks", "datasets")
    found = {
        "no effect": RatingCondition(sizes=Sizes(), tests=every),
        "no effect, sources differ within datasets": RatingCondition(tests=every),
        "no effect, strong dataset effects": RatingCondition(sizes=STRONG_DATASETS, tests=every),
        "only the other ratings have effects, of 3 % per point": RatingCondition((0.0, 3.0, 3.0)),
    }
    found |= {f"no effect, {words}": RatingCondition(datasets=datasets) for words, datasets in FEW_DATASETS.items()}
    for words, condition in found.items():
        nulls = [aspect for aspect, slope in zip(RATINGS, condition.slopes, strict=True) if slope == 0]
        bars = {f"{OWN}: {aspect}: {PRIMARY_OUTCOME}": MOST_WRONG for aspect in nulls}
        yield words, 1000, {"run": rating_findings, "condition": condition, "bars": bars}


def power_conditions():
    """The same of power, with a bar at the slope that is plausible."""
    for slope in SLOPES:
        condition = RatingCondition((slope, 0.0, 0.0), tests=("semi_partialling", "datasets"))
        bars = {f"{OWN}: {RATINGS[0]}: {PRIMARY_OUTCOME}": (LEAST_POWER, 1.0)} if slope == PLAUSIBLE_SLOPE else {}
        about = {"run": rating_findings, "condition": condition, "bars": bars}
        yield f"definition, {slope:g} % per rating point", 500, about


def rating_findings(truth, about, generators):
    """Whether each test finds something in each study: {test: aspect: outcome: one number, 0 or 1, per study}.

    After the first `SECONDARY` studies the tests beside the primary one have NaN.
    """
    condition, few = about["condition"], numpy.asarray(about["numbers"]) < SECONDARY
    design = made_design(condition.datasets) if condition.datasets else truth.design
    studies = [simulate_study(design, generator, condition.sizes, condition.slopes) for generator in generators]
    outcomes, found = variants_of(numpy.stack([study[0] for study in studies])), {}
    aspects = RATINGS[:1] if any(condition.slopes) else RATINGS
    outcomes = outcomes if condition.tests else {PRIMARY_OUTCOME: outcomes[PRIMARY_OUTCOME]}
    model = design_model(design)
    for name, values in outcomes.items():
        p = {OWN: model.test(values, model.fit(values)).p}
        for test in condition.tests:
            p[test] = numpy.full_like(p[OWN], numpy.nan)
            if few.any():
                p[test][few] = _permuted(test, design, values[few], truth.draws)
        for test, values_of in p.items():
            for place, aspect in enumerate(aspects):
                unknown = numpy.isnan(values_of[:, place])
                found[f"{test}: {aspect}: {name}"] = numpy.where(unknown, numpy.nan, values_of[:, place] <= LEVEL)
    return found


def _permuted(test, design, outcomes, draws):
    """p values by one of the permutation tests."""
    if test == "semi_partialling":
        return semi_partialling_p_values(design, outcomes, draws, 0)
    return shuffled_p_values(design, outcomes, draws, 0, test == "datasets")


def primary_p_values(design, outcomes):
    """p values of the ratings by the primary test in each study: studies x aspects.

    `outcomes` are percent (studies x pairs), which are cut off as in that test.
    """
    model, cut_off = design_model(design), variants_of(outcomes)[PRIMARY_OUTCOME]
    return model.test(cut_off, model.fit(cut_off)).p


def design_model(design):
    """The model of the primary test for the pairs of a design."""
    pairs = design.source_dataset * (design.target_dataset.max() + 1) + design.target_dataset
    groups = [design.target, design.source, design.target_dataset, design.source_dataset, pairs]
    tasks, datasets = int(design.source.max()) + 1, int(design.source_dataset.max()) + 1
    return SlopeModel(design.ratings, groups, most_freedom(tasks, datasets, design.ratings.shape[1]))
