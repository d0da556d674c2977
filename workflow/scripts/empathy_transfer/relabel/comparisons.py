"""Comparisons of settings: each one against the baseline, and what isolates the language model's part.

The tests are those of ``significance.cell_tests``; a cell is an encoder, a model and a setting.
"""

import itertools
from pathlib import Path

import pandas as pd
from scipy import stats

from empathy_transfer.records.artefacts import read_table, write_csv
from empathy_transfer.relabel.scores import BASELINE, CHOSEN, METRICS, read_relabelled_scores
from empathy_transfer.relabel.training_sets import CROWD, EQUAL_SHARE, Setting
from empathy_transfer.significance.cell_tests import resampled_cells, tested_pairs
from empathy_transfer.statistics.resampling import make_sample

COLUMNS = [
    *["encoder", "comparison", "model", "setting", "other_encoder", "other_model", "other_setting"],
    *["metric", "seeds", "n_test"],
    *["clusters", "value", "other_value", "difference", "low", "high", "se", "df", "p", "q", "mde", "seed_sd"],
    *["low_paired", "high_paired", "p_paired", "p_published"],
]
# What tells both sides of a comparison.
CELL = ("encoder", "model", "setting", "other_encoder", "other_model", "other_setting")


def write_comparisons(scores_path, test_path, runs_folder, settings, comparisons_path):
    """Write comparisons.csv: each setting against the baseline, and what isolates the language model's part.

    Args:
        scores_path: scores of the runs. test_path: the test set, whose groups are resampled. runs_folder: folder of the
            runs. settings: ``resamples`` and ``alpha``. comparisons_path: CSV to write.

    Raises:
        ArtefactError: a file is damaged. ValueError: runs have other test texts than the first one.
    """
    scores = read_relabelled_scores(scores_path)
    groups = read_table(test_path, columns=["id", "group"]).set_index("id")["group"]
    runs = {key: read_table(predictions_path(runs_folder, key)) for key in sorted(set(trained_runs(scores).values()))}
    write_csv(comparisons_path, compare_settings(scores, groups, runs, settings))


def trained_runs(scores):
    """{(encoder, model, setting, seed): the run that stands for it, likewise}; the baseline is the crowd's."""
    encoder, seed = scores["encoder"], scores["seed"]
    model = scores["model"].where(scores["trained_as"] != BASELINE, CROWD)
    settings = zip(encoder, scores["model"], scores["setting"], seed, strict=True)
    return dict(zip(settings, zip(encoder, model, scores["trained_as"], seed, strict=True), strict=True))


def predictions_path(folder, run):
    """Where the predictions of a run lie."""
    encoder, model, setting, seed = run
    return Path(folder, encoder, model, setting, f"seed={seed}", "predictions.parquet")


def pairs_of(cells):
    """The comparisons of an encoder: (kind, cell, other cell), cells being (model, setting) that have runs.

    `baseline`: any setting against the crowd's labels. `control`: the correction at the chosen threshold against what
    changes as many labels otherwise. `crowd_added`: added texts with a model's labels against the same with the
    crowd's. `parts`: both applications against one. `plateau`: all texts added against 30 %. `thresholds`: corrections
    at two thresholds, the lower one first.
    """
    cells = set(cells)
    pairs = [("baseline", cell, (CROWD, BASELINE)) for cell in cells if cell != (CROWD, BASELINE)]
    for model, setting in cells:
        if setting == CHOSEN:
            pairs += [("control", (model, setting), (model, other)) for other in EQUAL_SHARE]
            pairs.append(("control", (model, setting), (CROWD, "huber")))
        if setting.startswith("added=") and model != CROWD:
            pairs.append(("crowd_added", (model, setting), (CROWD, setting)))
        if setting == "added=1":
            pairs.append(("plateau", (model, setting), (model, "added=0.3")))
        if setting.startswith("both="):
            added = setting.replace("both", "added")
            pairs += [("parts", (model, setting), (model, other)) for other in (CHOSEN, added)]
    swept = [
        (*cell, Setting.parse(cell[1]).number) for cell in cells if cell[1].startswith("alpha=") and cell[1] != CHOSEN
    ]
    pairs += [
        ("thresholds", one[:2], other[:2])
        for one, other in itertools.permutations(swept, 2)
        if one[0] == other[0] and one[2] < other[2]
    ]
    return sorted(pair for pair in pairs if pair[2] in cells)


def compare_settings(scores, groups, runs, settings, metrics=METRICS):
    """All comparisons, a row for each metric: a frame with ``COLUMNS``.

    Args:
        scores: frame of scores.csv. groups: the group of each test text, by id. settings: ``resamples`` and ``alpha``.
        runs: {run of ``trained_runs``: frame of the id, label and prediction of each test text}. metrics: to compare.
    """
    tables = []
    for encoder, part in scores.groupby("encoder", sort=False):
        cells = dict.fromkeys(zip(part["model"], part["setting"], strict=True))
        pairs = [(kind, *((encoder, *cell) for cell in both)) for kind, *both in pairs_of(cells)]
        tables.append(_compare(part, pairs, groups, runs, settings, metrics))
    for both in itertools.combinations(scores["encoder"].unique(), 2):
        part = scores[scores["encoder"].isin(both) & (scores["trained_as"] == scores["setting"])]
        cells = [set(zip(rows["model"], rows["setting"], strict=True)) for _, rows in part.groupby("encoder")]
        pairs = [("encoders", *((encoder, *cell) for encoder in both)) for cell in sorted(set.intersection(*cells))]
        tables.append(_compare(part, pairs, groups, runs, settings, metrics))
    return pd.concat(tables, ignore_index=True)


def _compare(scores, pairs, groups, runs, settings, metrics):
    """Comparisons of settings, each an (encoder, model, setting); the variance between seeds is pooled over all runs.

    Args:
        scores: frame of these runs. pairs: (kind, cell, other cell) of each comparison.
        groups, runs, settings, metrics: see `compare_settings`.
    """
    trained = trained_runs(scores)
    keys = sorted(set(trained.values()))
    labels = runs[keys[0]][["id", "label"]]
    for key in keys:
        if not runs[key][["id", "label"]].equals(labels):
            raise ValueError(f"{predictions_path('', key)}: other test texts or labels than in the other runs")
    predictions = {(key[:3], key[3]): runs[key]["prediction"].to_numpy() for key in keys}
    cells = {}
    for (*cell, seed), key in trained.items():
        cells.setdefault(tuple(cell), {})[seed] = key[:3], key[3]
    sample = make_sample(labels["label"], groups.reindex(labels["id"]).to_numpy())
    rows = [
        dict(zip(CELL, (*cell, *other), strict=True)) | {"comparison": kind} | columns
        for kind, cell, other, columns in tested_pairs(resampled_cells(sample, predictions, settings), cells, pairs)
        if columns["metric"] in metrics
    ]
    frame = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "q"])
    tested = frame.groupby(["comparison", "metric"])["p"]
    return frame.assign(q=tested.transform(lambda p: stats.false_discovery_control(p)))[COLUMNS]
