"""Facts of tasks and features of pairs: signs, transitions and rating differences worked out by hand."""

import functools

import pandas as pd
import pytest

from empathy_transfer.features.pair_features import (
    FEATURES,
    NOT_AVAILABLE,
    PAIR_COLUMNS,
    SIMILARITIES,
    feature_columns,
    pair_features,
    read_pair_features,
)
from empathy_transfer.features.task_facts import FACT_COLUMNS, published_facts, study_facts
from empathy_transfer.records.artefacts import read_csv, write_csv
from study_copy import ROOT

PRINTED = {
    "sizes": ROOT / "resources/published/table1_datasets.csv",
    "ratings": ROOT / "resources/published/table2_ratings.csv",
    "scores": ROOT / "resources/published/tables7_8_scores.csv",
    "labels": ROOT / "resources/published/tables10_12_label_shares.csv",
}
PLACES = {"data_source": "reddit", "language_setting": "social_media"}
ESSAYS = {"data_source": "crowd", "language_setting": "essay"}
TASKS = {
    "a": {"dataset": "posts", "kind": "classification", "labels": ["x", "y", "z"], **PLACES},
    "b": {"dataset": "posts", "kind": "regression", **PLACES},
    "c": {"dataset": "essays", "kind": "classification", "labels": ["x", "y"], **ESSAYS},
}
SIZES = {"a": (100, 900, 50), "b": (90, 800, 40), "c": (100, 1000, 30)}
RATINGS = [
    *(("a", "definition", "A", 5), ("a", "definition", "B", 4), ("a", "link", "A", 2), ("a", "conduciveness", "A", 1)),
    *(("b", "definition", "A", 3), ("b", "definition", "B", 3), ("b", "link", "A", 5), ("b", "conduciveness", "A", 1)),
    *(("c", "definition", "A", 1), ("c", "definition", "B", 2), ("c", "link", "A", 2)),
]


@pytest.fixture
def summary():
    rows = []
    for task, counts in SIZES.items():
        for statistic, value in zip(("n", "tokens", "vocabulary"), counts, strict=True):
            rows += [(task, "all", statistic, value), (task, "train", statistic, 1)]
    return pd.DataFrame(rows, columns=["task", "split", "statistic", "value"])


@pytest.fixture
def ratings():
    return pd.DataFrame(RATINGS, columns=["task", "aspect", "annotator", "score"])


@pytest.fixture
def pairs(summary, ratings):
    return pair_features(study_facts(TASKS, summary, ratings)).set_index(["source", "target"])


def test_facts_of_a_study(summary, ratings):
    facts = study_facts(TASKS, summary, ratings)
    assert list(facts.columns) == FACT_COLUMNS
    a, b, c = facts.to_dict("records")
    assert (a["samples"], a["tokens"], a["vocabulary"], a["labels"]) == (100, 900, 50, 3)
    assert b["labels"] == 1
    assert (a["definition"], c["definition"], b["link"]) == (4.5, 1.5, 5)
    assert pd.isna(c["conduciveness"])


def test_all_ordered_pairs_have_all_features(pairs):
    assert list(pairs.reset_index().columns) == PAIR_COLUMNS
    assert list(pairs.index) == [("a", "b"), ("a", "c"), ("b", "a"), ("b", "c"), ("c", "a"), ("c", "b")]


def test_signs_are_of_target_minus_source(pairs):
    sizes = ["samples", "tokens", "vocabulary"]
    assert pairs.loc[("a", "c"), [*sizes, "labels"]].tolist() == [0, 1, -1, -1]
    assert pairs.loc[("c", "a"), [*sizes, "labels"]].tolist() == [0, -1, 1, 1]
    # Within a dataset sizes are the same, whatever was counted; labels are not.
    assert pairs.loc[("a", "b"), [*sizes, "labels"]].tolist() == [0, 0, 0, -1]
    assert pairs.loc[("b", "c"), "labels"] == 1


def test_regressions_can_be_left_out_of_the_number_of_labels(summary, ratings):
    facts = study_facts(TASKS, summary, ratings)
    left_out = pair_features(facts, "left_out").set_index(["source", "target"])["labels"]
    assert left_out["a", "b"] == left_out["b", "c"] == 0
    assert left_out["c", "a"] == 1
    with pytest.raises(ValueError, match="regression_labels"):
        pair_features(facts, "none")


