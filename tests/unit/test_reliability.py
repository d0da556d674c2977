"""Reliability: alpha of many raters, corrections for it, human ceilings, seeds, and constructs, by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.agreement.krippendorff_alpha import (
    alpha_of_sums,
    alpha_sums,
    from_alpha_scale,
    krippendorff_alpha,
    on_alpha_scale,
    raters_of_sums,
)
from empathy_transfer.errors import DataError
from empathy_transfer.ratings.agreement import ASPECTS, read_ratings
from empathy_transfer.reliability.constructs import compare_constructs, construct_of
from empathy_transfer.reliability.figure import draw_reliability
from empathy_transfer.reliability.raters import frame_of_ceilings, human_ceiling, read_raters
from empathy_transfer.reliability.rating_effects import (
    association,
    error_variance,
    left_of_ratings,
    rating_effects,
    rating_reliability,
)
from empathy_transfer.reliability.report import (
    as_page,
    ceiling_row,
    frame_of_reliability,
    label_row,
    score_row,
)
from empathy_transfer.reliability.seeds import retest, with_intervals
from empathy_transfer.statistics.left_out_datasets import jackknife_interval, jackknife_variance
from empathy_transfer.statistics.reliability import attenuation, corrected_correlation, corrected_slope, of_mean
from empathy_transfer.statistics.t_tests import t_test
from empathy_transfer.validation.bars import by_statistic
from empathy_transfer.validation.parts import Truth
from empathy_transfer.validation.reliability import Raters, Seeds, retest_study, simulate_ratings
from empathy_transfer.validation.simulated_studies import Design
from study_copy import ROOT

SETTINGS = {"alpha": 0.05, "resamples": 200}
NUMBERS = {"kind": "regression", "metric": "pearson_r", "range": [0, 10]}
CLASSES = {"kind": "classification", "metric": "f1_macro", "labels": ["no", "yes"]}
NAN = float("nan")


def test_alpha_by_sums_is_krippendorffs_alpha_with_gaps():
    values = np.array([[1, 2, NAN], [3, 3, 4], [5, NAN, NAN], [2, 2, 2], [4, 1, 5.0]])
    sums = alpha_sums(values)
    assert float(alpha_of_sums(sums.sum(axis=0))) == pytest.approx(krippendorff_alpha(values, "interval")[0])
    assert (sums[2] == 0).all()  # one rating says nothing of agreement
    # Units of 2, 3, 3 and 3 ratings: the harmonic mean is 4 / (1/2 + 3 x 1/3) = 8 / 3.
    assert float(raters_of_sums(sums.sum(axis=0))) == pytest.approx(8 / 3)


def test_alpha_of_columns_of_classes_is_the_nominal_one():
    classes = np.array([[0, 0], [1, 2], [2, 2], [1, 1], [0, 1]])
    sums = alpha_sums(np.eye(3)[classes]).sum(axis=0)
    assert float(alpha_of_sums(sums)) == pytest.approx(krippendorff_alpha(classes.astype(float), "nominal")[0])


def test_corrections_by_hand():
    # Two raters of .46: 2 x .46 / 1.46 = .630; a single rater attenuates by sqrt(.46) = .678.
    assert of_mean(0.46, 2) == pytest.approx(0.92 / 1.46)
    assert attenuation(0.46) == pytest.approx(0.678, abs=5e-4)
    assert corrected_correlation(0.3, 0.25) == pytest.approx(0.6)  # .3 / .5
    assert corrected_slope(0.3, 0.25) == pytest.approx(1.2)
    assert np.isnan(corrected_correlation(0.3, -0.1))
    assert np.isnan(corrected_slope(0.3, 0.0))
    assert of_mean(-0.2, 3) == 0


def test_the_scale_of_alpha_and_back():
    assert float(on_alpha_scale(0.75)) == -0.5
    assert float(from_alpha_scale(-0.5)) == 0.75
    assert float(from_alpha_scale(0.3)) == 1.0  # beyond perfect agreement
    assert float(from_alpha_scale(-2.0)) == -1.0


def test_jackknife_by_hand():
    # Of a mean it is the usual variance of a mean: 1, 2, 6 have variance 7, over 3.
    values = {"a": 1.0, "b": 2.0, "c": 6.0}
    left_out = [4.0, 3.5, 1.5]
    assert jackknife_variance(left_out) == pytest.approx(7 / 3)
    number, low, high = jackknife_interval(lambda kept: np.mean([values[name] for name in kept]), values, 0.05)
    assert number == 3
    half = 4.302653 * math.sqrt(7 / 3)  # t with two degrees of freedom
    assert (low, high) == pytest.approx((3 - half, 3 + half), rel=1e-5)
    assert jackknife_interval(lambda kept: 1.0, ["a", "b"], 0.05) == (1.0, None, None)
    assert jackknife_interval(lambda kept: 1.0 if len(kept) > 2 else NAN, values, 0.05) == (1.0, None, None)


def test_published_ratings_attenuate_as_printed():
    ratings = read_ratings(ROOT / "resources/ratings.csv")
    # Each task its own dataset here: the numbers don't depend on that.
    rows = rating_reliability(ratings, {task: task for task in ratings["task"]}, 0.05)
    found = {(row["name"], row["statistic"]): row["number"] for row in rows}
    assert found["conduciveness", "alpha"] == pytest.approx(0.46, abs=5e-3)
    assert found["conduciveness", "attenuation by one rater"] == pytest.approx(0.68, abs=5e-3)
    assert found["conduciveness", "attenuation by the mean"] == pytest.approx(math.sqrt(2 * 0.457 / 1.457), abs=5e-3)


def pairs_of(tasks, values, outcome):
    """All ordered pairs of tasks {task: dataset}; `values` {aspect: {task: number}}, `outcome` a function of a pair."""
    rows = [
        {
            **{"source": source, "target": target, "source_dataset": tasks[source], "target_dataset": tasks[target]},
            **{aspect: numbers[target] - numbers[source] for aspect, numbers in values.items()},
            "outcome": outcome(source, target),
        }
        for source in tasks
        for target in tasks
        if source != target
    ]
    return pd.DataFrame(rows)


def ratings_of(values, errors):
    """Ratings by two raters, as far above and below each task's value as `errors` say."""
    rows = [
        (task, ASPECTS[0], rater, value + sign * errors[task])
        for task, value in values.items()
        for rater, sign in (("A", 1), ("B", -1))
    ]
    return pd.DataFrame(rows, columns=["task", "aspect", "annotator", "score"])


