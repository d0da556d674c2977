"""Estimators of transferability against values by hand and independent implementations."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf

from empathy_transfer.features.transferability import (
    UndefinedEstimate,
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
    for features in (np.eye(60), values.repeat(3, axis=1)):
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
    with pytest.raises(UndefinedEstimate, match="one group"):
        nearest_neighbours(CIRCLE, labels, [0] * 6, "classification")


def test_of_equal_votes_the_nearest_decides():
    points = np.array([[1.0, 0.0], [0.99, 0.1], [0.9, 0.3], [0.0, 1.0]])
    labels = ["b", "a", "b", "c"]
    found = nearest_neighbours(points, labels, [0, 1, 2, 3], "classification", neighbours=2)
    # 0: a, b -> a (nearer). 1: b, b -> b. 2: a, b -> a. 3: b, a -> b. All wrong.
    assert found == 0


# Degenerate input ----------------------------------------------------------------------------------------------------

FEATURES = np.random.default_rng(5).normal(size=(24, 3))
GUESSES = np.random.default_rng(6).dirichlet([1, 1], size=24)
LABELS = np.arange(24) % 3
# Each estimator on items: features, the source's guesses, class indices.
ESTIMATES = {
    "log_me": lambda features, guesses, classes: log_me(features, np.eye(3)[classes]),
    "h_score": lambda features, guesses, classes: h_score(features, classes),
    "h_score without shrinking": lambda features, guesses, classes: h_score(features, classes, shrink=False),
    "leep": lambda features, guesses, classes: leep(guesses, classes),
    "nce": lambda features, guesses, classes: negative_conditional_entropy(guesses.argmax(axis=1), classes),
    "neighbours": lambda features, guesses, classes: nearest_neighbours(
        features, classes, np.arange(len(classes)), "classification"
    ),
}
OF_FEATURES = [name for name in ESTIMATES if name not in ("leep", "nce")]


def reason_of(estimate, *arguments):
    """Why an estimate is undefined, and what it says."""
    with pytest.raises(UndefinedEstimate) as caught:
        estimate(*arguments)
    assert str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize("name", ESTIMATES)
def test_items_of_one_class_have_no_estimate(name):
    assert math.isfinite(ESTIMATES[name](FEATURES, GUESSES, LABELS))
    for items, one in ((24, 0), (24, 2), (5, 1), (2, 0)):
        classes = np.full(items, one)
        assert reason_of(ESTIMATES[name], FEATURES[:items], GUESSES[:items], classes) == "constant"


@pytest.mark.parametrize("name", ESTIMATES)
@pytest.mark.parametrize("items", [0, 1])
def test_fewer_than_two_items_have_no_estimate(name, items):
    assert reason_of(ESTIMATES[name], FEATURES[:items], GUESSES[:items], LABELS[:items]) == "too_few"


@pytest.mark.parametrize("name", OF_FEATURES)
@pytest.mark.parametrize("value", [0.0, 1.0, -3.7e-9, 1e9])
def test_constant_features_have_no_estimate(name, value):
    assert reason_of(ESTIMATES[name], np.full((24, 3), value), GUESSES, LABELS) == "constant"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 11, 23])
def test_numbers_that_are_not_finite_have_no_estimate(value, place):
    features, guesses = FEATURES.copy(), GUESSES.copy()
    features[place, 1] = guesses[place, 1] = value
    for name in [*OF_FEATURES, "leep"]:
        assert reason_of(ESTIMATES[name], features, guesses, LABELS) == "undefined"
    values = np.where(np.arange(24) == place, value, np.arange(24.0))
    assert reason_of(log_me, FEATURES, values[:, None]) == "undefined"
    assert reason_of(nearest_neighbours, FEATURES, values, np.arange(24), "regression") == "undefined"


@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_log_me_of_a_label_that_no_item_or_every_item_has_is_undefined(column, value):
    labels = (np.random.default_rng(7).random((24, 3)) < 0.5).astype(float)
    assert math.isfinite(log_me(FEATURES, labels))
    labels[:, column] = value
    assert reason_of(log_me, FEATURES, labels) == "undefined"


def test_what_an_estimator_needs_beyond():
    # Nothing varies within a class of one item, so that any features separate the classes fully.
    assert reason_of(h_score, FEATURES, np.arange(24)) == "too_few"
    assert reason_of(nearest_neighbours, FEATURES, LABELS, ["one group"] * 24, "classification") == "too_few"
    nothing = np.where(np.arange(24)[:, None] == 4, 0.0, GUESSES)
    assert reason_of(leep, nothing, LABELS) == "undefined"
    with pytest.raises(ValueError, match="23 classes for 24 items"):
        h_score(FEATURES, LABELS[1:])
