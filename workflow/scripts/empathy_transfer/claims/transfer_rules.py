"""The rules by which the claims on transfer are judged.

Whatever a rule is about, the same order holds: too few tasks or no data at all is `not
testable`; what the interval (and the permutation test) settles is `supported` or `not supported`; the rest is
`undecided`, with the reason. Intervals leave out datasets in both roles, so they speak of other datasets.
"""

import functools

import numpy
import pandas

from empathy_transfer.claims.engine import ALPHA, DRAWS, Finding, nothing
from empathy_transfer.claims.families import as_family
from empathy_transfer.claims.importance_rules import most_important, negligible
from empathy_transfer.claims.transfer_evidence import SCORES, TESTS
from empathy_transfer.claims.variant_rules import variants_gain
from empathy_transfer.report.style import THEMES
from empathy_transfer.significance.theme_permutation import permutation_p, permuted_labels, stratum
from empathy_transfer.statistics.dataset_jackknife import DatasetJackknife, share_interval
from empathy_transfer.statistics.t_tests import NOTHING
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, SUPPORTED, UNDECIDED

BOUNDS = {
    *("least_tasks", "plausible_percent", "rare_share", "margin_percent", "substantial_percent"),
    "negligible_importance",
}
NEAR_FLOOR = "for at least half of them the baseline is near constant answers"
NO_TESTS = "scores without tests: a difference may be chance"
FEW_DATASETS = "too few datasets for an interval"
POINTS = "points"  # the outcome that is a mean change; all others are shares of transfers


def counting_tests(rule):
    """The rule, undecided where it counts tests of single transfers that one seed was made for.

    Such tests cover the choice of test items only; another seed might well have turned them.
    """

    @functools.wraps(rule)
    def of_all_seeds(evidence, bounds, **arguments):
        finding = rule(evidence, bounds, **arguments)
        counted = evidence.basis == TESTS and arguments.get("outcome") != POINTS
        if counted and not evidence.covers_seeds and finding.verdict in (SUPPORTED, NOT_SUPPORTED):
            why = f"one seed, so the tests say nothing of another; otherwise {finding.verdict}: {finding.why}"
            return finding._replace(verdict=UNDECIDED, why=why)
        return finding

    return of_all_seeds


@counting_tests
def theme_differs(evidence, bounds, data, outcome, role, theme, direction, other_theme=None):
    """Whether an outcome is more (or less) frequent for a theme of sources (or targets) than for each other theme.

    The number is the smallest of the differences (percentage points, or points of the score for the outcome `points`,
    a mean change), turned so that positive speaks for the claim. Supported: every difference has an interval above 0
    and a permutation p of at most 5 %. Not supported: one of them has an interval below 0 and a p of at most 5 %, both
    corrected for the number of differences. Either way the difference must lie on that side of the permutations' mean,
    too. `other_theme` restricts the other role to one theme.
    """
    word = "mean change in points" if outcome == POINTS else f"{outcome.replace('_', ' ')}, percentage points"
    statistic = f"{theme} {role}s less the nearest theme: {word}"
    pairs = _with_themes(evidence)
    pairs = pairs[(pairs["data"] == data) & pairs[outcome].notna()]
    if other_theme:
        pairs = pairs[pairs["target_theme" if role == "source" else "source_theme"] == other_theme]
    counts = pairs.groupby(f"{role}_theme")[role].nunique()
    if counts.get(theme, 0) < bounds["least_tasks"]:
        return nothing(statistic, len(pairs), _too_few(data, theme, counts, role))
    others = [name for name in THEMES if name != theme and counts.get(name, 0) >= bounds["least_tasks"]]
    missing = [name for name in THEMES if name != theme and name not in others]
    if not others:
        return nothing(statistic, len(pairs), _too_few(data, missing[0], counts, role))
    scale = (1 if outcome == POINTS else 100) * (1 if direction == "more" else -1)
    values = scale * pairs[outcome].to_numpy(float)
    found = [_contrast(pairs, values, evidence.tasks, role, theme, other, len(others)) for other in others]
    least = min(found, key=lambda contrast: contrast["number"])
    tested = [one["low"] is not None and one["p"] is not None for one in found]
    support = all(tested) and all(min(one["low"], one["excess"]) > 0 and one["p"] <= ALPHA for one in found)
    against = [
        other
        for other, one, known in zip(others, found, tested, strict=True)
        if known and max(one["corrected_high"], one["excess"]) < 0 and one["p"] <= ALPHA / len(others)
    ]
    if against:
        verdict, why = NOT_SUPPORTED, f"{against[0]} {role}s stand {'above' if direction == 'more' else 'below'} them"
    elif support and not missing:
        verdict, why = SUPPORTED, "every difference lies above 0"
    else:
        why = f"too few {missing[0]} {role}s" if missing else _open_contrast(least)
        why = _too_small(pairs, bounds) or why if outcome != POINTS else why
        verdict = UNDECIDED
    if outcome != POINTS and evidence.basis == SCORES and verdict != UNDECIDED:
        verdict, why = UNDECIDED, NO_TESTS
    return Finding(statistic, verdict, why, *(least[name] for name in ("number", "low", "high", "p")), len(pairs))


