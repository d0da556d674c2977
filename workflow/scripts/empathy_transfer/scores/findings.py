"""The main findings in three sentences, worked out from the scores: what was measured, and which themes differ clearly.

Changes are in points of the score (`scores.points`), their intervals over datasets. Which single transfers improve is
for `significance` to say.
"""

import itertools

import numpy as np

from empathy_transfer.leakage.flags import without_leaked
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.report.style import THEMES
from empathy_transfer.scores.points import with_points
from empathy_transfer.statistics.dataset_jackknife import DatasetJackknife

ALPHA = 0.05
# Themes with fewer sources are not compared, as in the claims.
LEAST_SOURCES = 3
FAVOUR = "Settings were chosen for runs without transfer, which favours the baseline."


def findings(improvement, scores, tasks):
    """Three sentences on the full-data transfers: a list of {"text": sentence, ...numbers behind it}.

    ``improvement`` and ``scores`` are the frames of ``empathy_transfer.scores.improvement``, ``tasks`` {task: its
    title, theme and dataset}. Changes are relative to the baseline of the same target without transfer, each pair
    counted once (its mean over seeds). Works with any number of cells; numbers that do not exist are None.
    """
    pairs = improvement[(improvement["data"] == "full") & improvement["source"].isin(list(tasks))]
    known = with_points(pairs[pairs["difference"].notna()])
    known["theme"] = [tasks[source]["theme"] for source in known["source"]]
    for role in ("source", "target"):
        known[f"{role}_dataset"] = [tasks[task]["dataset"] for task in known[role]]
    return [_source_themes(known), _targets(known, tasks), _counts(pairs, known, scores, tasks)]


def _source_themes(known):
    """The mean change by theme of source, and which themes are clearly ahead of which."""
    sound, clean = known[known["reason"] != "collapsed"], without_leaked(known)
    means, sound_means, clean_means = (_by_theme(part, np.mean) for part in (known, sound, clean))
    intervals = {theme: DatasetJackknife(known, known["theme"] == theme).interval(_points(known), ALPHA)
                 for theme in means}  # fmt: skip
    record = {
        "themes": means,
        "intervals": {theme: _ends(interval) for theme, interval in intervals.items()},
        "themes_without_collapsed": sound_means,
        "themes_without_leaked": clean_means,
        "pairs": _by_theme(known, len),
        "ahead": _ahead(known, list(means)),
    }
    if not means:
        return {"text": "No pair has been compared yet, so source themes can't be.", **record}
    listed = ", ".join(
        f"{theme} {_signed(mean)}{_interval(intervals[theme])} in {_count(record['pairs'][theme], 'pair')}"
        for theme, mean in means.items()
    )
    measured = "95 % interval over datasets; " if any(low is not None for low, _ in intervals.values()) else ""
    text = (
        f"Mean change in points of the score with all data ({measured}extreme changes are limited) by theme of source: "
        f"{listed}; {_seeds(known)}."
    )
    if len(means) > 1:
        sources = known.groupby("theme")["source"].nunique()
        text += f" {_comparison(record['ahead'], int(sources.min()))}"
    for part, kept, words in (
        (sound, sound_means, "with a collapsed run"),
        (clean, clean_means, "whose test items leak"),
    ):
        if len(part) < len(known):
            listed = ", ".join(f"{theme} {_signed(mean)}" for theme, mean in kept.items()) or "no pair left"
            text += f" Without {_count(len(known) - len(part), 'pair')} {words}: {listed}."
    return {"text": f"{text} {FAVOUR}", **record}


def _ahead(known, themes):
    """[theme, theme behind it] wherever the interval of a difference, corrected for their number, has no 0."""
    ahead, choices = [], list(itertools.combinations(themes, 2))
    for one, other in choices:
        jackknife = DatasetJackknife(known, known["theme"] == one, known["theme"] == other)
        low, high = jackknife.interval(_points(known), ALPHA / len(choices))
        if low is not None and (low > 0 or high < 0):
            ahead.append([one, other] if low > 0 else [other, one])
    return ahead


def _comparison(ahead, sources):
    """Which themes are clearly ahead, in words; `sources` is how many the theme with the fewest has."""
    if sources < LEAST_SOURCES:
        return f"Themes with {_count(sources, 'source')} can't be compared."
    if not ahead:
        return "No theme is clearly ahead of another."
    return "Clearly ahead: " + ", ".join(f"{one} of {other}" for one, other in ahead) + "."


