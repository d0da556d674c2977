"""The importance analysis on small matrices with a planted truth, and on degenerate ones."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.features.pair_features import FEATURES, PAIR_COLUMNS
from empathy_transfer.importance.figure import draw_importance
from empathy_transfer.importance.holdouts import HOLDOUTS
from empathy_transfer.importance.pair_outcomes import OUTCOMES, STANDARDISED, outcome_pairs, outcomes_of, with_units
from empathy_transfer.importance.permutation import (
    IMPORTANCE_COLUMNS,
    PROTOCOLS,
    feature_verdict,
    importance_table,
    variants,
)
from empathy_transfer.importance.predictive_fit import FIT_COLUMNS, fit_table
from empathy_transfer.importance.rating_model import model_table
from empathy_transfer.importance.rating_tests import null_table
from empathy_transfer.importance.report import as_page
from empathy_transfer.importance.shapley import shapley_table
from empathy_transfer.report.style import figure_style

SETTINGS = {
    "seed": 0,
    "splits": 3,
    "test_shares": [0.2, 0.5],
    "permutations": 5,
    "shuffles": 10,
    "interval_draws": 50,
    "grid": {"C": [1.0, 100.0], "epsilon": [0.1]},
}


def make_features(tasks=10, seed=1):
    """Features of all pairs of tasks in datasets of two, as read_pair_features gives them."""
    generator = np.random.default_rng(seed)
    ratings = generator.integers(1, 6, size=(tasks, 3)).astype(float)
    rows = []
    for source, target in itertools.permutations(range(tasks), 2):
        sizes = np.sign(
            [target // 2 - source // 2, target // 3 - source // 3, target % 4 - source % 4, target - source]
        )
        differences = ratings[target] - ratings[source]
        row = {"source": f"t{source}", "target": f"t{target}"}
        row |= {"source_dataset": f"d{source // 2}", "target_dataset": f"d{target // 2}"}
        row |= dict(zip(("samples", "tokens", "vocabulary", "labels"), sizes, strict=True))
        row |= dict(zip(("definition", "link", "conduciveness"), differences, strict=True))
        row |= {"task_type": f"{source % 2}--{target % 2}", "data_source": "crowd--crowd"}
        rows.append(row | {"language_setting": "essay--essay"})
    return pd.DataFrame(rows).reindex(columns=PAIR_COLUMNS)


def make_improvement(features, effect, noise=0.5, seed=2):
    """Percent improvements that follow a function of a pair's features, and noise."""
    generator = np.random.default_rng(seed)
    percent = [effect(row) + noise * generator.normal() for row in features.to_dict("records")]
    return pd.DataFrame({"source": features["source"], "target": features["target"], "percent": percent, "reason": ""})


def test_outcomes_come_once_more_without_leaked_pairs():
    features = make_features()
    improvement = make_improvement(features, lambda row: 40 * row["link"])
    assert list(OUTCOMES) == outcomes_of(improvement.assign(leaked=False))
    flagged = improvement.assign(leaked=improvement["source"] == improvement["source"].iloc[0])
    assert outcomes_of(flagged) == [*OUTCOMES, "percent_without_leaked", "percent_winsorised_without_leaked"]
    found = outcome_pairs(flagged, features, "percent_winsorised_without_leaked")[0]
    expected = outcome_pairs(improvement[~flagged["leaked"]], features, "percent_winsorised")[0]
    pd.testing.assert_frame_equal(found, expected)
    assert found["outcome"].abs().max() == 25


@pytest.fixture(scope="module")
def planted():
    """Both protocols' tables where the link alone decides, and their fits and nulls."""
    features = make_features()
    improvement = make_improvement(features, lambda row: 4 * row["link"])
    tables = {
        protocol: importance_table(improvement, features, protocol, SETTINGS) for protocol in ("published", "sound")
    }
    fits = [fit_table(improvement, features, protocol, SETTINGS) for protocol in tables]
    nulls, model = null_table(improvement, features, 19, 0), model_table(improvement, features)
    return tables, pd.concat(fits, ignore_index=True), nulls, model


def main_row(table, part, feature):
    """The row of a feature in the main variant."""
    chosen = (table["variant"] == 0) & (table["part"] == part) & (table["feature"] == feature)
    (row,) = table[chosen].to_dict("records")
    return row