@counting_tests
def none_improved(evidence, bounds, data, target_theme):
    """Whether no transfer to targets of a theme improves them.

    Not supported: one does. Tests of these transfers are corrected for their number (Holm), so that chance alone makes
    one improve in at most 5 % of studies, whatever happens to other targets. Supported: none does, and at least half of
    these transfers could have shown a plausible change.
    """
    statistic = f"share of transfers to {target_theme} targets that improve"
    pairs = _with_themes(evidence)
    pairs = pairs[(pairs["data"] == data) & (pairs["target_theme"] == target_theme)]
    if pairs.empty:
        return nothing(statistic, 0, f"no tested transfer to {target_theme} targets with {data} data")
    pairs = as_family(evidence, pairs)
    share = _share(pairs, statistic)
    if evidence.basis == SCORES:
        return share._replace(why=NO_TESTS)
    if pairs["improved"].any():
        return share._replace(verdict=NOT_SUPPORTED, why=f"{int(pairs['improved'].sum())} improved")
    small = _too_small(pairs, bounds)
    return share._replace(verdict=UNDECIDED if small else SUPPORTED, why=small or "none improved")


@counting_tests
def only_these_targets(evidence, bounds, data, source_theme, target_themes):
    """Whether sources of a theme improve targets of all of these themes and of no other.

    Not supported: a target of another theme is improved. Supported: targets of each of these themes are, no other is,
    and at least half of the transfers to others could have shown a plausible change. Tests are corrected for their
    number (Holm), those of transfers to other themes together, and those to each of these themes. The number is the
    share of the transfers to other themes that improve.
    """
    statistic = (
        f"share of transfers from {source_theme} to other than {' and '.join(target_themes)} targets that improve"
    )
    pairs = _with_themes(evidence)
    pairs = pairs[(pairs["data"] == data) & (pairs["source_theme"] == source_theme)]
    inside = pairs["target_theme"].isin(target_themes)
    if pairs.empty or inside.all() or set(pairs.loc[inside, "target_theme"]) != set(target_themes):
        return nothing(statistic, len(pairs), f"no tested transfers from {source_theme} to targets of all themes")
    others = as_family(evidence, pairs[~inside])
    share = _share(others, statistic)
    if evidence.basis == SCORES:
        return share._replace(why=NO_TESTS)
    if others["improved"].any():
        return share._replace(verdict=NOT_SUPPORTED, why="targets of another theme improved")
    families = [as_family(evidence, pairs[pairs["target_theme"] == theme]) for theme in target_themes]
    missing = [theme for theme, family in zip(target_themes, families, strict=True) if not family["improved"].any()]
    if missing:
        why = _too_small(pandas.concat(families), bounds) or f"no {missing[0]} target improved either"
        return share._replace(why=why)
    small = _too_small(others, bounds)
    return share._replace(verdict=UNDECIDED if small else SUPPORTED, why=small or "no other target improved")


