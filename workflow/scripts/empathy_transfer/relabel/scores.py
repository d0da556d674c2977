"""Scores of all runs of the stage by all metrics, with what was changed in their training labels."""

import pandas as pd
from scipy.stats import wasserstein_distance

from empathy_transfer.metrics import metric, metrics_of
from empathy_transfer.records.artefacts import read_csv, read_json, read_table, write_csv
from empathy_transfer.relabel.training_sets import CROWD, Setting
from empathy_transfer.statistics.values import is_all_but_constant

METRICS = ("pearson_r", "ccc", "rmse")
BASELINE, CHOSEN = "baseline", "alpha=chosen"
FACTS = """
    encoder model setting kind number seed trained_as threshold threshold_share n_base n_concerned share_concerned
    n_train label_distance best_epoch epochs constant_prediction seconds
""".split()
COLUMNS = [*FACTS, "metric", "value", "validation"]


def write_relabelled_scores(run_paths, thresholds_paths, thresholds, width, test_path, scores_path):
    """Write scores.csv: runs by metric, and beside them those that stand for settings which are not trained twice.

    ``value`` is the score on the test texts, ``validation`` that on the validation texts.
    ``alpha=<width>`` replaces nothing and is the baseline; ``alpha=chosen`` is, for each seed, the run at the threshold
    that was chosen on validation; ``trained_as`` names the run. ``threshold_share`` is the threshold of a correction,
    or of the one that a control follows, as a share of the scale's width. ``label_distance`` is the Wasserstein
    distance (units of the label) between the training labels and the crowd's labels of the test texts.

    Args:
        run_paths: records of all runs. thresholds_paths: chosen thresholds of each encoder, model and seed.
        thresholds: all thresholds of the study, also those that replace nothing. width: width of the scale.
        test_path: the test set. scores_path: CSV to write.
    """
    test = read_table(test_path, columns=["label"])["label"].dropna()
    rows = []
    for path in run_paths:
        labels = read_table(path.with_name("training_set.parquet"), columns=["label"])["label"]
        answers = {
            part: read_table(path.with_name(f"{name}.parquet"), columns=["label", "prediction"])
            for part, name in {"test": "predictions", "validation": "validation"}.items()
        }
        rows += rows_of_run(read_json(path), answers, wasserstein_distance(labels, test))
    chosen = {
        (path.parent.parent.name, path.parent.name, int(path.stem.removeprefix("seed="))): read_json(path)["threshold"]
        for path in thresholds_paths
    }
    write_csv(scores_path, with_stand_ins(pd.DataFrame(rows, columns=COLUMNS), chosen, thresholds, width))
    print(f"{len(run_paths)} runs, {len(rows)} scores")


def with_stand_ins(rows, chosen, thresholds, width):
    """The runs, and settings that a run stands for; ``chosen`` is {(encoder, model, seed): the chosen threshold}."""
    stand_ins = [rows]
    models = [model for model in rows["model"].unique() if model != CROWD]
    for number in [number for number in thresholds if number >= width]:
        same = rows[(rows["model"] == CROWD) & (rows["setting"] == BASELINE)]
        name = f"alpha={number:g}"
        stand_ins += [same.assign(model=model, setting=name, kind="alpha", number=number) for model in models]
    for (encoder, model, seed), threshold in chosen.items():
        run = (rows["encoder"] == encoder) & (rows["model"] == model) & (rows["seed"] == seed)
        stand_ins.append(rows[run & (rows["setting"] == f"alpha={threshold:g}")].assign(setting=CHOSEN, kind="chosen"))
    scores = pd.concat(stand_ins, ignore_index=True)
    swept = scores["kind"].isin(["alpha", "chosen"])
    scores["threshold_share"] = scores["number"].where(swept, scores["threshold"]).astype("float64") / width
    return scores


def rows_of_run(record, answers, label_distance):
    """The rows of a run, one for each metric.

    Args:
        record: of the run. answers: frames of label and prediction, of the `test` and the `validation` texts.
        label_distance: of its training labels from the test labels.
    """
    setting = Setting.parse(record["setting"])
    facts = {name: record[name] for name in FACTS if name in record} | {
        "kind": setting.kind,
        "number": setting.number,
        "trained_as": record["setting"],
        "share_concerned": record["n_concerned"] / record["n_base"],
        "label_distance": label_distance,
        "constant_prediction": is_all_but_constant(answers["test"]["label"], answers["test"]["prediction"]),
    }
    rows = []
    for name in metrics_of("regression"):
        value, validation = (
            metric(name).value(answers[part]["label"], answers[part]["prediction"]) for part in ("test", "validation")
        )
        rows.append(facts | {"metric": name, "value": value, "validation": validation})
    return rows


def one_row_each(scores):
    """The runs of a frame with ``COLUMNS``, one row each: `<metric>` and `validation_<metric>` are columns."""
    rows = scores[scores["metric"] == scores["metric"].iloc[0]][FACTS].reset_index(drop=True)
    for name, part in scores.groupby("metric"):
        rows[name], rows[f"validation_{name}"] = part["value"].to_numpy(), part["validation"].to_numpy()
    return rows


def read_relabelled_scores(path):
    """Read scores.csv, see ``one_row_each``."""
    return one_row_each(read_csv(path, dtype={"seed": "int64"}))
