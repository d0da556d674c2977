"""Permutation tests of ratings: against regressions done one by one, and on planted truths."""

import itertools

import numpy as np
import pytest
from scipy.stats import linregress
from test_importance import make_features, make_improvement

from empathy_transfer.importance.pair_outcomes import OUTCOMES
from empathy_transfer.importance.quadratic_assignment import (
    double_semi_partialling,
    orders_within_datasets,
    shuffled_ratings,
    two_sided,
)
from empathy_transfer.importance.rating_tests import NULL_COLUMNS, NULLS, null_table


def ends(number):
    """Source and target of all ordered pairs of tasks."""
    return np.array(list(itertools.permutations(range(number), 2))).T


class AllOrders:
    """A generator whose permutations are all that there are, one after the other."""

    def __init__(self, number):
        self.orders = itertools.permutations(range(number))

    def permutation(self, number):
        return np.array(next(self.orders))


def t_by_least_squares(outcome, column, others):
    """The t statistic of a column by textbook least squares."""
    design = np.column_stack([column, others])
    slopes, *_ = np.linalg.lstsq(design, outcome)
    freedom = len(outcome) - np.linalg.matrix_rank(design)
    variance = ((outcome - design @ slopes) ** 2).sum() / freedom * np.linalg.pinv(design.T @ design)[0, 0]
    return slopes[0] / np.sqrt(variance)


@pytest.mark.parametrize("missing", [0, 3])
def test_double_semi_partialling_against_brute_force(missing):
    """Five tasks, all 120 permutations, each with a regression of its own."""
    generator = np.random.default_rng(5)
    source, target = ends(5)
    features = generator.normal(size=(20, 2))
    controls = generator.normal(size=(20, 1))
    outcome = features[:, 0] + generator.normal(size=20)
    observed = np.arange(20) >= missing
    slopes, statistics, probabilities = double_semi_partialling(
        outcome, features, controls, source, target, observed, 120, AllOrders(5)
    )
    place = {pair: row for row, pair in enumerate(zip(source, target, strict=True))}
    for feature in range(2):
        others = np.column_stack([np.ones(20), controls, features[:, 1 - feature]])
        residuals = features[:, feature] - others @ np.linalg.lstsq(others, features[:, feature])[0]
        true = t_by_least_squares(outcome[observed], residuals[observed], others[observed])
        as_far = 0
        for order in itertools.permutations(range(5)):
            moved = np.array([residuals[place[order[s], order[t]]] for s, t in zip(source, target, strict=True)])
            shuffled = t_by_least_squares(outcome[observed], moved[observed], others[observed])
            as_far += abs(shuffled) >= abs(true) * (1 - 1e-9)
        assert statistics[feature] == pytest.approx(true)
        assert probabilities[feature] == pytest.approx((1 + as_far) / 121)
    design = np.column_stack([features, np.ones(20), controls])
    assert slopes == pytest.approx(np.linalg.lstsq(design[observed], outcome[observed])[0][:2])


def test_one_rating_alone_has_the_t_of_simple_regression():
    generator = np.random.default_rng(6)
    source, target = ends(6)
    ratings = generator.normal(size=(6, 1))
    outcome = generator.normal(size=30)
    orders = np.stack([generator.permutation(6) for _ in range(50)])
    slopes, statistics, probabilities = shuffled_ratings(outcome, ratings, source, target, orders)
    expected = linregress(ratings[target, 0] - ratings[source, 0], outcome)
    assert slopes[0] == pytest.approx(expected.slope)
    assert statistics[0] == pytest.approx(expected.slope / expected.stderr)
    others = [linregress(ratings[o][target, 0] - ratings[o][source, 0], outcome) for o in orders]
    as_far = sum(abs(other.slope / other.stderr) >= abs(statistics[0]) for other in others)
    assert probabilities[0] == pytest.approx((1 + as_far) / 51)


def test_two_sided_counts_the_true_arrangement():
    assert two_sided(2.0, np.array([1.0, -2.0, 3.0])) == pytest.approx(3 / 4)
    assert np.isnan(two_sided(np.nan, np.array([1.0])))


