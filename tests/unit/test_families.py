"""Families of tests and counts by theme: small studies whose numbers are worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from empathy_transfer.significance import families
from empathy_transfer.significance.families import add_families, significance, write_significance
from empathy_transfer.significance.paired_tests import COVARIANCE_COLUMNS, frame_of_tests
from empathy_transfer.significance.theme_counts import (
    _by_theme,
    _outcomes,
    design_effect,
    draw_target,
    draws_of_cells,
    theme_counts,
    wilson_interval,
)
from empathy_transfer.statistics.t_tests import detectable

SETTINGS = {"alpha": 0.05, "margins": [5], "resamples": 100, "absent_classes": "drop"}
TASKS = {
    "a": {"title": "A", "kind": "classification", "theme": "direct", "dataset": "one"},
    "b": {"title": "B", "kind": "multilabel", "theme": "direct", "dataset": "one"},
    "r": {"title": "R", "kind": "regression", "theme": "adjacent", "dataset": "two"},
}
PAIRS = [(source, target) for source in TASKS for target in TASKS if source != target]
P = dict(zip(PAIRS, (0.001, 0.02, 0.03, 0.2, 0.5, 0.9), strict=True))


def make_tests(p=None, **changes):
    """Tests of all pairs with given p values: full data, standard error .1, all better than the baseline."""
    common = {
        "data": "full",
        "metric": "f1_macro",
        "difference": 0.2,
        "se": 0.1,
        "df": 1000.0,
        "covers": "items_and_seeds",
    }
    common |= {"mde": 0.28, "mde_percent": 56.0, "difference_published": -0.1, "se_published": 0.1}
    common |= {"p_published": 0.04, "reason": "", "se_noninferior_5": 0.1, "df_noninferior_5": 1000.0}
    rows = [
        {"source": source, "target": target, "runs": runs, "p": value} | common | changes
        for (source, target), value in (P if p is None else p).items()
        for runs in ("all", "without_collapsed")
    ]
    return pd.concat([frame_of_tests([], SETTINGS).astype(object), pd.DataFrame(rows)])


def make_improvement(**reasons):
    """All planned cells of both conditions; reasons by target."""
    rows = [(s, t, data, "f1_macro", reasons.get(t, "not_run")) for s, t in PAIRS for data in ("full", "half")]
    return pd.DataFrame(rows, columns=["source", "target", "data", "metric", "reason"])


def make_covariances(shared=0.0, se=0.1):
    """Covariances of each target's two differences; ``shared`` is their correlation."""
    result = {}
    for target in TASKS:
        first, second = (source for source in TASKS if source != target)
        values = {(first, first): se**2, (second, first): shared * se**2, (second, second): se**2}
        variants = ("all", "without_collapsed")
        rows = [("full", runs, *pair, value, value) for runs in variants for pair, value in values.items()]
        result[target] = pd.DataFrame(rows, columns=COVARIANCE_COLUMNS)
    return result


def cell(frame, **keys):
    """The one row with the given values."""
    for column, value in keys.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def make_found(p=None, **changes):
    return significance(make_tests(p, **changes), make_improvement(), TASKS, SETTINGS)


def test_false_discovery_rates_by_hand():
    found = make_found()
    pairs = {pair: cell(found, source=pair[0], target=pair[1], data="full", runs="all") for pair in PAIRS}
    # m p / rank, from the largest on never rising: .006, .06, .06, .3, .6, .9.
    assert [pairs[pair]["q"] for pair in PAIRS] == pytest.approx([0.006, 0.06, 0.06, 0.3, 0.6, 0.9])
    harmonic = sum(1 / rank for rank in range(1, 7))
    assert pairs["a", "b"]["q_by"] == pytest.approx(0.006 * harmonic)
    assert {row["family"] for row in pairs.values()} == {6}
    # Matrices: a and b are classification targets (multilabel too), r is regression.
    classification = sorted(P[pair] for pair in PAIRS if pair[1] != "r")
    assert pairs["a", "b"]["q_matrix"] == pytest.approx(classification[0] * 4)
    assert pairs["a", "r"]["q_matrix"] == pytest.approx(0.02 * 2)
    assert [pairs[pair]["effect"] for pair in PAIRS] == ["improved", *["undecided"] * 5]
    assert pairs["a", "b"]["effect_published"] == "harmed"
    # One discovery among six tests.
    assert pairs["a", "b"]["bh_threshold"] == pytest.approx(0.05 / 6)
    assert pairs["a", "b"]["mde_bh"] == pytest.approx(detectable(0.1, 1000, 0.05 / 6))
    assert pairs["a", "b"]["mde_bh_percent"] == pytest.approx(200 * detectable(0.1, 1000, 0.05 / 6))


