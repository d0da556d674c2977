"""Scores, floors and standard errors: values worked out by hand, and equality with scikit-learn and SciPy."""

import numpy as np
import pytest
from empathy_transfer.training.metrics import (
    bootstrap_standard_error,
    classification_scores,
    floor_score,
    is_constant,
    multilabel_scores,
    regression_scores,
)


def test_classification_by_hand():
    # a: tp 2, fp 1, fn 0 -> 4/5; b: tp 1, fp 0, fn 1 -> 2/3; accuracy 3/4
    scores = classification_scores(["a", "a", "b", "b"], ["a", "a", "b", "a"], ["a", "b"])
    assert scores["f1_macro"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert scores["f1_weighted"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert scores["accuracy"] == 0.75


def test_class_absent_from_the_test_labels_is_left_out_of_the_macro_mean():
    # c is predicted once and never right: an error for b, but no class of its own in the mean.
    scores = classification_scores(["a", "a", "b", "b"], ["a", "a", "b", "c"], ["a", "b", "c", "d"])
    assert scores["f1_macro"] == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("n_classes", [2, 3, 14])
def test_classification_equals_scikit_learn(n_classes):
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(n_classes)
    names = np.array([f"class {k}" for k in range(n_classes)])
    labels = names[generator.integers(max(1, n_classes - 1), size=200)]
    predictions = np.where(generator.random(200) < 0.5, labels, names[generator.integers(n_classes, size=200)])
    scores = classification_scores(labels, predictions, list(names))
    present = np.unique(labels)
    for average in ("macro", "weighted"):
        expected = metrics.f1_score(labels, predictions, average=average, labels=present, zero_division=0)
        assert scores[f"f1_{average}"] == pytest.approx(expected, abs=1e-12)
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predictions))


def test_classification_refuses_what_cannot_be_scored():
    with pytest.raises(ValueError, match="'z'"):
        classification_scores(["a"], ["z"], ["a", "b"])
    with pytest.raises(ValueError, match="one shape"):
        classification_scores(["a", "b"], ["a"], ["a", "b"])
    with pytest.raises(ValueError, match="no items"):
        classification_scores([], [], ["a"])


def test_multilabel_equals_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(5)
    labels = (generator.random((100, 4)) < 0.3).astype(int)
    predictions = np.where(generator.random((100, 4)) < 0.7, labels, 1 - labels)
    scores = multilabel_scores(labels, predictions)
    assert scores["f1_macro"] == pytest.approx(metrics.f1_score(labels, predictions, average="macro"))
    assert scores["f1_weighted"] == pytest.approx(metrics.f1_score(labels, predictions, average="weighted"))
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predictions))


def test_multilabel_refuses_values_that_are_no_indicators():
    with pytest.raises(ValueError, match="0 or 1"):
        multilabel_scores([[2, 0]], [[1, 0]])


def test_regression_by_hand():
    # deviations (-1, 0, 1) and (-1, 1, 0): r = 1 / 2
    scores = regression_scores([1, 2, 3], [1, 3, 2])
    assert scores["pearson_r"] == pytest.approx(0.5)
    assert scores["mae"] == pytest.approx(2 / 3)
    assert scores["rmse"] == pytest.approx((2 / 3) ** 0.5)


def test_pearson_equals_scipy():
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.default_rng(1)
    labels = generator.normal(1e4, 1, 300)
    predictions = labels * 0.3 + generator.normal(size=300)
    assert regression_scores(labels, predictions)["pearson_r"] == pytest.approx(
        stats.pearsonr(labels, predictions).statistic, abs=1e-10
    )


def test_constant_prediction_has_r_zero():
    assert regression_scores([1, 2, 3], [2, 2, 2])["pearson_r"] == 0
    rounding = np.full(3, 2.0) + np.array([0, 1e-7, -1e-7])
    assert regression_scores([1, 2, 3], rounding)["pearson_r"] == 0
    assert bootstrap_standard_error([1, 2, 3], [2, 2, 2], "pearson_r", seed=1) == 0


def test_regression_refuses_a_diverged_run():
    with pytest.raises(ValueError, match="1 of 2 values are not finite"):
        regression_scores([1, 2], [1, np.nan])


