"""How often would a planned study reach the right verdict on each claim, by the size of what is true?

Intervals, corrections for many tests, guards and bounds are those of the rules, applied to all simulated studies at
once. Two things are shorter than in a study: permuted labels of themes are taken to give normal deviates, and of the
claims on ratings only the primary test is made. Points stand for percent here, as if all baselines were the
same.
"""

import numpy
from scipy import special

from empathy_transfer.features.task_facts import ASPECTS
from empathy_transfer.report.style import THEMES
from empathy_transfer.significance.theme_permutation import arrangements
from empathy_transfer.statistics.dataset_jackknife import DatasetJackknife
from empathy_transfer.statistics.t_tests import LEVEL
from empathy_transfer.validation.claim_worlds import percent_of
from empathy_transfer.validation.planned_studies import SPREAD_ITEMS, detectable_changes, discoveries, p_values
from empathy_transfer.validation.rating_studies import primary_p_values

RATING_STUDIES, SHARE_STUDIES = 200, 100
HALF = 0.5
# Rules that count tests of single transfers: with one seed nothing is decided.
COUNTING = ("none_improved", "only_these_targets", "rare")


def power_of(claim, world, effect):
    """The share of studies with the right verdict on a claim where the truth has a size.

    Args:
        claim: dict with its `rule` and `arguments`. world: see `claim_worlds.make_world`.
        effect: in percent of the baseline, 0 or more; for ratings percent per point.

    NaN where no verdict is right: at 0 for claims that something happens, and on the bound of a claim. NaN also for a
    rule that needs more than a plan.
    """
    rule, about = claim["rule"], claim["arguments"]
    if rule not in POWERS or _on_the_border(world, effect, rule):
        return numpy.nan
    counts = rule in COUNTING or (rule == "theme_differs" and about["outcome"] != "points") or rule == "variants_gain"
    by_theme = rule in ("theme_differs", "none_improved", "only_these_targets")
    if (counts and not world.luck.covers_seeds) or (by_theme and _few_tasks(world)):
        return 0.0
    return float(numpy.mean(POWERS[rule](world, percent_of(claim, world, effect), effect, **about)))


def _theme_differs(world, percent, effect, data, outcome, role, theme, direction, other_theme=None):
    """Studies that support it: each difference has its interval above 0, and lies beyond what permuted labels give."""
    where = world.where
    if 1 / arrangements(where.themes, where.kinds) > LEVEL:
        return False
    values = _outcome(world, percent, outcome) * (1 if direction == "more" else -1)
    other_role = "target" if role == "source" else "source"
    inside = where.of_theme(other_theme, other_role) if other_theme else numpy.ones(percent.shape[1], dtype=bool)
    clear = numpy.ones(len(percent), dtype=bool)
    spread = special.ndtri(1 - LEVEL / 2) * _spread_of_permutations(world, values, role, inside)
    for other in THEMES:
        if other != theme:
            sides = [(where.of_theme(name, role) & inside)[inside] for name in (theme, other)]
            jackknife = DatasetJackknife(world.pairs[inside], *sides)
            low, _ = jackknife.interval(values[:, inside], LEVEL)
            clear &= False if low is None else (low > 0) & (jackknife.mean(values[:, inside]) > spread)
    return clear


def _none_improved(world, percent, effect, data, target_theme):
    """Studies that find one; at 0 those that find none, though half of the transfers could have shown a change."""
    inside, p = world.where.of_theme(target_theme, "target"), p_values(percent, world.luck, world.design)
    found = _found_within(p, percent, inside).any(axis=1)
    return found if effect else ~found & _could_show(world, LEVEL / inside.sum(), inside)


def _only_these_targets(world, percent, effect, data, source_theme, target_themes):
    """Studies in which targets of each theme improve, and no other does, though it could have been shown."""
    sources, p = world.where.of_theme(source_theme, "source"), p_values(percent, world.luck, world.design)
    helped = [sources & world.where.of_theme(theme, "target") for theme in target_themes]
    outside = sources & ~numpy.any(helped, axis=0)
    each = numpy.all([_found_within(p, percent, pairs).any(axis=1) for pairs in helped], axis=0)
    could = _could_show(world, LEVEL / outside.sum(), outside)
    return each & ~_found_within(p, percent, outside).any(axis=1) & could


def _rare(world, percent, effect, data, outcome):
    """Studies whose share has its interval above the bound; at 0 below it, though changes could have been shown."""
    found, limit = _outcome(world, percent, outcome)[:SHARE_STUDIES], world.bounds["rare_share"]
    jackknife = DatasetJackknife(world.pairs)
    ends = [jackknife.share_interval(hits, LEVEL) for hits in found]
    low, high = (numpy.array([numpy.nan if end[place] is None else end[place] for end in ends]) for place in (0, 1))
    if effect:
        return low > limit
    level = discoveries(p_values(percent, world.luck, world.design))[1]
    return (high < limit) & _could_show(world, level, slice(None))[:SHARE_STUDIES]


