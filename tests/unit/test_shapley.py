"""Shapley values of the construct ratings: the weights, a planted truth, and degenerate matrices."""

import numpy as np
import pytest
from test_importance import SETTINGS, make_features, make_improvement

from empathy_transfer.importance.shapley import SHAPLEY_COLUMNS, shapley_table, shapley_weights


def values(game, players):
    """Shapley values of a game {coalition: worth}."""
    found = dict.fromkeys(players, 0.0)
    for (player, coalition), share in shapley_weights(players).items():
        found[player] += share * (game[coalition | {player}] - game[coalition])
    return found


def test_glove_game():
    """One left glove and two right ones; a pair is worth 1: the left one deserves 2/3, each right one 1/6."""
    coalitions = [frozenset(c) for c in ("", "l", "r", "s", "lr", "ls", "rs", "lrs")]
    game = {c: float("l" in c and len(c) > 1) for c in coalitions}
    assert values(game, "lrs") == pytest.approx({"l": 2 / 3, "r": 1 / 6, "s": 1 / 6})


def test_weights_of_a_player_sum_to_one():
    weights = shapley_weights(["a", "b", "c", "d"])
    assert sum(share for (player, _), share in weights.items() if player == "b") == pytest.approx(1)


@pytest.mark.parametrize("protocol", ["published", "sound"])
def test_values_sum_to_the_gain_and_the_planted_rating_has_most(protocol):
    features = make_features(tasks=6)
    table = shapley_table(make_improvement(features, lambda row: 4 * row["link"]), features, protocol, SETTINGS)
    assert list(table.columns) == SHAPLEY_COLUMNS
    for _, part in table.groupby("part"):
        assert part["shapley"].sum() == pytest.approx((part["r2"] - part["r2_without"]).iloc[0])
        assert part.set_index("feature")["shapley"].idxmax() == "link"
    link = table[(table["feature"] == "link") & (table["part"] == "test")].iloc[0]
    assert link["shapley"] > 0.3
    if protocol == "sound":
        assert link["low_tasks"] < link["shapley"] < link["high_tasks"]


def test_twin_ratings_share_equally():
    features = make_features(tasks=6)
    features["definition"] = features["link"]
    improvement = make_improvement(features, lambda row: 4 * row["link"])
    table = shapley_table(improvement, features, "sound", SETTINGS).set_index(["part", "feature"])["shapley"]
    assert table["test", "definition"] == pytest.approx(table["test", "link"])


def test_degenerate_matrices_have_a_reason():
    features = make_features(tasks=6)
    constant = make_improvement(features, lambda row: 0.0, noise=0.0)
    assert set(shapley_table(constant, features, "sound", SETTINGS)["reason"]) == {"undefined"}
    few = make_improvement(features, lambda row: 0.0).head(10)
    assert set(shapley_table(few, features, "published", SETTINGS)["reason"]) == {"too_few"}
    unrated = features.assign(conduciveness=np.nan)
    table = shapley_table(make_improvement(unrated, lambda row: row["link"]), unrated, "sound", SETTINGS)
    assert set(table[table["feature"] == "conduciveness"]["reason"]) == {"not_available"}
    assert len(table) == 6
