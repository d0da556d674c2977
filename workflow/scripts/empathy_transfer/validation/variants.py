"""Wrong verdicts on variants of tasks, in studies whose seeds are lucky or not.

A study has variants of one task, as a source of other tasks or as their target. Scores are in points of the metric; a
seed of a run comes out better or worse by chance. As a source each seed has one trained adapter of each variant and one
of the task: its luck is in all gains of that seed. As a target each has one baseline of each. Gains as a target are of
the same test items, whose choice moves all of them.
"""

from typing import NamedTuple

import numpy
import pandas

from empathy_transfer.claims.transfer_evidence import TESTS, Evidence
from empathy_transfer.claims.variant_rules import variants_gain
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, SUPPORTED
from empathy_transfer.validation.bars import MOST_WRONG, each

SEED_SPREAD = 0.02
# Spread of what a variant truly gains with other tasks, and of what the choice of test items moves all gains by.
TASK_SPREAD, ITEM_SPREAD = 0.01, 0.01
TEST_ITEMS = 300
GAIN = 0.03
VARIANTS = ("one", "two")
BOUNDS = {"least_tasks": 3}
WRONG, RIGHT = "wrong verdicts", f"right verdicts at {100 * GAIN:g} points"
BARS = {WRONG: MOST_WRONG}
SIMULATIONS = 400


class VariantStudy(NamedTuple):
    """`role` is source or target; `luck` the spread of what all gains of a seed share, in units of the seeds' own."""

    role: str
    seeds: int
    luck: float
    others: int = 17


def variant_studies():
    """{condition in words: `VariantStudy`} of all that is simulated."""
    return {
        f"variants as a {role}, luck {luck:g} times the spread between seeds, {seeds} seeds": VariantStudy(
            role, seeds, luck
        )
        for role in ("source", "target")
        for seeds in (3, 5)
        for luck in (0.0, 1.0, 2.0)
    }


def variant_conditions():
    """Yield (condition, simulations, what they need) of this part, see `parts.Part`."""
    for words, study in variant_studies().items():
        yield words, SIMULATIONS, {"run": each(wrong_verdicts), "condition": study, "bars": BARS}


def wrong_verdicts(study, generator):
    """{statistic: 1 or 0} of one study: for a wrong verdict without gain, and for a right one with it."""
    evidence = Evidence(None, {}, TESTS, study.seeds, variants=simulate_gains(study, generator))
    finding = variants_gain(evidence, BOUNDS, "full", study.role, list(VARIANTS))
    # A gain that is the same with all other tasks and seeds moves the interval by as much.
    return {WRONG: finding.verdict in (SUPPORTED, NOT_SUPPORTED), RIGHT: finding.low + 100 * GAIN > 0}


def simulate_gains(study, generator):
    """The gains of one study without true gain: a frame as variant_gains.csv."""
    shape = (len(VARIANTS) + 1, study.others, study.seeds)
    luck = study.luck * generator.standard_normal((shape[0], 1, study.seeds))
    scores = SEED_SPREAD * (luck + generator.standard_normal(shape))
    gains = scores[:-1] - scores[-1] + TASK_SPREAD * generator.standard_normal((len(VARIANTS), study.others, 1))
    shared, clusters = 0.0, numpy.nan
    if study.role == "target":
        # What the choice of items moves all by; its variance is known from the items.
        gains += ITEM_SPREAD * generator.standard_normal((len(VARIANTS), 1, 1))
        shared = ITEM_SPREAD**2 * generator.chisquare(TEST_ITEMS - 1) / (TEST_ITEMS - 1)
        clusters = TEST_ITEMS
    places = pandas.MultiIndex.from_product([VARIANTS, range(study.others), range(study.seeds)])
    frame = pandas.DataFrame({"gain": gains.ravel()}, index=places).rename_axis(["variant", "other", "seed"])
    about = {"role": study.role, "data": "full", "shared_variance": shared, "clusters": clusters}
    return frame.reset_index().assign(**about)
