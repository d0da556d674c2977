"""Correlations from means of products: the same as from the values themselves."""

import numpy as np
import pytest

from empathy_transfer.metrics.ccc import value as concordance
from empathy_transfer.statistics.moments import CONSTANT_TOLERANCE, concordance_of_means, pearson_of_means


def means(x, y):
    """Means over the last axis of x, y, x * x, y * y and x * y."""
    return [values.mean(axis=-1) for values in (x, y, x * x, y * y, x * y)]


def test_a_correlation_worked_out_by_hand():
    # Deviations -1, 0, 1 and -1, 1, 0: covariance 1/3, variances 2/3 both; the means differ by 1.
    moments = means(np.array([1.0, 2, 3]), np.array([2.0, 4, 3]))
    assert pearson_of_means(*moments) == pytest.approx(0.5)
    assert concordance_of_means(*moments) == pytest.approx(2 / 3 / (4 / 3 + 1))


def test_many_samples_at_once_are_each_of_them():
    x, y = np.random.default_rng(0).normal(size=(2, 50, 20))
    r, ccc = pearson_of_means(*means(x, y)), concordance_of_means(*means(x, y))
    assert r == pytest.approx([np.corrcoef(*pair)[0, 1] for pair in zip(x, y, strict=True)])
    assert ccc == pytest.approx([concordance(*pair) for pair in zip(x, y, strict=True)])


def test_a_constant_side_gives_0_and_rounding_never_more_than_1():
    x = np.array([[1.0, 2, 3], [1.0, 1, 1], [1.0, 2, 3]])
    y = np.array([[2.0, 2, 2], [1.0, 2, 3], [1.0, 2, 3 + CONSTANT_TOLERANCE]])
    r = pearson_of_means(*means(x, y))
    assert r[:2].tolist() == concordance_of_means(*means(x, y))[:2].tolist() == [0, 0]
    assert 1 - 1e-9 < r[2] <= 1