def test_the_detectable_difference_stands_at_the_threshold_that_was_reached():
    # Three discoveries among six tests (q .006, .036, .05): whatever has p up to 3 x .05 / 6 is one, and no more.
    found = make_found(dict(zip(PAIRS, (0.001, 0.012, 0.025, 0.2, 0.5, 0.9), strict=True)))
    row = cell(found, source="a", target="b", data="full", runs="all")
    assert row["bh_threshold"] == pytest.approx(0.025)
    assert row["mde_bh"] == pytest.approx(detectable(0.1, 1000, 0.025))
    # Without any discovery, what the first one needs.
    row = cell(make_found(dict.fromkeys(PAIRS, 0.5)), source="a", target="b", data="full", runs="all")
    assert row["bh_threshold"] == pytest.approx(0.05 / 6)


def test_cells_without_a_test_have_their_reason_and_are_in_no_family():
    p = {pair: value for pair, value in P.items() if pair != ("a", "b")}
    found = significance(make_tests(p), make_improvement(b="failed"), TASKS, SETTINGS)
    assert len(found) == 2 * 12
    assert not found.duplicated(["source", "target", "data", "runs"]).any()
    gone = cell(found, source="a", target="b", data="full", runs="all")
    assert (gone["reason"], gone["metric"]) == ("failed", "f1_macro")
    assert gone["effect"] is None or gone["effect"] != gone["effect"]
    assert cell(found, source="a", target="r", data="full", runs="all")["family"] == 5
    assert set(found.loc[found["data"] == "half", "reason"]) == {"not_run", "failed"}
    late = significance(make_tests(p), make_improvement(b=""), TASKS, SETTINGS)
    assert cell(late, source="a", target="b", data="full", runs="all")["reason"] == "not_available"


def test_a_study_without_tests():
    found = significance(frame_of_tests([], SETTINGS), make_improvement(), TASKS, SETTINGS)
    assert set(found["reason"]) == {"not_run"}
    assert found["q"].isna().all()
    counts = theme_counts(found, {}, TASKS, SETTINGS)
    assert set(counts["n"]) == {0}
    assert counts[["rate", "low", "high"]].isna().all(axis=None)


def test_tests_of_one_seed_have_words_that_promise_less():
    """They cover the choice of test items alone; the paper's own test keeps the paper's words."""
    pairs = make_found(covers="items").query("runs == 'all' and data == 'full'").set_index(["source", "target"])
    assert [pairs["effect"][pair] for pair in PAIRS] == ["higher", *["undecided"] * 5]
    assert make_found(covers="items", difference=-0.2)["effect"].dropna().unique().tolist() == ["lower", "undecided"]
    assert pairs["effect_published"].unique().tolist() == ["harmed"]
    counts = theme_counts(make_found(covers="items"), make_covariances(), TASKS, SETTINGS)
    assert set(counts["covers"].dropna()) == {"items"}
    corrected = counts.query("test == 'q' and data == 'full' and runs == 'all' and pairs == 'all'")
    assert corrected.groupby("outcome")["count"].sum().to_dict() == {"improved": 1, "harmed": 0, "not_harmed": 6}


