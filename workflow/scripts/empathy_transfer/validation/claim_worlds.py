"""What is true of the studies by which the power of a claim is calculated: worlds, and how big the effect in them is.

A claim that something happens is true in its world, by an effect of some percent. A claim that nothing happens is true
at an effect of 0 and false beyond. Claims about what is improved or not are about single transfers, so in their worlds
nothing else differs; in all others tasks and datasets differ, too.
"""

from typing import NamedTuple

import numpy
import pandas

from empathy_transfer.features.task_facts import ASPECTS
from empathy_transfer.validation.planned_studies import layout, simulate_luck

SEED, STUDIES = 2026, 400
# Rules whose worlds have no other differences than the effect.
ABOUT_SINGLE = ("none_improved", "only_these_targets", "rare")
# Outcome and direction of claims by which a theme itself moves; else the other themes do, the other way.
BY_ITSELF = (("improved", "more"), ("points", "more"), ("harmed", "more"))


class World(NamedTuple):
    """Studies of a plan: where its tasks stand, what luck does to them, and the bounds of the claims."""

    plan: object
    where: object
    spreads: object
    luck: object
    bounds: dict

    @property
    def design(self):
        """The pairs."""
        return self.where.design

    @property
    def pairs(self):
        """The pairs as a frame of source, target and their datasets, by numbers."""
        return pandas.DataFrame(
            {name: getattr(self.design, name) for name in ("source", "target", "source_dataset", "target_dataset")}
        )


def make_world(plan, spreads, bounds, studies=STUDIES):
    """The `World` of a plan, always with the same luck.

    Args:
        plan: `planned_studies.Plan`. spreads: `planned_studies.Spreads`. bounds: of the claims, by name.
        studies: how many are simulated.
    """
    where = layout(plan)
    return World(plan, where, spreads, simulate_luck(plan, where, spreads, studies, [SEED, *plan]), bounds)


def percent_of(claim, world, effect):
    """Percent changes that the studies of a world measure where a claim has an effect: studies x pairs."""
    luck = world.luck
    others = 0.0 if claim["rule"] in ABOUT_SINGLE else luck.differing
    return luck.measured + others + CHANGES[claim["rule"]](world, effect, **claim["arguments"])


def _theme_differs(world, effect, outcome, role, theme, direction, **_):
    """The theme brings (or loses) more than others, or others lose where the claim is one of fewer losses."""
    inside = world.where.of_theme(theme, role)
    loses = outcome in ("harmed", "not_harmed")
    return effect * (-1 if loses else 1) * (inside if (outcome, direction) in BY_ITSELF else ~inside)


def _none_improved(world, effect, target_theme, **_):
    """Targets of the theme gain."""
    return effect * world.where.of_theme(target_theme, "target")


def _only_these_targets(world, effect, source_theme, target_themes, **_):
    """Sources of the theme help targets of these themes."""
    helped = [world.where.of_theme(theme, "target") for theme in target_themes]
    return effect * (world.where.of_theme(source_theme, "source") & numpy.any(helped, axis=0))


def _rare(world, effect, outcome, **_):
    """A quarter of the transfers, in all themes, is changed."""
    chosen = numpy.random.default_rng(SEED).permutation(len(world.design.source)) % 4 == 0
    return effect * chosen * (1 if outcome == "improved" else -1)


def _mean_change(world, effect, **_):
    """All transfers change as much."""
    return effect


def _most_important(world, effect, feature):
    """Each point by which the target is rated above the source brings the effect."""
    return effect * world.design.ratings[:, ASPECTS.index(feature)] if feature in ASPECTS else 0.0


def _nothing(world, effect, **_):
    """No change of the pairs themselves."""
    return 0.0


CHANGES = {
    "theme_differs": _theme_differs,
    "none_improved": _none_improved,
    "only_these_targets": _only_these_targets,
    "rare": _rare,
    "equal_to_baseline": _mean_change,
    "no_substantial_gain": _mean_change,
    "most_important": _most_important,
    "variants_gain": _nothing,
}


def truth_in_words(claim):
    """What the effect of a claim is, in a few words; None for a rule without a calculation."""
    about = claim["arguments"]
    if claim["rule"] == "theme_differs":
        role, theme, outcome = about["role"], about["theme"], about["outcome"]
        if (outcome, about["direction"]) in BY_ITSELF:
            return f"{theme} {role}s {'lose' if outcome == 'harmed' else 'gain'} more"
        return f"other {role}s lose"
    return {
        "none_improved": lambda: f"{about['target_theme']} targets gain; at 0 none does",
        "only_these_targets": lambda: f"{about['source_theme']} sources help just these",
        "rare": lambda: f"a quarter is {about['outcome']}; at 0 none is",
        "equal_to_baseline": lambda: "mean change",
        "no_substantial_gain": lambda: "mean change",
        "most_important": lambda: f"per point of {about['feature']}; at most",
        "variants_gain": lambda: f"variants as {about['role']}s gain",
    }.get(claim["rule"], lambda: None)()
