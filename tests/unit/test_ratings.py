"""Construct ratings: agreement against other implementations and by hand, gaps, raters, and the table of themes."""

import io

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from empathy_transfer.agreement.krippendorff_alpha import krippendorff_alpha
from empathy_transfer.errors import DataError
from empathy_transfer.ratings.agreement import (
    AGREEMENT_COLUMNS,
    ASPECTS,
    agreement,
    bootstrap_interval,
    difference_counts,
    rater_pairs,
    read_ratings,
    write_agreement,
)
from empathy_transfer.ratings.figures import draw_differences, plot_differences
from empathy_transfer.ratings.themes import as_html, as_tex, legend, tabulate_themes, theme_band, theme_table
from study_copy import ROOT

PUBLISHED = ROOT / "resources/ratings.csv"


def make_ratings(scores, aspects=ASPECTS):
    """Ratings {task: scores of raters A, B, ... (None: missing)}, the same for each aspect."""
    rows = [
        (task, aspect, rater, score)
        for task, given in scores.items()
        for aspect in aspects
        for rater, score in zip("ABCDE", given, strict=False)
        if score is not None
    ]
    return pd.DataFrame(rows, columns=["task", "aspect", "annotator", "score"]).astype({"score": "float64"})


def row(frame, aspect):
    """The row of an aspect."""
    return frame.set_index("aspect").loc[aspect]


def direct_alpha(units):
    """Krippendorff's alpha at interval level from its definition: mean squared differences within and between units."""
    units = [[value for value in unit if value is not None] for unit in units]
    units = [unit for unit in units if len(unit) >= 2]
    values = [value for unit in units for value in unit]
    within = [sum((a - b) ** 2 for a in unit for b in unit) / (len(unit) - 1) for unit in units]
    observed = sum(within) / len(values)
    expected = sum((a - b) ** 2 for a in values for b in values) / (len(values) * (len(values) - 1))
    return 1 - observed / expected


def test_alpha_by_hand():
    # Two units (1, 2) and (3, 3): observed (1 + 1) / 4 = .5; of the 12 ordered pairs of 1, 2, 3, 3 the squared
    # differences sum to 2 (1 + 4 + 4 + 1 + 1 + 0) = 22: expected 22 / 12.
    alpha, reason = krippendorff_alpha(np.array([[1.0, 2.0], [3.0, 3.0]]), "interval")
    assert alpha == pytest.approx(1 - 0.5 / (22 / 12))
    assert reason == ""


def test_alpha_of_three_raters_with_gaps_agrees_with_its_definition():
    scores = {"a": [1, 2, 2], "b": [3, None, 4], "c": [5, 5, None], "d": [2, None, None], "e": [4, 3, 5]}
    found = row(agreement(make_ratings(scores), resamples=200), "link")
    assert found["krippendorff_alpha"] == pytest.approx(direct_alpha(scores.values()))
    assert (found["raters"], found["tasks"]) == (3, 4)


def test_ratings_of_the_study():
    found = agreement(read_ratings(PUBLISHED), resamples=500)
    assert list(found.columns) == AGREEMENT_COLUMNS
    assert list(found["aspect"]) == [*ASPECTS, "overall", "mean"]
    ratings = read_ratings(PUBLISHED)
    for aspect in ASPECTS:
        wide = ratings[ratings["aspect"] == aspect].pivot(index="task", columns="annotator", values="score")
        assert row(found, aspect)["krippendorff_alpha"] == pytest.approx(direct_alpha(wide.to_numpy().tolist()))
        # Spearman's r is Pearson's of the ranks, ties at their mean.
        ranks = np.corrcoef(rankdata(wide["A"]), rankdata(wide["B"]))[0, 1]
        assert row(found, aspect)["spearman_r"] == pytest.approx(ranks)
    assert row(found, "overall")["krippendorff_alpha"] == pytest.approx(0.7219722)
    assert (found["alpha_low"] < found["krippendorff_alpha"]).all()
    assert (found["krippendorff_alpha"] < found["alpha_high"]).all()
    assert (found["reason"] == "").all()


def test_the_interval_is_that_of_a_loop_over_resampled_tasks():
    units = make_ratings({"a": [1, 2], "b": [3, 3], "c": [5, 3], "d": [4, 4], "e": [2, 2], "f": [1, 3]}, ["link"])
    wide = units.pivot(index=["task", "aspect"], columns="annotator", values="score")
    drawn = np.random.default_rng(3).multinomial(6, [1 / 6] * 6, size=400)
    alphas = [krippendorff_alpha(np.repeat(wide.to_numpy(), counts, axis=0), "interval") for counts in drawn]
    expected = np.quantile([alpha for alpha, reason in alphas if not reason], [0.05, 0.95])
    found = bootstrap_interval(wide, 400, alpha=0.1, seed=3)
    assert [found["alpha_low"], found["alpha_high"]] == pytest.approx(list(expected))
    assert found["undefined_resamples"] == pytest.approx(np.mean([bool(reason) for _, reason in alphas]))


