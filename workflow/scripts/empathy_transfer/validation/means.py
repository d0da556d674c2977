"""Do intervals of means over pairs hold the truth, and do claims on all of many transfers keep their error?

Studies are those of `simulated_studies` without effect of ratings, with the pairs and themes of the published study, or
with other numbers of tasks per dataset. All baselines are 1 there, so that a percent is a point. For the claims, single
transfers have tests: those to abstract targets change nothing, and many of the others gain.
"""

import itertools
from typing import NamedTuple

import numpy
import pandas
from scipy import stats

from empathy_transfer.claims.engine import ALPHA
from empathy_transfer.claims.transfer_evidence import TESTS, Evidence
from empathy_transfer.claims.transfer_rules import RULES
from empathy_transfer.features.task_facts import ASPECTS
from empathy_transfer.report.style import THEMES
from empathy_transfer.scores.points import cut_off
from empathy_transfer.statistics.dataset_jackknife import DatasetJackknife
from empathy_transfer.statistics.task_bootstrap import pair_weights, ratio_interval
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED
from empathy_transfer.validation.bars import COVERAGE, MOST_WRONG
from empathy_transfer.validation.simulated_studies import (
    COLLAPSED_FROM,
    Sizes,
    make_design,
    simulate_study,
)

LEAST_COVERAGE = (0.935, 1.0)
LAYOUTS = {
    "6 tasks, two in each dataset": (2, 2, 2),
    "8 tasks, 3, 3, 1 and 1 in a dataset": (3, 3, 1, 1),
    "16 tasks, 6, 6, 1, 1, 1 and 1 in a dataset": (6, 6, 1, 1, 1, 1),
}
TASK_DRAWS = 400
SHARE, SHARE_STUDIES = 0.1, 1500
# Of the transfers to targets of other themes so many gain, by so many standard errors of their tests.
GAINING, GAIN, FREEDOM = 0.4, 4.0, 20


class Contrast(NamedTuple):
    """A theme of sources or targets less another."""

    role: str
    theme: str
    other: str


CONTRASTS = [Contrast(role, *themes) for role in ("source", "target") for themes in itertools.combinations(THEMES, 2)]


def layout_pairs(sizes):
    """All pairs of so many tasks per dataset: a frame with source, target, their datasets, and ratings of 0."""
    tasks = {f"{dataset}_{number}": str(dataset) for dataset, size in enumerate(sizes) for number in range(size)}
    pairs = pandas.DataFrame(itertools.permutations(tasks, 2), columns=["source", "target"])
    datasets = {f"{role}_dataset": pairs[role].map(tasks) for role in ("source", "target")}
    return pairs.assign(**datasets, **dict.fromkeys(ASPECTS, 0.0))


def points_of(design, generators, sizes):
    """The changes of studies in points, cut off as those of a true one; an array (studies, pairs)."""
    return numpy.stack([cut_off(simulate_study(design, generator, sizes)[0], 1.0) for generator in generators])


def true_mean(sizes, number):
    """The expected change of a pair, where so many pairs hold one that collapsed.

    Transfers change nothing. But a ratio to a baseline that varies is a little above 1 on average, and the collapsed
    run counts as what it is cut off at.
    """
    ratio = 100 * (sizes.baseline / 100) ** 2
    return ratio + (max(COLLAPSED_FROM, -25.0) - ratio) / number


def simulate_coverage(truth, about, generators):
    """Whether each interval holds the truth: {statistic: booleans as numbers, one per study}.

    `about` has `sizes` (`Sizes`), and `layout`, the numbers of tasks per dataset, or None for the published study. Only
    the published study has themes, and so differences between them, and shares of transfers with an outcome.
    """
    sizes, layout = about["sizes"], about["layout"]
    pairs = truth.pairs if layout is None else layout_pairs(layout)
    design = truth.design if layout is None else make_design(pairs)
    points = points_of(design, generators, sizes)
    expected = true_mean(sizes, len(pairs))
    jackknife = DatasetJackknife(pairs)
    found = {"mean, datasets left out": _holds(jackknife.interval(points, ALPHA), expected)}
    found["mean, tasks drawn"] = _drawn(pairs, points, expected)
    if layout is None:
        for contrast in CONTRASTS:
            themes = pairs[contrast.role].map(truth.themes)
            between = DatasetJackknife(pairs, themes == contrast.theme, themes == contrast.other)
            words = f"{contrast.theme} less {contrast.other} {contrast.role}s, datasets left out"
            found[words] = _holds(between.interval(points, ALPHA), 0.0)
        hits = points > _threshold(design, sizes)
        ends = numpy.array([jackknife.share_interval(one, ALPHA) for one in hits])
        found["a true share of 10 % lies outside of its interval"] = 1 - _holds(ends.T, SHARE)
    return found


