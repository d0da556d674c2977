"""Where raters err: their answers by level of the label and by length of the texts.

Levels are not of one size, and long texts may just look empathic; both are told by the study as risks. A slice's scores
are means over seeds, each with its interval over the slice's own test pairs (percentiles of the bootstrap by group).
"""

from pathlib import Path

import numpy as np
import pandas as pd

from empathy_transfer.records.artefacts import read_json, read_table, write_csv
from empathy_transfer.records.runs import RaterRun
from empathy_transfer.statistics.resampling import LEAST_CLUSTERS, bootstrap_counts, make_sample

COLUMNS = [
    *["scheme", "pairs", "architecture", "loss", "variant", "slice", "value_of_slice"],
    *["items", "groups", "measure", "value", "low", "high"],
]
LENGTH_PARTS = ("shortest third", "middle third", "longest third")
FEWEST = 10
SEED = 11


def write_rater_slices(run_paths, test_paths, settings, slices_path):
    """Write slices.csv.

    `measure` is, for levels, `right` (share of right answers) and `error` (mean answer less label, in levels), and for
    numbers `error`. Slices of fewer than 10 pairs are left out.

    Args:
        run_paths: records of runs. test_paths: {(scheme, pairs): table of the test pairs}.
        settings: ``resamples`` and ``alpha``. slices_path: CSV file to write.
    """
    tests, cells = {}, {}
    for path in map(Path, run_paths):
        record = read_json(path)
        run = RaterRun.of(record)
        place = run.scheme, run.pairs
        if place not in tests:
            tests[place] = with_slices(read_table(test_paths[place]))
        columns = run.columns
        columns.pop("seed")
        frame = read_table(path.with_name("predictions.parquet"), columns=["id", "label", "prediction"])
        cells.setdefault(tuple(columns.items()), []).append(frame)
    rows = []
    for cell, frames in cells.items():
        names = dict(cell)
        rows += [names | row for row in slices_of(tests[names["scheme"], names["pairs"]], frames, settings)]
    write_csv(slices_path, pd.DataFrame(rows, columns=COLUMNS))
    print(f"{len(rows)} slices of {len(cells)} raters")


def with_slices(table):
    """A frame of test pairs with `id`, `group`, and the slices `level` (text) and `length` (a third by words)."""
    words = [
        len(first.split()) + len(second.split()) for first, second in zip(table["context"], table["text"], strict=True)
    ]
    thirds = pd.qcut(pd.Series(words).rank(method="first"), 3, labels=LENGTH_PARTS).astype(str)
    level = table["label"].map(lambda label: f"{label:.2g}" if isinstance(label, float) else str(label))
    return pd.DataFrame({"id": table["id"], "group": table["group"], "level": level, "length": thirds.to_numpy()})


def slices_of(test, frames, settings):
    """The rows of a rater without its names.

    Args:
        test: see ``with_slices``. frames: of the answers of each seed (id, label, prediction).
        settings: ``resamples`` and ``alpha``.
    """
    test, rows = test.set_index("id").loc[frames[0]["id"]], []
    labels, *answers = (pd.to_numeric(column) for column in (frames[0]["label"], *(f["prediction"] for f in frames)))
    measures = {"error": np.mean([values - labels for values in answers], axis=0)}
    if not pd.api.types.is_numeric_dtype(frames[0]["label"]):
        measures["right"] = np.mean([(values == labels) for values in answers], axis=0)
    for kind in ("level", "length"):
        for value in sorted(test[kind].unique(), key=slice_order):
            chosen = (test[kind] == value).to_numpy()
            if chosen.sum() < FEWEST:
                continue
            groups = test["group"].to_numpy()[chosen]
            for measure, values in measures.items():
                low, high = interval(values[chosen], groups, settings)
                row = {"slice": kind, "value_of_slice": value, "items": int(chosen.sum())}
                row |= {"groups": len(set(groups)), "measure": measure, "value": values[chosen].mean()}
                rows.append(row | {"low": low, "high": high})
    return rows


def slice_order(word):
    """Sort key of slices: thirds by length, levels by their names."""
    return LENGTH_PARTS.index(word) if word in LENGTH_PARTS else 0, word


def interval(values, groups, settings):
    """Percentile interval of a mean over resampled groups; (None, None) with fewer than five groups."""
    sample = make_sample(values, groups)
    if sample.n_units < LEAST_CLUSTERS:
        return None, None
    sums = sample.sums(np.column_stack([values, np.ones(len(values))]))
    drawn = np.concatenate([counts @ sums for counts in bootstrap_counts(sample.n_units, settings["resamples"], SEED)])
    alpha = settings["alpha"]
    return tuple(np.quantile(drawn[:, 0] / drawn[:, 1], [alpha / 2, 1 - alpha / 2]))
