"""The main findings in three sentences, worked out from the scores: descriptions of what was measured, nothing more.

What the study says of its themes; whether a difference is more than chance says `significance`.
"""

import numpy as np

from empathy_transfer.leakage.flags import without_leaked
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.report.style import THEMES


def findings(improvement, scores, tasks):
    """Three sentences on the full-data transfers: a list of {"text": sentence, ...numbers behind it}.

    ``improvement`` and ``scores`` are the frames of ``empathy_transfer.scores.improvement``, ``tasks`` {task: its
    title and theme}. All percentages are relative to the baseline of the same target without transfer, each pair
    counted once (its mean over seeds). Works with any number of cells; numbers that do not exist are None.
    """
    pairs = improvement[(improvement["data"] == "full") & improvement["source"].isin(list(tasks))]
    defined = pairs[pairs["percent"].notna()].copy()
    defined["theme"] = [tasks[source]["theme"] for source in defined["source"]]
    return [_source_themes(defined), _targets(defined, tasks), _counts(pairs, defined, scores, tasks)]


def _source_themes(defined):
    """Which theme of source tasks goes with the highest mean change."""
    sound = defined[defined["reason"] != "collapsed"]
    clean = without_leaked(defined)
    means, sound_means, clean_means = (_by_theme(part, np.mean) for part in (defined, sound, clean))
    record = {
        "themes": means,
        "themes_without_collapsed": sound_means,
        "themes_without_leaked": clean_means,
        "pairs": _by_theme(defined, len),
        "best": max(means, key=means.get) if means else None,
    }
    if not means:
        return {"text": "No pair has a percent improvement yet, so source themes can't be compared.", **record}
    listed = ", ".join(
        f"{theme} {_percent(mean)} (n = {record['pairs'][theme]} pairs)" for theme, mean in means.items()
    )
    text = (
        f"Transfer from {record['best']} source tasks has the highest mean change over the baseline: {listed}; "
        f"{_seeds(defined)}; tests are in analysis/significance.csv."
    )
    if len(means) == 1:
        text = f"Only {record['best']} sources have results: mean change over the baseline {listed}; {_seeds(defined)}."
    if len(sound) < len(defined):
        listed = ", ".join(f"{theme} {_percent(mean)}" for theme, mean in sound_means.items()) or "no pair left"
        text += f" Without {_count(len(defined) - len(sound), 'pair')} with a collapsed run: {listed}."
    if len(clean) < len(defined):
        listed = ", ".join(f"{theme} {_percent(mean)}" for theme, mean in clean_means.items()) or "no pair left"
        text += f" Without {_count(len(defined) - len(clean), 'pair')} whose test items leak: {listed}."
    return {"text": text, **record}


def _targets(defined, tasks):
    """Which targets gain most and least, averaged over their sources."""
    means = defined.groupby("target", sort=False)["percent"].mean().to_dict()
    counts = defined.groupby("target", sort=False)["percent"].size().to_dict()
    record = {"targets": means, "pairs": counts, "most": None, "least": None}
    if not means:
        return {"text": "No target has a percent improvement yet.", **record}
    most, least = max(means, key=means.get), min(means, key=means.get)
    described = {
        task: f"{tasks[task]['title']} ({_percent(means[task])}, n = {_count(counts[task], 'source')})"
        for task in (most, least)
    }
    if len(means) == 1:
        text = f"The only target with results is {described[most]}."
    else:
        highest, lowest = described[most], described[least]
        text = f"Of {len(means)} targets, the mean change is highest for {highest} and lowest for {lowest}."
    return {"text": text, **record, "most": most, "least": least}


def _counts(pairs, defined, scores, tasks):
    """How many pairs score above their baseline, medians per theme, and how many runs collapsed or failed."""
    main = scores[scores["metric"].isin(["f1_macro", "pearson_r"]) & (scores["data"] == "full")]
    planned = main[main["source"].isin(["none", *tasks])]
    record = {
        "above_baseline": int((defined["percent"] > 0).sum()),
        "defined": len(defined),
        "planned": len(pairs),
        "undefined": int((pairs["reason"] == "undefined").sum()),
        "median_percent": float(defined["percent"].median()) if len(defined) else None,
        "medians": _by_theme(defined, np.median),
        "runs": int(planned["value"].notna().sum()),
        "collapsed": int((planned["reason"] == "collapsed").sum()),
        "failed": int((planned["reason"] == "failed").sum()),
    }
    runs = f"{record['collapsed']} of {_count(record['runs'], 'run')} collapsed, {record['failed']} failed"
    if not record["defined"]:
        return {"text": f"0 of {_count(len(pairs), 'planned pair')} can be compared with a baseline; {runs}.", **record}
    medians = ", ".join(f"{theme} {_percent(median)}" for theme, median in record["medians"].items())
    text = (
        f"{record['above_baseline']} of {_count(record['defined'], 'pair')} score above their baseline "
        f"(median change {_percent(record['median_percent'])}; by source theme {medians}); {runs}"
    )
    if len(pairs) > len(defined):
        text += f", and {_count(len(pairs) - len(defined), 'pair')} can't be compared ({_why(pairs)})"
    return {"text": f"{text}.", **record}


def _why(pairs):
    """Why pairs have no percent improvement; with counts where there are several reasons."""
    counts = pairs.loc[pairs["percent"].isna(), "reason"].value_counts()
    told = (f"{count} × {REASONS[reason][1]}" for reason, count in counts.items())
    return "; ".join(told) if len(counts) > 1 else REASONS[counts.index[0]][1]


def _by_theme(defined, statistic):
    """{theme: statistic of the percentages} for the themes that have any, in their fixed order."""
    groups = {theme: defined.loc[defined["theme"] == theme, "percent"].to_numpy() for theme in THEMES}
    values = {theme: statistic(values) for theme, values in groups.items() if len(values)}
    return {theme: value if isinstance(value, int) else float(value) for theme, value in values.items()}


def _percent(value):
    """A signed percentage with one decimal, such as +1.2 %."""
    return f"{value:+.1f} %".replace("-", "−")


def _seeds(defined):
    """How many seeds the pairs' means rest on."""
    low, high = int(defined["seeds"].min()), int(defined["seeds"].max())
    return _count(high, "seed") if low == high else f"{low} to {high} seeds"


def _count(number, noun):
    """A number with its noun, in the plural where needed."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
