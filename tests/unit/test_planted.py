"""The demo's check: transfers that follow, or oppose, a planted relatedness worked out by hand."""

import itertools
import json

import pandas as pd
import pytest

from empathy_transfer.validation.planted import planted_agreement, planted_finding

PLACES = {"a": 0.0, "b": 1.0, "c": 3.0, "d": 7.0}  # all distances differ
COSINES = {one: {other: -abs(PLACES[one] - PLACES[other]) for other in PLACES} for one in PLACES}
TRUTH = {"cosines": COSINES, "expected": {"a": {"b": "gain", "c": "little"}, "b": {"a": "gain"}, "c": {"d": "gain"}}}


def improvement(sign=1.0):
    rows = [(s, t, "full", sign * COSINES[s][t]) for s, t in itertools.permutations(PLACES, 2)]
    return pd.DataFrame(rows, columns=["source", "target", "data", "difference"]).assign(reason="")


def pair_tests(*better):
    """The tests of all pairs, of which these improve."""
    rows = [
        (*pair, "full", "improved" if pair in better else "undecided") for pair in itertools.permutations(PLACES, 2)
    ]
    return pd.DataFrame(rows, columns=["source", "target", "data", "effect"])


def test_transfer_that_follows_what_was_planted():
    row = planted_agreement(improvement(), pair_tests(), TRUTH).iloc[0]
    assert (row["pairs"], row["tasks"], row["rank_correlation"]) == (12, 4, 1)
    # Of 24 arrangements only the true one keeps all orders: a mirror image changes who is nearest to c.
    assert row["p"] == pytest.approx(1 / 24)


def test_too_few_pairs():
    row = planted_agreement(improvement().head(5), pair_tests(), TRUTH).iloc[0]
    assert (row["reason"], row["pairs"]) == ("too_few", 5)
    assert planted_agreement(improvement().assign(difference=1.0), pair_tests(), TRUTH).iloc[0]["reason"] == "too_few"


def test_planted_gains_that_show():
    """Three gains were planted: two score above their baseline, and one of these by more than chance."""
    higher = {("a", "b"): 1.0, ("b", "a"): 2.0, ("a", "c"): 3.0}
    found = improvement()
    pairs = list(zip(found["source"], found["target"], strict=True))
    found["difference"] = [higher.get(pair, known) for pair, known in zip(pairs, found["difference"], strict=True)]
    row = planted_agreement(found, pair_tests(("b", "a"), ("a", "c")), TRUTH).iloc[0]
    assert (row["planted_gains"], row["above"], row["improved"]) == (3, 2, 1)


def test_whether_it_was_found_is_said_in_words():
    row = planted_agreement(improvement(), pair_tests(("a", "b")), TRUTH).to_dict("records")[0]
    assert planted_finding(row)["text"] == (
        "The planted truth was found: within targets the mean rank correlation of transfer and planted relatedness is "
        "1.00 (exact p = 0.042). Of 3 planted gains 0 score above the baseline, 1 by more than chance (false "
        "discovery rate 5 %)."
    )
    against = planted_agreement(improvement(-1.0), pair_tests(), TRUTH).to_dict("records")[0]
    found = planted_finding(against)
    assert found["text"].startswith("The planted truth was not found: ")
    assert "relatedness is -1.00 (exact p = 1.000). Of 3 planted gains 3 score above" in found["text"]
    few = planted_finding(planted_agreement(improvement().head(5), pair_tests(), TRUTH).to_dict("records")[0])
    assert few["text"].startswith("Too few or too many pairs (5) to say whether")
    assert json.loads(json.dumps([few, found]))[0]["rank_correlation"] is None