def test_controls_are_tested_outside_of_the_families():
    tests = make_tests({**P, ("none", "a"): 0.01, ("self", "a"): 0.01})
    found = significance(tests, make_improvement(), TASKS, SETTINGS)
    assert set(found.loc[found["source"].isin(["none", "self"]), "q"].isna()) == {True}
    assert cell(found, source="a", target="b", data="full", runs="all")["family"] == 6


def test_leaked_cells_are_flagged_and_counted():
    tests = make_tests({**P, ("none", "a"): 0.01})
    found = significance(tests, make_improvement(), TASKS, SETTINGS, leaked={("b", "r"), ("a", "a")})
    every = found[found["runs"] == "all"]
    flagged = every[every["leaked"]]
    # The baseline of a, whose own training items leak, and the transfer from b to r; but no other transfer to a.
    assert set(zip(flagged["source"], flagged["target"], strict=True)) == {("none", "a"), ("b", "r")}
    counts = theme_counts(found, make_covariances(), TASKS, SETTINGS)
    shape = {"data": "full", "runs": "all", "test": "p", "outcome": "improved", "pairs": "all"}
    themes = {"source_theme": TASKS["b"]["theme"], "target_theme": TASKS["r"]["theme"]}
    assert cell(counts, **shape, **themes)["leaked"] == 1
    chosen = counts[(counts[list(shape)] == pd.Series(shape)).all(axis=1)]
    assert chosen["leaked"].sum() == 1
    # Once more without the pair, which had the largest p but one: 5 tests are left, and q is smaller.
    clean = found[(found["runs"] == "without_leaked") & (found["data"] == "full") & found["q"].notna()]
    assert len(clean) == 5
    assert not clean["leaked"].any()
    assert cell(clean, source="a", target="b")["q"] == pytest.approx(0.001 * 5)
    shape = shape | {"runs": "without_leaked"}
    assert cell(counts, **shape, **themes)["n"] == cell(counts, **shape | {"runs": "all"}, **themes)["n"] - 1
    assert "without_leaked" not in set(make_found()["runs"])


def test_non_inferiority_is_one_sided_at_half_the_level():
    found = make_found(data="half", p_noninferior_5=0.02)
    assert set(found.loc[found["data"] == "half", "noninferior"]) == {"yes"}
    assert set(make_found(data="half", p_noninferior_5=0.03)["noninferior"].dropna()) == {"no"}
    half = found[(found["data"] == "half") & (found["runs"] == "all")]
    assert half["q_noninferior"].to_numpy() == pytest.approx(0.02)
    counts = theme_counts(found, {}, TASKS, SETTINGS)
    themes = {"source_theme": "direct", "target_theme": "adjacent"}
    row = cell(counts, data="half", runs="all", test="noninferiority", pairs="all", **themes)
    assert (row["outcome"], row["n"], row["count"]) == ("noninferior", 2, 2)


def test_non_inferiority_has_the_degrees_of_freedom_of_its_own_test():
    """p = .1 with 4 degrees of freedom is t = 1.533, and t = 2.776 would be needed: draws of 1.243 or more."""
    found = make_found(data="half", p_noninferior_5=0.1, df_noninferior_5=4.0)
    tested = found[found["noninferior"].notna() & (found["runs"] == "all")]
    covariances = {target: frame.assign(data="half") for target, frame in make_covariances().items()}
    draws = {target: draw_target(target, frame, "half", "all") for target, frame in covariances.items()}
    _, drawn = _outcomes(tested, draws, "noninferiority", SETTINGS)
    assert drawn["noninferior"].mean() == pytest.approx(stats.norm.sf(1.243), abs=0.02)  # .25 with 1,000