def test_orders_keep_which_tasks_share_a_dataset():
    datasets = ["x", "x", "y", "y", "z"]
    orders = orders_within_datasets(datasets, 200, np.random.default_rng(0))
    assert {tuple(sorted(order)) for order in orders.tolist()} == {(0, 1, 2, 3, 4)}
    assert all((order[0] < 2) == (order[1] < 2) and order[4] == 4 for order in orders)
    assert len({tuple(order) for order in orders.tolist()}) == 8  # two blocks, exchanged or not, two orders in each
    assert orders_within_datasets(["x", "y", "y"], 5, np.random.default_rng(0)) is not None
    assert orders_within_datasets(["x"], 5, np.random.default_rng(0)) is None


def test_a_planted_effect_of_a_rating_is_found():
    features = make_features()
    improvement = make_improvement(features, lambda row: 5 * row["link"])
    table = null_table(improvement, features, draws=99, seed=0)
    assert list(table.columns) == NULL_COLUMNS
    assert len(table) == 3 * len(NULLS) * len(OUTCOMES)
    found = table[table["outcome"] == "percent"].set_index(["feature", "null"])
    assert found.loc[("link", "semi_partialling"), "p"] <= 0.05
    assert found.loc[("link", "semi_partialling"), "slope"] == pytest.approx(5, abs=1)
    assert found.loc[("link", "tasks"), "p"] == pytest.approx(0.01)
    assert set(found["reason"]) == {""}


def test_effects_of_targets_and_datasets_are_not_taken_for_ratings():
    features = make_features()
    effects = {f"d{number}": 7.0 * number for number in range(5)}
    improvement = make_improvement(
        features, lambda row: effects[row["source_dataset"]] + effects[row["target_dataset"]]
    )
    table = null_table(improvement, features, draws=99, seed=0)
    primary = table[(table["null"] == "semi_partialling") & (table["outcome"] == "percent")]
    assert (primary["p"] > 0.05).all()


def test_degenerate_scores_have_reasons():
    features = make_features()
    constant = null_table(make_improvement(features, lambda row: 0.0, noise=0.0), features, draws=9, seed=0)
    assert set(constant["reason"]) == {"undefined"}
    assert constant["p"].isna().all()
    few = null_table(make_improvement(features, lambda row: 1.0).head(10), features, draws=9, seed=0)
    assert set(few["reason"]) == {"too_few"}
    one = features.assign(source_dataset="x", target_dataset="x")
    assert set(null_table(make_improvement(one, lambda row: row["link"]), one, 9, 0)["reason"]) == {""}


def test_an_aspect_without_ratings_leaves_the_others_their_tests():
    features = make_features()
    unrated = features.assign(link=np.nan)
    improvement = make_improvement(features, lambda row: 5 * row["definition"])
    table = null_table(improvement, unrated, draws=99, seed=0)
    reasons = table.groupby("feature")["reason"].agg(set).to_dict()
    assert reasons == {"link": {"no_ratings"}, "definition": {""}, "conduciveness": {""}}
    found = table[(table["null"] == "semi_partialling") & (table["outcome"] == "percent")].set_index("feature")
    assert found.loc["definition", "p"] <= 0.05
    assert found.loc["definition", "slope"] == pytest.approx(5, abs=1)
    # Too few pairs are one reason, and no ratings another.
    few = null_table(improvement.head(10), unrated, draws=9, seed=0)
    reasons = few.groupby("feature")["reason"].agg(set).to_dict()
    assert reasons == {"link": {"no_ratings"}, "definition": {"too_few"}, "conduciveness": {"too_few"}}
    nobody = null_table(improvement, features.assign(definition=np.nan, link=np.nan, conduciveness=np.nan), 9, 0)
    assert set(nobody["reason"]) == {"no_ratings"}
    assert nobody["p"].isna().all()


def test_pairs_without_a_score_are_left_out_but_not_their_tasks():
    features = make_features()
    improvement = make_improvement(features, lambda row: 5 * row["link"])
    improvement.loc[:3, "percent"] = np.nan
    table = null_table(improvement, features, draws=99, seed=0)
    assert set(table["pairs"]) == {len(features) - 4}
    row = table[(table["feature"] == "link") & (table["null"] == "semi_partialling")].iloc[0]
    assert row["p"] <= 0.05