def test_corrected_effects_are_the_measured_ones_over_the_reliability():
    values = {f"t{number}": float(number % 5) for number in range(8)}
    tasks = {task: f"d{place % 4}" for place, task in enumerate(values)}
    scores = ratings_of(values, {task: 0.5 * (place % 2) for place, task in enumerate(values)})
    pairs = pairs_of(tasks, {ASPECTS[0]: values}, lambda s, t: 3 * (values[t] - values[s]) + len(s + t) % 3)
    found = {row["statistic"]: row for row in rating_effects(pairs, scores, 0.05)}
    reliability = {row["statistic"]: row["number"] for row in rating_reliability(scores, tasks, 0.05)}
    mean = reliability["reliability of the mean"]
    slope, r = found["slope over all pairs"], found["r within targets"]
    assert slope["uncorrected"] == pytest.approx(3)
    assert slope["number"] == pytest.approx(3 / mean)
    assert r["number"] == pytest.approx(r["uncorrected"] / math.sqrt(mean))
    assert slope["low"] < slope["number"] < slope["high"]
    # Where raters agree in all, nothing is corrected, and the interval is the measured one.
    exact = {row["statistic"]: row for row in rating_effects(pairs, ratings_of(values, dict.fromkeys(values, 0)), 0.05)}
    assert exact["slope over all pairs"]["number"] == pytest.approx(3)


def test_within_targets_means_of_targets_are_taken_out():
    # Over all pairs the slope is that of -1, 0, 1, 2 on 0, 1, 2, 3; within the two groups it is -1.
    found = association(np.array([0, 1, 2, 3.0]), np.array([1, 0, 3, 2.0]), np.array([0, 0, 1, 1]))
    assert found == {"r": pytest.approx(-1), "slope": pytest.approx(-1)}
    assert np.isnan(association(np.ones(3), np.arange(3.0), np.zeros(3, dtype=int))["r"])


