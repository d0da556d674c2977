"""Splits: by hash of seed and group, and the paper's own protocol."""

from hashlib import sha256

import numpy as np
import pytest

from empathy_transfer.data.hashing import hash_fraction
from empathy_transfer.data.splits import SPLITS, assign_splits, marks_overlap

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def split_names(masks):
    """The split of each row, for disjoint masks."""
    assert (sum(masks[split].astype(int) for split in SPLITS) == 1).all()
    return [next(split for split in SPLITS if masks[split][row]) for row in range(len(masks["train"]))]


def grouped(groups, seed=1, dataset="any"):
    """Default splits of rows with these groups."""
    return assign_splits([str(row) for row in range(len(groups))], groups, dataset=dataset, seed=seed, shares=SHARES)


def test_hash_fraction_is_the_leading_part_of_the_digest():
    # sha256("abc") = ba7816bf..., and 0xba7816bf / 2**32 = 0.728395...
    assert hash_fraction("abc") == pytest.approx(0xBA7816BF / 2**32, abs=2**-32)
    assert hash_fraction("abc") == int(sha256(b"abc").hexdigest()[:16], 16) // 2**11 / 2**53


def test_grouped_cuts_the_hash_of_seed_and_group_at_the_shares():
    groups = [f"pool:{number}" for number in range(200)]
    names = split_names(grouped(groups, seed=7))
    for group, name in zip(groups, names, strict=True):
        fraction = int(sha256(f"7:{group}".encode()).hexdigest(), 16) / 2**256
        assert name == ("train" if fraction < 0.8 else "validation" if fraction < 0.9 else "test")


def test_rows_of_a_group_stay_together_and_new_rows_move_none():
    few = ["a", "b", "a", "c", "b"]
    many = ["new", *few, "a", "other"]
    before, after = split_names(grouped(few)), split_names(grouped(many, dataset="another"))
    assert after[1:6] == before
    assert after[6] == before[0] == before[2]


def test_shares_are_met_and_the_seed_matters():
    groups = [str(number) for number in range(20_000)]
    masks = grouped(groups)
    # four standard errors of a share of .8 and .1 in 20,000 draws
    assert masks["train"].mean() == pytest.approx(0.8, abs=0.0114)
    assert masks["validation"].mean() == pytest.approx(0.1, abs=0.0085)
    assert masks["test"].mean() == pytest.approx(0.1, abs=0.0085)
    assert (masks["test"] & grouped(groups, seed=2)["test"]).mean() == pytest.approx(0.01, abs=0.003)


def test_published_draws_items_by_dataset_whatever_the_seed():
    ids = [str(number) for number in range(5_000)]
    groups = ["one"] * len(ids)

    def published(dataset, seed):
        return assign_splits(ids, groups, dataset=dataset, scheme="published", seed=seed, shares={})

    names = split_names(published("epitome", 1))
    assert names == split_names(published("epitome", 2))
    assert names != split_names(published("mi", 1))
    assert names.count("train") / 5_000 == pytest.approx(0.8, abs=0.023)


def test_published_conv_draws_whole_conversations():
    groups = [f"wassa:{number // 20}" for number in range(2_000)]
    masks = assign_splits(
        [str(number) for number in range(2_000)], groups, dataset="conv", scheme="published", seed=1, shares=SHARES
    )
    names = split_names(masks)
    for start in range(0, 2_000, 20):
        assert len(set(names[start : start + 20])) == 1


def test_published_news_overlaps_as_in_the_paper():
    ids = [f"essay{number}" for number in range(1_000)]
    masks = assign_splits(ids, ids, dataset="news", scheme="published", seed=1, shares=SHARES)
    assert [int(masks[split].sum()) for split in SPLITS] == [800, 1_000, 900]
    # 800 + 900 of 1,000: at least 700 rows are in both; independent draws share 720 +- 8.5
    assert 700 <= int((masks["train"] & masks["test"]).sum()) <= 755
    assert not np.array_equal(masks["train"], masks["test"])


def test_overlap_is_marked_for_news_as_published_only():
    assert marks_overlap("news", "published")
    assert not marks_overlap("news", "grouped")
    assert not marks_overlap("conv", "published")


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="unknown split scheme 'random'"):
        assign_splits(["1"], ["a"], dataset="x", scheme="random", seed=1, shares=SHARES)
    with pytest.raises(ValueError, match="sum 1"):
        assign_splits(["1"], ["a"], dataset="x", seed=1, shares={"train": 0.8, "validation": 0.1, "test": 0.2})
    with pytest.raises(ValueError, match="sum 1"):
        assign_splits(["1"], ["a"], dataset="x", seed=1, shares={"train": 0.9, "test": 0.1})
    with pytest.raises(ValueError, match="2 ids but 1 groups"):
        assign_splits(["1", "2"], ["a"], dataset="x", seed=1, shares=SHARES)