@counting_tests
def rare(evidence, bounds, data, outcome):
    """Whether an outcome is rare: supported if the interval of its share lies below the bound, not supported if above.

    What is rare because tests are too imprecise to show a plausible change is undecided.
    """
    statistic = f"share of transfers: {outcome}"
    pairs = _with_themes(evidence)
    pairs = pairs[pairs["data"] == data]
    if pairs[["source", "target"]].nunique().min() < bounds["least_tasks"]:
        return nothing(statistic, len(pairs), f"too few tested transfers with {data} data")
    finding, limit = _share(pairs, statistic, outcome), 100 * bounds["rare_share"]
    if evidence.basis == SCORES:
        return finding._replace(why=NO_TESTS)
    if finding.low is None:
        return finding._replace(why=FEW_DATASETS)
    if finding.low > limit:
        return finding._replace(verdict=NOT_SUPPORTED, why=f"the interval lies above {limit:g} %")
    small = _too_small(pairs, bounds)
    if small or finding.high > limit:
        return finding._replace(why=small or f"the interval holds {limit:g} %")
    return finding._replace(verdict=SUPPORTED, why=f"the interval lies below {limit:g} %")


def equal_to_baseline(evidence, bounds, data):
    """Whether transfer gives the full-data baseline's score: the interval of the mean change lies within the margin.

    The margin is in percent of the mean baseline of the targets. Changes are in points, cut off 25 % of it beyond
    0 and their median.
    """
    finding, one_percent = _mean_change(evidence, bounds, data)
    if finding.low is None:
        return finding
    words, margin = _limit(bounds["margin_percent"], one_percent)
    if finding.low >= -margin and finding.high <= margin:
        return finding._replace(verdict=SUPPORTED, why=f"the interval lies within {words}")
    if finding.low > margin or finding.high < -margin:
        return finding._replace(verdict=NOT_SUPPORTED, why=f"the interval lies outside of {words}")
    return finding._replace(why=f"the interval reaches across {words}")


def no_substantial_gain(evidence, bounds, data):
    """Whether the mean change over all pairs is below what would be substantial.

    That bound is in percent of the mean baseline of the targets. Changes are in points, cut off 25 % of it beyond
    0 and their median.
    """
    finding, one_percent = _mean_change(evidence, bounds, data)
    if finding.low is None:
        return finding
    words, limit = _limit(bounds["substantial_percent"], one_percent)
    if finding.high < limit:
        return finding._replace(verdict=SUPPORTED, why=f"the interval lies below {words}")
    if finding.low > limit:
        return finding._replace(verdict=NOT_SUPPORTED, why=f"the interval lies above {words}")
    return finding._replace(why=f"the interval holds {words}")


RULES = {
    rule.__name__: rule
    for rule in (
        *(theme_differs, none_improved, only_these_targets, rare, equal_to_baseline, no_substantial_gain),
        *(most_important, negligible, variants_gain),
    )
}


def _with_themes(evidence):
    """The pairs with the themes and datasets of both tasks."""
    known = {
        f"{role}_{name}": evidence.pairs[role].map({task: about[name] for task, about in evidence.tasks.items()})
        for role in ("source", "target")
        for name in ("theme", "dataset")
    }
    return evidence.pairs.assign(**known)