@pytest.mark.parametrize("protocol", ["published", "sound"])
def test_the_feature_that_decides_is_found(planted, protocol):
    table = planted[0][protocol]
    assert list(table.columns) == IMPORTANCE_COLUMNS
    main = table[(table["variant"] == 0) & (table["part"] == "test") & (table["reason"] == "")]
    assert main.loc[main["importance"].idxmax(), "feature"] == "link"
    link = main_row(table, "test", "link")
    assert link["r2"] == link["r2_test"] > 0.3
    assert link["importance"] > link["band_high"]
    assert link["verdict"] == "predictive"
    assert main_row(table, "train", "samples")["verdict"] == "undecided"
    assert main_row(table, "train", "language_setting")["importance"] == pytest.approx(0)
    assert main_row(table, "test", "language_setting")["variance"] == 0


def test_intervals_come_with_the_sound_protocol_only(planted):
    sound = main_row(planted[0]["sound"], "test", "link")
    assert sound["low_tasks"] < sound["importance"] < sound["high_tasks"]
    assert sound["low_datasets"] < sound["high_datasets"]
    assert math.isnan(main_row(planted[0]["published"], "test", "link")["low_tasks"])


def test_every_variant_has_all_features_and_reasons(planted):
    for protocol, table in planted[0].items():
        number = len(variants(protocol, SETTINGS["test_shares"]))
        assert len(table) == number * 2 * len(FEATURES)
        absent = table["feature"].isin(["dataset_similarity", "task_similarity"])
        assert (table.loc[absent, "reason"] == "not_available").all()
        assert (table.loc[absent, "verdict"] == "not_available").all()
        assert (table.loc[~absent, "reason"] == "").all()
        assert table.loc[~absent, ["importance", "std", "band_low", "variance", "r2"]].notna().all(axis=None)


def test_fit_by_holdout_and_baseline(planted):
    fits = planted[1]
    assert list(fits.columns) == FIT_COLUMNS
    found = fits[fits["protocol"] == "sound"].set_index(["holdout", "baseline"])
    assert list(dict.fromkeys(found.index.get_level_values(0))) == list(HOLDOUTS)
    assert found.loc[("random", "model"), "r2"] > found.loc[("random", "target_identity"), "r2"]
    assert found.loc[("target", "model"), "r2"] > found.loc[("target", "source_identity"), "r2"]
    assert found.loc[("both", "model"), "rank_correlation"] > 0.5
    assert (found.xs("none", level="baseline")["r2"] == 0).all()
    assert found.loc[("source", "target_identity"), "rank_correlation"] == 0
    assert (fits["reason"] == "").all()


def test_page_and_figure_say_what_was_measured(planted):
    tables, fits, nulls, model = planted
    table = pd.concat(tables.values(), ignore_index=True).assign(printed=0.1, printed_std=0.2)
    features = make_features(5)
    shares = shapley_table(make_improvement(features, lambda row: 0.0), features, "published", SETTINGS)
    page = as_page(table, fits, shares, nulls, model)
    assert "| C2 Link" in page
    assert "0.100 ± 0.200" in page
    assert page.count("`not_available`: not available.") == 1
    with figure_style():
        figure = draw_importance(table[table["variant"] == 0])
    assert len(figure.axes) == 4
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()][:2] == ["C1 Definition", "C2 Link"]
    assert sum(text.get_text() == "not available" for text in figure.axes[0].texts) == 2
    assert "say nothing" not in page
    assert not any("says nothing" in axes.get_title() for axes in figure.axes)


def test_importances_of_a_model_that_predicts_nothing_are_said_to_mean_nothing(planted):
    tables, fits, nulls, model = planted
    table = pd.concat(tables.values(), ignore_index=True).assign(printed=0.1, printed_std=0.2)
    table.loc[table["protocol"] == "sound", "r2_test"] = -0.74
    features = make_features(5)
    shares = shapley_table(make_improvement(features, lambda row: 0.0), features, "published", SETTINGS)
    page = as_page(table, fits, shares, nulls, model)
    (line,) = [line for line in page.splitlines() if "so these importances say nothing" in line]
    assert line.startswith("- `sound`")
    assert page.count("(says nothing)") == 2
    with figure_style():
        figure = draw_importance(table[table["variant"] == 0])
    assert ["says nothing" in axes.get_title() for axes in figure.axes] == [False, False, True, True]


def test_numbers_below_the_figure_do_not_run_into_one_another(planted):
    table = pd.concat(planted[0].values(), ignore_index=True).assign(printed=0.1, printed_std=0.2)
    # Importance as on unseen tasks, where the axis reaches from about -0.1 to 0.06.
    values = {"importance": 0.01, "std": 0.02, "band_low": -0.099, "band_high": 0.055}
    with figure_style():
        figure = draw_importance(table[table["variant"] == 0].assign(**values))
        figure.draw_without_rendering()
        for axes in figure.axes:
            low, high = axes.get_xlim()
            labels = [label for label in axes.get_xticklabels() if low <= label.get_position()[0] <= high]
            boxes = [label.get_window_extent() for label in labels]
            assert len(boxes) > 2
            assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


