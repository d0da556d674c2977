"""Is one way to make training labels better than another by more than chance? Over test items and over seeds.

As for transfers: the variance of the difference of two means over seeds is the bootstrap variance over the test items,
paired and in whole groups (all texts of a writer), plus the variance between seeds beyond that of items, pooled over
all settings of an encoder, since five seeds of one setting say too little about it; compared with a t distribution
(Satterthwaite). That is the test which verdicts use.

All settings of a seed share base texts, first weights and order, so that a lucky draw lifts both sides. Columns
ending in ``_paired`` take each seed's difference and let it vary by what the seeds of this comparison alone tell. Its
level holds from five seeds on: in simulations it rejects a true null 3 to 6 % of the time at 5 %, with three seeds up
to 8 %, with two up to 12 %. With fewer than five these columns are empty.

The study's own t-test over five against five seeds stands beside them (``p_published``): it measures the seeds' noise
only, not the choice of test texts.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from empathy_transfer.records.artefacts import read_table, write_csv
from empathy_transfer.relabel.scores import BASELINE, CHOSEN, METRICS, read_relabelled_scores
from empathy_transfer.relabel.training_sets import CROWD, EQUAL_SHARE, Setting
from empathy_transfer.statistics.moments import concordance_of_means, pearson_of_means
from empathy_transfer.statistics.resampling import FEW_CLUSTERS, Scores, make_sample, resampled_counts, whole_counts
from empathy_transfer.statistics.seed_variance import beyond_items, changes_beyond_items, spread
from empathy_transfer.statistics.t_tests import detectable, t_test

COLUMNS = [
    *["encoder", "comparison", "model", "setting", "other_encoder", "other_model", "other_setting"],
    *["metric", "seeds", "n_test"],
    *["clusters", "value", "other_value", "difference", "low", "high", "se", "df", "p", "q", "mde", "seed_sd"],
    *["low_paired", "high_paired", "p_paired", "p_published"],
]
# What tells both sides of a comparison.
CELL = ("encoder", "model", "setting", "other_encoder", "other_model", "other_setting")
# Fewer seeds than this tell too little about their own differences.
PAIRED_SEEDS = 5


@dataclass(frozen=True)
class Resampled:
    """Scores of runs on all test items (runs) and in resamples of them (runs x resamples), by metric."""

    whole: dict
    replicates: dict


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
    predictions = [runs[key]["prediction"].to_numpy() for key in keys]
    sample = make_sample(labels["label"], groups.reindex(labels["id"]).to_numpy())
    few = sample.n_units < FEW_CLUSTERS
    found = resample(sample, predictions, resampled_counts(sample.n_units, settings["resamples"]))
    place = {key: number for number, key in enumerate(keys)}
    # By (encoder and model, setting, seed), since a cell is told by the first two.
    placed = {((encoder, model), setting, seed): number for (encoder, model, setting, seed), number in place.items()}
    cells = {}
    for (*cell, seed), key in trained.items():
        cells.setdefault(tuple(cell), {})[seed] = place[key]
    rows = []
    for metric in metrics:
        values = {key: found.whole[metric][number] for key, number in placed.items()}
        between = beyond_items(values, Scores(found.replicates[metric], None), placed, sample.n_units, few, "drop")
        for kind, cell, other in pairs:
            seeds = sorted(cells[cell].keys() & cells[other].keys())
            sides = [[cells[side][seed] for seed in seeds] for side in (cell, other)]
            if not seeds or sides[0] == sides[1]:
                continue
            row = pooled_test(found, metric, sides, between, sample.n_units, settings["alpha"])
            names = dict(zip(CELL, (*cell, *other), strict=True))
            rows.append(names | {"comparison": kind, "metric": metric, "n_test": len(labels)} | row)
    frame = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "q"])
    tested = frame.groupby(["comparison", "metric"])["p"]
    return frame.assign(q=tested.transform(lambda p: stats.false_discovery_control(p)))[COLUMNS]


def resample(sample, predictions, blocks):
    """Pearson r, concordance and root mean squared error of all runs, whole and in each resample: ``Resampled``.

    Args:
        sample: the test items (``resampling.Sample``). predictions: a vector per run. blocks: iterable of counts
            (resamples x units). r and concordance are 0 where either side of a resample is constant.
    """
    x = sample.labels
    # Centred on the labels' mean, which keeps sums of squares free of cancellation.
    centre = x.mean()
    columns = [np.ones(len(x)), x - centre, (x - centre) ** 2]
    for values in predictions:
        y = values - centre
        columns += [y, y * y, (x - centre) * y]
    sums = sample.sums(np.column_stack(columns))
    whole = _scores(next(iter(whole_counts(sample.n_units))) @ sums)
    parts = [_scores(counts.astype(np.float64) @ sums) for counts in blocks]
    return Resampled(
        {name: values[:, 0] for name, values in whole.items()},
        {name: np.concatenate([part[name] for part in parts], axis=1) for name in METRICS},
    )


def _scores(sums):
    """Scores by metric (runs x resamples) from sums over items: count, x, xx, and per run y, yy, xy."""
    means = sums[:, 1:] / sums[:, :1]
    mean_x, mean_xx = means[:, :1], means[:, 1:2]
    mean_y, mean_yy, mean_xy = np.moveaxis(means[:, 2:].reshape(len(means), -1, 3), 2, 0)
    moments = mean_x, mean_y, mean_xx, mean_yy, mean_xy
    rmse = np.sqrt((mean_xx + mean_yy - 2 * mean_xy).clip(0))
    return {"pearson_r": pearson_of_means(*moments).T, "ccc": concordance_of_means(*moments).T, "rmse": rmse.T}


def pooled_test(found, metric, sides, between, n_units, alpha):
    """The test of one comparison as columns.

    Args:
        found: ``Resampled``. metric: its name. sides: rows of the runs of both cells, by seed in one order.
        between: ``seed_variance.SeedVariance`` of the metric. n_units: units that are resampled. alpha: level.
    """
    few, number = n_units < FEW_CLUSTERS, len(sides[0])
    values = [found.whole[metric][side] for side in sides]
    replicates = [found.replicates[metric][side].mean(axis=0) for side in sides]
    difference = float(values[0].mean() - values[1].mean())
    parts = [(spread(replicates[0] - replicates[1], few), n_units - 1), between.part(2 / number)]
    row = {"seeds": number, "clusters": n_units, "value": values[0].mean(), "other_value": values[1].mean()}
    row |= {"difference": difference, "seed_sd": float(np.sqrt(between.own)), **t_test(difference, parts, alpha)}
    varied = number > 1 and np.ptp(np.concatenate(values)) > 0
    row |= {
        "mde": detectable(row["se"], row["df"], alpha),
        "p_published": stats.ttest_ind(*values).pvalue if varied else None,
    }
    return row | paired_test(found, metric, sides, n_units, alpha)


def paired_test(found, metric, sides, n_units, alpha):
    """The test on the differences of each seed as columns, None with too few seeds; arguments as in ``pooled_test``."""
    few, number = n_units < FEW_CLUSTERS, len(sides[0])
    if number < PAIRED_SEEDS:
        return dict.fromkeys(("low_paired", "high_paired", "p_paired"))
    changes = found.whole[metric][sides[0]] - found.whole[metric][sides[1]]
    replicates = found.replicates[metric][sides[0]] - found.replicates[metric][sides[1]]
    between = changes_beyond_items([changes], [replicates], n_units, few)
    parts = [(spread(replicates.mean(axis=0), few), n_units - 1), between.part(1 / number)]
    tested = t_test(float(changes.mean()), parts, alpha)
    return {f"{name}_paired": tested[name] for name in ("low", "high", "p")}
