"""How far a rating's importance lies above the others, worked out by hand."""

import numpy as np
import pytest

from empathy_transfer.importance.rivals import rating_margins

TOTAL = np.array([2.0, 2.0])
# Each draw counts one of the two pairs, or both.
WEIGHTS = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def test_the_nearest_feature_is_the_rival_and_both_are_drawn_together():
    excess = {"definition": np.array([1.0, 1.0]), "tokens": np.array([0.0, 1.6]), "samples": np.zeros(2)}
    found = rating_margins(excess, TOTAL, {"tasks": None, "datasets": WEIGHTS})
    assert list(found) == ["definition"]
    row = found["definition"]
    # Sums of 2 and 1.6 of a total of 4: .5 less .4.
    assert (row["rival"], row["margin"]) == ("tokens", pytest.approx(0.1))
    # Per draw .5, -.3 and .1 beside tokens, and .5 beside samples. The ends are those beside tokens, at 2.5 percent
    # and, since there are two features, at 98.75 percent.
    assert row["margin_low_datasets"] == pytest.approx(-0.3 + 0.05 * 0.4)
    assert row["margin_high_datasets"] == pytest.approx(0.1 + 0.975 * 0.4)
    assert np.isnan(row["margin_low_tasks"])


def test_a_constant_difference_has_no_width_however_much_both_vary():
    shared = np.array([4.0, -1.0])
    found = rating_margins({"link": shared + 0.6, "tokens": shared}, TOTAL, {"datasets": WEIGHTS})["link"]
    assert (found["margin_low_datasets"], found["margin_high_datasets"]) == pytest.approx((0.3, 0.3))


def test_without_a_feature_to_compare_with():
    assert rating_margins({"link": TOTAL, "definition": TOTAL}, TOTAL, {"tasks": WEIGHTS}) == {}
