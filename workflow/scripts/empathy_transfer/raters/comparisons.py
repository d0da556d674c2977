"""Means of raters with their intervals, and what is better than what: by architecture, loss and what is trained.

A cell is an architecture, a loss and a variant, on one task and one scheme of splits; the tests are those of
``significance.cell_tests``, over test items in whole groups and over seeds.
"""

from pathlib import Path

import pandas as pd
from scipy import stats

from empathy_transfer.kinds import kind_of
from empathy_transfer.raters.words import PLAIN
from empathy_transfer.records.artefacts import read_csv, read_json, read_table, write_csv
from empathy_transfer.records.runs import RaterRun
from empathy_transfer.scores.run_scores import occurring_labels
from empathy_transfer.significance.cell_tests import intervals_of_cells, resampled_cells, tested_pairs
from empathy_transfer.statistics.resampling import make_sample

PLACE = ("scheme", "pairs")
CELL = ("architecture", "loss", "variant")
REFERENCE = {"classification": "cross_entropy", "regression": "squared_error"}
CELL_COLUMNS = [*PLACE, *CELL, "metric", "seeds", "n_test", "clusters", "value", "low", "high", "se", "df", "floor"]
COMPARISON_COLUMNS = [
    *[*PLACE, "comparison", *CELL, *(f"other_{name}" for name in CELL), "metric", "seeds", "n_test", "clusters"],
    *["value", "other_value", "difference", "low", "high", "se", "df", "p", "q", "mde", "seed_sd"],
    *["low_paired", "high_paired", "p_paired", "p_published"],
]


def write_rater_comparisons(scores_path, run_paths, test_paths, settings, cells_path, comparisons_path):
    """Write cells.csv and comparisons.csv.

    Args:
        scores_path: scores of all runs. run_paths: their records, beside which the predictions lie.
        test_paths: {(scheme, pairs): table of the test pairs}, whose groups are resampled.
        settings: ``resamples`` and ``alpha``. cells_path, comparisons_path: CSV files to write.

    Raises:
        ArtefactError: a file is damaged. ValueError: runs have other test items than the first one.
    """
    scores = read_csv(scores_path)
    runs = {}
    for path in map(Path, run_paths):
        record = read_json(path)
        run = RaterRun.of(record)
        found = runs.setdefault((run.scheme, run.pairs), {})
        found[tuple(run.columns[name] for name in CELL), run.seed] = (
            record["kind"],
            read_table(path.with_name("predictions.parquet"), columns=["id", "label", "prediction"]),
        )
    cells, comparisons = [], []
    for place, found in runs.items():
        kind = next(iter(found.values()))[0]
        predictions = {run: frame for run, (_, frame) in found.items()}
        groups = read_table(test_paths[place], columns=["id", "group"]).set_index("id")["group"]
        tested = resampled_cells(*sample_of(predictions, groups, kind), settings)
        names = dict(zip(PLACE, place, strict=True))
        cells += [names | dict(zip(CELL, cell, strict=True)) | row for cell, row in intervals_of_cells(tested)]
        comparisons += [names | row for row in compare_raters(tested, kind)]
    floors = scores.drop_duplicates([*PLACE, "metric"])[[*PLACE, "metric", "floor"]]
    cells = pd.DataFrame(cells, columns=[name for name in CELL_COLUMNS if name != "floor"])
    write_csv(cells_path, cells.merge(floors, how="left")[CELL_COLUMNS])
    write_csv(comparisons_path, with_q(pd.DataFrame(comparisons)))
    print(f"{len(cells)} means, {len(comparisons)} comparisons")


def sample_of(predictions, groups, kind):
    """The test items of runs and their answers: (``resampling.Sample``, {run: predictions as the sample's labels}).

    Args:
        predictions: {run: frame of id, label and prediction}. groups: the group of each item, by id.
        kind: kind of the task.

    Raises:
        ValueError: a run has other items or labels than the first one.
    """
    first = next(iter(predictions.values()))[["id", "label"]]
    for run, frame in predictions.items():
        if not frame[["id", "label"]].equals(first):
            raise ValueError(f"{run}: other test items or labels than in the other runs")
    labels = first["label"].tolist()
    names = occurring_labels(labels, []) if kind == "classification" else None
    given = {run: frame["prediction"].tolist() for run, frame in predictions.items()}
    if names is not None:
        # An answer that no test item has as its label is wrong wherever it is given, and counts for no class.
        known = set(names)
        every = [*names, *sorted({answer for row in given.values() for answer in row} - known)]
        keep = len(names)
        comparable = {run: kind_of(kind).comparable(row, every)[:, :keep] for run, row in given.items()}
        sample = make_sample(kind_of(kind).comparable(labels, names), groups.reindex(first["id"]).to_numpy())
        return sample, comparable
    sample = make_sample(first["label"].to_numpy(), groups.reindex(first["id"]).to_numpy())
    return sample, {run: kind_of(kind).comparable(row) for run, row in given.items()}


def compare_raters(tested, kind):
    """All comparisons of a task under a scheme as rows with ``COMPARISON_COLUMNS``, but for place and q.

    Args:
        tested: ``cell_tests.Cells``. kind: kind of the task.
    """
    cells = {}
    for cell, seed in tested.place:
        cells.setdefault(cell, {})[seed] = cell, seed
    pairs = compared_pairs(cells, REFERENCE[kind])
    return [
        {"comparison": word}
        | dict(zip(CELL, cell, strict=True))
        | {f"other_{name}": value for name, value in zip(CELL, other, strict=True)}
        | columns
        for word, cell, other, columns in tested_pairs(tested, cells, pairs)
    ]


def compared_pairs(cells, reference):
    """The comparisons: (word, cell, other cell), cells being (architecture, loss, variant) that have runs.

    `architecture`: a bi-encoder against the cross-encoder of the same loss and variant. `loss`: two losses of an
    architecture; the reference loss, or else the one that is first in the alphabet, is the other one. `variant`: a
    changed model against the plain one of the same architecture and loss.
    """
    cells, pairs = sorted(cells), []
    for cell in cells:
        architecture, loss, variant = cell
        if architecture == "bi":
            pairs.append(("architecture", cell, ("cross", loss, variant)))
        if variant != PLAIN:
            pairs.append(("variant", cell, (architecture, loss, PLAIN)))
            continue
        for other in cells:
            if (other[0], other[2]) == (architecture, PLAIN) and _after(other[1], loss, reference):
                pairs.append(("loss", cell, other))
    known = set(cells)
    return [pair for pair in pairs if pair[2] in known]


def _after(other, loss, reference):
    """Whether of two losses this one is the other side of their comparison."""
    return other != loss and (other == reference or (loss != reference and other < loss))


def with_q(frame):
    """Comparisons with ``q``, the false discovery rate among those of one word, task, scheme and metric."""
    if frame.empty:
        return pd.DataFrame(columns=COMPARISON_COLUMNS)
    tested = frame.groupby([*PLACE, "comparison", "metric"])["p"]
    return frame.assign(q=tested.transform(lambda p: stats.false_discovery_control(p)))[COMPARISON_COLUMNS]
