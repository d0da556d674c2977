"""What the construct ratings predict of transfer, corrected for how unreliable the ratings are.

A rating with error hides a part of its own effect: correlations are too small by the square root of the reliability of
what is compared, slopes by the reliability itself (Spearman 1904). Features of pairs are differences of means over
raters, and errors of different tasks are independent, so the reliability of a difference is that of the mean of the
raters. The corrected number stands beside the measured one, and its interval covers the uncertainty of the reliability:
both are measured anew without each dataset, ratings included.
"""

import numpy as np

from empathy_transfer.agreement.krippendorff_alpha import (
    NUMBER,
    OBSERVED,
    UNITS,
    alpha_of_sums,
    alpha_sums,
    from_alpha_scale,
    on_alpha_scale,
    raters_of_sums,
)
from empathy_transfer.importance.quadratic_assignment import residuals
from empathy_transfer.ratings.agreement import ASPECTS
from empathy_transfer.statistics.dataset_jackknife import datasets_of
from empathy_transfer.statistics.left_out_datasets import UNCHANGED, jackknife_interval
from empathy_transfer.statistics.reliability import attenuation, corrected_correlation, corrected_slope, of_mean
from empathy_transfer.statistics.values import number_or_none

# What is taken out of improvements and rating differences alike before they are compared.
WITHIN = {"": "over all pairs", "target": "within targets"}


def rating_reliability(scores, datasets, alpha):
    """Reliability of the ratings of each aspect: a list of rows.

    Args:
        scores: frame of ratings (task, aspect, annotator, score). datasets: {task: its dataset}; others are left out.
        alpha: error rate of the intervals, which are over datasets.

    Rows per aspect: `alpha` of one rater, the `reliability` of the mean of the raters, and the `attenuation` of a
    correlation with one rater's numbers and with the mean. All follow from alpha, and so do their intervals.
    """
    rows = []
    for aspect, (tasks, sums) in _units(scores, datasets).items():
        places, raters = np.array([datasets[task] for task in tasks]), float(raters_of_sums(sums.sum(axis=0)))

        def of_datasets(kept, sums=sums, places=places):
            """Alpha of the tasks of some datasets."""
            return alpha_of_sums(sums[np.isin(places, list(kept))].sum(axis=0))

        found = _interval(*jackknife_interval(of_datasets, places, alpha, (on_alpha_scale, from_alpha_scale)))
        about = {"part": "ratings", "name": aspect, "units": len(tasks), "raters": raters}
        for statistic, follows in (
            ("alpha", lambda number: number),
            ("reliability of the mean", lambda number, raters=raters: of_mean(number, raters)),
            ("attenuation by one rater", attenuation),
            ("attenuation by the mean", lambda number, raters=raters: attenuation(of_mean(number, raters))),
        ):
            ends = {key: None if found[key] is None else float(follows(found[key])) for key in ENDS}
            rows.append(about | {"statistic": statistic, "reason": found["reason"]} | ends)
    return rows


def rating_effects(pairs, scores, alpha):
    """Correlation and slope of improvements on the rating differences, as measured and corrected: a list of rows.

    Args:
        pairs: frame of source, target, their datasets, `outcome` (percent) and the aspects (target - source).
        scores: frame of ratings. alpha: error rate of the intervals.

    `number` is the corrected one, `uncorrected` the measured one, each with its interval over datasets.
    """
    datasets = datasets_of(pairs)
    rows, units = [], _units(scores, datasets)
    ends = pairs[["source_dataset", "target_dataset"]].to_numpy()
    outcome = pairs["outcome"].to_numpy(float)
    for aspect in (aspect for aspect in ASPECTS if aspect in pairs and aspect in units):
        tasks, sums = units[aspect]
        places, values = np.array([datasets[task] for task in tasks]), pairs[aspect].to_numpy(float)
        for within, words in WITHIN.items():
            codes = np.unique(pairs["target"], return_inverse=True)[1] if within else np.zeros(len(pairs), dtype=int)
            for statistic, correct, scale in (
                ("r", corrected_correlation, (np.arctanh, np.tanh)),
                ("slope", corrected_slope, UNCHANGED),
            ):

                def measured(kept, statistic=statistic, values=values, codes=codes):
                    """Correlation or slope over the pairs between some datasets."""
                    inside = np.isin(ends, list(kept)).all(axis=1)
                    return association(values[inside], outcome[inside], codes[inside])[statistic]

                def corrected(kept, correct=correct, measured=measured, sums=sums, places=places):
                    """The same, corrected by the reliability of the ratings of these datasets."""
                    of_these = sums[np.isin(places, list(kept))].sum(axis=0)
                    return correct(measured(kept), of_mean(alpha_of_sums(of_these), raters_of_sums(of_these)))

                row = {"part": "rating_effects", "name": aspect, "statistic": f"{statistic} {words}"}
                row |= {"units": len(pairs), "raters": number_or_none(raters_of_sums(sums.sum(axis=0)))}
                found = _interval(*jackknife_interval(corrected, places, alpha))
                if statistic == "r" and found["low"] is not None:  # what is true lies there
                    found |= {"low": max(found["low"], -1.0), "high": min(found["high"], 1.0)}
                row |= found
                plain = _interval(*jackknife_interval(measured, places, alpha, scale))
                rows.append(row | {f"uncorrected{end}": plain[name] for name, end in ENDS.items()})
    return rows