def test_is_constant():
    assert is_constant(["a", "a"])
    assert not is_constant(["a", "b"])
    assert is_constant([0.5, 0.5])
    assert not is_constant([0.5, 0.51])
    assert is_constant([[0, 1], [0, 1]])
    assert not is_constant([[0, 1], [1, 1]])
    with pytest.raises(ValueError, match="no predictions"):
        is_constant([])


def test_floor_by_hand():
    # Always "b" on two a and one b: F1 of b = 2/(2+2) = 1/2, of a = 0.
    assert floor_score("classification", ["b", "b", "a"], ["a", "a", "b"], "f1_macro") == pytest.approx(0.25)
    assert floor_score("classification", ["b"], ["a", "b"], "accuracy") == pytest.approx(0.5)
    # The majority class of training may be absent from the test labels.
    assert floor_score("classification", ["c", "c"], ["a", "b"], "f1_macro") == 0
    assert floor_score("regression", [1.0, 3.0], [2.0, 4.0], "pearson_r") == 0
    assert floor_score("regression", [1.0, 3.0], [2.0, 4.0], "mae") == pytest.approx(1)
    assert floor_score("multilabel", [[1, 0], [1, 1], [1, 0]], [[1, 0], [1, 1]], "f1_macro") == pytest.approx(0.5)


def test_standard_error_of_accuracy_is_binomial():
    labels = np.array(["a"] * 100)
    predictions = np.array(["a"] * 80 + ["b"] * 20)
    error = bootstrap_standard_error(labels, predictions, "accuracy", seed=3, resamples=4000)
    assert error == pytest.approx(np.sqrt(0.8 * 0.2 / 100), rel=0.05)


@pytest.mark.parametrize("metric", ["f1_macro", "f1_weighted"])
def test_standard_error_of_f1_equals_a_plain_loop_over_items(metric):
    generator = np.random.default_rng(11)
    labels = generator.choice(["a", "b", "c"], size=120, p=[0.6, 0.3, 0.1])
    predictions = np.where(generator.random(120) < 0.7, labels, generator.choice(["a", "b", "c"], size=120))
    fast = bootstrap_standard_error(labels, predictions, metric, seed=1, resamples=3000)
    slow = []
    for _ in range(1000):
        items = generator.integers(120, size=120)
        slow.append(classification_scores(labels[items], predictions[items], ["a", "b", "c"])[metric])
    assert fast == pytest.approx(np.std(slow), rel=0.12)


@pytest.mark.parametrize("metric", ["pearson_r", "mae", "rmse"])
def test_standard_error_of_regression_equals_a_plain_loop_over_items(metric):
    generator = np.random.default_rng(12)
    labels = generator.normal(3, 1, 150)
    predictions = labels * 0.5 + generator.normal(size=150)
    fast = bootstrap_standard_error(labels, predictions, metric, seed=1, resamples=3000)
    slow = []
    for _ in range(1000):
        items = generator.integers(150, size=150)
        slow.append(regression_scores(labels[items], predictions[items])[metric])
    assert fast == pytest.approx(np.std(slow), rel=0.12)


def test_standard_error_repeats_with_its_seed_and_does_not_depend_on_the_block_size(monkeypatch):
    labels, predictions = np.arange(20.0), np.arange(20.0) ** 2
    first = bootstrap_standard_error(labels, predictions, "pearson_r", seed=7, resamples=50)
    monkeypatch.setattr("empathy_transfer.training.metrics.BLOCK_CELLS", 60)
    assert bootstrap_standard_error(labels, predictions, "pearson_r", seed=7, resamples=50) == pytest.approx(first)
    assert bootstrap_standard_error(labels, predictions, "pearson_r", seed=8, resamples=50) != first


def test_standard_error_of_a_multilabel_task():
    labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 10)
    error = bootstrap_standard_error(labels, labels[:, ::-1], "f1_macro", seed=1)
    assert 0 < error < 0.5


def test_unknown_metric_is_named():
    with pytest.raises(ValueError, match="'f2'"):
        bootstrap_standard_error([1], [1], "f2", seed=1)
