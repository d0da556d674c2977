"""Percent improvements from the printed tables."""

import pandas as pd
import pytest

from empathy_transfer.scores.published import PUBLISHED_COLUMNS, printed_floors, published_improvement
from study_copy import ROOT


def printed():
    folder = ROOT / "resources/published"
    shares = pd.read_csv(folder / "tables10_12_label_shares.csv", dtype={"label": str})
    return pd.read_csv(folder / "tables7_8_scores.csv"), shares


def test_all_306_pairs_of_the_printed_tables():
    scores, shares = printed()
    improvement = published_improvement(scores, printed_floors(shares, scores["target"].unique()))
    assert list(improvement.columns) == PUBLISHED_COLUMNS
    assert len(improvement) == 306
    assert improvement["percent"].notna().all()
    collapsed = improvement[improvement["reason"] == "collapsed"].set_index(["source", "target"])["percent"]
    # .04 against .39, and .40 against .83: the two silent failures of the printed tables.
    assert collapsed.to_dict() == {
        ("epitome_ex", "empdial_emo"): pytest.approx(100 * (0.04 - 0.39) / 0.39),
        ("condolence", "mi_adherent"): pytest.approx(100 * (0.40 - 0.83) / 0.83),
    }


def test_floor_of_a_printed_task_is_the_macro_f1_of_its_most_frequent_label():
    _, shares = printed()
    floors = printed_floors(shares, ["mi_adherent", "news_empathy"])
    test = shares[(shares["task"] == "mi_adherent") & (shares["split"] == "test")]
    most = test.loc[test["label"] != "(split share)", "percent"].max() / 100
    assert floors["mi_adherent"] == pytest.approx((2 * most / (1 + most) + 0) / 2)
    assert floors["news_empathy"] == 0


def test_improvement_by_hand_and_undefined_ones():
    rows = [("a", "a", 0.5), ("b", "a", 0.6), ("c", "a", 0.4), ("a", "b", 0.3), ("b", "b", 0.2), ("c", "b", 0.3)]
    scores = pd.DataFrame(rows, columns=["source", "target", "score"]).assign(metric="f1_macro")
    improvement = published_improvement(scores, {"a": 0.1, "b": 0.2}).set_index(["source", "target"])
    assert improvement.loc[("b", "a"), "percent"] == pytest.approx(20)
    assert improvement.loc[("c", "a"), "percent"] == pytest.approx(-20)
    # The baseline of b says no more than constant answers.
    assert improvement.loc[("a", "b"), "reason"] == "undefined"
    assert pd.isna(improvement.loc[("a", "b"), "percent"])


def test_incomplete_or_repeated_scores_are_refused():
    scores = pd.DataFrame({"source": ["a"], "target": ["b"], "metric": ["f1_macro"], "score": [0.5]})
    with pytest.raises(ValueError, match="no baseline of b"):
        published_improvement(scores, {"b": 0.0})
    with pytest.raises(ValueError, match="twice"):
        published_improvement(pd.concat([scores, scores]), {"b": 0.0})
