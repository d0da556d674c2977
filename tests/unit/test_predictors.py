"""Ranking quality of single predictors: by hand, and against all orders of tied sources."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.features.source_estimates import COLUMNS as ESTIMATE_COLUMNS
from empathy_transfer.features.transferability import ESTIMATORS
from empathy_transfer.importance.predictors import (
    MEASURES,
    PREDICTOR_NAMES,
    elsewhere,
    intervals,
    measures,
    predictor_p_values,
    predictor_scores,
    ranking_verdict,
    read_estimates,
    regret,
    summary_table,
    target_table,
)
from empathy_transfer.records.artefacts import read_csv, write_csv

PERCENT = np.array([10.0, 0.0, 5.0])


def test_measures_by_hand():
    found = measures(np.array([1.0, 2.0, 3.0]), PERCENT)
    discount = 1 / math.log2(3)
    ideal = 10 + 5 * discount
    assert found["ndcg"]["value"] == pytest.approx((5 + 10 / 2) / ideal)
    assert found["ndcg"]["random"] == pytest.approx(15 * (1 + discount + 0.5) / 3 / ideal)
    assert found["regret_1"]["value"] == 5
    assert found["regret_1"]["random"] == pytest.approx(10 - (10 + 0 + 5) / 3)
    assert found["spearman"]["value"] == pytest.approx(1 - 6 * (4 + 1 + 1) / (3 * 8))
    assert found["spearman"]["random"] == 0
    # The first three of three sources always hold the best.
    assert found["regret_3"]["reason"] == "too_few"
    assert math.isnan(found["regret_3"]["value"])


def test_losses_alone_are_ranked_too():
    shifted = measures(np.array([1.0, 2.0, 3.0]), PERCENT - 50)
    plain = measures(np.array([1.0, 2.0, 3.0]), PERCENT)
    for measure in ("ndcg", "regret_1", "spearman"):
        assert shifted[measure]["value"] == pytest.approx(plain[measure]["value"])


@pytest.mark.parametrize("top", [1, 2, 3, 4])
def test_regret_is_the_mean_over_all_orders_of_ties(top):
    predicted, percent = np.array([2.0, 1, 2, 1, 1, 0]), np.array([-3.0, 8, 1, 4, 4, 20])
    orders = [order for order in itertools.permutations(range(6)) if list(predicted[list(order)]) == [2, 2, 1, 1, 1, 0]]
    expected = np.mean([20 - percent[list(order[:top])].max() for order in orders])
    assert regret(predicted, percent, top) == pytest.approx(expected)


def test_a_constant_predictor_is_as_good_as_random():
    found = measures(np.ones(5), np.array([1.0, -2, 7, 0, 3]))
    for measure in MEASURES:
        assert found[measure]["value"] == pytest.approx(found[measure]["random"])
        assert found[measure]["reason"] == "constant"


def test_what_ranks_nothing_says_so():
    assert {values["reason"] for values in measures(np.array([1.0]), np.array([2.0])).values()} == {"not_available"}
    assert {values["reason"] for values in measures(np.arange(4.0), np.ones(4)).values()} == {"undefined"}
    assert measures(np.array([1.0, 2.0]), np.array([3.0, 4.0]))["spearman"]["reason"] == "too_few"


@pytest.fixture
def tables():
    """Features, similarities and estimates of four tasks; task d has no rating, the estimator leep no value."""
    tasks, ratings = "abcd", {"a": 5, "b": 3, "c": 1, "d": np.nan}
    rows = []
    for source, target in itertools.permutations(tasks, 2):
        row = {"source": source, "target": target, "source_dataset": source, "target_dataset": target}
        row |= dict.fromkeys(PREDICTOR_NAMES, 0.0) | {"definition": ratings[target] - ratings[source]}
        row |= {"data_source": "x--x" if {source, target} == {"a", "b"} else "x--y"}
        rows.append(row | {"task_type": "r--r", "language_setting": "e--f"})
    features = pd.DataFrame(rows)
    similar = features[["source", "target"]].assign(centred=0.5, all_texts=0.25)
    estimates = features[["source", "target"]].assign(**dict.fromkeys(ESTIMATORS, 1.0)).assign(leep=np.nan)
    return features, similar, similar, estimates


def test_scores_are_higher_for_sources_that_promise_more(tables):
    frame = predictor_scores(*tables).set_index(["source", "target"])
    assert frame.loc[("a", "b"), "definition"] == 2  # the source is rated two points higher
    assert frame.loc[("c", "b"), "definition"] == -2
    assert math.isnan(frame.loc[("d", "b"), "definition"])
    assert frame["data_source"].sum() == 2
    assert (frame["task_type"] == 1).all()
    assert (frame["language_setting"] == 0).all()
    assert (frame["dataset_similarity_all_texts"] == 0.25).all()


def test_the_table_by_target(tables):
    pairs = tables[0][["source", "target"]]
    improvement = pairs.assign(percent=np.arange(12.0), reason="")
    improvement.loc[improvement["source"].eq("a") & improvement["target"].eq("b"), "reason"] = "collapsed"
    improvement.loc[improvement["source"].eq("b") & improvement["target"].eq("a"), "percent"] = np.nan
    found = target_table(predictor_scores(*tables), improvement)
    keyed = found.set_index(["outcome", "predictor", "target", "measure"])
    # Of the sources b, c, d of target a, b has no improvement and d no rating.
    assert keyed.loc[("percent", "definition", "a", "ndcg"), "sources"] == 1
    assert keyed.loc[("percent", "definition", "a", "ndcg"), "reason"] == "not_available"
    assert keyed.loc[("percent", "definition", "b", "ndcg"), "sources"] == 2
    assert keyed.loc[("percent_without_collapsed", "definition", "b", "ndcg"), "sources"] == 1
    assert keyed.loc[("percent", "leep", "c", "ndcg"), "reason"] == "not_available"
    assert keyed.loc[("percent", "log_me", "c", "spearman"), "reason"] == "constant"
    tests = predictor_p_values(predictor_scores(*tables), improvement, 50, 0)
    assert tests["percent", "log_me", "ndcg"] == 1  # it tells no source from another, in any order of tasks
    assert not [key for key in tests if key[1] == "leep"]
    summary = summary_table(found, tests).set_index(["outcome", "predictor", "measure"])
    assert summary.loc[("percent", "leep", "ndcg"), "verdict"] == "not_available"
    constant = summary.loc[("percent", "log_me", "ndcg")]
    assert constant["gain"] == pytest.approx(0)
    assert constant["verdict"] == "undecided"
    assert len(summary) == 2 * len(PREDICTOR_NAMES) * len(MEASURES)


def test_the_mean_elsewhere_leaves_the_target_out():
    pairs = pd.DataFrame({"source": ["a", "a", "a", "b"], "target": ["x", "y", "z", "x"], "percent": [1.0, 2, 6, 5]})
    found = elsewhere(pairs)
    assert found[:3].tolist() == [4, 3.5, 1.5]
    assert math.isnan(found[3])


def test_intervals_over_targets_and_datasets_by_hand():
    gains, datasets = np.array([1.0, 1, 1, -2, -2, 4]), np.array(["p", "p", "p", "q", "q", "r"])
    found = intervals(gains, datasets)
    # Mean .5; deviations .5, .5, .5, -2.5, -2.5 and 3.5 have the variance 25.5 / 5, and t of 5 degrees is 2.571.
    half = 2.5706 * math.sqrt(25.5 / 5 / 6)
    assert [found["low_targets"], found["high_targets"]] == pytest.approx([0.5 - half, 0.5 + half], abs=1e-3)
    # Sums of the datasets: 1.5, -5 and 3.5; t of 2 degrees is 4.303.
    half = 4.3027 * math.sqrt(3 / 2 * (1.5**2 + 5**2 + 3.5**2)) / 6
    assert [found["low_datasets"], found["high_datasets"]] == pytest.approx([0.5 - half, 0.5 + half], abs=1e-3)
    assert math.isnan(intervals(gains[:5], datasets[:5])["low_datasets"])


def test_verdicts_go_by_the_false_discovery_rate_and_the_sign():
    found = [ranking_verdict(gain, q) for gain, q in ((2.0, 0.05), (-2.0, 0.01), (2.0, 0.051), (2.0, math.nan))]
    assert found == ["better", "worse", "undecided", "undecided"]


def test_gain_is_positive_where_regret_falls():
    part = {"outcome": "percent", "predictor": "link", "sources": 3, "measure": "regret_1", "reason": ""}
    rows = [part | {"target": name, "target_dataset": name, "value": 1.0, "random": 3.0} for name in "abc"]
    rows += [row | {"predictor": "labels", "value": 2.0} for row in rows]
    tests = {("percent", "link", "regret_1"): 0.02, ("percent", "labels", "regret_1"): 0.06}
    first, second = summary_table(pd.DataFrame(rows), tests).to_dict("records")
    assert (first["gain"], first["low_targets"], first["verdict"], first["targets"]) == (2, 2, "better", 3)
    # Of two tests, the smaller p is doubled and the other stays.
    assert (first["q"], second["q"], second["verdict"]) == (0.04, 0.06, "undecided")


def test_estimates_are_averaged_over_seeds(tmp_path, monkeypatch):
    monkeypatch.setattr("empathy_transfer.importance.predictors.read_csv", lambda path: read_csv(path, verify=False))
    rows = {
        1: [("a", "b", 1, "log_me", 0.5, 9, ""), ("a", "b", 1, "leep", np.nan, 9, "constant")],
        2: [("a", "b", 2, "log_me", 1.0, 9, ""), ("a", "b", 2, "leep", -1.0, 9, "")],
        3: [],
    }
    for seed, part in rows.items():
        write_csv(tmp_path / f"{seed}.csv", pd.DataFrame(part, columns=ESTIMATE_COLUMNS))
    found = read_estimates([tmp_path / f"{seed}.csv" for seed in rows])
    assert found["log_me"].tolist() == [0.75]
    assert np.isnan(found["leep"][0])
    assert list(found.columns) == ["source", "target", *ESTIMATORS]
    assert read_estimates([tmp_path / "3.csv"]).empty
