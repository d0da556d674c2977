"""How often do the tests of the construct ratings find something, in simulated studies whose truth is known?

Ratings that don't matter are tested where they correlate with ones that do, where datasets differ much, where sources
do or do not differ within datasets, and where datasets are few. Power is that of the definition's slope, in percent per
rating point, where sources differ within datasets too, as they do in the printed scores.
"""

from typing import NamedTuple

import numpy

from empathy_transfer.importance.rating_tests import PRIMARY_NULL, PRIMARY_OUTCOME, most_freedom
from empathy_transfer.statistics.mixed_slopes import SlopeModel
from empathy_transfer.validation.calibration import (
    LEVEL,
    RATINGS,
    semi_partialling_p_values,
    shuffled_p_values,
    variants_of,
)
from empathy_transfer.validation.simulated_studies import Sizes, made_design, simulate_study

KIND = "ratings"
# Tests beside the primary one are permutations, which take long: they are made in so many studies of a condition.
SECONDARY = 200
SOURCES_DIFFER = Sizes(source_task=2.0)
STRONG_DATASETS = Sizes(target_dataset=6.0, source_dataset=6.0, dataset_pair=4.0, source_task=2.0)
SLOPES = (1.0, 2.0, 3.0, 6.0)
MOST_FALSE_POSITIVES = 0.065
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


def rating_conditions():
    """The conditions: (part, words, number of simulations, `RatingCondition`)."""
    every = ("semi_partialling", "tasks", "datasets")
    found = [
        ("level", "no effect", 1000, RatingCondition(sizes=Sizes(), tests=every)),
        ("level", "no effect, sources differ within datasets", 1000, RatingCondition(tests=every)),
        ("level", "no effect, strong dataset effects", 1000, RatingCondition(sizes=STRONG_DATASETS, tests=every)),
        ("level", "only the other ratings have effects, of 3 % per point", 1000, RatingCondition((0.0, 3.0, 3.0))),
    ]
    for words, datasets in FEW_DATASETS.items():
        found.append(("level", f"no effect, {words}", 1000, RatingCondition(datasets=datasets)))
    for slope in SLOPES:
        condition = RatingCondition((slope, 0.0, 0.0), tests=("semi_partialling", "datasets"))
        found.append(("power", f"definition, {slope:g} % per rating point", 500, condition))
    return found


def rating_bar(part, statistic):
    """(lowest, highest) value that passes, or None where there is no bar.

    False positives of the primary test, of ratings without effect: at most 65 of 1,000, in every condition. Power at 3
    percent per rating point: at least 58 %.
    """
    test, aspect, outcome = statistic.split(": ")
    if test != OWN or outcome != PRIMARY_OUTCOME:
        return None
    if part.name == "level":
        return (0.0, MOST_FALSE_POSITIVES) if part.about["condition"].slopes[RATINGS.index(aspect)] == 0 else None
    return (LEAST_POWER, 1.0) if part.about["condition"].slopes[0] == PLAUSIBLE_SLOPE else None


def rating_findings(truth, condition, numbers, generators):
    """Whether each test finds something in each study: {test: aspect: outcome: one number, 0 or 1, per study}.

    `numbers` are those of the studies; after `SECONDARY` the tests beside the primary one have NaN.
    """
    design = made_design(condition.datasets) if condition.datasets else truth.design
    studies = [simulate_study(design, generator, condition.sizes, condition.slopes) for generator in generators]
    outcomes, found = variants_of(numpy.stack([study[0] for study in studies])), {}
    aspects = RATINGS[:1] if any(condition.slopes) else RATINGS
    outcomes = outcomes if condition.tests else {PRIMARY_OUTCOME: outcomes[PRIMARY_OUTCOME]}
    model = design_model(design)
    for name, values in outcomes.items():
        p = {OWN: model.test(values, model.fit(values)).p}
        few = numpy.asarray(numbers) < SECONDARY
        for test in condition.tests if few.any() else ():
            if test == "semi_partialling":
                p[test] = semi_partialling_p_values(design, values[few], truth.draws, 0)
            else:
                p[test] = shuffled_p_values(design, values[few], truth.draws, 0, test == "datasets")
        for test in condition.tests:
            known, p[test] = p.get(test), numpy.full_like(p[OWN], numpy.nan)
            if known is not None:
                p[test][few] = known
        for test, values_of in p.items():
            for place, aspect in enumerate(aspects):
                unknown = numpy.isnan(values_of[:, place])
                found[f"{test}: {aspect}: {name}"] = numpy.where(unknown, numpy.nan, values_of[:, place] <= LEVEL)
    return found


def primary_p_values(design, outcomes):
    """p values of the ratings by the primary test in each study (`outcomes` are studies x pairs): studies x aspects."""
    model = design_model(design)
    return model.test(outcomes, model.fit(outcomes)).p


def design_model(design):
    """The model of the primary test for the pairs of a design."""
    pairs = design.source_dataset * (design.target_dataset.max() + 1) + design.target_dataset
    groups = [design.target, design.source, design.target_dataset, design.source_dataset, pairs]
    tasks, datasets = int(design.source.max()) + 1, int(design.source_dataset.max()) + 1
    return SlopeModel(design.ratings, groups, most_freedom(tasks, datasets, design.ratings.shape[1]))
