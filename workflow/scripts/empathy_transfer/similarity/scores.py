"""Scores of all models on all labels: each fold's pairs by the model that has not seen them, pooled over the folds.

A model that is trained on one label is tested on all. Ratings are scored as they are, and as two classes, similar above
2.5. Intervals are over the choice of stories: leaving out one after another with all its pairs (`statistics.dyads`).
"""

import pandas as pd

from empathy_transfer.metrics import metric, metrics_of
from empathy_transfer.records.artefacts import read_csv, write_csv
from empathy_transfer.similarity.answers import FACTS, KEY, floor_answers, read_answers, read_tested
from empathy_transfer.similarity.pair_scores import score_with_interval, sides_of
from empathy_transfer.similarity.runs import FLOOR
from empathy_transfer.similarity.story_pairs import read_pairs
from empathy_transfer.statistics.dyads import Dyads
from empathy_transfer.statistics.values import is_all_but_constant

# In place of a fold: all of them together.
POOLED = "all"
# The metrics that get an interval.
WITH_INTERVAL = ("pearson_r", "spearman_r", "mse", "accuracy", "f1_macro")
# What a constant answer is scored by. It has no correlation; pooled over folds, the folds' means would feign one.
OF_THE_FLOOR = ("mae", "mse", "rmse", "accuracy", "f1_macro", "f1_weighted", "precision_macro", "recall_macro")
COLUMNS = ["family", "model", "form", "trained_on", "label", "fold", "seed", "split", "metric", "value"]
COLUMNS += ["n", "stories", "low", "high", "constant_prediction", *FACTS]


def write_similarity_scores(inputs, tasks, level, scores_path):
    """Write scores.csv: a row for each model, label, fold (`all` pools them), split and metric.

    Args:
        inputs: paths: `runs`, `embeddings` and `zero_shot` as in `answers.read_answers`; `tested` and `trained`, the
            test and training tables of pairs, `<fold>/<task>/<split>.parquet`.
        tasks: {task: [label, form]}. level: error rate of the intervals. scores_path: CSV to write.
    """
    tested = read_tested(inputs["tested"], tasks)
    means = {
        (tasks[path.parent.name][1], tasks[path.parent.name][0], path.parent.parent.name): read_pairs(path)[
            "label"
        ].mean()
        for path in inputs["trained"]
    }
    answers = read_answers(inputs["runs"], inputs["embeddings"], inputs["zero_shot"])
    answers = pd.concat([floor_answers(tested, means), answers], ignore_index=True)[answers.columns]
    scores = similarity_scores(answers, tested, level)
    write_csv(scores_path, scores)
    print(f"{len(scores):,} scores of {answers.groupby(KEY).ngroups} models")


def read_similarity_scores(path):
    """The scores as a frame; `trained_on` and the like are texts."""
    return read_csv(path, dtype={"fold": str})


def similarity_scores(answers, tested, level):
    """The scores as a frame with ``COLUMNS``; arguments as `answers` and `write_similarity_scores` have them."""
    rows = []
    for key, part in answers.groupby([*KEY, "split"], sort=False):
        key = dict(zip([*KEY, "split"], key, strict=True))
        about = tested[key["form"]]
        facts = part[FACTS].iloc[0].to_dict() | {"n_train": part["n_train"].mean()}
        for label in about.labels:
            own = part[part["asked"].isna() | (part["asked"] == label)][["id", "prediction"]]
            frame = about.table[["id", "fold", "first", "second", label]].merge(own, on="id")
            if frame.empty:
                continue
            for fold, pairs in [(POOLED, frame), *(frame.groupby("fold") if frame["fold"].nunique() > 1 else [])]:
                wanted = level if fold == POOLED and key["split"] == "test" and key["family"] != FLOOR else None
                found = score_answers(pairs.rename(columns={label: "label"}), wanted)
                kept = [row for row in found if key["family"] != FLOOR or row["metric"] in OF_THE_FLOOR]
                rows += [key | facts | {"label": label, "fold": fold} | row for row in kept]
    return pd.DataFrame(rows, columns=COLUMNS)


def score_answers(pairs, level=None):
    """The scores of answers: a list of dicts with metric, value, n, stories, constant_prediction, low and high.

    Args:
        pairs: a frame with first, second, label and prediction (ratings). level: error rate of the intervals; None for
            scores without.
    """
    ratings = pairs["label"].to_numpy(dtype=float), pairs["prediction"].to_numpy(dtype=float)
    dyads = Dyads(pairs["first"], pairs["second"])
    about = {"n": len(pairs), "stories": dyads.n_members, "constant_prediction": is_all_but_constant(*ratings)}
    rows = []
    for name in [*metrics_of("regression", pairs=True), *metrics_of("classification", pairs=True)]:
        if level is not None and name in WITH_INTERVAL and dyads.n_members > 2:
            value, low, high = score_with_interval(name, *ratings, dyads, level)
        else:
            value, low, high = metric(name).value(*sides_of(name, *ratings)), None, None
        rows.append(about | {"metric": name, "value": value, "low": low, "high": high})
    return rows
