"""Features of an ordered pair of tasks that may predict transfer (section 6 of the study, items i to ix and C1 to C3).

All but the two similarities is read from the facts of the two tasks (`task_facts.py`). The similarities are made from
embeddings (`dataset_similarity.py`, `task_similarity.py`); the printed tables have none, so that there they are
`not_available`.
"""

import numpy
import pandas

from empathy_transfer.features.task_facts import ASPECTS, SIZES, published_facts, study_facts
from empathy_transfer.records.artefacts import read_csv, write_csv

SIGNS = (*SIZES, "labels")
TRANSITIONS = ("task_type", "data_source", "language_setting")
SIMILARITIES = ("dataset_similarity", "task_similarity")
# Names as in Table 6 of the study, in its order.
FEATURE_NAMES = {
    "definition": "C1 Definition",
    "link": "C2 Link",
    "data_source": "Data Source",
    "language_setting": "Language Setting",
    "conduciveness": "C3 Conducive",
    "labels": "Number Labels",
    "task_type": "Task Type",
    "samples": "Sample Size",
    "tokens": "Token Size",
    "vocabulary": "Vocab Size",
    "dataset_similarity": "Data Emb Sim",
    "task_similarity": "Task Emb Sim",
}
FEATURES = tuple(FEATURE_NAMES)
PAIR_COLUMNS = ["source", "target", "source_dataset", "target_dataset", *FEATURES]
NOT_AVAILABLE = "not_available"


def write_study_features(summary_path, ratings_path, similarity_paths, tasks, regression_labels, features_path):
    """Write pair_features.csv of a study from data/summary.csv, the ratings and the two tables of similarities.

    `similarity_paths` are those of dataset_similarity.csv and task_similarity.csv, by feature; `tasks` as for
    `study_facts`.
    """
    facts = study_facts(tasks, read_csv(summary_path), read_csv(ratings_path, verify=False))
    frames = {name: read_csv(path) for name, path in similarity_paths.items()}
    similarities = {
        name: frame.dropna(subset=["similarity"]).set_index(["source", "target"])["similarity"].to_dict()
        for name, frame in frames.items()
    }
    write_csv(features_path, pair_features(facts, regression_labels, similarities))


def write_published_features(printed_paths, tasks, regression_labels, features_path):
    """Write pair_features.csv of the published analysis; `printed_paths` and `tasks` as for `published_facts`."""
    write_csv(features_path, pair_features(published_facts(tasks, printed_paths), regression_labels))


def pair_features(facts, regression_labels="one", similarities=None):
    """The features of all ordered pairs of different tasks.

    Args:
        facts: frame as from `study_facts`.
        regression_labels: what a regression counts in the feature `labels`: `one` label, or `left_out`, which makes
            the feature 0 in every pair with a regression.
        similarities: {`dataset_similarity` or `task_similarity`: {(source, target): similarity}}.

    Returns:
        A frame with `PAIR_COLUMNS`, sources in the order of the facts and within them targets. `samples`, `tokens`,
        `vocabulary`, `labels`: -1, 0 or 1, the sign of target - source, and 0 for the three sizes within a dataset,
        whose tasks share their texts. `task_type`, `data_source`, `language_setting`: ordered transition
        `source--target`. `definition`, `link`, `conduciveness`: rating of the target - rating of the source, from -4 to
        4, each the mean over its annotators. `dataset_similarity`: cosine, -1 to 1; `task_similarity`: 0 to 1 within a
        target. A feature that can't be computed for a pair holds `not_available`.
    """
    if regression_labels not in ("one", "left_out"):
        raise ValueError(f"regression_labels is 'one' or 'left_out', not {regression_labels!r}")
    tasks = facts.to_dict("records")
    known = similarities or {}
    rows = [
        _features(source, target, regression_labels, known) for source in tasks for target in tasks if source != target
    ]
    return pandas.DataFrame(rows, columns=PAIR_COLUMNS)


def read_pair_features(path):
    """Read pair_features.csv: transitions as text, all else as numbers; what is not available is missing."""
    frame = read_csv(path, na_values=["", NOT_AVAILABLE])
    numbers = [name for name in FEATURES if name not in TRANSITIONS]
    return frame.astype(dict.fromkeys(numbers, "float64") | dict.fromkeys(TRANSITIONS, "object"))


def available_features(pairs):
    """The features that have a value for at least one pair, in the order of Table 6."""
    return [name for name in FEATURES if pairs[name].notna().any()]


def feature_columns(pairs, features):
    """The features as columns of numbers: {feature: array of pairs x columns}.

    Signs and differences are one column each; a transition has one column of 0 and 1 per value that occurs.

    Raises:
        ValueError: a value is missing; leave those pairs out first.
    """
    columns = {}
    for name in features:
        if pairs[name].isna().any():
            raise ValueError(f"the feature {name} has no value for some of the pairs")
        if name in TRANSITIONS:
            columns[name] = pandas.get_dummies(pairs[name]).to_numpy(numpy.float64)
        else:
            columns[name] = pairs[name].to_numpy(numpy.float64)[:, None]
    return columns


def _features(source, target, regression_labels, similarities):
    """The row of one pair, from the facts of its two tasks."""
    same_dataset = source["dataset"] == target["dataset"]
    row = {
        "source": source["task"],
        "target": target["task"],
        "source_dataset": source["dataset"],
        "target_dataset": target["dataset"],
    }
    row |= {size: 0 if same_dataset else _sign(target[size] - source[size]) for size in SIZES}
    uncounted = regression_labels == "left_out" and "regression" in (source["kind"], target["kind"])
    row["labels"] = 0 if uncounted else _sign(target["labels"] - source["labels"])
    row["task_type"] = f"{source['kind']}--{target['kind']}"
    row |= {key: f"{source[key]}--{target[key]}" for key in ("data_source", "language_setting")}
    for aspect in ASPECTS:
        difference = target[aspect] - source[aspect]
        row[aspect] = NOT_AVAILABLE if pandas.isna(difference) else difference
    pair = (source["task"], target["task"])
    return row | {name: similarities.get(name, {}).get(pair, NOT_AVAILABLE) for name in SIMILARITIES}


def _sign(difference):
    """-1, 0 or 1."""
    return int(numpy.sign(difference))