def test_theme_counts_by_hand():
    found = make_found()
    counts = theme_counts(found, make_covariances(), TASKS, SETTINGS)

    def row(source, target, test, outcome, pairs="all"):
        themes = {"source_theme": source, "target_theme": target}
        return cell(counts, runs="all", data="full", test=test, outcome=outcome, pairs=pairs, **themes)

    # Direct to adjacent: a -> r (.02), b -> r (.2); direct to direct: a -> b (.001) and b -> a (.03).
    one = row("direct", "adjacent", "p", "improved")
    assert (one["n"], one["count"], one["rate"]) == (2, 1, 0.5)
    assert row("direct", "direct", "p", "improved")["count"] == 2
    assert row("direct", "direct", "q", "improved")["count"] == 1
    assert row("direct", "direct", "q", "not_harmed")["count"] == 2
    assert row("direct", "direct", "published", "harmed")["count"] == 2
    assert set(counts.loc[counts["test"] == "published", "covers"].dropna()) == {"items"}
    assert set(counts.loc[counts["test"] == "p", "covers"].dropna()) == {"items_and_seeds"}
    # All within one dataset.
    assert row("direct", "direct", "p", "improved", "between_datasets")["n"] == 0
    assert row("direct", "adjacent", "p", "improved", "between_datasets")["n"] == 2
    assert row("adjacent", "abstract", "p", "improved")["n"] == 0
    # Two datasets tell nothing of others.
    assert counts["low_datasets"].isna().all()


def test_four_datasets_tell_of_others():
    """Half of four transfers improve, those from a; without a none does, without b both do, without r or s half."""
    tasks = {task: TASKS["a"] | {"theme": "direct", "dataset": f"of_{task}"} for task in "ab"}
    tasks |= {task: TASKS["a"] | {"theme": "adjacent", "dataset": f"of_{task}"} for task in "rs"}
    tested = pd.DataFrame([(source, target, False) for source in "ab" for target in "rs"])
    tested.columns = ["source", "target", "leaked"]
    rows = _by_theme(tested, np.array([True, True, False, False]), np.zeros((9, 4)), tasks, 0.05)
    (row,) = [row for row in rows if row["n"] and row["pairs"] == "all"]
    assert (row["rate"], row["count"]) == (0.5, 2)
    # Deviations -.5, .5, 0, 0: variance 3/4 * .5. That is more than one pair's alone, .25.
    assert 0 <= row["low_datasets"] < row["low"] < row["high"] < row["high_datasets"] <= 1


def test_cells_that_move_together_widen_the_interval():
    found, shape = make_found(), {"runs": "all", "data": "full", "test": "p", "outcome": "improved", "pairs": "all"}
    shape |= {"source_theme": "direct", "target_theme": "adjacent"}
    apart = cell(theme_counts(found, make_covariances(), TASKS, SETTINGS), **shape)
    together = cell(theme_counts(found, make_covariances(shared=0.999), TASKS, SETTINGS), **shape)
    assert apart["design_effect"] == pytest.approx(1, abs=0.1)
    assert together["design_effect"] == pytest.approx(2, abs=0.1)
    assert together["low"] < apart["low"] < apart["high"] < together["high"]


def test_targets_move_independently_of_each_other():
    """One source, and targets with the same variance: cells of different targets share nothing."""
    frame = make_covariances()["r"]
    tested = pd.DataFrame({"source": "a", "target": [f"t{number}" for number in range(6)]})
    draws = {target: draw_target(target, frame, "full", "all") for target in tested["target"]}
    moved = draws_of_cells(tested, draws, "total")
    assert np.abs(np.corrcoef(moved.T) - np.eye(6)).max() < 0.1
    assert design_effect(moved > 0.1) == pytest.approx(1, abs=0.2)
    again = draws_of_cells(
        tested, {target: draw_target(target, frame, "full", "all") for target in tested["target"]}, "total"
    )
    assert (again == moved).all()


def test_draws_follow_the_t_of_a_target_whose_variance_is_little_known():
    frame = make_covariances()["r"]
    drawn = draw_target("r", frame, "full", "all", freedom=4.0)["total"][1]
    # P(|t(4)| > 2.776) is .05; of a normal, .0055. All cells of a target are stretched together.
    assert (np.abs(drawn / 0.1) > 2.776).mean() == pytest.approx(0.05, abs=0.012)
    assert np.corrcoef(np.abs(drawn).T)[0, 1] > 0.1
    assert (np.abs(draw_target("r", frame, "full", "all")["total"][1] / 0.1) > 2.776).mean() < 0.01