def _equal_to_baseline(world, percent, effect, data):
    """Studies whose mean change has its interval within the margin, or above it where the effect is."""
    (low, high), margin = _mean_interval(world, percent), world.bounds["margin_percent"]
    return low > margin if effect > margin else (low > -margin) & (high < margin)


def _no_substantial_gain(world, percent, effect, data):
    """Studies whose mean change has its interval below the bound, or above it where the effect is."""
    (low, high), limit = _mean_interval(world, percent), world.bounds["substantial_percent"]
    return low > limit if effect > limit else high < limit


def _most_important(world, percent, effect, feature):
    """Studies in which the primary test finds the rating. The rule asks for more than that."""
    if feature not in ASPECTS:
        return numpy.nan
    return primary_p_values(world.design, percent[:RATING_STUDIES])[:, ASPECTS.index(feature)] <= LEVEL


def _variants_gain(world, percent, effect, data, role, variants):
    """The power of a t test of a mean over tasks whose runs share the luck of a seed: by formula, a number.

    As sources, variants and their task each have one adapter per seed, whose luck all targets share. As targets, they
    have a baseline each. What is shared has as many degrees of freedom as the seeds of both sides leave.
    """
    spreads, plan = world.spreads, world.plan
    run = spreads.seed**2 * (1 - spreads.seed_correlation) + spreads.item**2 * SPREAD_ITEMS / plan.items
    shared = spreads.adapter**2 if role == "source" else spreads.baseline_spread**2 * run
    # The mean of several variants, less their one task.
    variance = (1 + 1 / len(variants)) * (shared + run / (plan.tasks - 1)) / plan.seeds
    freedom = 2 * (plan.seeds - 1)
    critical = special.stdtrit(freedom, 1 - LEVEL / 2)
    return float(1 - special.nctdtr(freedom, effect / numpy.sqrt(variance), critical))


POWERS = {
    "theme_differs": _theme_differs,
    "none_improved": _none_improved,
    "only_these_targets": _only_these_targets,
    "rare": _rare,
    "equal_to_baseline": _equal_to_baseline,
    "no_substantial_gain": _no_substantial_gain,
    "most_important": _most_important,
    "variants_gain": _variants_gain,
}


def _on_the_border(world, effect, rule):
    """Whether neither verdict is right."""
    borders = {"equal_to_baseline": "margin_percent", "no_substantial_gain": "substantial_percent"}
    if rule in borders:
        return effect == world.bounds[borders[rule]]
    return effect == 0 and rule not in ("none_improved", "rare")


def _few_tasks(world):
    """Whether a theme has too few tasks for claims about it."""
    return min(map(world.where.tasks_of, THEMES)) < world.bounds["least_tasks"]


def _outcome(world, percent, outcome):
    """The outcome of pairs as numbers: their percent change, or 0 and 1."""
    if outcome == "points":
        return percent
    found = discoveries(p_values(percent, world.luck, world.design))[0]
    harmed = found & (percent < 0)
    return {"improved": found & (percent > 0), "harmed": harmed, "not_harmed": ~harmed}[outcome].astype(float)


def _found_within(p, percent, inside):
    """Which of some pairs are improved at a family-wise level of 5 % within them: studies x these."""
    return (p[:, inside] <= LEVEL / max(int(numpy.sum(inside)), 1)) & (percent[:, inside] > 0)


def _could_show(world, level, inside):
    """Whether half of some pairs could show a plausible change at a level (a number, or one per study)."""
    able = detectable_changes(world.luck, level) <= world.bounds["plausible_percent"]
    return able[:, world.design.target[inside]].mean(axis=1) >= HALF


def _mean_interval(world, percent):
    """The interval of the mean change in each study; NaN where there are too few datasets."""
    low, high = DatasetJackknife(world.pairs).interval(percent, LEVEL)
    return (numpy.full(len(percent), numpy.nan),) * 2 if low is None else (low, high)


def _spread_of_permutations(world, values, role, inside):
    """Standard deviation of a difference of themes when labels are moved between tasks of a kind, in each study."""
    weights = (getattr(world.design, role)[:, None] == numpy.arange(world.plan.tasks)) * inside[:, None]
    means = values @ weights / numpy.maximum(weights.sum(axis=0), 1)
    kinds = world.where.kinds
    for kind in set(kinds.tolist()):
        means[:, kinds == kind] -= means[:, kinds == kind].mean(axis=1, keepdims=True)
    freedom = world.plan.tasks - len(set(kinds.tolist()))
    return numpy.sqrt((means**2).sum(axis=1) / freedom * 2 / min(map(world.where.tasks_of, THEMES)))
