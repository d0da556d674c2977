"""Variances over pairs with common members: by hand, and against the truth of a simulation."""

import numpy as np
import pytest

from empathy_transfer.statistics.dyads import Dyads, dyadic_variance


def test_the_variance_of_a_mean_by_hand():
    # Pairs ab, bc, de with the values 0, 3, 6: a mean of 3. Deviations from it are -3, 0, 3.
    dyads, values = Dyads(["a", "b", "d"], ["b", "c", "e"]), np.array([0.0, 3.0, 6.0])
    without_members, without_pairs = dyads.replicates(lambda rows: values[rows].mean())
    # Without a: mean of 3 and 6; without b: 6; without c: mean of 0 and 6; without d or e: mean of 0 and 3.
    np.testing.assert_allclose(without_members, [4.5, 6, 3, 1.5, 1.5])
    np.testing.assert_allclose(without_pairs, [4.5, 3, 1.5])
    # Jackknife: (n - 1) times the variance of the values. Of members 4 * 3.06, of pairs 2 * 1.5.
    assert dyadic_variance(without_members, without_pairs) == pytest.approx(4 * np.var(without_members) - 3)


def test_pairs_without_common_members_vary_as_single_items_do():
    random = np.random.default_rng(0)
    values = random.normal(size=200)
    dyads = Dyads(range(200), range(200, 400))
    variance = dyadic_variance(*dyads.replicates(lambda rows: values[rows].mean()))
    # Each pair goes with either of its members: twice what it goes with alone, less that once.
    assert variance == pytest.approx(values.var(ddof=1) / 200, rel=0.01)


def test_a_common_story_widens_the_interval_as_it_should():
    random = np.random.default_rng(1)
    stories = 60
    ends = np.array([random.choice(stories, 2, replace=False) for _ in range(90)]).T
    dyads, means, variances = Dyads(*ends), [], []
    for _ in range(120):
        effects = random.normal(size=stories)
        values = effects[ends[0]] + effects[ends[1]] + 0.5 * random.normal(size=90)
        means.append(values.mean())
        variances.append(dyadic_variance(*dyads.replicates(lambda rows, values=values: values[rows].mean())))
    naive = (2 + 0.25) / 90
    # The true variance: sums over stories of the square of how often they stand in a pair, and the pairs' own.
    degrees = np.bincount(ends.ravel(), minlength=stories)
    true = (degrees**2).sum() / 90**2 + 0.25 / 90
    assert true > 1.8 * naive
    assert np.var(means) == pytest.approx(true, rel=0.35)
    assert np.mean(variances) == pytest.approx(true, rel=0.2)


def test_resampling_takes_the_same_pairs():
    dyads = Dyads(["a", "b", "d"], ["b", "c", "e"])
    (members,), (pairs,) = dyads.blocks
    np.testing.assert_array_equal(members, [[0, 1, 1], [0, 0, 1], [1, 0, 1], [1, 1, 0], [1, 1, 0]])
    np.testing.assert_array_equal(pairs, 1 - np.eye(3))
