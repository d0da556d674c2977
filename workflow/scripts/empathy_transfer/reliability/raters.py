"""The human ceiling of a task: the best score that its raters leave room for, from the labels that each of them gave.

A model can't agree with labels better than people agree with each other. Of Pearson's r the ceiling is the square root
of the reliability of the mean of the raters, for that is how far the mean goes with what would be rated without error.
Of F1 it is what a rater reaches against the others: each rater's labels are scored by those that most of the others
gave.
"""

import numpy as np
import pandas as pd

from empathy_transfer.agreement.krippendorff_alpha import UNITS, alpha_of_sums, alpha_sums, raters_of_sums
from empathy_transfer.data.readers.common import PLACE, read_delimited
from empathy_transfer.errors import DataError
from empathy_transfer.kinds import kind_of
from empathy_transfer.records.artefacts import read_table, write_csv
from empathy_transfer.statistics.class_counts import f1_scores
from empathy_transfer.statistics.reliability import attenuation, of_mean, resampled_variance, sums_of_groups
from empathy_transfer.statistics.resampling import LEAST_CLUSTERS, resampled_counts
from empathy_transfer.statistics.t_tests import t_test

CEILING_COLUMNS = """
    task metric raters items groups alpha alpha_low alpha_high reliability reliability_low reliability_high
    ceiling ceiling_low ceiling_high reason
""".split()
TEXT_COLUMNS = ("task", "metric", "reason")


def write_ceiling(raters_path, table_paths, task_name, task, quote, settings, ceiling_path):
    """Write the human ceiling of a task, a table of one row with `CEILING_COLUMNS`.

    Args:
        raters_path: raw file in which each rater's labels stand. table_paths: the prepared rows of all splits.
        task_name, task: the task, and its description with `raters` {file, columns, and perhaps row}.
        quote: see `raw_text.read_rows`. settings: `resamples` and `alpha`.
        ceiling_path: CSV file to write.

    Raises:
        DataError: a label of a rater can't be used, or no row of the task is in the file.
    """
    rows = pd.concat([read_table(path, columns=["id", "group"]) for path in table_paths], ignore_index=True)
    given = read_raters(raters_path, task_name, task, quote, rows["id"])
    row = {"task": task_name, "metric": task["metric"]} | human_ceiling(given, rows["group"], task, settings)
    write_csv(ceiling_path, frame_of_ceilings([row]))


def frame_of_ceilings(rows):
    """Rows of ceilings as a frame with `CEILING_COLUMNS`."""
    frame = pd.DataFrame(rows, columns=CEILING_COLUMNS)
    return frame.astype({name: "str" if name in TEXT_COLUMNS else "float64" for name in CEILING_COLUMNS})


def read_raters(path, task_name, task, quote, ids):
    """The labels of each rater, a list (None: none given) per rater, in the order of the ids.

    Raises:
        DataError: a label is not one of the task, named with file, row and column; or the file has none of the ids.
    """
    about = task["raters"]
    table = read_delimited(path, [*about.get("row", []), *about["columns"]], quote=quote)
    names = (
        table[about["row"]].agg("-".join, axis=1) if "row" in about else [f"row{n}" for n in range(1, len(table) + 1)]
    )
    table.index = pd.Index(names)
    table = table[~table.index.duplicated()].reindex(list(ids))
    if (found := int(table[about["columns"][0]].notna().sum())) == 0:
        raise DataError(
            f"{path.name}: task {task_name}: none of its {len(ids)} rows is in the file of its raters. Correct `raters"
            ": row` in the description of the dataset: it names the columns whose values, joined by '-', are the ids."
        )
    if found < len(ids):
        print(f"WARNING: task {task_name}: {len(ids) - found:,} of {len(ids):,} rows are not in {path.name}")
    return [
        [
            _label(value, f"{place}, column {column!r}", task_name, task, table[column])
            for value, place in zip(table[column], table[PLACE], strict=True)
        ]
        for column in about["columns"]
    ]