def test_transitions_lead_from_source_to_target(pairs):
    row = pairs.loc[("b", "c")]
    assert row["task_type"] == "regression--classification"
    assert row["data_source"] == "reddit--crowd"
    assert row["language_setting"] == "social_media--essay"


def test_rating_differences_are_of_means_over_raters_target_minus_source(pairs):
    assert pairs.loc[("a", "b"), ["definition", "link", "conduciveness"]].tolist() == [-1.5, 3, 0]
    assert pairs.loc[("c", "a"), "definition"] == 3


def test_similarities_are_taken_from_their_tables(summary, ratings):
    known = {"dataset_similarity": {("a", "b"): 1.0, ("a", "c"): 0.25}, "task_similarity": {("a", "c"): 0.5}}
    found = pair_features(study_facts(TASKS, summary, ratings), similarities=known).set_index(["source", "target"])
    assert found.loc[("a", "c"), list(SIMILARITIES)].tolist() == [0.25, 0.5]
    assert found.loc[("a", "b"), list(SIMILARITIES)].tolist() == [1.0, NOT_AVAILABLE]
    assert found.loc[("c", "a"), list(SIMILARITIES)].tolist() == [NOT_AVAILABLE] * 2


def test_what_is_not_known_says_so(pairs):
    assert pairs.loc[("a", "c"), "conduciveness"] == NOT_AVAILABLE
    assert (pairs[list(SIMILARITIES)] == NOT_AVAILABLE).all(axis=None)


def test_a_summary_without_a_count_is_refused(summary, ratings):
    with pytest.raises(ValueError, match="no tokens of task b"):
        study_facts(TASKS, summary[(summary["task"] != "b") | (summary["statistic"] != "tokens")], ratings)


def test_features_can_be_read_and_made_columns(pairs, tmp_path, monkeypatch):
    write_csv(tmp_path / "pair_features.csv", pairs.reset_index())
    monkeypatch.setattr("empathy_transfer.features.pair_features.read_csv", functools.partial(read_csv, verify=False))
    frame = read_pair_features(tmp_path / "pair_features.csv")
    assert frame["task_similarity"].isna().all()
    assert frame["conduciveness"].isna().sum() == 4
    columns = feature_columns(frame, ["definition", "task_type"])
    assert columns["definition"][:, 0].tolist() == [-1.5, -3.0, 1.5, -1.5, 3.0, 1.5]
    # classification--classification, classification--regression, regression--classification
    assert columns["task_type"].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
    with pytest.raises(ValueError, match="conduciveness"):
        feature_columns(frame, ["conduciveness"])


def test_printed_facts():
    tasks = {
        "epitome_er": {"dataset": "epitome", **PLACES},
        "mi_behavior": {"dataset": "mi", **PLACES},
        "news_empathy": {"dataset": "news", "data_source": "crowd", "language_setting": "essay"},
    }
    facts = published_facts(tasks, PRINTED).set_index("task")
    assert facts.loc["mi_behavior", ["samples", "vocabulary", "tokens", "labels"]].tolist() == [
        15645,
        14876,
        3344011,
        14,
    ]
    assert facts["kind"].tolist() == ["classification", "classification", "regression"]
    assert facts.loc["news_empathy", ["labels", "definition", "link", "conduciveness"]].tolist() == [1, 5, 4.5, 4]
    assert facts.loc["epitome_er", "labels"] == 3
    row = pair_features(facts.reset_index()).set_index(["source", "target"]).loc[("mi_behavior", "news_empathy")]
    assert row[["samples", "tokens", "vocabulary", "labels"]].tolist() == [-1, -1, -1, -1]
    assert row[["definition", "link", "conduciveness"]].tolist() == [1.5, 0.5, 0.5]
    with pytest.raises(ValueError, match="nothing on task stranger"):
        published_facts({"stranger": {"dataset": "none", **PLACES}}, PRINTED)


def test_the_features_are_those_of_table_6():
    printed = pd.read_csv(ROOT / "resources/published/table6_importance.csv")
    assert list(FEATURES) == printed["feature"].tolist()
