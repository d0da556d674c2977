"""Permuted themes: arrangements counted by hand, and every p against all arrangements of a small study."""

import itertools

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.report.style import THEMES
from empathy_transfer.significance.theme_permutation import (
    arrangements,
    permutation_p,
    permuted_labels,
    stratum,
    theme_p_values,
    theme_rates,
)

TASKS = {
    "a": {"theme": "direct", "kind": "classification", "dataset": "one"},
    "b": {"theme": "direct", "kind": "multilabel", "dataset": "two"},
    "c": {"theme": "abstract", "kind": "classification", "dataset": "two"},
    "d": {"theme": "abstract", "kind": "classification", "dataset": "three"},
    "r": {"theme": "adjacent", "kind": "regression", "dataset": "one"},
}
PAIRS = pd.DataFrame(itertools.permutations(TASKS, 2), columns=["source", "target"])


def test_strata():
    assert [stratum(task, "kind") for task in TASKS.values()] == [*["classification"] * 4, "regression"]
    assert stratum(TASKS["c"], "dataset") == "two"


def test_arrangements_by_hand():
    labels = [0, 0, 1, 1, 2]
    assert arrangements(labels, ["x"] * 5) == 30  # 5! / (2! 2!)
    assert arrangements(labels, ["x", "x", "y", "y", "y"]) == 3  # one, times 3! / 2!
    assert arrangements(labels, [1, 2, 3, 4, 5]) == 1
    # The study's 18 tasks: within datasets 3 (Conv) x 2 (EQT) x 2 (MI) x 3 (News), nothing else can move.
    themes = [1, 2, 2, 0, 2, 2, 0, 1, 1, 1, 1, 2, 0, 1, 0, 0, 2, 0]
    datasets = [0, 1, 1, 1, 2, 2, 3, 4, 5, 5, 5, 6, 6, 7, 7, 8, 8, 8]
    assert arrangements(themes, datasets) == 36


def test_labels_stay_within_their_stratum():
    labels, strata = [0, 0, 1, 1, 2], ["x", "x", "x", "y", "y"]
    every = [(*first, *second) for first in ((0, 0, 1), (0, 1, 0), (1, 0, 0)) for second in ((1, 2), (2, 1))]
    permuted = permuted_labels(labels, strata, 6, np.random.default_rng(0))
    assert [tuple(row) for row in permuted.tolist()] == every
    # Too many to list: the true arrangement, and random ones.
    permuted = permuted_labels(labels * 4, strata * 4, 500, np.random.default_rng(0))
    assert permuted.shape == (501, 20)
    assert permuted[0].tolist() == labels * 4
    members = np.array(strata * 4) == "x"
    assert {tuple(sorted(row)) for row in permuted[:, members].tolist()} == {(*[0] * 8, *[1] * 4)}
    assert len({tuple(row) for row in permuted.tolist()}) > 400
    assert permuted_labels(labels, [1, 1, 2, 2, 3], 5, np.random.default_rng(0)) is None


def test_rates_by_hand():
    source, target = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 0])
    rates = theme_rates([1, 0, 1, 1], source, target, np.array([[0, 0, 1]]))[0]
    # Pairs 0 -> 1 within theme 0; 0 -> 2 and 1 -> 2 from theme 0 to 1; 2 -> 0 back.
    assert rates[0, 0] == 1
    assert rates[0, 1] == 0.5
    assert rates[1, 0] == 1
    assert np.isnan(rates[2]).all()


def test_p_by_hand():
    # Mean 2; the observed 4 is 2 away, and so is 0.
    assert permutation_p(4.0, np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan])) == pytest.approx(2 / 5)
    assert permutation_p(np.nan, np.array([1.0])) is None
    assert permutation_p(1.0, np.array([np.nan])) is None


def test_p_against_all_arrangements():
    """Whatever comes from a direct task is a hit. Only four classification tasks can be rearranged, in six ways."""
    hits = PAIRS["source"].isin(["a", "b"]).to_numpy()
    found = theme_p_values(hits, PAIRS, TASKS, 100)["kind"]
    rates = []
    for direct in itertools.combinations("abcd", 2):
        chosen = PAIRS["source"].isin(direct) & (PAIRS["target"] == "r")
        rates.append(hits[chosen].mean())
    # Both, one (in four arrangements) or none of the two direct tasks bring hits: as far from the mean is the last.
    assert sorted(rates) == [0, 0.5, 0.5, 0.5, 0.5, 1]
    assert found[THEMES.index("direct"), THEMES.index("adjacent")] == pytest.approx(2 / 6)


def test_a_dataset_is_not_taken_for_a_theme():
    """Within datasets a and r can change places, and b and c: rates 1, .5, .5 and 0."""
    found = theme_p_values(PAIRS["source"].isin(["a", "b"]), PAIRS, TASKS, 1000)["dataset"]
    assert found[0, 2] == pytest.approx(2 / 4)
    alone = {name: task | {"dataset": name} for name, task in TASKS.items()}
    assert all(p is None for p in theme_p_values(PAIRS["source"] == "a", PAIRS, alone, 10)["dataset"].ravel())


def test_no_pairs():
    found = theme_p_values(np.array([], dtype=bool), PAIRS.head(0), TASKS, 10)
    assert all(p is None for p in found["kind"].ravel())
