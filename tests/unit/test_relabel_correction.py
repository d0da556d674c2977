"""Correction, its controls and augmentation: identities that hold for any labels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empathy_transfer.errors import DataError
from empathy_transfer.relabel.augmentation import nested_sample, share_of
from empathy_transfer.relabel.correction import CONTROLS, beyond_threshold, control, correct
from empathy_transfer.relabel.training_sets import Setting, compose_training_set

SCALE = st.floats(1, 7).map(lambda value: round(value, 2))
PAIRS = st.lists(st.tuples(SCALE, st.one_of(SCALE, st.just(float("nan")))), min_size=1, max_size=40)


def columns(pairs):
    return (np.array(column, dtype=float) for column in zip(*pairs, strict=True))


@given(PAIRS)
def test_a_threshold_of_the_scale_s_width_changes_nothing(pairs):
    crowd, llm = columns(pairs)
    assert not beyond_threshold(crowd, llm, 6).any()
    assert np.array_equal(correct(crowd, llm, 6), crowd)


@given(PAIRS)
def test_a_threshold_of_zero_replaces_all_that_differ(pairs):
    crowd, llm = columns(pairs)
    expected = np.where(np.isnan(llm), crowd, llm)
    assert np.array_equal(correct(crowd, llm, 0), expected)


@given(PAIRS, st.floats(0, 6), st.floats(0, 6))
def test_fewer_labels_are_replaced_at_a_larger_threshold(pairs, first, second):
    crowd, llm = columns(pairs)
    low, high = (beyond_threshold(crowd, llm, threshold) for threshold in sorted((first, second)))
    assert (low | ~high).all()


@given(PAIRS, st.floats(0, 6))
def test_labels_come_from_the_crowd_or_the_model_and_no_difference_above_the_threshold_is_left(pairs, threshold):
    crowd, llm = columns(pairs)
    labels = correct(crowd, llm, threshold)
    assert ((labels == crowd) | (labels == llm)).all()
    assert (np.abs(labels - np.where(np.isnan(llm), labels, llm)) <= threshold).all()


def test_the_comparison_is_strict():
    assert beyond_threshold([1.0, 1.0, 1.0], [4.5, 4.51, np.nan], 3.5).tolist() == [False, True, False]


@pytest.mark.parametrize(("crowd", "llm", "threshold"), [([1, 2], [1], 1), ([np.nan], [1], 1), ([1], [1], -1)])
def test_what_can_not_be_compared_is_refused(crowd, llm, threshold):
    with pytest.raises(ValueError, match=r"labels|threshold"):
        beyond_threshold(crowd, llm, threshold)


@given(PAIRS, st.floats(0, 6), st.integers(0, 5))
def test_controls_touch_as_many_labels_as_the_correction(pairs, threshold, seed):
    crowd, llm = columns(pairs)
    marked = beyond_threshold(crowd, llm, threshold)
    for name in CONTROLS:
        labels, kept = control(name, crowd, llm, threshold, seed)
        assert (~kept).sum() == (marked.sum() if name == "flagged_dropped" else 0)
        if name != "random_essays":
            assert np.array_equal(labels[~marked], crowd[~marked])
        assert (labels != crowd).sum() <= marked.sum()
    shuffled, _ = control("flagged_shuffled", crowd, llm, threshold, seed)
    assert sorted(shuffled[marked]) == sorted(llm[marked])
    means, _ = control("flagged_mean", crowd, llm, threshold, seed)
    assert (means[marked] == crowd.mean()).all()


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 9))
def test_a_smaller_sample_is_part_of_a_larger_one(first, second, seed):
    ids = [f"text {number}" for number in range(40)]
    small, large = (nested_sample(ids, number, "added", seed) for number in sorted((first, second)))
    assert (large | ~small).all()
    assert small.sum() == min(first, second, 40)


@pytest.mark.parametrize(
    ("number", "fraction", "expected"), [(200, 0.1, 20), (5, 0.1, 1), (5, 0.5, 3), (7, 0, 0), (7, 1, 7)]
)
def test_shares_are_rounded_half_up_and_hold_at_least_one_text(number, fraction, expected):
    assert share_of(number, fraction) == expected


# Training sets -------------------------------------------------------------------------------------------------------


def base():
    return pd.DataFrame(
        {"id": list("abcd"), "set": "train", "crowd": [1.0, 2.0, 6.0, 4.0], "llm": [5.0, 2.5, 1.0, np.nan]}
    )


def pool():
    return pd.DataFrame(
        {
            "id": list("uvwx"),
            "set": "added",
            "crowd": [3.0] * 4,
            "llm": [2.0, np.nan, 5.0, 6.0],
            "label": [2.0, np.nan, 5.0, 6.0],
            "origin": "llm",
        }
    )


def test_the_corrected_training_set_has_the_model_s_labels_where_they_differ_much():
    training, number = compose_training_set(Setting.parse("alpha=3.5"), base(), pool(), seed=1)
    assert training["label"].tolist() == [5.0, 2.0, 1.0, 4.0]
    assert training["origin"].tolist() == ["llm", "crowd", "llm", "crowd"]
    assert number == 2


def test_added_texts_without_a_label_are_left_out():
    training, _ = compose_training_set(Setting.parse("added=1"), base(), pool(), seed=1)
    assert training["id"].tolist() == list("abcduwx")
    assert training["label"].tolist() == [1.0, 2.0, 6.0, 4.0, 2.0, 5.0, 6.0]


def test_cleanlab_replaces_as_many_labels_as_the_correction_and_the_most_suspicious_first():
    suspicion = pd.DataFrame({"quality": [0.9, 0.1, 0.5, 0.2], "prediction": [2.0, 3.0, 4.0, 5.0]}, index=list("abcd"))
    training, number = compose_training_set(
        Setting.parse("cleanlab"), base(), pool(), 1, threshold=3.5, suspicion=suspicion
    )
    assert (number, training["label"].tolist()) == (2, [1.0, 3.0, 6.0, 5.0])


def test_a_setting_that_leaves_no_text_is_refused_with_its_threshold():
    frame = base().assign(llm=[5.0, 2.5, 1.0, 4.5])
    training, _ = compose_training_set(Setting.parse("flagged_dropped"), frame, pool(), 1, threshold=0.5)
    assert training["id"].tolist() == ["b", "d"]
    with pytest.raises(DataError, match=r"flagged_dropped: .* threshold of 0\.25, .* concerns all 4 labels"):
        compose_training_set(Setting.parse("flagged_dropped"), frame, pool(), 1, threshold=0.25)


def test_a_misspelt_setting_is_refused():
    for name in ("alpha", "alfa=3", "baseline=1"):
        with pytest.raises(ValueError, match="unknown setting"):
            Setting.parse(name)
