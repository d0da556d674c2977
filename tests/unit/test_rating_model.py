"""The mixed model of transfer: what was planted, with seeds and without, and its figure."""

import itertools

import numpy as np
import pandas as pd
import pytest
from test_importance import make_features, make_improvement

from empathy_transfer.importance.rating_model import COMPONENTS, MODEL_COLUMNS, model_table
from empathy_transfer.importance.rating_model_figure import draw_rating_model
from empathy_transfer.importance.rating_tests import PRIMARY_NULL, null_table
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.report.style import figure_style

SEEDS = (1, 2, 3)


def make_scores(features, effect, seed=0):
    """Scores around a baseline of .5 whose luck a seed's transfers to a target share, and the improvement of means."""
    generator = np.random.default_rng(seed)
    tasks = sorted(set(features["source"]))
    baseline = {(task, seed): 0.5 + 0.02 * generator.normal() for task, seed in itertools.product(tasks, SEEDS)}
    rows = [("none", task, seed, value) for (task, seed), value in baseline.items()]
    for row in features.to_dict("records"):
        for seed in SEEDS:
            value = 0.5 + 0.005 * effect(row) + 0.005 * generator.normal()
            rows.append((row["source"], row["target"], seed, value))
    scores = pd.DataFrame(rows, columns=["source", "target", "seed", "value"]).assign(data="full", main=True)
    means = scores.groupby(["source", "target"], as_index=False)["value"].mean()
    base = means[means["source"] == "none"].set_index("target")["value"]
    improvement = means[means["source"] != "none"].rename(columns={"value": "transfer"})
    improvement = improvement.assign(baseline=improvement["target"].map(base), reason="")
    percent = 100 * (improvement["transfer"] / improvement["baseline"] - 1)
    return scores, improvement.assign(percent=percent)


def test_seeds_of_the_baseline_are_told_from_the_rest():
    """Noise of .005 of .5 is 1 percent; the baseline's luck of .02 is 4 percent, and shared by its sources."""
    features = make_features(6)
    scores, improvement = make_scores(features, lambda row: 3 * row["link"])
    table = model_table(improvement, features, scores).set_index("name")
    assert [*table.reset_index().columns] == ["name", *(name for name in MODEL_COLUMNS if name != "name")]
    assert list(table.index) == ["definition", "link", "conduciveness", *COMPONENTS]
    assert set(table["observations"]) == {6 * 5 * 3}
    assert set(table["seeds"]) == {3}
    assert table.loc["noise", "estimate"] == pytest.approx(1, rel=0.2)
    assert table.loc["target_seed", "estimate"] == pytest.approx(4, rel=0.35)
    assert table.loc["target_seed", "low"] > 1
    assert table.loc["source_seed", "estimate"] < 0.5
    assert table.loc["target_seed", "groups"] == 18
    assert table["share"].sum() == pytest.approx(1)
    assert table.loc["link", "low"] < 3 < table.loc["link", "high"]
    assert table.loc["link", "p"] < 0.05


def test_without_seeds_the_slopes_are_those_of_the_primary_test():
    features = make_features()
    improvement = make_improvement(features, lambda row: 2 * row["link"])
    table = model_table(improvement, features).set_index("name")
    assert "pair" not in table.index
    tests = null_table(improvement, features, 2, 0)
    chosen = (tests["null"] == PRIMARY_NULL) & (tests["outcome"] == "percent_winsorised")
    primary = tests[chosen].set_index("feature")
    assert primary["role"].tolist() == ["primary"] * 3
    assert primary.loc["link", "p"] <= 0.05
    # Five datasets.
    assert primary["freedom"].max() <= 3
    for column, other in (("slope", "estimate"), ("standard_error", "standard_error")):
        assert table.loc["link", other] == pytest.approx(primary.loc["link", column])


def test_reasons():
    features = make_features()
    constant = model_table(make_improvement(features, lambda row: 1.0, noise=0), features)
    assert set(constant["reason"]) == {"undefined"}
    assert set(model_table(make_improvement(features, lambda row: 1.0).head(9), features)["reason"]) == {"too_few"}
    unrated = features.assign(link=np.nan)
    table = model_table(make_improvement(features, lambda row: row["definition"]), unrated).set_index("name")
    assert table.loc["link", "reason"] == "no_ratings"
    assert set(table["reason"]) == {"no_ratings", ""}


def test_the_figure_has_a_row_for_each_component_and_rating():
    features = make_features()
    table = model_table(make_improvement(features, lambda row: 2 * row["link"]), features.assign(conduciveness=np.nan))
    with figure_style():
        figure = draw_rating_model(table)
    upper, lower = figure.axes
    assert [label.get_text() for label in upper.get_yticklabels()] == [
        COMPONENTS[name] for name in ("target", "source", "target_dataset", "source_dataset", "dataset_pair", "noise")
    ]
    assert [text.get_text() for text in lower.texts] == [REASONS["no_ratings"][1]]