@pytest.mark.parametrize("protocol", ["published", "sound"])
def test_degenerate_studies_have_defined_results(protocol):
    features = make_features()
    fewer = {**SETTINGS, "shuffles": 2, "permutations": 2, "splits": 2}
    constant = importance_table(make_improvement(features, lambda row: 1.0, noise=0), features, protocol, fewer)
    assert set(constant["reason"]) == {"undefined", "not_available"}
    assert (
        fit_table(make_improvement(features, lambda row: 1.0, noise=0), features, protocol, fewer)["reason"] != ""
    ).any()
    two = features[features["source"].isin(["t0", "t1"]) & features["target"].isin(["t0", "t1"])]
    few_improvement = make_improvement(two, lambda row: row["link"])
    few = importance_table(few_improvement, two, protocol, fewer)
    assert set(few["reason"]) == {"too_few", "not_available"}
    assert few["importance"].isna().all()
    fit = fit_table(few_improvement, two, protocol, fewer)
    assert set(fit["reason"]) == {"too_few"}
    one = features.assign(source_dataset="x", target_dataset="x")
    single = fit_table(make_improvement(one, lambda row: row["link"]), one, protocol, fewer).set_index(
        ["holdout", "baseline"]
    )
    assert single.loc[("dataset", "model"), "reason"] == "too_few"
    assert single.loc[("both", "model"), "reason"] == ""
    assert math.isnan(single.loc[("both", "model"), "r2_low_datasets"])


def test_a_study_with_too_few_pairs_has_a_page_and_a_figure():
    features = make_features(2)
    improvement = make_improvement(features, lambda row: row["link"])
    tables = [importance_table(improvement, features, protocol, SETTINGS) for protocol in PROTOCOLS]
    fits = [fit_table(improvement, features, protocol, SETTINGS) for protocol in PROTOCOLS]
    table = pd.concat(tables, ignore_index=True).assign(printed=0.0, printed_std=0.0)
    shares = shapley_table(improvement, features, "sound", SETTINGS)
    page = as_page(
        table,
        pd.concat(fits, ignore_index=True),
        shares,
        null_table(improvement, features, 2, 0),
        model_table(improvement, features),
    )
    assert "`too_few`: too few items, groups of items, ratings, tasks or pairs of tasks to say." in page
    with figure_style():
        draw_importance(table[table["variant"] == 0])


def test_nothing_at_all_is_too_few():
    features = make_features()
    empty = make_improvement(features, lambda row: 1.0).assign(percent=np.nan)
    table = importance_table(empty, features, "sound", SETTINGS)
    assert set(table.loc[table["name"] == "C2 Link", "reason"]) == {"too_few"}


def test_outcomes_by_hand():
    features = make_features()
    improvement = make_improvement(features, lambda row: 0.0, noise=0)
    improvement.loc[:2, "percent"] = [-90.0, 30.0, np.nan]
    improvement.loc[0, "reason"] = "collapsed"
    values = {outcome: outcome_pairs(improvement, features, outcome)[0] for outcome in OUTCOMES}
    assert values["percent"]["outcome"].tolist()[:2] == [-90, 30]
    assert values["percent_winsorised"]["outcome"].tolist()[:2] == [-25, 25]
    assert values["percent_without_collapsed"]["outcome"].tolist()[:2] == [30, 0]
    assert values["percent_winsorised_without_collapsed"]["outcome"].tolist()[0] == 25
    assert len(values["percent"]) == len(features) - 1


def make_tests(improvement, seed_sd=0.02, item_se=0.01):
    """The columns of the tests of all pairs that units are made of."""
    tests = improvement[["source", "target"]].assign(data="full", runs="all", seed_sd=seed_sd, item_se=item_se)
    others = [{"data": "half", "runs": "all"}, {"data": "full", "runs": "without_collapsed"}]
    return pd.concat([tests, *(tests.assign(seed_sd=9.0, item_se=9.0, **other) for other in others)])