def human_ceiling(given, groups, task, settings):
    """The ceiling of a task, as a dict of `CEILING_COLUMNS` without the task and its metric.

    Args:
        given: labels of each rater (None: none given), rater by rater. groups: the group of each item; whole groups are
            drawn for the intervals, which are t intervals by the variance of the resamples.
        task: its `kind`, `metric`, and `labels`. settings: `resamples` and `alpha`.

    `alpha` is the reliability of one rater, `reliability` that of the mean of the `raters` that an item has; the latter
    is blank for classes, which have no mean. `reason` is `no_ratings` where no item has two ratings, `too_few` with
    fewer than five groups of such items (no intervals), `constant` where all ratings are equal.
    """
    numbers = task["metric"] == "pearson_r"
    values = _values(given, task)
    sums = alpha_sums(values)
    row = dict.fromkeys(CEILING_COLUMNS[2:]) | {"items": int(sums[:, UNITS].sum()), "reason": ""}
    if not row["items"]:
        return row | {"reason": "no_ratings"}
    counted = sums[:, UNITS] > 0
    parts = sums if numbers else np.hstack([sums, _counts_of_raters(values, task["kind"] == "classification")])
    by_group = sums_of_groups(parts[counted], np.asarray(groups)[counted])
    width, raters = sums.shape[1], values.shape[1]

    def numbers_of(totals):
        """alpha, reliability of the mean and ceiling, each an array, from sums over groups (..., columns)."""
        alpha = alpha_of_sums(totals[..., :width])
        if numbers:
            reliability = of_mean(alpha, raters_of_sums(totals[..., :width]))
            return {"alpha": alpha, "reliability": reliability, "ceiling": attenuation(reliability)}
        return {"alpha": alpha, "ceiling": _mean_f1(totals[..., width:], raters)}

    whole = by_group.sum(axis=0)
    row |= {"raters": float(raters_of_sums(whole[:width])), "groups": len(by_group)}
    row |= {name: float(value) for name, value in numbers_of(whole).items()}
    if np.isnan(row["alpha"]):
        return row | {"alpha": None, "reliability": None, "ceiling": None, "reason": "constant"}
    if len(by_group) < LEAST_CLUSTERS:
        return row | {"reason": "too_few"}
    drawn = [numbers_of(counts @ by_group) for counts in resampled_counts(len(by_group), settings["resamples"])]
    for name in drawn[0]:
        variance = resampled_variance(np.concatenate([block[name] for block in drawn]), len(by_group))
        tested = t_test(row[name], [(variance, len(by_group) - 1)], settings["alpha"])
        row |= {f"{name}_low": max(tested["low"], -1.0), f"{name}_high": min(tested["high"], 1.0)}
    return row


def _label(value, place, task_name, task, column):
    """A rater's label, or None for an empty field; names of classes may be written in other cases."""
    if pd.isna(value) or not value.strip():
        return None
    if "labels" in task and "label_mapping" not in task:
        written = {str(label).casefold(): str(label) for label in task["labels"]}
        value = written.get(value.strip().casefold(), value)
    try:
        return kind_of(task).label_of(value, task, column.dropna())
    except DataError as error:
        raise DataError(f"{place}: task {task_name}: {error}") from None


def _values(given, task):
    """Labels as numbers (items, raters, columns), NaN where there is none."""
    names = [str(label) for label in task.get("labels", [])]
    kind, columns = kind_of(task), max(len(names), 1)
    values = np.full((len(given[0]), len(given), columns), np.nan)
    for place, labels in enumerate(given):
        known = np.array([label is not None for label in labels])
        if known.any():
            found = kind.comparable([label for label in labels if label is not None], names)
            values[known, place] = np.asarray(found, float).reshape(known.sum(), columns)
    return values


def _counts_of_raters(values, single):
    """Hits and errors per class of each rater against most of the others: an array (items, raters x 2 x classes).

    ``single`` says whether an item has one class. Where classes tie among the others, or half of them gave a label of
    several, each counts in part.
    """
    items, raters, classes = values.shape
    given, filled = ~np.isnan(values[..., 0]), np.nan_to_num(values)
    counts = np.zeros((items, raters, 2, classes))
    for rater in range(raters):
        others = filled.sum(axis=1) - filled[:, rater]
        number = given.sum(axis=1) - given[:, rater]
        usable = given[:, rater] & (number > 0)
        if single:
            most = (others == others.max(axis=1, keepdims=True)) & (others > 0)
            shares = most / np.maximum(most.sum(axis=1, keepdims=True), 1)
        else:
            shares = 0.5 * (np.sign(2 * others - number[:, None]) + 1)
        own = filled[:, rater]
        counts[usable, rater, 0] = (shares * own)[usable]
        counts[usable, rater, 1] = (shares * (1 - own) + (1 - shares) * own)[usable]
    return counts.reshape(items, -1)


def _mean_f1(sums, raters):
    """Mean over raters of macro F1, from sums of hits and errors (..., raters x 2 x classes)."""
    sums = sums.reshape(*sums.shape[:-1], raters, 2, -1)
    f1, occurs = f1_scores(sums[..., 0, :], sums[..., 1, :], np.True_)
    return (f1.sum(axis=-1) / np.maximum(occurs.sum(axis=-1), 1)).mean(axis=-1)
