"""Intervals over datasets, worked out by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from empathy_transfer.statistics.dataset_jackknife import DatasetJackknife, freedom_of_datasets, share_interval


def all_pairs(sizes):
    """All pairs of so many tasks per dataset."""
    tasks = [(f"{name}{number}", name) for name, size in sizes.items() for number in range(size)]
    rows = [(source, target, one, other) for (source, one), (target, other) in itertools.permutations(tasks, 2)]
    return pd.DataFrame(rows, columns=["source", "target", "source_dataset", "target_dataset"])


def test_the_mean_over_three_datasets():
    """Without a dataset two pairs are left: their means are 1 (without a), 2 (b) and 6 (c). The mean of all is 3."""
    pairs = all_pairs({"a": 1, "b": 1, "c": 1})
    values = (
        pairs["source_dataset"].add(pairs["target_dataset"]).map({"bc": 0, "cb": 2, "ac": 3, "ca": 1, "ab": 6, "ba": 6})
    )
    jackknife = DatasetJackknife(pairs)
    assert jackknife.mean(values) == pytest.approx(3)
    # 2 / 3 of the squares of -2, -1 and 3.
    assert jackknife.variance(values) == pytest.approx(28 / 3)
    assert jackknife.freedom == 2
    half = stats.t.isf(0.025, 2) * (28 / 3) ** 0.5
    assert jackknife.interval(values, 0.05) == pytest.approx((3 - half, 3 + half))
    # Many studies at once.
    assert jackknife.variance(np.stack([values, 2 * values])) == pytest.approx([28 / 3, 4 * 28 / 3])


def test_a_dataset_is_left_out_in_both_roles_with_all_its_tasks():
    """Only what has to do with dataset a is 1: 14 of 20 pairs. Without a nothing is left of it; else 10 of 12 pairs."""
    pairs = all_pairs({"a": 2, "b": 1, "c": 1, "d": 1})
    touched = (pairs["source_dataset"] == "a") | (pairs["target_dataset"] == "a")
    assert DatasetJackknife(pairs).mean(touched.to_numpy(float)) == pytest.approx(14 / 20)
    left = np.array([0, 10 / 12, 10 / 12, 10 / 12])
    assert DatasetJackknife(pairs).variance(touched.to_numpy(float)) == pytest.approx(
        3 / 4 * ((left - left.mean()) ** 2).sum()
    )


def test_a_difference_between_two_choices_of_pairs():
    """From a to c it is 1 more than from d: without b or e it still is, so nothing varies."""
    pairs = all_pairs(dict.fromkeys("abcdef", 1))
    one, other = (pairs["source"].isin(names).to_numpy() for names in (["a0", "b0", "c0"], ["d0", "e0", "f0"]))
    jackknife = DatasetJackknife(pairs, one, other)
    assert jackknife.interval(np.where(one, 1.0, 0.0), 0.05) == pytest.approx((1, 1))
    # A theme all of whose tasks are of one dataset can't be told from that dataset.
    alone = DatasetJackknife(pairs, pairs["source"].eq("a0").to_numpy(), other)
    assert alone.mean(np.where(one, 1.0, 0.0)) == pytest.approx(1)
    assert alone.interval(np.where(one, 1.0, 0.0), 0.05) == (None, None)


def test_two_datasets_tell_nothing():
    pairs = all_pairs({"a": 3, "b": 3})
    assert DatasetJackknife(pairs).interval(np.ones(30), 0.05) == (None, None)
    assert share_interval(np.ones(30), pairs, 0.05) == (None, None)
    assert share_interval(np.ones(0), pairs.head(0), 0.05) == (None, None)


def test_degrees_of_freedom_between_those_of_all_datasets_and_of_equal_ones():
    assert freedom_of_datasets([2, 2, 2, 2]) == 3
    # 16 tasks in six datasets, which weigh like 256 / 76 = 3.37 equal ones.
    assert freedom_of_datasets([6, 6, 1, 1, 1, 1]) == pytest.approx((5 + 256 / 76 - 1) / 2)
    assert freedom_of_datasets([9, 1, 1]) == pytest.approx((2 + 1) / 2)  # one is left at least


def test_the_interval_of_a_share():
    pairs = all_pairs(dict.fromkeys("abcdefgh", 2))
    none, every, one = np.zeros(240), np.ones(240), np.arange(240) == 1
    low, high = share_interval(none, pairs, 0.05)
    assert low == 0
    assert 0.01 < high < 0.06
    assert share_interval(every, pairs, 0.05) == pytest.approx((1 - high, 1))
    # One hit, from a dataset to another: more, but not by much.
    assert high < share_interval(one, pairs, 0.05)[1] < 2 * high
    # A fifth of the transfers: all those to a fifth of the targets, or spread over all. The first says far less.
    target = pairs["target_dataset"].isin(["a", "b"]).to_numpy()
    spread = np.random.default_rng(0).permutation(target)
    wide, narrow = (np.diff(share_interval(hits, pairs, 0.05))[0] for hits in (target, spread))
    assert wide > 2 * narrow
