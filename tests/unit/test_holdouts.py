"""Holdouts: who is trained on and who is tested; baselines and measures by hand."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import r2_score

from empathy_transfer.importance.holdouts import (
    HOLDOUTS,
    folds,
    identity_means,
    r_squared,
    rank_correlation,
    training_means,
)
from empathy_transfer.statistics.task_bootstrap import pair_weights, ratio_interval

DATASETS = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "z", "f": "z", "g": "w"}


def all_pairs(datasets=DATASETS):
    rows = [(s, t, datasets[s], datasets[t]) for s, t in itertools.permutations(datasets, 2)]
    return pd.DataFrame(rows, columns=["source", "target", "source_dataset", "target_dataset"])


@pytest.mark.parametrize("holdout", [name for name in HOLDOUTS if name != "random"])
def test_every_pair_is_tested_once_and_never_trained_on_at_the_same_time(holdout):
    pairs = all_pairs()
    parts = folds(pairs, holdout)
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(len(pairs)))
    assert all(not set(train) & set(test) for train, test in parts)


def test_random_splits_have_the_asked_share():
    parts = folds(all_pairs(), "random", splits=4, test_share=0.2, seed=1)
    assert [len(test) for _, test in parts] == [9] * 4  # of 42 pairs, rounded up
    assert [train.tolist() for train, _ in parts] == [
        train.tolist() for train, _ in folds(all_pairs(), "random", splits=4, test_share=0.2, seed=1)
    ]


UNSEEN = {"both": ["source", "target"], "dataset": ["source_dataset", "target_dataset"]}


@pytest.mark.parametrize(("holdout", "ends"), UNSEEN.items())
def test_unseen_in_both_roles(holdout, ends):
    pairs = all_pairs()
    for train, test in folds(pairs, holdout):
        held_out = set(pairs.loc[test, ends].to_numpy().ravel())
        assert not held_out & set(pairs.loc[train, ends].to_numpy().ravel())
        others = ~pairs[ends].isin(held_out).any(axis=1)
        assert sorted(train) == np.flatnonzero(others).tolist()


def test_a_target_is_held_out_with_all_its_sources():
    pairs = all_pairs()
    parts = folds(pairs, "target")
    assert len(parts) == 7
    for train, test in parts:
        assert pairs.loc[test, "target"].nunique() == 1
        assert len(test) == 6
        assert not set(pairs.loc[test, "target"]) & set(pairs.loc[train, "target"])


def test_too_small_training_parts_make_a_holdout_unavailable():
    assert folds(all_pairs(dict.fromkeys("abcd", "x")), "dataset") == []
    assert folds(all_pairs(dict.fromkeys("abc", "x")), "both") == []
    with pytest.raises(ValueError, match="unknown holdout"):
        folds(all_pairs(), "pairs")


def test_baselines_by_hand():
    outcome, identities = np.array([1.0, 3.0, 8.0, 100.0, 100.0]), np.array(["a", "a", "b", "a", "c"])
    train, test = np.array([0, 1, 2]), np.array([3, 4])
    assert training_means(outcome, train, test).tolist() == [4, 4]
    assert identity_means(outcome, train, test, identities).tolist() == [2, 4]


def test_r_squared_against_scikit_learn_and_without_variance():
    outcome, predicted = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])
    found = r_squared((outcome - predicted) ** 2, (outcome - outcome.mean()) ** 2)
    assert found == pytest.approx(r2_score(outcome, predicted))
    assert math.isnan(r_squared(np.zeros(3), np.zeros(3)))


def test_rank_correlation_is_a_mean_over_targets():
    generator = np.random.default_rng(0)
    outcome, predicted = generator.normal(size=12), generator.normal(size=12)
    targets = np.repeat(["a", "b", "c"], 4)
    predicted[8:] = 1.0  # ranks nothing
    expected = [spearmanr(outcome[:4], predicted[:4])[0], spearmanr(outcome[4:8], predicted[4:8])[0], 0.0]
    assert rank_correlation(outcome, predicted, targets) == pytest.approx(np.mean(expected))
    outcome[:4] = 2.0  # nothing to rank
    assert rank_correlation(outcome, predicted, targets) == pytest.approx(np.mean(expected[1:]))
    assert math.isnan(rank_correlation(np.ones(12), predicted, targets))


def test_a_pair_counts_as_often_as_its_two_tasks_were_drawn():
    pairs = all_pairs()
    weights = pair_weights(pairs, "tasks", 50, np.random.default_rng(0))
    counts = np.random.default_rng(0).multinomial(7, [1 / 7] * 7, size=50)
    for row, (source, target) in enumerate(itertools.permutations(range(7), 2)):
        assert (weights[:, row] == counts[:, source] * counts[:, target]).all()
    together = pair_weights(pairs, "datasets", 50, np.random.default_rng(0))
    assert (np.sqrt(together[:, 0]) % 1 == 0).all()  # a and b are of one dataset
    assert pair_weights(all_pairs({"a": "x", "b": "x", "c": "y"}), "datasets", 5, np.random.default_rng(0)) is None


def test_interval_of_a_ratio_by_hand():
    weights = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    # Ratios 1 / 2, 3 / 4 and 4 / 6; the last draw has nothing to divide by.
    low, high = ratio_interval(weights, np.array([1.0, 3.0]), np.array([2.0, 4.0]), level=1.0)
    assert (low, high) == pytest.approx((0.5, 0.75))
    assert all(map(math.isnan, ratio_interval(weights, np.zeros(2), np.zeros(2))))
    assert all(map(math.isnan, ratio_interval(None, np.zeros(2), np.ones(2))))