def _contrast(pairs, values, tasks, role, theme, other, number):
    """Mean of a theme less that of another: number, interval, high end corrected for `number`, permutation p, excess.

    The excess is the number less the mean of the permutations, which is not 0 where themes differ in their kinds.
    """
    themes = pairs[f"{role}_theme"].to_numpy()
    jackknife = DatasetJackknife(pairs, themes == theme, themes == other)
    observed = float(jackknife.mean(values))
    low, high = jackknife.interval(values, ALPHA)
    corrected = jackknife.interval(values, ALPHA / number)[1]
    if low is not None and max(abs(observed), high - low) < NOTHING:  # two shares of 0, or of 1
        low, high, corrected = None, None, None
    names = list(dict.fromkeys(pairs[role]))
    labels = [THEMES.index(tasks[name]["theme"]) for name in names]
    strata = [stratum(tasks[name], "kind") for name in names]
    permuted, p, excess = permuted_labels(labels, strata, DRAWS, numpy.random.default_rng(0)), None, 0.0
    if permuted is not None:
        moved = permuted[:, pairs[role].map(names.index).to_numpy()]
        means = [
            _ratio((values * (moved == THEMES.index(name))).sum(axis=1), (moved == THEMES.index(name)).sum(axis=1))
            for name in (theme, other)
        ]
        p, excess = permutation_p(observed, means[0] - means[1]), observed - float(numpy.nanmean(means[0] - means[1]))
    return {"number": observed, "low": low, "high": high, "corrected_high": corrected, "p": p, "excess": excess}


def _mean_change(evidence, bounds, data):
    """The mean change over pairs as an undecided finding, and what one percent of the mean baseline is in points."""
    statistic = "mean change in points of the score"
    pairs = _with_themes(evidence)
    pairs = pairs[(pairs["data"] == data) & pairs[POINTS].notna()]
    if pairs[["source", "target"]].nunique().min() < bounds["least_tasks"]:
        return nothing(statistic, len(pairs), f"too few tested transfers with {data} data"), None
    jackknife, values = DatasetJackknife(pairs), pairs[POINTS].to_numpy(float)
    interval = jackknife.interval(values, ALPHA)
    finding = Finding(statistic, UNDECIDED, FEW_DATASETS, float(jackknife.mean(values)), *interval, None, len(pairs))
    return finding, pairs["one_percent"].iloc[0]


def _limit(percent, one_percent):
    """A bound in percent of the mean baseline in words, and in points."""
    points = percent * one_percent
    return f"{percent:g} % of the mean baseline ({points:.2f} points)", points


def _share(pairs, statistic, outcome="improved"):
    """The share of the pairs with an outcome, in percent, and its interval over datasets."""
    hits = pairs[outcome].to_numpy(bool)
    low, high = (end if end is None else 100 * end for end in share_interval(hits, pairs, ALPHA))
    return Finding(f"{statistic}, percent", UNDECIDED, "", 100 * float(hits.mean()), low, high, None, len(pairs))


def _too_small(pairs, bounds):
    """Why finding nothing says nothing, or an empty text: under half of the pairs could show a plausible change."""
    known = pairs[pairs["detectable"].notna()]
    able, middle = int((known["detectable"] <= bounds["plausible_percent"]).sum()), known["detectable"].median()
    if len(known) == 0 or able >= len(known) / 2:
        return ""
    return (
        f"tests too imprecise: a change of {bounds['plausible_percent']:g} % would show in {able} of {len(known)} "
        f"transfers ({f'median detectable change {middle:.0f} %' if numpy.isfinite(middle) else NEAR_FLOOR})"
    )


def _open_contrast(least):
    """Why a difference between themes is open."""
    if least["low"] is None:
        return "too few datasets for an interval, or nothing that differs"
    if least["low"] > 0:
        return "the interval lies above 0, but other groupings of the same tasks do as much"
    return "the interval holds 0" if least["high"] >= 0 else "below 0, but not clearly"


def _too_few(data, theme, counts, role):
    """Why a theme can't be compared."""
    return f"{data} data: {counts.get(theme, 0)} {theme} {role}s with tests"


def _ratio(numerator, denominator):
    """Element by element; NaN where the denominator is 0."""
    return numpy.divide(
        numerator, denominator, out=numpy.full(numpy.shape(numerator), numpy.nan), where=denominator > 0
    )