def test_what_is_left_beside_controls_by_hand():
    # Raters differ by 2, 0 and 0: the variance within tasks is 2 on one of three, .67 on average, and a third of that
    # is the error of ... two raters: .33.
    sums = alpha_sums(np.array([[1, 3.0], [2, 2], [5, 5]]))
    assert error_variance(sums) == pytest.approx(2 / 3 / 2)
    # Targets and source datasets take out everything where each dataset has one task.
    values = {"a": 1.0, "b": 2.0, "c": 4.0}
    alone = pairs_of({task: task for task in values}, {ASPECTS[0]: values}, lambda s, t: 0.0)
    (row,) = left_of_ratings(alone, ratings_of(values, {"a": 1, "b": 0, "c": 0}))
    assert row["reason"] == "constant"
    # Two tasks of a dataset: what is left is their difference alone, and errors of their size leave as much of it.
    values = {"a": 1.0, "b": 3.0, "c": 2.0, "d": 2.0}
    pairs = pairs_of({"a": "x", "b": "x", "c": "y", "d": "y"}, {ASPECTS[0]: values}, lambda s, t: 0.0)
    (row,) = left_of_ratings(pairs, ratings_of(values, dict.fromkeys(values, 1.0)))
    # Each task's raters differ by 2: variance 2, of the mean 1. The variance of true differences within datasets is
    # (2^2 + 0) / 2 / 2 = 1 per task, so errors leave as much as there is.
    assert row["number"] == pytest.approx(0, abs=1e-9)


def test_the_ceiling_of_r_is_the_root_of_the_reliability_of_the_mean():
    first, second = [1.0, 2, 3, 4, 5, 6], [1.0, 3, 3, 5, 5, 5]
    row = human_ceiling([first, second], [f"g{place}" for place in range(6)], NUMBERS, SETTINGS)
    alpha = krippendorff_alpha(np.array([first, second]).T, "interval")[0]
    assert row["alpha"] == pytest.approx(alpha)
    assert row["reliability"] == pytest.approx(2 * alpha / (1 + alpha))
    assert row["ceiling"] == pytest.approx(math.sqrt(2 * alpha / (1 + alpha)))
    assert row["raters"] == 2
    assert row["ceiling_low"] < row["ceiling"] < row["ceiling_high"] <= 1


