"""Planned studies: what they measure and find by hand, and their power against the verdicts of a study's own rules."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from empathy_transfer.claims.engine import read_claims
from empathy_transfer.claims.transfer_rules import BOUNDS, RULES
from empathy_transfer.cli import main
from empathy_transfer.inspection import study_design
from empathy_transfer.inspection.study_design import additions_to, calculate, pilot_spreads, power_in_words
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, SUPPORTED
from empathy_transfer.validation.claim_power import POWERS, power_of
from empathy_transfer.validation.claim_worlds import make_world, percent_of, truth_in_words
from empathy_transfer.validation.planned_studies import (
    Plan,
    PlannedLuck,
    Spreads,
    detectable_changes,
    discoveries,
    layout,
    p_values,
    simulate_luck,
)
from empathy_transfer.validation.planned_verdicts import right_verdict, verdicts_of_plan
from study_copy import ROOT

PATH = ROOT / "resources/claims/transfer.yaml"
CLAIMS = read_claims(PATH, RULES, BOUNDS)
BY_ID = {claim["id"]: claim for claim in CLAIMS.claims}
SMALL = Plan(tasks=12, datasets=6, seeds=3, items=1000)
LITTLE = Spreads(*[0.2] * 6)._replace(seed=0.5, adapter=0.5, item=1.0)


def test_tasks_of_a_plan_stand_as_in_the_published_study():
    where = layout(Plan(18, 9))
    assert [where.tasks_of(theme) for theme in ("direct", "abstract", "adjacent")] == [6, 6, 6]
    assert np.bincount(where.datasets).tolist() == [2] * 9
    assert len(where.design.source) == 18 * 17
    assert int(where.of_theme("direct", "source").sum()) == 6 * 17
    # The first two tasks are direct and abstract: mean ratings 5 and 5 for the definition, 3.5 and 2 for the link.
    first = (where.design.source == 0) & (where.design.target == 1)
    assert where.design.ratings[first].tolist() == [[0, -1.5, -1.5]]
    assert Plan(18, 9, 3).trainings == 2 * 3 * (18 + 306)


def test_discoveries_by_hand():
    # Benjamini and Hochberg: .01 <= .0125, .02 <= .025, .03 <= .0375, and .5 is none.
    found, level = discoveries(np.array([[0.5, 0.03, 0.01, 0.02], [0.5, 0.4, 0.3, 0.2]]))
    assert found.tolist() == [[False, True, True, True], [False] * 4]
    assert level == pytest.approx([0.0375, 0.0125])


def test_what_a_test_could_show_by_hand():
    # With many degrees of freedom 1.960 + .842 standard errors; each study at a level of its own.
    luck = PlannedLuck(np.zeros((2, 6)), np.zeros((2, 6)), np.full((2, 3), 2.0), np.full((2, 3), 1e9), True)
    assert detectable_changes(luck, 0.05) == pytest.approx(np.full((2, 3), 2 * 2.8016), rel=1e-4)
    assert detectable_changes(luck, np.array([0.05, 0.01]))[1] == pytest.approx(
        np.full(3, 2 * (2.5758 + 0.8416)), rel=1e-4
    )
    p = p_values(np.full((2, 6), 3.92), luck, layout(Plan(3, 3)).design)
    assert p == pytest.approx(np.full((2, 6), 0.05), rel=1e-3)


def test_tests_know_how_far_luck_moves_a_transfer():
    spreads = Spreads()._replace(seed=3.0, adapter=2.0, item=1.0, baseline_spread=1.5, seed_correlation=0.4)
    plan = Plan(9, 3, 5, 300)
    luck = simulate_luck(plan, layout(plan), spreads, 2000, 0)
    # Per seed: the baseline's own luck 9 x 2.25 x .6, what a seed does to the baseline beyond the transfers
    # 9 x .4 x .25, the transfer's own 9 x .6, its adapter 4, and items of both 2.
    expected = (9 * 2.25 * 0.6 + 9 * 0.4 * 0.25 + 9 * 0.6 + 4 + 2) / 5
    assert luck.measured.var() == pytest.approx(expected, rel=0.05)
    assert (luck.se**2).mean() == pytest.approx(expected, rel=0.05)
    p = p_values(luck.measured, luck, layout(plan).design)
    assert 0.03 < (p <= 0.05).mean() < 0.07
    assert not simulate_luck(plan._replace(seeds=1), layout(plan), spreads, 5, 0).covers_seeds


def test_the_gain_of_variants_by_hand():
    spreads = Spreads(adapter=3.0, seed=0.0, item=0.0)
    world = make_world(Plan(6, 3, seeds=3), spreads, CLAIMS.bounds, studies=2)
    claim = BY_ID["corrected_labels_make_better_sources"]
    # Two variants and their task: 9 (1 + 1/2) / 3 seeds; 2 (3 - 1) degrees of freedom.
    power = 1 - stats.nct.cdf(stats.t.isf(0.025, 4), 4, 5 / math.sqrt(4.5))
    assert power_of(claim, world, 5) == pytest.approx(power)
    assert power_of(claim, make_world(Plan(6, 3, seeds=1), spreads, CLAIMS.bounds, studies=2), 5) == 0


def test_where_no_verdict_is_right_there_is_no_power():
    world = make_world(SMALL, LITTLE, CLAIMS.bounds, studies=20)
    assert np.isnan(power_of(BY_ID["direct_sources_improve_most"], world, 0))
    assert np.isnan(power_of(BY_ID["no_substantial_evidence"], world, CLAIMS.bounds["substantial_percent"]))
    assert np.isnan(power_of(BY_ID["task_similarity_not_predictive"], world, 4))
    # One seed covers items only, and a theme of one task says nothing of the theme.
    alone = make_world(SMALL._replace(seeds=1), LITTLE, CLAIMS.bounds, studies=20)
    assert power_of(BY_ID["direct_sources_improve_most"], alone, 16) == 0
    assert power_of(BY_ID["direct_sources_transfer_best"], alone, 16) > 0.5
    few = make_world(Plan(3, 3), LITTLE, CLAIMS.bounds, studies=20)
    assert power_of(BY_ID["direct_sources_transfer_best"], few, 16) == 0


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("half_with_transfer_equals_full", 2),
        ("half_with_transfer_equals_full", 8),
        ("no_substantial_evidence", 0),
        ("no_substantial_evidence", 2),
        ("abstract_targets_never_improve", 4),
        ("direct_sources_help_direct_and_adjacent", 8),
        ("improvements_are_rare", 4),
    ],
)
def test_verdicts_are_those_of_the_rules_study_by_study(name, effect):
    claim, spreads = BY_ID[name], LITTLE._replace(item=2.5, seed=1.5)
    world = make_world(SMALL._replace(items=300), spreads, CLAIMS.bounds, studies=40)
    right = right_verdict(claim, CLAIMS.bounds, effect)
    judged = [verdict == right for verdict in verdicts_of_plan(claim, RULES, world, effect, 5)]
    found = POWERS[claim["rule"]](world, percent_of(claim, world, effect), effect, **claim["arguments"])[:5]
    assert found.tolist() == judged


def test_differences_of_themes_are_found_as_often_as_by_the_rule():
    claim, world = BY_ID["direct_sources_transfer_best"], make_world(SMALL, Spreads(), CLAIMS.bounds, studies=40)
    found = POWERS["theme_differs"](world, percent_of(claim, world, 6), 6, **claim["arguments"])[:8]
    judged = [verdict == SUPPORTED for verdict in verdicts_of_plan(claim, RULES, world, 6, 8)]
    assert 0 < sum(judged) < 8
    assert abs(sum(judged) - found.sum()) <= 1


def test_right_verdicts_and_truths_in_words():
    assert right_verdict(BY_ID["improvements_are_rare"], CLAIMS.bounds, 0) == SUPPORTED
    assert right_verdict(BY_ID["improvements_are_rare"], CLAIMS.bounds, 1) == NOT_SUPPORTED
    assert right_verdict(BY_ID["half_with_transfer_equals_full"], CLAIMS.bounds, 4) == SUPPORTED
    assert truth_in_words(BY_ID["direct_sources_harm_least"]) == "other sources lose"
    assert truth_in_words(BY_ID["direct_targets_lose_most_with_half"]) == "direct targets lose more"
    assert truth_in_words(BY_ID["task_similarity_not_predictive"]) is None


def test_additions_and_the_page():
    larger = additions_to(Plan(18, 9, 3, 300))
    assert larger["6 more tasks in 3 more datasets"] == Plan(24, 12, 3, 300)
    assert larger["2 more seeds"].seeds == 5
    found = calculate(SMALL, Spreads(), PATH, effects=(0, 8), studies=10)
    text = power_in_words(SMALL, Spreads(), found, effects=(0, 8))
    assert "A study of 12 tasks in 6 datasets with 1,000 test items a task, and 3 seeds: 864 trainings" in text
    assert "direct_sources_improve_most" in text
    assert "task_similarity_not_predictive" not in text
    assert "First: " in text
    # Twice the items find no less; the luck is drawn anew, so allow for two studies of ten.
    row = [claim["id"] for claim in found.claims].index("abstract_targets_never_improve")
    assert found.added["twice the test items"][row] >= found.power[row, found.middle[row]] - 0.2


def test_a_pilot_says_what_seeds_and_items_vary(monkeypatch):
    row = {"source": "b", "target": "a", "data": "full", "runs": "all", "p": 0.5, "covers": "items_and_seeds"}
    row |= {"baseline": 0.5, "seed_sd": 0.05, "seed_item_sd": 0.03, "item_se": 0.02, "seeds": 3, "n_test": 150}
    frame = pd.DataFrame([row, row | {"source": "a", "target": "b"}])
    monkeypatch.setattr(study_design, "read_csv", lambda path: frame)
    # .05^2 - .03^2 = .04^2 of .5: 8 %, half of that variance each. Items: .02 / .5 x sqrt(3 / 2 x 150 / 300) = 3.46 %.
    spreads = pilot_spreads("anywhere")
    half = 8 / math.sqrt(2)
    assert (spreads.seed, spreads.adapter, spreads.item) == pytest.approx((half, half, 4 * math.sqrt(0.75)))
    monkeypatch.setattr(study_design, "read_csv", lambda path: frame.assign(covers="items"))
    with pytest.raises(ValueError, match="no test of a transfer covers seeds"):
        pilot_spreads("anywhere")


def test_the_command_says_what_a_plan_must_be(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for arguments, words in ((["--tasks", "2"], "3 tasks or more"), ([], "there is no file of claims")):
        with pytest.raises(SystemExit) as stop:
            main(["design", *arguments])
        assert stop.value.code == 2
        assert words in capsys.readouterr().err
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(study_design, "calculate", lambda plan, spreads, path: plan)
    monkeypatch.setattr(study_design, "power_in_words", lambda plan, spreads, found: f"{found}")
    assert main(["design", "--tasks", "20", "--test-items", "50"]) == 0
    assert "Plan(tasks=20, datasets=9, seeds=3, items=50)" in capsys.readouterr().out
