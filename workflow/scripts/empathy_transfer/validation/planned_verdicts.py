"""The verdicts of a study's own rules in planned studies, against which the power of a plan is checked."""

import numpy
import pandas

from empathy_transfer.claims.transfer_evidence import TESTS, Evidence
from empathy_transfer.kinds import kind_of
from empathy_transfer.report.style import THEMES
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, SUPPORTED
from empathy_transfer.validation.claim_worlds import percent_of
from empathy_transfer.validation.planned_studies import detectable_changes, discoveries, p_values

KINDS = ("classification", "regression")
# Claims that are true up to an effect and false beyond it, and the bound up to which they are.
TRUE_UP_TO = {"none_improved": None, "rare": None, "equal_to_baseline": "margin_percent"}
TRUE_UP_TO |= {"no_substantial_gain": "substantial_percent"}


def right_verdict(claim, bounds, effect):
    """The verdict that is right on a claim in its world with an effect."""
    if claim["rule"] not in TRUE_UP_TO:
        return SUPPORTED
    bound = TRUE_UP_TO[claim["rule"]]
    return SUPPORTED if effect <= (bounds[bound] if bound else 0) else NOT_SUPPORTED


def verdicts_of_plan(claim, rules, world, effect, studies):
    """The verdicts of a claim's rule in the first so many studies of a world with an effect: a list."""
    percent = percent_of(claim, world, effect)
    p = p_values(percent, world.luck, world.design)
    found, level = discoveries(p)
    shown = detectable_changes(world.luck, level)[:studies]
    judged = []
    for study, changes in enumerate(percent[:studies]):
        evidence = planned_evidence(world, study, changes, p[study], found[study], shown[study])
        judged.append(rules[claim["rule"]](evidence, world.bounds, **claim["arguments"]).verdict)
    return judged


def planned_evidence(world, study, percent, p, found, shown):
    """The evidence of one study, whose baselines are all 1 and half-data transfers as its full-data ones.

    Args:
        world: see `claim_worlds.World`. study: its number in the world.
        percent, p, found: measured changes of the pairs, their p values, and whether they are found.
        shown: what each target could show at the corrected level, in percent.
    """
    where, target = world.where, world.design.target
    names = numpy.array([f"task_{number}" for number in range(world.plan.tasks)])
    pairs = pandas.DataFrame({"source": names[world.design.source], "target": names[target], "percent": percent})
    pairs = pairs.assign(points=percent, one_percent=1.0, own=100.0, p=p, se=world.luck.se[study, target] / 100)
    pairs = pairs.assign(df=world.luck.df[study, target], detectable=shown[target])
    harmed = found & (percent < 0)
    pairs = pairs.assign(improved=found & (percent > 0), harmed=harmed, not_harmed=~harmed)
    both = pandas.concat([pairs.assign(data=data) for data in ("full", "half")], ignore_index=True)
    tasks = {
        name: {"theme": THEMES[theme], "kind": kind_of(KINDS[kind]).MATRIX, "dataset": f"dataset_{dataset}"}
        for name, theme, kind, dataset in zip(names, where.themes, where.kinds, where.datasets, strict=True)
    }
    seeds = world.plan.seeds
    return Evidence(both, tasks, TESTS, seeds, covers_seeds=world.luck.covers_seeds)
