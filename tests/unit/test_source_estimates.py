"""Which estimator knows which kind of task, and what stands where there is no value."""

import numpy as np
import pytest

from empathy_transfer.features.source_estimates import estimates
from empathy_transfer.features.transferability import h_score, leep, log_me

GENERATOR = np.random.default_rng(0)
VECTORS = GENERATOR.normal(size=(20, 6)).astype(np.float32)
GUESSES = GENERATOR.dirichlet([1, 1, 1], size=20)
CLASSES, VALUES, GROUPS = np.arange(20) % 4, GENERATOR.normal(size=20), np.arange(20) // 2


def of(*arguments):
    """Estimates as {estimator: (value, reason)}."""
    return {row["estimator"]: (row["value"], row["reason"]) for row in estimates(*arguments)}


def test_between_classifications_all_are_known():
    found = of(VECTORS, GUESSES, CLASSES, GROUPS, "classification")
    assert {reason for _, reason in found.values()} == {""}
    assert found["leep"][0] == leep(GUESSES, CLASSES)
    assert found["h_score"][0] == h_score(VECTORS, CLASSES)
    assert found["log_me"][0] == pytest.approx(log_me(VECTORS, np.eye(4)[CLASSES]))


@pytest.mark.parametrize(
    ("guesses", "labels", "kind", "known"),
    [
        (None, CLASSES, "classification", {"log_me", "h_score", "nearest_neighbours"}),
        (GUESSES, VALUES, "regression", {"log_me", "nearest_neighbours"}),
        (GUESSES, np.eye(4)[CLASSES], "multilabel", {"log_me"}),
    ],
)
def test_other_kinds_of_task_have_fewer(guesses, labels, kind, known):
    found = of(VECTORS, guesses, labels, GROUPS, kind)
    assert {name for name, (value, _) in found.items() if not np.isnan(value)} == known
    assert {reason for name, (_, reason) in found.items() if name not in known} == {"not_available"}


@pytest.mark.parametrize("labels", [np.zeros(20, int), CLASSES])
def test_constant_labels_or_features_have_a_reason(labels):
    vectors = VECTORS if not labels.any() else np.ones((20, 6), np.float32)
    found = of(vectors, GUESSES, labels, GROUPS, "classification")
    assert {reason for _, reason in found.values()} == {"constant"}
    assert all(np.isnan(value) for value, _ in found.values())


def test_one_group_has_no_neighbours():
    found = of(VECTORS, GUESSES, CLASSES, np.zeros(20), "classification")
    assert found["nearest_neighbours"][1] == "too_few"
    assert found["log_me"][1] == ""


def test_a_class_of_one_item_gives_numbers():
    labels = np.array([0] * 10 + [1] * 9 + [2])
    found = of(VECTORS, GUESSES, labels, GROUPS, "classification")
    assert all(np.isfinite(value) for value, _ in found.values())
