"""Resampled scores: the numbers of loops over sklearn and scipy, and defined results where there is little to see."""

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import f1_score

from empathy_transfer.metrics import f1_macro
from empathy_transfer.statistics.resampling import (
    bootstrap_counts,
    dropped_share,
    leave_one_out_counts,
    make_sample,
    paired_difference,
    score_systems,
    whole_counts,
)


def one_hot(values, classes):
    return np.array([[value == name for name in classes] for value in values])


def make_classes(n=60, classes=4, systems=3, seed=0):
    """Class numbers: labels, and predictions of systems that are right about half of the time."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, n)
    return labels, [
        np.where(generator.random(n) < 0.5, labels, generator.integers(0, classes, n)) for _ in range(systems)
    ]


def drawn(n_units, resamples, seed=0):
    return np.concatenate(list(bootstrap_counts(n_units, resamples, seed)))


def test_f1_is_that_of_a_loop_over_sklearn():
    labels, systems = make_classes()
    sample = make_sample(one_hot(labels, range(4)))
    counts = drawn(60, 50)
    scores = score_systems(sample, [one_hot(system, range(4)) for system in systems], [counts])
    found = paired_difference(scores, [0, 1], [2])
    for row, difference in zip(counts.astype(int), found, strict=True):
        values = [
            f1_score(np.repeat(labels, row), np.repeat(system, row), average="macro", labels=range(4), zero_division=0)
            for system in systems
        ]
        assert difference == pytest.approx((values[0] + values[1]) / 2 - values[2], abs=1e-12)


def test_f1_of_groups_repeats_whole_groups():
    labels, systems = make_classes()
    groups = np.array([f"g{number}" for number in np.random.default_rng(1).integers(0, 12, 60)])
    sample = make_sample(one_hot(labels, range(4)), groups)
    assert sample.n_units == len(set(groups))
    counts, every = drawn(sample.n_units, 20), {"labels": range(4), "zero_division": 0}
    scores = score_systems(sample, [one_hot(system, range(4)) for system in systems[:2]], [counts])
    for row, difference in zip(counts.astype(int), paired_difference(scores, [0], [1], absent="zero"), strict=True):
        times = row[np.unique(groups, return_inverse=True)[1]]
        values = [
            f1_score(np.repeat(labels, times), np.repeat(system, times), average="macro", **every)
            for system in systems[:2]
        ]
        assert difference == pytest.approx(values[0] - values[1], abs=1e-12)


@pytest.mark.parametrize("groups", [None, np.arange(80) // 5], ids=["items", "groups"])
def test_pearson_is_that_of_a_loop_over_scipy(groups):
    generator = np.random.default_rng(2)
    labels = 1000 + generator.normal(size=80)  # far from 0, where sums of squares cancel
    systems = [labels + generator.normal(size=80) for _ in range(2)]
    sample = make_sample(labels, groups)
    counts = drawn(sample.n_units, 30)
    scores = score_systems(sample, systems, [counts[:7], counts[7:]])
    for column, row in enumerate(counts.astype(int)):
        times = row if groups is None else row[groups]
        for system in (0, 1):
            expected = pearsonr(np.repeat(labels, times), np.repeat(systems[system], times))[0]
            assert scores.values[system, column] == pytest.approx(expected, abs=1e-9)


def test_multilabel_f1_is_that_of_the_metrics():
    generator = np.random.default_rng(3)
    labels, predicted = generator.random((40, 5)) < 0.4, generator.random((40, 5)) < 0.4
    scores = score_systems(make_sample(labels), [predicted], whole_counts(40))
    assert scores.values[0, 0] / 5 == pytest.approx(f1_macro.value(labels, predicted))


def test_absent_classes_by_hand():
    # Three items of class 0, one of class 1. System A is right, B says 0 always, C says 1 for the first item.
    labels = one_hot([0, 0, 0, 1], range(2))
    systems = [labels, one_hot([0, 0, 0, 0], range(2)), one_hot([1, 0, 0, 1], range(2))]
    sample = make_sample(labels)
    # In the first resample class 1 is missing. Nor do A and B predict it: one class counts.
    scores = score_systems(sample, systems, [np.array([[2, 1, 1, 0], [1, 1, 1, 1]], dtype=np.float32)])
    # Second resample: B has F1 6/7 for class 0 and 0 for class 1.
    assert paired_difference(scores, [0], [1]) == pytest.approx([0, 1 - 3 / 7])
    # C predicts class 1 there: it counts for both, with 0. Class 0: A 1, C 2 x 2 / (4 + 2).
    assert paired_difference(scores, [0], [2])[0] == pytest.approx((1 - 2 / 3) / 2)
    assert paired_difference(scores, [0], [1], share=0.5)[0] == pytest.approx(0.5)
    assert paired_difference(scores, [0], [1], share=0.5, absent="zero")[0] == pytest.approx(0.25)
    assert dropped_share(scores, [0, 1]) == 0.5
    assert dropped_share(scores, [0, 2]) == 0
    with pytest.raises(ValueError, match="keep"):
        paired_difference(scores, [0], [1], absent="keep")


def test_constant_values_have_an_r_of_zero():
    labels = np.array([1.0, 2.0, 3.0, 4.0])
    scores = score_systems(make_sample(labels), [np.full(4, 2.5), labels], [np.array([[4, 0, 0, 0], [1, 1, 1, 1]])])
    assert scores.values.tolist() == [[0, 0], [0, pytest.approx(1)]]
    assert dropped_share(scores, [0, 1]) == 0


def test_a_class_that_the_labels_lack_counts_as_an_error_only():
    labels, predicted = one_hot([0, 0, 1], range(3)), one_hot([0, 2, 1], range(3))
    assert make_sample(labels).labels.shape == (3, 2)
    scores = score_systems(make_sample(labels), [predicted[:, :2]], whole_counts(3))
    # Class 0: one hit of two, F1 2/3; class 1: 1.
    assert scores.values[0, 0] / 2 == pytest.approx((2 / 3 + 1) / 2)


def test_counts():
    counts = drawn(50, 2000, seed=4)
    assert (counts.sum(axis=1) == 50).all()
    assert counts.mean(axis=0) == pytest.approx(np.ones(50), abs=0.15)
    # Variance of a multinomial count: n p (1 - p).
    assert counts.var() == pytest.approx(50 * 0.02 * 0.98, rel=0.05)
    assert (drawn(50, 20, seed=4) == drawn(50, 20, seed=4)).all()
    (left_out,) = leave_one_out_counts(3)
    assert left_out.tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]


def test_unusable_input_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        make_sample([1.0, float("nan")])
    with pytest.raises(ValueError, match="0 labels"):
        make_sample([])
    with pytest.raises(ValueError, match="2 labels and 1 groups"):
        make_sample([1.0, 2.0], ["a"])
    sample = make_sample([1.0, 2.0])
    with pytest.raises(ValueError, match="predictions: 1 of 2 values are not finite"):
        score_systems(sample, [np.array([1.0, np.inf])], whole_counts(2))
    with pytest.raises(ValueError, match="expected 2"):
        score_systems(sample, [np.ones(3)], whole_counts(2))
    with pytest.raises(ValueError, match="labels"):
        score_systems(make_sample(one_hot([0, 1], range(2))), [np.ones((2, 3), dtype=bool)], whole_counts(2))