ENDS = {"number": "", "low": "_low", "high": "_high"}


def left_of_ratings(pairs, scores):
    """How reliable is what is left of each rating's differences beside targets, source datasets and other ratings?

    A row per aspect. What is left is what a test compares that takes these out. Of the errors of ratings little is
    taken out with them, so the rest is less reliable than the ratings: 1 - (variance that errors of this size leave) /
    (variance that is left). `uncorrected` is the share of the rating's variance that is left; a reliability of 0 or
    less says that the rest can't be told from what raters differ by.
    """
    datasets = dict(zip(pairs["source"], pairs["source_dataset"], strict=True))
    targets = (pairs["target"].to_numpy()[:, None] == np.unique(pairs["target"])).astype(float)
    sources = (pairs["source_dataset"].to_numpy()[:, None] == np.unique(pairs["source_dataset"])).astype(float)
    tasks = np.unique(pairs[["source", "target"]])
    ends = (pairs["target"].to_numpy()[:, None] == tasks).astype(float)
    ends -= pairs["source"].to_numpy()[:, None] == tasks
    rows, rated = [], [aspect for aspect in ASPECTS if aspect in pairs]
    for aspect, (_, sums) in _units(scores, datasets).items():
        if aspect not in rated:
            continue
        others = pairs[[other for other in rated if other != aspect]].to_numpy(float)
        controls = np.hstack([np.ones((len(pairs), 1)), targets, sources, others])
        values = pairs[aspect].to_numpy(float)
        left, errors = residuals(values[:, None], controls)[:, 0], residuals(ends, controls)
        square = float((left**2).sum())
        row = {"part": "left_of_ratings", "name": aspect, "statistic": "reliability", "units": len(pairs)}
        row["raters"] = number_or_none(raters_of_sums(sums.sum(axis=0)))
        if square <= 1e-9 * max(float(((values - values.mean()) ** 2).sum()), 1e-12):
            rows.append(row | {"reason": "constant"})
            continue
        reliability = 1 - error_variance(sums) * float((errors**2).sum()) / square
        share = square / float(((values - values.mean()) ** 2).sum())
        rows.append(row | {"number": reliability, "uncorrected": share, "reason": ""})
    return rows


def error_variance(sums):
    """Variance of the error of a task's mean rating: what raters of a task differ by, over the number of raters."""
    # A task's mean of (a - b)^2 over its ordered pairs is twice the variance within it.
    within = (sums[:, OBSERVED] / np.maximum(2 * sums[:, NUMBER], 1)).sum() / sums[:, UNITS].sum()
    return float(within / raters_of_sums(sums.sum(axis=0)))


def association(values, outcome, codes):
    """Pearson's `r` and the `slope` of an outcome on values, both around means of groups; NaN if undefined."""
    values, outcome = (_centred(numbers, codes) for numbers in (values, outcome))
    product, square, other = values @ outcome, values @ values, outcome @ outcome
    if square < 1e-12 or other < 1e-12:
        return {"r": np.nan, "slope": np.nan}
    return {"r": product / np.sqrt(square * other), "slope": product / square}


def _centred(values, codes):
    """Values around the means of their groups."""
    number = np.bincount(codes)
    means = np.bincount(codes, values) / np.maximum(number, 1)
    return values - means[codes]


def _units(scores, datasets):
    """{aspect: (tasks, their sums of `alpha_sums`)} of the ratings of some tasks, where two raters rated one."""
    found = {}
    for aspect in ASPECTS:
        chosen = scores[(scores["aspect"] == aspect) & scores["task"].isin(list(datasets))]
        table = chosen.pivot(index="task", columns="annotator", values="score")
        if len(table):
            sums = alpha_sums(table.to_numpy(float))
            if (counted := sums[:, UNITS] > 0).any():
                found[aspect] = (table.index.to_numpy()[counted], sums[counted])
    return found


def _interval(number, low, high):
    """A number with its interval as columns; `too_few` where there is no interval, `undefined` without a number."""
    if np.isnan(number):
        return {"number": None, "low": None, "high": None, "reason": "unreliable"}
    return {"number": number, "low": low, "high": high, "reason": "too_few" if low is None else ""}
