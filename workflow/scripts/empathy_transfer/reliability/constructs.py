"""Are specific constructs more reliable than a general score of empathy? The first open question of the paper.

General is a task whose labels are empathy as such: every rater gave it the highest Definition rating, which says that
the task states a definition of empathy and labels just that. All others are specific: emotions, intents, behaviours,
roles, components of empathy. Tasks of a dataset share texts and raters, so a dataset counts once on each side.
"""

import numpy as np
from scipy import stats

from empathy_transfer.statistics.left_out_datasets import jackknife_interval

HIGHEST, GENERAL, SPECIFIC = 5.0, "general", "specific"
LEAST_DATASETS = 2


def construct_of(definitions):
    """{task: general, specific, or an empty text where nobody rated it} from mean Definition ratings {task: number}."""
    words = {True: GENERAL, False: SPECIFIC}
    return {
        task: "" if np.isnan(value) else words[bool(value >= HIGHEST - 1e-9)] for task, value in definitions.items()
    }


def compare_constructs(values, tasks, definitions, measure, alpha):
    """Compare a measure of reliability between constructs: a list of rows.

    Args:
        values: {task: number}. tasks: {task: its dataset and kind}.
        definitions: {task: mean Definition rating, NaN where there is none}.
        measure: its name in the rows. alpha: error rate of the intervals.

    A row for all tasks and one for the regressions alone, since most general tasks are regressions: the mean of the
    specific tasks less that of the general ones, and its interval by Welch's t test on means of datasets; `too_few`
    with fewer than two datasets on a side. A last row has the slope per point of the Definition rating, over all tasks,
    with an interval over datasets.
    """
    constructs = construct_of(definitions)
    known = {task: value for task, value in values.items() if value is not None and constructs.get(task)}
    rows = []
    for words, chosen in (
        ("all tasks", known),
        ("regressions", {task: value for task, value in known.items() if tasks[task]["kind"] == "regression"}),
    ):
        sides = {side: _dataset_means(chosen, tasks, constructs, side) for side in (SPECIFIC, GENERAL)}
        row = {"part": "constructs", "name": measure, "statistic": f"specific less general, {words}"}
        row |= {"units": len(chosen), "number": None, "low": None, "high": None, "reason": ""}
        if all(len(side) for side in sides.values()):
            row["number"] = float(np.mean(sides[SPECIFIC]) - np.mean(sides[GENERAL]))
        if min(map(len, sides.values())) < LEAST_DATASETS:
            rows.append(row | {"reason": "too_few"})
            continue
        tested = stats.ttest_ind(sides[SPECIFIC], sides[GENERAL], equal_var=False)
        low, high = tested.confidence_interval(1 - alpha)
        rows.append(row | {"low": float(low), "high": float(high)})
    return [*rows, _slope(known, tasks, definitions, measure, alpha)]


def _dataset_means(values, tasks, constructs, side):
    """The mean of each dataset's tasks of a side."""
    found = {}
    for task, value in values.items():
        if constructs[task] == side:
            found.setdefault(tasks[task]["dataset"], []).append(value)
    return [float(np.mean(numbers)) for numbers in found.values()]


def _slope(values, tasks, definitions, measure, alpha):
    """The row of the slope on the Definition rating."""
    names = list(values)
    x, y = np.array([definitions[task] for task in names]), np.array([values[task] for task in names])
    places = np.array([tasks[task]["dataset"] for task in names])

    def slope(kept):
        """The slope over the tasks of some datasets; NaN where their ratings are equal."""
        inside = np.isin(places, list(kept))
        centred = x[inside] - x[inside].mean() if inside.any() else x[inside]
        return centred @ y[inside] / (centred @ centred) if centred @ centred > 1e-12 else np.nan

    number, low, high = jackknife_interval(slope, places, alpha) if names else (np.nan, None, None)
    row = {"part": "constructs", "name": measure, "statistic": "slope per point of Definition", "units": len(names)}
    reason = "too_few" if low is None else ""
    return row | {"number": None if np.isnan(number) else number, "low": low, "high": high, "reason": reason}
