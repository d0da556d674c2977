"""Variance components and slopes in mixed models: against what has a closed form, and the likelihood itself."""

import numpy as np
import pytest
from scipy.stats import linregress
from scipy.stats import t as student

from empathy_transfer.statistics.mixed_slopes import SlopeModel
from empathy_transfer.statistics.variance_components import (
    best_deviations,
    fit_variances,
    make_contrasts,
    profile_interval,
    restricted_likelihood,
)

GROUPS, EACH = 8, 4
GROUP = np.repeat(np.arange(GROUPS), EACH)
ONES = np.ones((GROUPS * EACH, 1))


def balanced(seed=0, spread=2.0):
    """Outcomes of groups of equal size."""
    generator = np.random.default_rng(seed)
    return spread * generator.standard_normal(GROUPS)[GROUP] + generator.standard_normal(GROUPS * EACH)


def mean_squares(outcome):
    """Mean squares between and within groups, from the textbook."""
    means = outcome.reshape(GROUPS, EACH).mean(axis=1)
    within = ((outcome - means[GROUP]) ** 2).sum() / (GROUPS * (EACH - 1))
    return EACH * means.var(ddof=1), within


def test_balanced_groups_have_the_variances_of_the_analysis_of_variance():
    outcome = balanced()
    between, within = mean_squares(outcome)
    contrasts = make_contrasts(ONES, [GROUP])
    assert contrasts.freedom == GROUPS * (EACH - 1)
    expected = [(between - within) / EACH, within]
    several = np.stack([outcome, balanced(1), 3 * outcome + 5])
    variances = fit_variances(contrasts, several, 500)
    assert variances[0] == pytest.approx(expected, rel=1e-4)
    assert variances[2] == pytest.approx(9 * variances[0])
    best, _ = best_deviations(contrasts, outcome, np.array([1.0, 1.0]))
    assert best**2 == pytest.approx(expected, rel=1e-4)


def test_a_variance_that_is_not_there_is_zero():
    outcome = balanced(spread=0.0) - balanced(spread=0.0).reshape(GROUPS, EACH).mean(axis=1)[GROUP]
    contrasts = make_contrasts(ONES, [GROUP])
    best, least = best_deviations(contrasts, outcome, np.array([1.0, 1.0]))
    assert best[0] == pytest.approx(0, abs=1e-6)
    assert profile_interval(contrasts, outcome, best, least, 0)[0] == 0
    # All 31 contrasts are noise then.
    assert best[1] ** 2 == pytest.approx((outcome**2).sum() / (GROUPS * EACH - 1))


def test_the_slope_of_the_likelihood():
    contrasts = make_contrasts(ONES, [GROUP, np.tile(np.arange(EACH), GROUPS)])
    place = np.array([1.3, 0.4, 0.9])
    _, slopes = restricted_likelihood(contrasts, balanced(), place)
    for number in range(3):
        step = 1e-5 * np.eye(3)[number]
        up, down = (restricted_likelihood(contrasts, balanced(), place + sign * step)[0] for sign in (1, -1))
        assert slopes[number] == pytest.approx((up - down) / 2e-5, rel=1e-5)


def test_profile_intervals_end_where_the_likelihood_ratio_says():
    outcome, contrasts = balanced(), make_contrasts(ONES, [GROUP])
    best, least = best_deviations(contrasts, outcome, np.array([1.0, 1.0]))
    low, high = profile_interval(contrasts, outcome, best, least, 0)
    assert low < best[0] < high
    for end in (low, high):
        assert best_deviations(contrasts, outcome, best, 0, end)[1] - least == pytest.approx(3.84, abs=0.15)


def test_a_slope_between_balanced_groups_is_tested_as_the_regression_of_their_means():
    """There Kenward and Roger's test is exact: t with two fewer degrees of freedom than there are groups."""
    levels = np.random.default_rng(3).standard_normal(GROUPS)
    outcome = balanced(2) + 1.5 * levels[GROUP]
    model = SlopeModel(levels[GROUP][:, None], [GROUP])
    variances = fit_variances(model.whole, outcome[None], 500)
    found = model.test(outcome[None], variances)
    expected = linregress(levels, outcome.reshape(GROUPS, EACH).mean(axis=1))
    assert found.estimates[0, 0] == pytest.approx(expected.slope)
    assert found.errors[0, 0] == pytest.approx(expected.stderr, rel=1e-3)
    assert found.freedom[0, 0] == pytest.approx(GROUPS - 2, rel=1e-3)
    assert found.p[0, 0] == pytest.approx(expected.pvalue, rel=1e-2)


def test_degrees_of_freedom_are_bounded_and_nothing_left_is_no_number():
    column = np.random.default_rng(4).standard_normal((GROUPS * EACH, 1))
    outcomes = np.stack([balanced(5), np.full(GROUPS * EACH, 2.0)])
    bounded = SlopeModel(column, [GROUP], most_freedom=3)
    found = bounded.test(outcomes, bounded.fit(outcomes))
    assert found.freedom[0, 0] == 3
    assert found.p[0, 0] == pytest.approx(2 * student.sf(abs(found.estimates[0, 0] / found.errors[0, 0]), 3))
    assert np.isnan(found.p[1, 0])
    twice = SlopeModel(np.hstack([column, 2 * column]), [GROUP])
    assert np.isnan(twice.test(outcomes[:1], twice.fit(outcomes[:1])).p).all()
