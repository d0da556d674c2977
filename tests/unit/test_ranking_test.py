"""The permutation test of predictors: the same measures as one by one, and p values by hand."""

import itertools

import numpy as np
import pytest

from empathy_transfer.importance.predictors import COSTS, measures
from empathy_transfer.importance.ranking_test import mean_gains, orders_of_tasks, ranking_p_values, target_gains
from empathy_transfer.validation.predictors import STUDIES, simulate_predictors


def test_many_rankings_have_the_gains_of_each_alone():
    """With ties, and with a source that has no value."""
    random = np.random.default_rng(0)
    for number in range(40):
        size = int(random.integers(2, 8))
        predicted = random.integers(0, 4, size).astype(float) if number % 2 else random.normal(size=size)
        percent = random.integers(0, 5, size).astype(float) if number % 3 else random.normal(size=size)
        more = np.append(predicted, np.nan), np.append(percent, 99.0)
        found = target_gains(np.stack([predicted, predicted[::-1]]), percent), target_gains(more[0][None], more[1])
        for measure, values in measures(predicted, percent).items():
            expected = (values["value"] - values["random"]) * (-1 if measure in COSTS else 1)
            assert found[0][measure][0] == pytest.approx(expected, nan_ok=True)
            assert found[1][measure][0] == pytest.approx(expected, nan_ok=True)
        for measure, values in measures(predicted[::-1], percent).items():
            expected = (values["value"] - values["random"]) * (-1 if measure in COSTS else 1)
            assert found[0][measure][1] == pytest.approx(expected, nan_ok=True)


def test_orders_keep_datasets_and_what_is_not_alike():
    datasets, alike = ["a", "a", "b", "b", "c", "d"], [1, 2, 2, 1, 1, 1]
    orders = {tuple(order) for order in orders_of_tasks(datasets, alike, 300, np.random.default_rng(0)).tolist()}
    # Datasets a and b may be exchanged, with 0 for 3 and 1 for 2, and c and d.
    assert orders == {(*first, *second) for first in ((0, 1, 2, 3), (3, 2, 1, 0)) for second in ((4, 5), (5, 4))}


def test_p_values_by_hand():
    """Four tasks of four datasets: of the 24 orders, those as extreme are counted out."""
    own = np.array([4.0, 3.0, 2.0, 1.0])
    predictor = np.repeat(own[:, None], 4, axis=1)
    percent = 10 * predictor + np.arange(4.0)
    np.fill_diagonal(percent, np.nan)
    orders = np.array(list(itertools.permutations(range(4))))
    gains = mean_gains(predictor, percent, orders)["spearman"]
    assert gains[0] == 1  # the sources are ranked as they are, for all targets
    expected = (np.abs(gains) >= 1 - 1e-9).mean()
    assert expected == 2 / 24  # as they are, and the other way round
    found = ranking_p_values(predictor, percent, list("abcd"), 2000, np.random.default_rng(1))
    assert found["spearman"] == pytest.approx(expected, abs=0.03)
    assert "regret_3" not in found  # three sources always hold the best of three
    # Three tasks have six orders, of which none can be rarer than one in six.
    found = ranking_p_values(predictor[:3, :3], percent[:3, :3], list("abc"), 500, np.random.default_rng(1))
    assert min(found.values()) > 0.1


def test_in_three_and_six_tasks_next_to_nothing_is_found_by_chance():
    for name in ("three tasks of three datasets", "six tasks of six datasets"):
        outcomes = [simulate_predictors(STUDIES[name], np.random.default_rng(number)) for number in range(2)]
        assert np.mean([outcome["any verdict"] for outcome in outcomes]) == 0
        assert np.mean([outcome["one test: source"] for outcome in outcomes]) < 0.2


def test_two_tasks_have_nothing_to_rank():
    one_each = np.array([[np.nan, 1.0], [2.0, np.nan]])
    assert ranking_p_values(one_each, one_each, ["a", "b"], 10, np.random.default_rng(0)) == {}