def _targets(known, tasks):
    """Between which targets the mean changes over their sources lie."""
    means = known.groupby("target", sort=False)["points"].mean().to_dict()
    counts = known.groupby("target", sort=False)["points"].size().to_dict()
    record = {"targets": means, "pairs": counts, "most": None, "least": None}
    if not means:
        return {"text": "No target has been compared with its baseline yet.", **record}
    most, least = max(means, key=means.get), min(means, key=means.get)
    described = {
        task: f"{_signed(means[task])} points ({tasks[task]['title']}, n = {_count(counts[task], 'source')})"
        for task in (most, least)
    }
    if len(means) == 1:
        text = f"The only target with results changes by {described[most]} on average."
    else:
        text = (
            f"The mean changes (limited likewise) of {len(means)} targets over their sources lie between "
            f"{described[least]} and {described[most]}; they have not been tested."
        )
    return {"text": text, **record, "most": most, "least": least}


def _counts(pairs, known, scores, tasks):
    """How many pairs score above their baseline, medians per theme, and how many runs collapsed or failed."""
    main = scores[scores["metric"].isin(["f1_macro", "pearson_r"]) & (scores["data"] == "full")]
    planned = main[main["source"].isin(["none", *tasks])]
    record = {
        "above_baseline": int((known["difference"] > 0).sum()),
        "compared": len(known),
        "planned": len(pairs),
        "undefined": int((pairs["reason"] == "undefined").sum()),
        "median_points": float(known["points"].median()) if len(known) else None,
        "medians": _by_theme(known, np.median),
        "runs": int(planned["value"].notna().sum()),
        "collapsed": int((planned["reason"] == "collapsed").sum()),
        "failed": int((planned["reason"] == "failed").sum()),
    }
    runs = f"{record['collapsed']} of {_count(record['runs'], 'run')} collapsed, {record['failed']} failed"
    if not record["compared"]:
        return {"text": f"0 of {_count(len(pairs), 'planned pair')} can be compared with a baseline; {runs}.", **record}
    medians = ", ".join(f"{theme} {_signed(median)}" for theme, median in record["medians"].items())
    text = (
        f"With all data {record['above_baseline']} of {_count(record['compared'], 'pair')} score above their baseline, "
        f"by chance or not (median change {_signed(record['median_points'])} points; by source theme {medians}); which "
        f"differences are more than chance is in analysis/significance.csv; {runs}"
    )
    if len(pairs) > len(known):
        text += f", and {_count(len(pairs) - len(known), 'pair')} can't be compared ({_why(pairs)})"
    return {"text": f"{text}.", **record}


def _why(pairs):
    """Why pairs have no change; with counts where there are several reasons."""
    counts = pairs.loc[pairs["difference"].isna(), "reason"].value_counts()
    told = (f"{count} × {REASONS[reason][1]}" for reason, count in counts.items())
    return "; ".join(told) if len(counts) > 1 else REASONS[counts.index[0]][1]


def _points(known):
    """The changes as an array."""
    return known["points"].to_numpy(float)


def _by_theme(known, statistic):
    """{theme: statistic of the points} for the themes that have any, in their fixed order."""
    groups = {theme: known.loc[known["theme"] == theme, "points"].to_numpy() for theme in THEMES}
    values = {theme: statistic(values) for theme, values in groups.items() if len(values)}
    return {theme: value if isinstance(value, int) else float(value) for theme, value in values.items()}


def _ends(interval):
    """An interval as a list of plain numbers, or None."""
    return None if interval[0] is None else [float(end) for end in interval]


def _interval(interval):
    """An interval as text in brackets; empty where there is none."""
    return "" if interval[0] is None else f" ({_signed(interval[0])} to {_signed(interval[1])})"


def _signed(value):
    """A signed number with one decimal, such as +1.2."""
    return f"{value:+.1f}".replace("-", "−")


def _seeds(known):
    """How many seeds the pairs' means rest on; of one, that another training may change them."""
    low, high = int(known["seeds"].min()), int(known["seeds"].max())
    if high == 1:
        return "1 seed, so another training may change all of it"
    return _count(high, "seed") if low == high else f"{low} to {high} seeds"


def _count(number, noun):
    """A number with its noun, in the plural where needed."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
