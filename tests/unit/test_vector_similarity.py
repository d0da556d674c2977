"""Cosines, centred cosines and rank fusion, worked out by hand."""

import numpy as np
import pytest

from empathy_transfer.features.vector_similarity import centred_cosines, cosines, fused_scores, scaled_to_one


def test_cosines():
    found = cosines(np.array([[3.0, 4.0], [4.0, 3.0], [-6.0, -8.0]], dtype=np.float32))
    assert found == pytest.approx(np.array([[1, 0.96, -1], [0.96, 1, -0.96], [-1, -0.96, 1]]))


def test_a_vector_of_zeros_has_no_direction():
    found = cosines(np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert found[0, 0] == 1
    assert np.isnan(found[[0, 1, 1], [1, 0, 1]]).all()


def test_centred_cosines_compare_what_sets_vectors_apart():
    # Length does not matter: unit vectors e1, e2, e3 minus their mean have cosines of -1/2.
    found = centred_cosines(np.diag([1.0, 5.0, 100.0]))
    assert found == pytest.approx(np.array([[1, -0.5, -0.5], [-0.5, 1, -0.5], [-0.5, -0.5, 1]]))
    assert centred_cosines(np.array([[1.0, 0.2], [1.0, 0.3]]))[0, 1] == pytest.approx(-1)


def test_equal_vectors_have_nothing_that_sets_them_apart():
    rows = np.tile(np.random.default_rng(0).normal(size=50), (3, 1))
    assert np.isnan(centred_cosines(rows)).all()
    assert np.isnan(centred_cosines(np.zeros((2, 3)))).all()


def test_fused_scores_add_up_reciprocal_ranks():
    found = fused_scores(np.array([[0.9, 0.5, 0.1], [0.2, 0.8, 0.2]]))
    assert found == pytest.approx([1 / 61 + 1 / 62.5, 1 / 62 + 1 / 61, 1 / 63 + 1 / 62.5])


def test_the_same_ranks_in_another_order_are_a_tie():
    ranks = np.array([[1, 2, 3], [1, 3, 2], [2, 1, 3], [3, 1, 2], [2, 3, 1], [3, 2, 1]] * 4)
    found = fused_scores(-ranks.astype(float))
    assert len(set(found)) == 1
    assert scaled_to_one(found).tolist() == [0.5] * 3


def test_a_component_without_values_does_not_count():
    found = fused_scores(np.array([[0.9, 0.5], [np.nan, 0.8]]))
    assert found == pytest.approx([1 / 61, 1 / 62])
    assert np.isnan(fused_scores(np.array([[np.nan, 0.5]]))).all()
    assert np.isnan(fused_scores(np.zeros((0, 2)))).all()


def test_scores_within_a_target():
    assert scaled_to_one(np.array([0.3, 0.1, 0.2])) == pytest.approx([1, 0, 0.5])
    assert scaled_to_one(np.array([0.3])).tolist() == [0.5]
    assert scaled_to_one(np.zeros(0)).tolist() == []
    assert np.isnan(scaled_to_one(np.array([np.nan, np.nan]))).all()
