"""Means of differences between systems: against the tests of significance, and by hand."""

import numpy as np
import pytest
from scipy import stats

from empathy_transfer.controls.control_tests import squared_weights
from empathy_transfer.significance.contrasts import contrast_test, resample_scores
from empathy_transfer.statistics.resampling import make_sample

SETTINGS = {"resamples": 4000, "alpha": 0.05, "absent_classes": "drop"}


def systems(n=200, count=4, seed=0):
    """Labels and the answers of some systems, of falling quality."""
    generator = np.random.default_rng(seed)
    labels = generator.normal(size=n)
    return labels, [labels + generator.normal(size=n) * (1 + place) for place in range(count)]


def correlation(labels, answers):
    return float(np.corrcoef(labels, answers)[0, 1])


def test_a_mean_of_differences_has_the_variance_of_their_mean():
    labels, answers = systems()
    sample = make_sample(labels)
    scores = resample_scores(sample, answers, SETTINGS)
    first = scores.values[0] - scores.values[3]
    second = scores.values[1] - scores.values[3]
    covariance = np.cov(np.stack([first, second]))
    expected = covariance.sum() / 4
    difference = np.mean([correlation(labels, answers[row]) for row in (0, 1)]) - correlation(labels, answers[3])
    row = contrast_test(scores, [([0], [3]), ([1], [3])], difference, (0.0, 0), sample.n_units, SETTINGS)
    assert row["item_se"] == pytest.approx(np.sqrt(expected))
    assert row["se"] == row["item_se"]
    assert (row["method"], row["covers"], row["df"]) == ("bootstrap", "items", pytest.approx(199))
    width = stats.t.ppf(0.975, 199) * row["se"]
    assert (row["low"], row["high"]) == (pytest.approx(difference - width), pytest.approx(difference + width))
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(difference) / row["se"], 199))


def test_seeds_add_their_variance():
    labels, answers = systems()
    sample = make_sample(labels)
    scores = resample_scores(sample, answers, SETTINGS)
    alone = contrast_test(scores, [([0], [1])], 0.1, (0.0, 0), sample.n_units, SETTINGS)
    both = contrast_test(scores, [([0], [1])], 0.1, (0.0025, 6), sample.n_units, SETTINGS)
    assert both["se"] ** 2 == pytest.approx(alone["se"] ** 2 + 0.0025)
    assert both["covers"] == "items_and_seeds"
    assert both["df"] < alone["df"]


@pytest.mark.parametrize(("n", "reason"), [(4, "too_few"), (6, "")])
def test_few_units_give_no_test_or_a_jackknife(n, reason):
    labels, answers = systems(n=n)
    sample = make_sample(labels)
    scores = resample_scores(sample, answers, SETTINGS)
    row = contrast_test(scores, [([0], [1])], 0.1, (0.0, 0), sample.n_units, SETTINGS)
    assert (row["reason"], row["method"]) == (reason, "cluster_t")
    assert (row["p"] is None) == bool(reason)


def test_equal_systems_differ_by_nothing_and_a_difference_without_variance_has_no_test():
    labels, answers = systems()
    sample = make_sample(labels)
    scores = resample_scores(sample, [answers[0], answers[0]], SETTINGS)
    assert contrast_test(scores, [([0], [1])], 0.0, (0.0, 0), sample.n_units, SETTINGS)["p"] == 1
    assert contrast_test(scores, [([0], [1])], 0.2, (0.0, 0), sample.n_units, SETTINGS)["reason"] == "no_variance"


def test_weights_of_runs_by_hand():
    # Three seeds on each side: 3 runs of weight 1/3, twice.
    pair = (["a1", "a2", "a3"], ["b1", "b2", "b3"])
    assert squared_weights([pair]) == pytest.approx(2 / 3)
    # Two sources against one reference of one seed: 1/2 and 1/2, and -1.
    assert squared_weights([(["a"], ["r"]), (["b"], ["r"])]) == pytest.approx(1.5)
