"""Estimators of transferability against values by hand and independent implementations."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf

from empathy_transfer.features.transferability import (
    h_score,
    leep,
    log_me,
    nearest_neighbours,
    negative_conditional_entropy,
)


def greatest_evidence(features, values):
    """Greatest log evidence per item of one column, by a general optimiser on the marginal likelihood."""

    def loss(logarithms):
        precision, noise = np.exp(logarithms)
        covariance = features @ features.T / precision + np.eye(len(values)) / noise
        return -multivariate_normal(np.zeros(len(values)), covariance).logpdf(values)

    starts = [(0, 0), (2, 2), (-2, 2), (2, -2)]
    return -min(minimize(loss, start, method="Nelder-Mead").fun for start in starts) / len(values)


@pytest.mark.parametrize("size", [4, 40], ids=["more items than dimensions", "fewer items than dimensions"])
def test_log_me_is_the_greatest_evidence(size):
    generator = np.random.default_rng(1)
    features = generator.normal(size=(25, size)) + 0.5
    targets = np.stack([features[:, 0] + generator.normal(size=25), generator.normal(size=25) + 1], axis=1)
    expected = np.mean([greatest_evidence(features, column) for column in targets.T])
    assert log_me(features, targets) == pytest.approx(expected, abs=2e-4)


def test_log_me_prefers_features_that_tell_and_is_finite_at_its_limits():
    generator = np.random.default_rng(2)
    values = generator.normal(size=(60, 1))
    telling = np.hstack([values, generator.normal(size=(60, 3))])
    assert log_me(telling, values) > log_me(generator.normal(size=(60, 4)), values)
    for features in (np.zeros((60, 3)), np.eye(60), np.ones((60, 2)), values.repeat(3, axis=1)):
        assert math.isfinite(log_me(features, values))


def test_h_score_by_hand():
    # Centred -3, -1, 1, 3: variance 5; class means -2 and 2: variance 4.
    assert h_score(np.array([[0.0], [2], [4], [6]]), [0, 0, 1, 1], shrink=False) == pytest.approx(0.8)


def test_h_score_is_the_sum_of_squared_canonical_correlations():
    generator = np.random.default_rng(3)
    features, classes = generator.normal(size=(40, 5)), generator.integers(0, 3, 40)
    features[:, 0] += classes
    one_hot = np.eye(3)[classes]
    bases = [np.linalg.qr(part - part.mean(axis=0))[0] for part in (features, one_hot[:, :2])]
    assert h_score(features, classes, shrink=False) == pytest.approx(((bases[0].T @ bases[1]) ** 2).sum())


def test_h_score_with_shrinkage_and_a_class_of_one_item():
    generator = np.random.default_rng(4)
    features, classes = generator.normal(size=(12, 30)), np.array(["a"] * 6 + ["b"] * 5 + ["c"])
    estimate = LedoitWolf().fit(features)
    centred = features - features.mean(axis=0)
    between = sum(
        (classes == name).mean()
        * np.outer(centred[classes == name].mean(axis=0), centred[classes == name].mean(axis=0))
        for name in "abc"
    )
    expected = (1 - estimate.shrinkage_) * np.trace(np.linalg.inv(estimate.covariance_) @ between)
    assert h_score(features, classes) == pytest.approx(expected)
    # Without shrinkage, noise in 30 dimensions separates three classes fully.
    assert h_score(features, classes, shrink=False) == pytest.approx(2)
    assert h_score(features, classes) < 1


def test_h_score_refuses_constant_features():
    with pytest.raises(ValueError, match="same for all items"):
        h_score(np.ones((4, 2)), [0, 0, 1, 1])


def test_leep_by_hand():
    # Joint: target 0 (.4, .1), target 1 (.2, .3); given source: (2/3, 1/4) and (1/3, 3/4).
    found = leep(np.array([[0.8, 0.2], [0.4, 0.6]]), [5, 7])
    assert found == pytest.approx(math.log(2 / 3 * 0.8 + 1 / 4 * 0.2))


def test_conditional_entropy_by_hand_and_as_leep_of_sure_predictions():
    source, target = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    expected = (2 * math.log(2 / 3) + math.log(1 / 3)) / 4
    assert negative_conditional_entropy(source, target) == pytest.approx(expected)
    assert leep(np.eye(3)[source], target) == pytest.approx(expected)
    assert negative_conditional_entropy(target, target) == 0


ANGLES = np.array([0, 9, 20, 90, 99, 110]) * math.pi / 180
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def test_nearest_neighbours_of_classes():
    labels = ["a", "a", "b", "b", "b", "b"]
    found = nearest_neighbours(CIRCLE, labels, list(range(6)), "classification", neighbours=2)
    # Predicted: a (tie, nearer), then for 9 degrees that of 0, then a, and b for the others.
    assert found == pytest.approx((2 * 2 / (2 * 2 + 1) + 2 * 3 / (2 * 3 + 1)) / 2)


def test_nearest_neighbours_of_values_are_averaged():
    values = np.array([1.0, 2, 3, 10, 11, 12])
    found = nearest_neighbours(CIRCLE * 7, values, list(range(6)), "regression", neighbours=2)
    assert found == pytest.approx(np.corrcoef(values, [2.5, 2, 1.5, 11.5, 11, 10.5])[0, 1])


def test_items_of_one_group_do_not_predict_each_other():
    labels = ["a", "a", "a", "b", "b", "b"]
    assert nearest_neighbours(CIRCLE, labels, list(range(6)), "classification", 1) == 1
    # All neighbours of a's are b's, and the other way round.
    assert nearest_neighbours(CIRCLE, labels, [0, 0, 0, 1, 1, 1], "classification", 1) == 0
    with pytest.raises(ValueError, match="one group"):
        nearest_neighbours(CIRCLE, labels, [0] * 6, "classification")


def test_of_equal_votes_the_nearest_decides():
    points = np.array([[1.0, 0.0], [0.99, 0.1], [0.9, 0.3], [0.0, 1.0]])
    labels = ["b", "a", "b", "c"]
    found = nearest_neighbours(points, labels, [0, 1, 2, 3], "classification", neighbours=2)
    # 0: a, b -> a (nearer). 1: b, b -> b. 2: a, b -> a. 3: b, a -> b. All wrong.
    assert found == 0