def test_the_ceiling_of_f1_is_a_rater_against_the_others_by_hand():
    # Two raters: one against the other. yes/yes, yes/no, no/no, no/no: F1 of yes 2 / 3, of no 4 / 5.
    row = human_ceiling([["yes", "yes", "no", "no"], ["yes", "no", "no", "no"]], list("abcd"), CLASSES, SETTINGS)
    assert row["ceiling"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert row["reason"] == "too_few"  # four groups
    assert row["reliability"] is None
    # Three raters and two items, yes yes no and no no no. The first two raters stand against a tie on the first item:
    # hits .5 of yes, 1 of no, errors .5 and .5: F1 1 / 1.5 and 2 / 2.5. The third says no to a clear yes: F1 0, 2 / 3.
    row = human_ceiling([["yes", "no"], ["yes", "no"], ["no", "no"]], list("ab"), CLASSES, SETTINGS)
    first, third = (1 / 1.5 + 2 / 2.5) / 2, (0 + 2 / 3) / 2
    assert row["ceiling"] == pytest.approx((2 * first + third) / 3)


def test_ceilings_of_labels_without_two_raters_or_without_a_difference():
    assert human_ceiling([[1.0, None], [None, 2.0]], ["a", "b"], NUMBERS, SETTINGS)["reason"] == "no_ratings"
    row = human_ceiling([[1.0, 1.0], [1.0, 1.0]], ["a", "b"], NUMBERS, SETTINGS)
    assert (row["reason"], row["ceiling"]) == ("constant", None)


def rater_file(tmp_path, text):
    """A file of raters' labels."""
    path = tmp_path / "raters.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_of_raters_are_joined_by_id(tmp_path, capsys):
    task = CLASSES | {"raters": {"file": "raters.csv", "row": ["id"], "columns": ["one", "two"]}}
    path = rater_file(tmp_path, "id,one,two\n7,Yes,no\n8,NO,\n9,yes,yes\n")
    found = read_raters(path, "task", task, "double", pd.Series(["9", "8", "1"]))
    assert found == [["yes", "no", None], ["yes", None, None]]
    assert "1 of 3 rows are not in raters.csv" in capsys.readouterr().out
    numbered = NUMBERS | {"raters": {"file": "raters.csv", "columns": ["id"]}}
    assert read_raters(path, "task", numbered, "double", ["row2"]) == [[8.0]]
    with pytest.raises(DataError, match="none of its 1 rows"):
        read_raters(path, "task", task, "double", ["4"])
    path = rater_file(tmp_path, "id,one,two\n7,perhaps,no\n")
    with pytest.raises(DataError, match=r"raters.csv, row 1, column 'one': task task: unknown label"):
        read_raters(path, "task", task, "double", ["7"])


def test_agreement_between_seeds_by_hand():
    # Of classes: alpha of two seeds, of which one item of four differs (nominal, as above).
    answers = [["yes", "yes", "no", "no"], ["yes", "no", "no", "no"]]
    row = retest(answers, list("abcd"), "classification", SETTINGS)
    assert row["number"] == pytest.approx(krippendorff_alpha(np.array([[1, 1, 0, 0], [1, 0, 0, 0.0]]).T, "nominal")[0])
    assert row["reason"] == "too_few"
    assert retest([["yes"] * 6] * 2, list("abcdef"), "classification", SETTINGS)["reason"] == "constant"


def test_what_seeds_vary_is_pooled_over_tasks():
    generator = np.random.default_rng(0)
    shared = generator.standard_normal(100)

    def task(noise):
        """Three seeds, with noises of these sizes."""
        answers = [list(shared + size * generator.standard_normal(100)) for size in noise]
        return retest(answers, np.arange(100), "regression", SETTINGS)

    even, uneven = task((0.5, 0.5, 0.5)), task((0.1, 0.5, 1.5))
    assert uneven["of_seeds"][0] > even["of_seeds"][0]
    alone, (together, _) = with_intervals([even], 0.05)[0], with_intervals([even, uneven], 0.05)
    assert together["covers"] == "items_and_seeds"
    variance = (even["of_seeds"][0] * 2 + uneven["of_seeds"][0] * 2) / 4
    assert alone["number"] == together["number"]
    tested = t_test(float(on_alpha_scale(even["number"])), [even["of_items"], (variance, 4)], 0.05)
    assert together["low"] == pytest.approx(1 - tested["low"] ** 2)
    two = retest([list(shared), list(shared + 0.1)], np.arange(100), "regression", SETTINGS)
    assert with_intervals([two], 0.05)[0]["covers"] == "items"


TASKS = {
    "general_1": {"dataset": "one", "kind": "regression", "metric": "pearson_r", "title": "G1", "theme": "direct"},
    "general_2": {"dataset": "two", "kind": "regression", "metric": "pearson_r", "title": "G2", "theme": "direct"},
    "mood": {"dataset": "one", "kind": "classification", "metric": "f1_macro", "title": "Mood", "theme": "adjacent"},
    "role": {"dataset": "three", "kind": "regression", "metric": "pearson_r", "title": "Role", "theme": "adjacent"},
    "act": {"dataset": "three", "kind": "classification", "metric": "f1_macro", "title": "Act", "theme": "abstract"},
}
DEFINITIONS = {"general_1": 5.0, "general_2": 5.0, "mood": 3.0, "role": 1.0, "act": 2.0}


def test_constructs_are_compared_by_means_of_datasets():
    assert construct_of({"a": 5.0, "b": 4.5, "c": NAN}) == {"a": "general", "b": "specific", "c": ""}
    values = {"general_1": 0.5, "general_2": 0.7, "mood": 0.9, "role": 0.6, "act": 0.8}
    rows = {row["statistic"]: row for row in compare_constructs(values, TASKS, DEFINITIONS, "seeds", 0.05)}
    row = rows["specific less general, all tasks"]
    # Specific: datasets one (.9) and three (.7); general: .5 and .7. Both variances are .02, so t has 2 df.
    assert row["number"] == pytest.approx(0.2)
    half = 4.302653 * math.sqrt(0.02 / 2 + 0.02 / 2)
    assert (row["low"], row["high"]) == pytest.approx((0.2 - half, 0.2 + half), rel=1e-5)
    assert rows["specific less general, regressions"]["reason"] == "too_few"
    assert rows["slope per point of Definition"]["number"] < 0


def test_a_score_is_corrected_for_its_labels_with_their_uncertainty():
    scores = pd.DataFrame(
        [("none", "general_1", "full", seed, "pearson_r", True, value, 100) for seed, value in ((1, 0.58), (2, 0.62))],
        columns=["source", "target", "data", "seed", "metric", "main", "value", "n_test"],
    )
    limit = frame_of_ceilings(
        [
            {
                **{"task": "general_1", "metric": "pearson_r", "raters": 2, "items": 400, "groups": 400},
                **{"alpha": 0.47, "reliability": 0.64, "reliability_low": 0.54, "reliability_high": 0.74},
                **{"ceiling": 0.8, "ceiling_low": 0.73, "ceiling_high": 0.86, "reason": ""},
            }
        ]
    ).to_dict("records")[0]
    errors = {"general_1": 0.05}
    row = score_row("general_1", TASKS["general_1"], limit, scores, errors, 0.05)
    assert row["uncorrected"] == pytest.approx(0.6)
    assert row["number"] == pytest.approx(0.6 / 0.8)
    # Without error of the labels the interval is the measured one over .8; with it, it is wider.
    exact = score_row("general_1", TASKS["general_1"], limit | {"reliability_low": 0.64}, scores, errors, 0.05)
    measured = row["uncorrected_high"] - row["uncorrected_low"]
    assert exact["high"] - exact["low"] == pytest.approx(measured / 0.8, rel=0.01)
    assert row["high"] - row["low"] > 1.01 * (exact["high"] - exact["low"])
    assert score_row("general_1", TASKS["general_1"], None, scores, errors, 0.05)["reason"] == "no_ratings"
    assert score_row("role", TASKS["role"], None, scores, errors, 0.05)["reason"] == "not_run"


def test_page_and_figure_say_what_the_table_holds():
    limit = dict.fromkeys(["raters", "items"], 2.0) | {"task": "general_1", "metric": "pearson_r", "reason": ""}
    limit |= {f"{name}{end}": 0.8 for name in ("reliability", "ceiling") for end in ("", "_low", "_high")}
    seeds = {"part": "seeds", "name": "general_1", "statistic": "alpha", "raters": 3, "units": 100, "number": 0.7}
    rows = [seeds | {"low": 0.6, "high": 0.8}, label_row(limit), ceiling_row(limit)]
    rows += [{"part": "scores", "name": "general_1", "statistic": "pearson_r of the baseline", "uncorrected": 0.55}]
    rows += [{"part": "rating_effects", "name": ASPECTS[0], "statistic": "r within targets", "number": 0.3}]
    rows += compare_constructs({"general_1": 0.7}, TASKS, DEFINITIONS, "seeds", 0.05)
    table = frame_of_reliability(rows, construct_of(DEFINITIONS))
    page = as_page(table, TASKS)
    assert "| G1 | general | 0.70 (0.60 to 0.80) | 3 | 100 |  |" in page
    assert "| G1 | 2.0 | reliability of the mean of the raters | 0.80 (0.80 to 0.80) | 0.80 (0.80 to 0.80) |  |" in page
    assert "all tasks: Can't be told" in page
    figure = draw_reliability(table, {"general_1": "G1", "role": "Role"})
    marks = [line.get_marker() for line in figure.axes[1].lines]
    assert "|" in marks
    assert "D" in marks


def test_simulated_studies_know_their_truth():
    pairs = pairs_of({f"t{number}": f"d{number // 2}" for number in range(8)}, {}, lambda s, t: 0.0)
    names = list(dict.fromkeys(pairs["source"]))
    ends = [pairs[end].map(names.index).to_numpy() for end in ("source", "target")]
    design = Design(*ends, ends[0] // 2, ends[1] // 2, np.zeros((len(pairs), 3)))
    truth = Truth(pairs, design, {})
    found = simulate_ratings(truth, {"raters": Raters(0.95, 4)}, [np.random.default_rng(n) for n in range(6)])
    assert set(found["coverage of alpha"]) <= {0.0, 1.0}
    # Four raters of .95 leave a reliability of .987, so measured and corrected slopes hardly differ.
    ratio = found["corrected slope over the true one"] / found["measured slope over the true one"]
    assert ratio == pytest.approx(np.full(6, 1 / 0.987), rel=0.05)
    shares = by_statistic([retest_study(Seeds(0.7, items=60, tasks=6), np.random.default_rng(0))])
    assert shares["coverage of test-retest alpha"][0] > 0.5