def test_a_lucky_adapter_moves_a_row_and_no_cell_by_more_than_before():
    """One source; half of the variance between seeds is its adapter's, so its cells correlate by .5."""
    frame = make_covariances()["r"].assign(items=0.0)
    tested = pd.DataFrame({"source": "a", "target": [f"t{number}" for number in range(6)]})
    draws = {target: draw_target(target, frame, "full", "all", luck=0.005) for target in tested["target"]}
    moved = draws_of_cells(tested, draws, "total")
    correlations = np.corrcoef(moved.T)[np.triu_indices(6, 1)]
    assert correlations.mean() == pytest.approx(0.5, abs=0.04)
    assert moved.var(axis=0).mean() == pytest.approx(0.01, rel=0.08)
    # A source's draws are its own; no adapter moves by more than what the transfer's own seeds differ by.
    other = draws_of_cells(tested.assign(source="b"), draws, "total")
    assert np.abs(np.corrcoef(moved.T, other.T)[:6, 6:]).max() < 0.1
    assert draw_target("t", frame, "full", "all", luck=9.0)["adapter"] == pytest.approx(0.1)
    assert draw_target("t", frame.assign(items=frame["total"]), "full", "all", luck=9.0)["adapter"] == 0


def test_design_effect_by_hand():
    generator = np.random.default_rng(0)
    one = generator.random((4000, 1)) < 0.3
    assert design_effect(np.repeat(one, 5, axis=1)) == pytest.approx(5)
    assert design_effect(generator.random((4000, 5)) < 0.3) == pytest.approx(1, abs=0.1)
    assert design_effect(np.ones((10, 3), dtype=bool)) == 1
    # Of two cells always one: their count never moves, which makes an interval of a rate no narrower.
    assert design_effect(np.array([[True, False], [False, True]])) == 1
    assert design_effect(np.ones((10, 0), dtype=bool)) == 1


@pytest.mark.parametrize(("count", "number"), [(0, 30), (3, 36), (36, 36)])
def test_wilson_is_that_of_scipy(count, number):
    expected = stats.binomtest(count, number).proportion_ci(method="wilson")
    assert wilson_interval(count, number, 0.05) == pytest.approx((expected.low, expected.high))
    assert wilson_interval(0, 0, 0.05) == (None, None)
    assert wilson_interval(6, 12, 0.05, 2.0) == pytest.approx(wilson_interval(3, 6, 0.05))


def test_files(tmp_path, monkeypatch):
    tables = {"t/tests.csv": make_tests(), "u/tests.csv": frame_of_tests([], SETTINGS)}
    tables |= {f"{target}/covariance.csv": frame for target, frame in make_covariances().items()}
    tables["scores.csv"] = pd.DataFrame(columns="source target data seed metric main value collapsed".split())
    monkeypatch.setattr(families, "read_csv", lambda path: tables[path.as_posix()])
    monkeypatch.setattr(families, "read_improvement", lambda path: make_improvement())
    paths = [tmp_path / "significance.csv", tmp_path / "theme_counts.csv"]
    tests, covariances = (
        [type(tmp_path)(name) for name in tables if suffix in name] for suffix in ("tests", "covariance")
    )
    scores = type(tmp_path)("scores.csv")
    write_significance(tests, covariances, scores, None, None, TASKS, SETTINGS, *paths)
    found = pd.read_csv(paths[0])
    assert len(found) == 24
    assert found.columns[-1] == "reason"
    counts = pd.read_csv(paths[1])
    assert set(counts["test"]) == {"published", "p", "q", "noninferiority"}
    assert len(counts) == 2 * 2 * 3 * 3 * 2 * 9 + 2 * 2 * 9  # conditions, runs, tests, outcomes, pairs, themes


def test_families_are_added_to_a_frame_without_tests():
    assert len(add_families(frame_of_tests([], SETTINGS), TASKS, SETTINGS)) == 0