def test_an_interval_needs_half_of_its_resamples_to_be_defined():
    """Of two tasks with one value each, a resample holds both (alpha is 1), or one of them twice (it has none)."""
    units = make_ratings({"a": [3, 3], "b": [4, 4]}, ["link"]).pivot(
        index=["task", "aspect"], columns="annotator", values="score"
    )
    for seed, drawn in [(0, [[1, 1], [1, 1], [0, 2]]), (1, [[1, 1], [2, 0], [0, 2]])]:
        assert np.random.default_rng(seed).multinomial(2, [0.5, 0.5], size=3).tolist() == drawn
    enough, few = (bootstrap_interval(units, 3, alpha=0.05, seed=seed) for seed in (0, 1))
    assert enough == {"alpha_low": 1, "alpha_high": 1, "undefined_resamples": pytest.approx(1 / 3)}
    assert few == {"alpha_low": None, "alpha_high": None, "undefined_resamples": pytest.approx(2 / 3)}


def test_equal_ratings_one_task_and_one_rater_have_no_agreement_and_say_why():
    equal = agreement(make_ratings({"a": [3, 3], "b": [3, 3], "c": [3, 3]}), resamples=100)
    assert set(equal["reason"]) == {"constant"}
    assert equal[["krippendorff_alpha", "alpha_low", "spearman_r"]].isna().all(axis=None)
    single = agreement(make_ratings({"a": [3], "b": [4]}), resamples=100)
    assert set(single["reason"]) == {"no_ratings"}
    assert set(single["tasks"]) == {0}
    one = agreement(make_ratings({"a": [3, 4]}), resamples=100)
    assert row(one, "link")["krippendorff_alpha"] == pytest.approx(0.0)
    assert one["alpha_low"].isna().all()
    empty = agreement(make_ratings({}), resamples=100)
    assert set(empty["reason"]) == {"no_ratings"}


def test_pairs_of_raters():
    scores = {"a": [1, 2, 1], "b": [2, 3, 1], "c": [3, 4, 1], "d": [4, 5, None]}
    pairs = rater_pairs(make_ratings(scores)).query("aspect == 'link'").set_index(["rater_1", "rater_2"])
    assert list(pairs.index) == [("A", "B"), ("A", "C"), ("B", "C")]
    assert pairs.loc[("A", "B"), "spearman_r"] == pytest.approx(1)
    assert pairs.loc[("A", "B"), "spearman_p"] == pytest.approx(0)
    assert pairs.loc[("A", "C"), "reason"] == "constant"
    assert pairs.loc[("A", "C"), "tasks"] == 3
    # One of the three pairs has a correlation: the mean is over it, and three pairs have no common p.
    found = row(agreement(make_ratings(scores), resamples=100), "link")
    assert found["spearman_r"] == pytest.approx(1)
    assert np.isnan(found["spearman_p"])
    few = rater_pairs(make_ratings({"a": [1, 2], "b": [2, 3]}))
    assert set(few.loc[few["aspect"] == "link", "reason"]) == {"too_few"}


def test_a_mean_needs_all_aspects():
    ratings = make_ratings({"a": [1, 2], "b": [2, 4], "c": [5, 5]})
    ratings = ratings.drop(ratings.index[(ratings["task"] == "a") & (ratings["aspect"] == "link")][:1])
    assert row(agreement(ratings, resamples=100), "mean")["tasks"] == 2
    assert row(agreement(ratings, resamples=100), "overall")["tasks"] == 3


def test_differences_by_hand():
    counts = difference_counts(make_ratings({"a": [1, 2, 5], "b": [3, 3, None], "c": [4, 4.5, None]}))
    link = counts[counts["aspect"] == "link"].set_index("difference")["count"].to_dict()
    # a: 1, 4, 3; b: 0; c: .5
    assert link == {0.0: 1, 0.5: 1, 1.0: 1, 2.0: 0, 3.0: 1, 4.0: 1}
    overall = counts[counts["aspect"] == "overall"].set_index("difference")["count"]
    assert overall[3.0] == 3
    assert difference_counts(make_ratings({"a": [1]}))["count"].sum() == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,link,A,1\na,link,A,2\n", "row 2: this task is rated twice"),
        ("a,linc,A,1\n", "row 1: the aspect is none of"),
        ("a,link,A,6\n", "not a number from 1 to 5"),
        ("a,link,A,\n", "A missing rating has no row"),
        ("a,link,A,x\n", "not a number from 1 to 5"),
    ],
)
def test_unusable_ratings_are_refused(text, message, tmp_path):
    (tmp_path / "ratings.csv").write_text(f"task,aspect,annotator,score\n{text}")
    with pytest.raises(DataError, match=message):
        read_ratings(tmp_path / "ratings.csv")


