"""What a planned study can find, and what to add to it first: the command `empathy-transfer design`."""

from pathlib import Path
from typing import NamedTuple

import numpy

from empathy_transfer.claims.engine import read_claims
from empathy_transfer.claims.transfer_rules import BOUNDS, RULES
from empathy_transfer.inspection.wording import aligned
from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.significance.paired_tests import ALL
from empathy_transfer.statistics.t_tests import LEVEL
from empathy_transfer.validation.claim_power import power_of
from empathy_transfer.validation.claim_worlds import STUDIES, make_world, truth_in_words
from empathy_transfer.validation.planned_studies import SPREAD_ITEMS, Spreads, detectable_changes, discoveries, p_values

EFFECTS = (0, 1, 2, 4, 8, 16)
BLOCK = 6  # tasks that have two of each theme
NOTHING_RIGHT, MIDDLE = "–", 0.5


class Power(NamedTuple):
    """Of each claim its power by effect (claims x effects), at the middle effect now, and with each addition.

    `claims` are those that have a calculation, `middle` the position of an effect for each. `additions` is {words:
    plan}, `added` {words: power of each claim at its middle effect}. `single` are changes that a single transfer could
    show: alone, and at the corrected level.
    """

    claims: list
    power: numpy.ndarray
    middle: list
    additions: dict
    added: dict
    single: tuple


def calculate(plan, spreads, claims_path, effects=EFFECTS, studies=STUDIES):
    """The `Power` of a plan.

    Args:
        plan: `planned_studies.Plan`. spreads: `planned_studies.Spreads`. claims_path: YAML file of claims and bounds.
        effects: in percent, 0 for claims that nothing happens. studies: how many are simulated.
    """
    claim_set = read_claims(claims_path, RULES, BOUNDS)
    world = make_world(plan, spreads, claim_set.bounds, studies)
    power = numpy.array([[power_of(claim, world, effect) for effect in effects] for claim in claim_set.claims])
    known = ~numpy.isnan(power).all(axis=1)
    claims = [claim for claim, one in zip(claim_set.claims, known, strict=True) if one]
    power = power[known]
    middle = [_middle(row) for row in power]
    additions = additions_to(plan)
    added = {}
    for words, larger in additions.items():
        other = make_world(larger, spreads, claim_set.bounds, studies)
        added[words] = [power_of(claim, other, effects[place]) for claim, place in zip(claims, middle, strict=True)]
    luck = world.luck
    corrected = discoveries(p_values(luck.measured, luck, world.design))[1]
    single = tuple(float(numpy.median(detectable_changes(luck, level))) for level in (LEVEL, corrected))
    return Power(claims, power, middle, additions, added, single)


def additions_to(plan):
    """{words: a larger plan} of what could be added to a study."""
    datasets = max(1, round(BLOCK * plan.datasets / plan.tasks))
    return {
        "2 more seeds": plan._replace(seeds=plan.seeds + 2),
        "twice the test items": plan._replace(items=2 * plan.items),
        f"{BLOCK} more tasks": plan._replace(tasks=plan.tasks + BLOCK),
        f"{BLOCK} more tasks in {datasets} more datasets": plan._replace(
            tasks=plan.tasks + BLOCK, datasets=plan.datasets + datasets
        ),
    }


def pilot_spreads(folder):
    """`Spreads` with what a finished study measured of seeds and items: medians over its targets, full data.

    What seeds of a transfer differ by is the luck of its own training and of its source's adapter; as in the defaults,
    each is taken to be half of that variance.

    Raises:
        ValueError: the study has no tests that cover seeds.
    """
    frame = read_csv(Path(folder) / "analysis/significance.csv")
    targets = set(frame["target"])
    chosen = frame[(frame["data"] == "full") & (frame["runs"] == ALL) & frame["source"].isin(list(targets))]
    chosen = chosen[chosen["p"].notna() & (chosen["covers"] == "items_and_seeds") & (chosen["baseline"] > 0)]
    if chosen.empty:
        raise ValueError(f"{folder}: no test of a transfer covers seeds, so what they differ by is not known")
    first = chosen.groupby("target").median(numeric_only=True)
    seed = numpy.sqrt(numpy.maximum(first["seed_sd"] ** 2 - first["seed_item_sd"] ** 2, 0.0)) / first["baseline"]
    item = first["item_se"] / first["baseline"] * numpy.sqrt(first["seeds"] / 2 * first["n_test"] / SPREAD_ITEMS)
    half = float(100 * seed.median() / numpy.sqrt(2))
    return Spreads(seed=half, adapter=half, item=float(100 * item.median()))


def power_in_words(plan, spreads, found, effects=EFFECTS):
    """What was calculated, as text for a terminal.

    Args:
        plan, spreads: of the study. found: its `Power`. effects: as given to `calculate`.
    """
    alone, corrected = found.single
    lines = [
        f"A study of {plan.tasks} tasks in {plan.datasets} datasets with {plan.items:,} test items a task, and "
        f"{plan.seeds} seed{'s' if plan.seeds > 1 else ''}: {plan.trainings:,} trainings on full and half data.",
        f"A single transfer shows (power 80 %) a change of {alone:.0f} % of the baseline by itself, and of "
        f"{corrected:.0f} % corrected for the number of transfers.",
        f"Assumed: seeds differ by {spreads.seed:.1f} %, adapters by {spreads.adapter:.1f} %, runs by "
        f"{spreads.item:.1f} % over the choice of {SPREAD_ITEMS} test items.",
        "",
        "Studies with the right verdict, in percent, by the effect in percent of the baseline:",
    ]
    heads = ["claim", "what is true", *(f"{effect:g}" for effect in effects)]
    rows = [
        [claim["id"], truth_in_words(claim), *map(_percent, row)]
        for claim, row in zip(found.claims, found.power, strict=True)
    ]
    lines += [*aligned([heads, *rows], texts=2), ""]
    lines += ["What to add first: the same at one effect, now and with more:"]
    now = [row[place] for row, place in zip(found.power, found.middle, strict=True)]
    rows = [
        [
            claim["id"],
            f"{effects[place]:g}",
            _percent(value),
            *(_percent(found.added[words][row]) for words in found.added),
        ]
        for row, (claim, place, value) in enumerate(zip(found.claims, found.middle, now, strict=True))
    ]
    means = {words: float(numpy.mean(values)) for words, values in found.added.items()}
    rows.append(["mean", "", _percent(numpy.mean(now)), *map(_percent, means.values())])
    costs = [f"{larger.trainings:,}" for larger in found.additions.values()]
    rows.append(["trainings", "", f"{plan.trainings:,}", *costs])
    lines += aligned([["claim", "effect", "now", *found.added], *rows], texts=1)
    order = sorted(means, key=means.get, reverse=True)
    more = {words: larger.trainings - plan.trainings for words, larger in found.additions.items()}
    gains = [
        f"{words} ({100 * (means[words] - numpy.mean(now)):+.0f} points on average, {more[words]:,} more trainings)"
        for words in order
    ]
    return "\n".join([*lines, "", f"First: {gains[0]}. Then: {'; '.join(gains[1:])}.", ""])


def _middle(power):
    """The position of the effect whose power is nearest to a half: there an addition shows most."""
    distance = numpy.where(numpy.isnan(power), 2.0, numpy.abs(power - MIDDLE))
    # Of equally near ones the last: where nothing is found, the largest effect may be found with more.
    return len(power) - 1 - int(numpy.argmin(distance[::-1]))


def _percent(value):
    """A share as a whole percentage; a dash where no verdict is right."""
    return NOTHING_RIGHT if numpy.isnan(value) else f"{100 * value:.0f}"
