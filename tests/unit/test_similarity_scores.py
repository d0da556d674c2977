"""Answers, scores, comparisons, table and figure of models of the similarity of stories."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.errors import DataError
from empathy_transfer.similarity.answers import HeldOutPairs, floor_answers, read_tested
from empathy_transfer.similarity.comparisons import compare_models
from empathy_transfer.similarity.models_figure import draw_models, plotted_models
from empathy_transfer.similarity.scores import score_answers, similarity_scores
from empathy_transfer.similarity.story_pairs import to_cosine, to_rating
from empathy_transfer.similarity.table import pooled_scores, similarity_page
from empathy_transfer.statistics.resampling import leave_one_out_counts, make_sample, score_systems
from similar_pairs import story_pairs, write_pairs

TASKS = {"stories_empathy": ["empathy", "full"], "stories_event": ["event", "full"]}


def held_out_pairs(count=60, seed=0):
    """Pairs whose two labels are independent, in two folds."""
    random = np.random.default_rng(seed)
    table = story_pairs(count, seed).drop(columns="label")
    table.insert(1, "fold", np.where(np.arange(count) % 2, "fold1", "fold2"))
    return HeldOutPairs(
        table.assign(empathy=random.uniform(1, 4, count), event=random.uniform(1, 4, count)), ["empathy", "event"]
    )


def answers_of(about, **models):
    """Answers of models to all pairs, {name: (family, trained_on, predictions)}."""
    frames = [
        about.table[["id"]].assign(
            family=family,
            model=name,
            form="full",
            trained_on=trained_on,
            seed=1,
            fold=None,
            asked=None,
            split="test",
            prediction=values,
            encoder="e",
            loss=None,
            n_train=9,
        )
        for name, (family, trained_on, values) in models.items()
    ]
    return pd.concat(frames, ignore_index=True)


def test_ratings_and_cosines_stand_for_each_other():
    np.testing.assert_allclose(to_cosine([1, 2.5, 4], "range"), [0, 0.5, 1])
    np.testing.assert_allclose(to_cosine([1, 4], "quarter"), [0.25, 1])
    np.testing.assert_allclose(to_rating([-0.2, 0.5, 1], "range"), [1, 2.5, 4])
    np.testing.assert_allclose(to_rating([0.1, 0.5], "quarter"), [1, 2])


def test_scores_of_ratings_and_of_classes_by_hand():
    pairs = pd.DataFrame({"first": list("abcd"), "second": list("efgh")})
    pairs = pairs.assign(label=[1.0, 2.0, 3.0, 4.0], prediction=[1.0, 3.0, 2.0, 4.0])
    found = {row["metric"]: row for row in score_answers(pairs, 0.05)}
    assert found["pearson_r"]["value"] == pytest.approx(0.8)
    assert found["spearman_r"]["value"] == pytest.approx(0.8)
    assert (found["mse"]["value"], found["rmse"]["value"]) == pytest.approx((0.5, np.sqrt(0.5)))
    # Above 2.5: labels no no yes yes, predictions no yes no yes.
    names = ("accuracy", "precision_macro", "recall_macro", "f1_macro")
    assert [found[name]["value"] for name in names] == [0.5] * 4
    assert (found["pearson_r"]["n"], found["pearson_r"]["stories"]) == (4, 8)
    assert found["pearson_r"]["low"] < 0.8 < found["pearson_r"]["high"]


def test_folds_are_pooled_and_a_constant_has_no_correlation():
    about = held_out_pairs()
    answers = answers_of(about, good=("contrastive", "empathy", about.table["empathy"] / 2 + 1))
    floor = floor_answers(
        {"full": about},
        {("full", label, fold): 2.0 + (fold == "fold1") for label in about.labels for fold in ("fold1", "fold2")},
    )
    scores = similarity_scores(pd.concat([floor, answers], ignore_index=True), {"full": about}, 0.05)
    r = scores[(scores["metric"] == "pearson_r") & (scores["label"] == "empathy")]
    assert set(r["family"]) == {"contrastive"}
    assert r.set_index("fold")["value"].to_dict() == pytest.approx({"all": 1.0, "fold1": 1.0, "fold2": 1.0})
    assert r.set_index("fold")["n"].to_dict() == {"all": 60, "fold1": 30, "fold2": 30}
    assert r.set_index("fold")["low"].notna().to_dict() == {"all": True, "fold1": False, "fold2": False}
    constant = scores[(scores["family"] == "floor") & (scores["metric"] == "rmse") & (scores["fold"] == "fold1")]
    expected = np.sqrt(((about.table.loc[about.table["fold"] == "fold1", "event"] - 3) ** 2).mean())
    assert constant.set_index("label")["value"]["event"] == pytest.approx(expected)


def test_a_label_that_was_not_asked_about_has_no_score():
    about = held_out_pairs()
    answers = answers_of(about, judge=("zero_shot", "none", about.table["event"])).assign(asked="event")
    scores = similarity_scores(answers, {"full": about}, 0.05)
    assert set(scores["label"]) == {"event"}


def test_comparisons_are_paired_and_say_how_sure_they_are():
    about = held_out_pairs(200)
    random, truth = np.random.default_rng(1), about.table["empathy"].to_numpy()
    noise = random.normal(size=(2, 200))
    answers = answers_of(
        about,
        base=("embedding", "none", truth + 3 * noise[0]),
        good=("contrastive", "empathy", truth + 0.3 * noise[1]),
        same=("contrastive", "event", truth + 3 * noise[0] + 1e-3 * noise[1]),
    )
    found = compare_models(answers, {"full": about}, 0.05).set_index(["comparison", "model", "label", "metric"])
    row = found.loc[("baseline", "good", "empathy", "pearson_r")]
    labels = np.corrcoef(truth, truth + 0.3 * noise[1])[0, 1], np.corrcoef(truth, truth + 3 * noise[0])[0, 1]
    assert row["difference"] == pytest.approx(labels[0] - labels[1])
    assert (row["value"], row["other_value"]) == pytest.approx(labels)
    assert (row["effect"], row["covers"], row["stories"]) == ("higher", "items", 400)
    # Without common stories it is the project's own test of two systems, by the jackknife.
    sample = make_sample(truth)
    scores = score_systems(sample, [truth + 0.3 * noise[1], truth + 3 * noise[0]], leave_one_out_counts(200))
    own = np.var(scores.values[0] - scores.values[1]) * 199
    assert row["se"] == pytest.approx(np.sqrt(own), rel=0.01)
    assert found.loc[("baseline", "same", "empathy", "pearson_r")]["effect"] == "undecided"


def test_seeds_widen_a_test_by_what_they_differ_beyond_the_items():
    about = held_out_pairs(120)
    random, truth = np.random.default_rng(2), about.table["empathy"].to_numpy()
    noise = random.normal(size=(4, 120))
    base = answers_of(about, base=("embedding", "none", truth + 4 * noise[0]))

    def compared(second):
        seeds = [answers_of(about, good=("contrastive", "empathy", values)) for values in (truth + noise[1], second)]
        answers = pd.concat([base, seeds[0], seeds[1].assign(seed=2)], ignore_index=True)
        found = compare_models(answers, {"full": about}, 0.05)
        return found[(found["label"] == "empathy") & (found["metric"] == "pearson_r")].iloc[0]

    alike, apart = compared(truth + noise[1]), compared(truth + 6 * noise[2])
    assert (alike["seeds"], alike["covers"]) == (2, "items_and_seeds")
    assert alike["effect"] == "improved"
    first, second = (np.corrcoef(truth, truth + values)[0, 1] for values in (noise[1], 6 * noise[2]))
    other = np.corrcoef(truth, truth + 4 * noise[0])[0, 1]
    assert apart["difference"] == pytest.approx((first + second) / 2 - other)
    # Half the variance between the seeds of the mean of two, with one degree of freedom: no verdict is left.
    assert apart["se"] > 0.9 * abs(first - second) / 2
    assert apart["df"] < 3
    assert apart["effect"] == "undecided"


def test_tables_must_be_of_the_same_pairs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tables = {split: story_pairs(6, start=start) for split, start in (("train", 0), ("validation", 6), ("test", 12))}
    paths = [write_pairs("fold1", task, tables)["test"] for task in TASKS]
    paths = [Path(path) for path in paths]
    about = read_tested(paths, TASKS)["full"]
    assert about.labels == ["empathy", "event"]
    assert about.table.columns.tolist() == ["id", "fold", "first", "second", "empathy", "event"]
    assert len(about.table) == 6
    write_pairs("fold1", "stories_event", tables | {"test": story_pairs(5, start=12)})
    with pytest.raises(DataError, match=r"empathy and event.*other pairs or folds"):
        read_tested(paths, TASKS)


def test_table_and_figure_show_each_model(monkeypatch):
    about = held_out_pairs()
    answers = answers_of(
        about,
        base_model=("embedding", "none", about.table["event"]),
        tuned=("contrastive", "empathy", about.table["empathy"] + 0.1 * about.table["event"]),
    )
    scores = similarity_scores(answers, {"full": about}, 0.05)
    page = similarity_page(pooled_scores(scores), 0.05)
    assert "<b>1.000</b>" in page
    assert "base model" in page
    plotted = plotted_models(scores)
    assert plotted["name"].unique().tolist() == ["base model", "tuned, on empathy"]
    figure = draw_models(plotted, 0.05)
    assert [panel.get_title() for panel in figure.axes] == ["empathy", "event"]