def test_agreement_files(tmp_path):
    paths = [tmp_path / name for name in ("agreement.csv", "pairs.csv", "differences.csv")]
    write_agreement(PUBLISHED, 100, 0.05, *paths)
    assert len(pd.read_csv(paths[0])) == 5
    assert len(pd.read_csv(paths[1])) == 5
    differences = pd.read_csv(paths[2])
    assert differences.query("aspect == 'overall'")["count"].sum() == 54


TASKS = {
    "high": {"title": "High & mighty", "theme": "direct"},
    "edge": {"title": "Edge", "theme": "abstract"},
    "third": {"title": "Third", "theme": "adjacent"},
    "low": {"title": "Low", "theme": "adjacent"},
    "new": {"title": "New", "theme": "direct"},
}


def make_table():
    ratings = make_ratings({"high": [5, 4], "edge": [3, 4], "third": [3, 3], "low": [1, 2], "other": [1, 1]})
    # 19/6: the printed 3.17, a tie that counts as abstract.
    ratings.loc[
        (ratings["task"] == "third") & (ratings["aspect"] == "link") & (ratings["annotator"] == "A"), "score"
    ] = 4
    return theme_table(ratings, TASKS)


def test_theme_table_by_hand():
    table = make_table().set_index("task")
    assert list(table.index) == ["high", "new", "edge", "third", "low"]
    assert table.loc["third", "mean"] == pytest.approx(19 / 6)
    assert list(table["band"]) == ["direct", "", "abstract", "abstract", "adjacent"]
    assert list(table["deviates"]) == [False, False, False, True, False]
    assert table.loc["new", "reason"] == "no_ratings"
    assert table.loc["new", "raters"] == 0
    assert legend(make_table())[0] == "3 of 4 rated tasks lie in the band of their theme."


def test_bands():
    assert theme_band(3.5) == "abstract"
    assert theme_band(3.51) == "direct"
    assert theme_band((5 + 2 + 2.5) / 3) == "abstract"  # 3.1667 in another order of rounding
    assert theme_band(3.16) == "adjacent"
    assert theme_band(float("nan")) == ""


def test_the_stars_are_those_of_the_study():
    published = pd.read_csv(ROOT / "resources/published/tables4_5_tasks.csv")
    tasks = {
        task: {"title": task, "theme": theme} for task, theme in zip(published["task"], published["theme"], strict=True)
    }
    table = theme_table(read_ratings(PUBLISHED), tasks)
    assert set(table.loc[table["deviates"], "task"]) == set(published.loc[published["theme_deviates"] == 1, "task"])


def test_theme_table_formats(tmp_path):
    html, tex = as_html(make_table()), as_tex(make_table())
    assert "High &amp; mighty" in html
    assert "Third<sup>*</sup>" in html
    assert "High \\& mighty & 4.50 & 4.50 & 4.50 & 4.50 \\\\" in tex
    assert "Third\\textsuperscript{*} & 3.00 & 3.50 & 3.00 & 3.17 \\\\" in tex
    assert "no ratings" in html
    paths = [tmp_path / f"themes.{suffix}" for suffix in ("csv", "html", "tex")]
    tabulate_themes(PUBLISHED, TASKS, *paths)  # none of these tasks is rated there
    assert set(pd.read_csv(paths[0])["reason"]) == {"no_ratings"}
    assert "0 of 0 rated tasks" in paths[1].read_text()


def test_bar_chart(tmp_path, monkeypatch):
    counts = difference_counts(make_ratings({"a": [1, 2], "b": [3, 3], "c": [4, 4.5]}))
    monkeypatch.setattr(
        "empathy_transfer.ratings.figures.read_csv", lambda path: pd.read_csv(io.StringIO(counts.to_csv(index=False)))
    )
    paths = [tmp_path / "bars.png", tmp_path / "bars.svg"]
    plot_differences(None, paths, tmp_path / "bars.csv")
    assert all(path.stat().st_size > 5_000 for path in paths)
    assert set(pd.read_csv(tmp_path / "bars.csv")["aspect"]) == set(ASPECTS)
    axes = draw_differences(counts[counts["aspect"] != "overall"]).axes[0]
    assert [bar.get_height() for bar in axes.containers[0]] == [1, 1, 1, 0, 0, 0]