def simulate_claims(truth, about, generators):
    """Whether claims that hold are called not supported: {statistic: booleans as numbers, one per study}.

    No transfer changes an abstract target. Of the others `GAINING` gain. Tests of a target's transfers correlate .5,
    since they share its baseline.
    """
    pairs = truth.pairs[["source", "target"]]
    abstract = (pairs["target"].map(truth.themes) == "abstract").to_numpy()
    direct = (pairs["source"].map(truth.themes) == "direct").to_numpy()
    evidence = Evidence(pairs.assign(data="full", se=0.01, df=float(FREEDOM), own=100.0), truth.tasks, TESTS, 3)
    bounds = {"plausible_percent": 5, "least_tasks": 3}
    rules = {
        "none_improved": ({"data": "full", "target_theme": "abstract"}, abstract),
        "only_these_targets": (
            {"data": "full", "source_theme": "direct", "target_themes": ["direct", "adjacent"]}, abstract & direct
        ),
    }  # fmt: skip
    found = {f"{name}, {words}": [] for name in rules for words in ("own family", "false discovery rate of all pairs")}
    for generator in generators:
        t = _statistics(truth.design, abstract, generator)
        p = 2 * stats.t.sf(numpy.abs(t), FREEDOM)
        discovered = (stats.false_discovery_control(p) <= ALPHA) & (t > 0)
        tested = evidence.pairs.assign(p=p, points=t, improved=discovered, detectable=1.0)
        for name, (arguments, concerned) in rules.items():
            verdict = RULES[name](evidence._replace(pairs=tested), bounds, **arguments).verdict
            found[f"{name}, own family"].append(verdict == NOT_SUPPORTED)
            found[f"{name}, false discovery rate of all pairs"].append(discovered[concerned].any())
    return {name: numpy.array(values, dtype=float) for name, values in found.items()}


SIZES = {
    "no effect": Sizes(),
    "no effect, strong dataset effects": Sizes(target_dataset=6.0, source_dataset=6.0, dataset_pair=4.0),
    "no effect, sources differ within datasets": Sizes(source_task=2.0),
}
MEAN, OUTSIDE = "mean, datasets left out", "a true share of 10 % lies outside of its interval"


def means_conditions():
    """Yield (condition, simulations, what they need) of this part, see `parts.Part`.

    Bars: 93.5 to 96.5 % of intervals of a mean hold the truth, and at least 93.5 % of those of a difference between
    themes; a share lies outside of its interval, or a claim is called not supported though it holds, in at most 6.5 %.
    """
    for words, sizes in SIZES.items():
        bars = {MEAN: COVERAGE, OUTSIDE: MOST_WRONG}
        bars |= {f"{theme} less {other} {role}s, datasets left out": LEAST_COVERAGE for role, theme, other in CONTRASTS}
        yield words, 2000, {"run": simulate_coverage, "sizes": sizes, "layout": None, "bars": bars}
    for words, layout in LAYOUTS.items():
        about = {"run": simulate_coverage, "sizes": Sizes(), "layout": layout, "bars": {MEAN: LEAST_COVERAGE}}
        yield f"no effect, {words}", 2000, about
    claims = {f"{name}, own family": MOST_WRONG for name in ("none_improved", "only_these_targets")}
    yield "claims that hold, called not supported", 1000, {"run": simulate_claims, "bars": claims}


def _holds(interval, expected):
    """Whether intervals (two arrays of ends) hold a number, as numbers."""
    low, high = interval
    return ((low <= expected) & (expected <= high)).astype(float)


def _drawn(pairs, points, expected):
    """Whether the interval that draws tasks, each once for both of its roles, holds the expected mean."""
    weights = pair_weights(pairs, "tasks", TASK_DRAWS, numpy.random.default_rng(0))
    ends = [ratio_interval(weights, study, numpy.ones(len(pairs))) for study in points]
    return _holds(numpy.array(ends).T, expected)


def _threshold(design, sizes):
    """What a tenth of all changes exceed, over many studies."""
    generators = [numpy.random.default_rng(0)] * SHARE_STUDIES
    return float(numpy.quantile(points_of(design, generators, sizes), 1 - SHARE))


def _statistics(design, abstract, generator):
    """The t statistics of all transfers of one study."""
    normal, tasks = generator.standard_normal, design.target.max() + 1
    noise = (normal(tasks)[design.target] + normal(len(abstract))) / numpy.sqrt(2)
    gains = GAIN * (~abstract & (generator.random(len(abstract)) < GAINING))
    spread = numpy.sqrt(generator.chisquare(FREEDOM, len(abstract)) / FREEDOM)
    return (gains + noise) / spread
