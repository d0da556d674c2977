"""Nested, stratified subsets of whole groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from empathy_transfer.data.subsets import capped_share, nested_subset


@st.composite
def training_sets(draw):
    """Groups, labels and kind of a small training set."""
    size = draw(st.integers(1, 60))
    groups = draw(st.lists(st.integers(0, 20).map("g{}".format), min_size=size, max_size=size))
    kind = draw(st.sampled_from(["classification", "regression", "multilabel"]))
    one = {
        "classification": st.sampled_from("abcd"),
        "regression": st.integers(0, 5),
        "multilabel": st.lists(st.sampled_from("abc"), max_size=3),
    }[kind]
    return groups, draw(st.lists(one, min_size=size, max_size=size)), kind


@settings(max_examples=100)
@given(training_sets(), st.floats(0.001, 1), st.floats(0.001, 1), st.integers(0, 3))
def test_subsets_nest_keep_groups_whole_and_are_never_empty(training_set, one, other, seed):
    groups, labels, kind = training_set
    small = nested_subset(groups, labels, kind, min(one, other), seed)
    large = nested_subset(groups, labels, kind, max(one, other), seed)
    assert not (small & ~large).any()
    assert small.any()
    for mask in (small, large):
        taken = {group for group, chosen in zip(groups, mask, strict=True) if chosen}
        assert mask.tolist() == [group in taken for group in groups]
    biggest = max(groups.count(group) for group in set(groups))
    assert abs(large.sum() - max(one, other) * len(groups)) <= max(biggest / 2, biggest - 0.001 * len(groups))


@settings(max_examples=50)
@given(training_sets(), st.integers(0, 3), st.randoms())
def test_the_order_of_rows_does_not_matter(training_set, seed, random):
    groups, labels, kind = training_set
    rows = list(range(len(groups)))
    random.shuffle(rows)
    mask = nested_subset(groups, labels, kind, 0.5, seed)
    shuffled = nested_subset([groups[row] for row in rows], [labels[row] for row in rows], kind, 0.5, seed)
    assert shuffled.tolist() == mask[rows].tolist()


def test_half_of_single_items_is_exact_in_size_and_near_in_each_class():
    labels = ["a"] * 500 + ["b"] * 300 + ["c"] * 200
    mask = nested_subset([str(row) for row in range(1_000)], labels, "classification", 0.5, seed=3)
    assert mask.sum() == 500
    assert mask[:500].sum() == pytest.approx(250, abs=1)
    assert mask[500:800].sum() == pytest.approx(150, abs=1)
    assert mask[800:].sum() == pytest.approx(100, abs=1)


def test_regression_halves_every_decile():
    values = np.arange(1_000) / 100
    mask = nested_subset([str(row) for row in range(1_000)], values, "regression", 0.5, seed=1)
    assert mask.sum() == 500
    for decile in range(10):
        assert mask[100 * decile : 100 * (decile + 1)].sum() == pytest.approx(50, abs=1)


def test_groups_of_items_are_stratified_by_their_majority():
    # 40 groups of five with three "a", 40 of five with all "b": half is 20 groups of each, to within one group
    groups = [f"g{row // 5}" for row in range(400)]
    labels = ["a", "a", "a", "b", "b"] * 40 + ["b"] * 200
    mask = nested_subset(groups, labels, "classification", 0.5, seed=5)
    assert mask.sum() == 200
    assert mask[:200].sum() == pytest.approx(100, abs=5)


def test_share_one_takes_all_and_seeds_differ():
    groups = [str(row) for row in range(100)]
    labels = ["a", "b"] * 50
    assert nested_subset(groups, labels, "classification", 1.0, seed=0).all()
    masks = {nested_subset(groups, labels, "classification", 0.5, seed).tobytes() for seed in range(5)}
    assert len(masks) == 5
    again = nested_subset(groups, labels, "classification", 0.5, seed=0)
    assert again.tobytes() in masks


@pytest.mark.parametrize("seed", range(20))
def test_a_cap_of_five_per_class_keeps_the_rarest_class(seed):
    # one item in 500 is of class "r"; a cap of 15 is 1.5 percent of the items: by share alone it would hold .03 of them
    labels = ["a"] * 600 + ["b"] * 398 + ["r"] * 2
    share = capped_share(1_000, 15)
    mask = nested_subset([str(row) for row in range(1_000)], labels, "classification", share, seed)
    assert mask.sum() == 15
    assert set(np.array(labels)[mask]) == {"a", "b", "r"}


def test_multilabel_uses_the_first_label_and_takes_items_without_any():
    labels = [["x", "y"]] * 50 + [["y"]] * 40 + [[]] * 10
    mask = nested_subset([str(row) for row in range(100)], labels, "multilabel", 0.5, seed=2)
    assert mask.sum() == 50
    assert mask[:50].sum() == pytest.approx(25, abs=1)
    assert mask[90:].sum() == pytest.approx(5, abs=1)


def test_capped_share():
    assert capped_share(1_000, 250) == 0.25
    assert capped_share(200, 250) == 1.0
    assert capped_share(200, None) == 1.0
    with pytest.raises(ValueError, match="at least 1"):
        capped_share(200, 0)


@pytest.mark.parametrize(
    ("groups", "labels", "kind", "share", "message"),
    [
        ([], [], "classification", 0.5, "at least one"),
        (["a"], ["x", "y"], "classification", 0.5, "as many of both"),
        (["a"], ["x"], "classification", 0.0, "share must lie"),
        (["a"], ["x"], "classification", 1.5, "share must lie"),
        (["a"], [float("nan")], "regression", 0.5, "finite"),
        (["a"], ["x"], "generation", 0.5, "unknown kind of task 'generation'"),
    ],
)
def test_wrong_arguments_are_refused(groups, labels, kind, share, message):
    with pytest.raises(ValueError, match=message):
        nested_subset(groups, labels, kind, share, seed=1)
