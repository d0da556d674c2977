"""The demo's check: transfers that follow, or oppose, a planted relatedness worked out by hand."""

import itertools

import pandas as pd
import pytest

from empathy_transfer.validation import planted
from empathy_transfer.validation.planted import compare_with_truth, planted_agreement

PLACES = {"a": 0.0, "b": 1.0, "c": 3.0, "d": 7.0}  # all distances differ
COSINES = {one: {other: -abs(PLACES[one] - PLACES[other]) for other in PLACES} for one in PLACES}


def improvement(sign=1.0):
    rows = [(s, t, "full", sign * COSINES[s][t]) for s, t in itertools.permutations(PLACES, 2)]
    return pd.DataFrame(rows, columns=["source", "target", "data", "percent"]).assign(reason="")


def test_transfer_that_follows_what_was_planted():
    row = planted_agreement(improvement(), COSINES).iloc[0]
    assert (row["pairs"], row["tasks"], row["rank_correlation"]) == (12, 4, 1)
    # Of 24 arrangements only the true one keeps all orders: a mirror image changes who is nearest to c.
    assert row["p"] == pytest.approx(1 / 24)


def test_too_few_pairs():
    row = planted_agreement(improvement().head(5), COSINES).iloc[0]
    assert (row["reason"], row["pairs"]) == ("too_few", 5)
    assert planted_agreement(improvement().assign(percent=1.0), COSINES).iloc[0]["reason"] == "too_few"


def test_transfer_against_what_was_planted_fails(monkeypatch, tmp_path):
    monkeypatch.setattr(planted, "read_json", lambda path: {"cosines": COSINES})
    monkeypatch.setattr(planted, "read_improvement", lambda path: improvement(-1.0))
    with pytest.raises(ValueError, match=r"rank correlation -1\.00"):
        compare_with_truth("improvement.csv", "truth.json", tmp_path / "planted.csv")
    assert (tmp_path / "planted.csv").exists()