def test_differences_in_units_of_seeds_by_hand():
    features = make_features()
    improvement = make_improvement(features, lambda row: 0.0, noise=0).assign(difference=0.03)
    improvement.loc[:1, ["percent", "difference"]] = [[-90.0, -0.6], [np.nan, 0.1]]
    improvement.loc[0, "reason"] = "collapsed"
    tests = make_tests(improvement)
    # The standard error of the third pair is larger than what seeds differ by; the fourth has no test.
    tests["item_se"] = [0.01, 0.01, 0.06, np.nan, *tests["item_se"].iloc[4:]]
    known = with_units(improvement, tests)
    assert outcomes_of(known) == [*OUTCOMES, STANDARDISED]
    assert outcomes_of(improvement) == list(OUTCOMES)
    pairs = outcome_pairs(known, features, STANDARDISED)[0].set_index(["source", "target"])["outcome"]
    assert len(pairs) == len(features) - 2
    keys = [tuple(pair) for pair in features[["source", "target"]].to_numpy()]
    assert pairs[keys[0]] == pytest.approx(-0.6 / 0.02)
    assert pairs[keys[2]] == pytest.approx(0.03 / 0.06)
    assert pairs[keys[5]] == pytest.approx(0.03 / 0.02)
    assert keys[1] not in pairs
    assert keys[3] not in pairs
    # The other outcomes are what they were.
    for outcome in OUTCOMES:
        expected, found = (outcome_pairs(frame, features, outcome)[0] for frame in (improvement, known))
        pd.testing.assert_frame_equal(found, expected)


def test_with_one_seed_the_unit_is_the_standard_error_over_items():
    features = make_features()
    improvement = make_improvement(features, lambda row: 0.0, noise=0).assign(difference=0.03)
    known = with_units(improvement, make_tests(improvement, seed_sd=np.nan))
    assert outcome_pairs(known, features, STANDARDISED)[0]["outcome"].to_numpy() == pytest.approx(3)
    # What nothing varies has no unit, and a study without any test has none at all.
    still = with_units(improvement, make_tests(improvement, seed_sd=0.0, item_se=0.0))
    assert len(outcome_pairs(still, features, STANDARDISED)[0]) == 0
    assert with_units(improvement, make_tests(improvement).head(0))["unit"].isna().all()


def test_a_study_with_tests_has_one_variant_more():
    features = make_features()
    improvement = make_improvement(features, lambda row: 4 * row["link"])
    improvement["difference"] = improvement["percent"] / 100
    fewer = {**SETTINGS, "shuffles": 2, "permutations": 2, "splits": 2, "interval_draws": 5}
    without, found = (
        importance_table(frame, features, "published", fewer)
        for frame in (improvement, with_units(improvement, make_tests(improvement)))
    )
    assert found["variant"].max() == without["variant"].max() + 1
    pd.testing.assert_frame_equal(found.head(len(without)), without)
    added = found[found["variant"] == found["variant"].max()]
    assert set(added["outcome"]) == {STANDARDISED}
    assert (added["C"] == 100).all()
    assert set(added["reason"]) == {"", "not_available"}
    held_out = added[added["part"] == "test"].set_index("feature")["importance"]
    assert held_out.idxmax() == "link"


def test_the_order_of_tasks_does_not_matter():
    features = make_features()
    improvement = make_improvement(features, lambda row: row["link"])
    turned = outcome_pairs(improvement[::-1], features[::-1])[0]
    pd.testing.assert_frame_equal(turned, outcome_pairs(improvement, features)[0])


def test_pairs_of_an_unrated_task_are_left_out():
    features = make_features()
    touched = (features["source"] == "t0") | (features["target"] == "t0")
    features.loc[touched, "definition"] = np.nan
    pairs, names = outcome_pairs(make_improvement(features, lambda row: 1.0), features)
    assert "definition" in names
    assert len(pairs) == len(features) - 18
    assert "t0" not in set(pairs["source"]) | set(pairs["target"])


def test_verdict_needs_prediction_and_a_value_above_its_band():
    row = {"importance": 0.3, "band_high": 0.2, "r2_test": 0.1}
    assert feature_verdict(row) == "predictive"
    assert feature_verdict(row | {"r2_test": 0.0}) == "undecided"
    assert feature_verdict(row | {"band_high": 0.3}) == "undecided"
    assert feature_verdict(row | {"low_tasks": -0.01, "low_datasets": 0.1}) == "undecided"
    assert feature_verdict(row | {"low_tasks": 0.01, "low_datasets": math.nan}) == "predictive"
    assert feature_verdict(row | {"r2_test": math.nan}) == "undecided"
    assert feature_verdict(row | {"r2_test_error": 0.06}) == "undecided"
    assert feature_verdict(row | {"r2_test_error": 0.04}) == "predictive"
