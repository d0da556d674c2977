"""Simulated cells, variants and counts by theme whose runs share their luck: quick versions of `make validate`."""

import numpy as np
import pytest
from scipy import special

from empathy_transfer.significance.paired_tests import between_seeds, primary_test, system_score
from empathy_transfer.statistics.intervals import mean_interval
from empathy_transfer.statistics.resampling import make_sample, resampled_counts, score_systems, whole_counts
from empathy_transfer.validation import theme_rates
from empathy_transfer.validation.bars import by_statistic
from empathy_transfer.validation.cells import FALSE_POSITIVES, POWER, cell_rates, compare_cells, score_and_influence
from empathy_transfer.validation.coverage import SETTINGS, Target, simulate_target
from empathy_transfer.validation.theme_rates import ThemeStudy, simulate_scores, theme_intervals
from empathy_transfer.validation.variants import RIGHT, WRONG, VariantStudy, simulate_gains, wrong_verdicts


def generators(number):
    """So many generators."""
    return [np.random.default_rng([7, seed]) for seed in range(number)]


def test_influences_are_what_leaving_an_item_out_shows():
    labels, answers = np.random.default_rng(0).standard_normal((2, 400))
    answers = answers + labels
    r, influence = score_and_influence(labels, answers[None])
    assert r[0] == pytest.approx(np.corrcoef(labels, answers)[0, 1])
    left = [np.corrcoef(np.delete(labels, item), np.delete(answers, item))[0, 1] for item in range(0, 400, 40)]
    assert 399 * (r[0] - np.array(left)) == pytest.approx(influence[0, ::40], abs=0.05)


def test_simulated_cells_are_tested_as_those_of_a_study():
    """By influence functions here, by resamples there."""
    target = Target((), 300, 3, transfers=4, level=0.6, system_spread=0.0, baseline_spread=2.0, seed_correlation=0.4)
    t, critical = compare_cells(target, np.random.default_rng(5), of_truth=False)
    labels, answers, _ = simulate_target(target, np.random.default_rng(5))
    sample, given = make_sample(labels), list(answers.values())
    whole = score_systems(sample, given, whole_counts(300))
    scores = score_systems(sample, given, resampled_counts(300, 4000))
    rows = {(system, "full", seed): row for row, (system, seed) in enumerate(answers)}
    values = {key: system_score(whole, row) for key, row in rows.items()}
    runs = [[key for key in rows if key[0] == system] for system in range(5)]
    between = between_seeds(values, scores, rows, [(transfer, runs[0]) for transfer in runs[1:]], 300, "drop")
    for place, transfer in enumerate(runs[1:]):
        sides = [[rows[key] for key in side] for side in (transfer, runs[0])]
        cell, _ = primary_test(whole, scores, sides, between, 300, SETTINGS, half=False)
        assert t[place] == pytest.approx(cell["difference"] / cell["se"], rel=0.06)
        assert critical[place] == pytest.approx(special.stdtrit(cell["df"], 0.975), rel=0.06)


def test_cells_keep_their_level_where_runs_share_their_luck():
    """Here a test that pooled the variance of all runs found 1 % and 19 to 29 %."""
    target = Target((), 300, 3, transfers=8, level=0.6, system_spread=0.0)
    together = cell_rates(target._replace(seed_correlation=0.8), range(150), generators(150))
    assert 0.015 <= together[FALSE_POSITIVES].mean() <= 0.08
    assert together[POWER].mean() > 0.3
    apart = cell_rates(target._replace(baseline_spread=3.0), range(150), generators(150))
    assert 0.015 <= apart[FALSE_POSITIVES].mean() <= 0.1


@pytest.mark.parametrize("role", ["source", "target"])
def test_variants_that_gain_nothing_are_seldom_said_to(role):
    study = VariantStudy(role, seeds=3, luck=1.0)
    found = by_statistic([wrong_verdicts(study, one) for one in generators(25)])
    assert found[WRONG].mean() <= 0.2
    assert by_statistic([wrong_verdicts(study._replace(luck=0.0), one) for one in generators(10)])[RIGHT].mean() > 0.5
    # A t test over the other tasks, as if their gains were independent.
    missed = []
    for generator in generators(25):
        low, high = mean_interval(simulate_gains(study, generator).groupby("other")["gain"].mean(), 0.05)
        missed.append(not low <= 0 <= high)
    assert np.mean(missed) > 0.4


def test_counts_by_theme_allow_for_the_luck_of_adapters():
    """With luck intervals are wider, and next to as wide without."""
    widths = {}
    for luck in (0.0, 2.0):
        found = [list(theme_intervals(ThemeStudy(3, luck, tasks=9), generator)) for generator in generators(2)]
        widths[luck] = [np.mean([high - low for low, high in (pair[place] for pair in found)]) for place in (0, 1)]
    assert widths[2.0][0] > 1.05 * widths[2.0][1]
    assert widths[0.0][0] == pytest.approx(widths[0.0][1], rel=0.03)


def test_an_adapter_moves_all_transfers_of_its_seed():
    scores = simulate_scores(ThemeStudy(60, luck=2.0, tasks=4), np.random.default_rng(0))
    assert len(scores) == (4 * 3 + 4) * 60
    runs = scores[scores["source"] == "t1"].pivot(index="seed", columns="target", values="value")
    # Of the variance, 4 parts are the adapter's, 1 the run's own, and (2 / 3) ** 2 that of the choice of items.
    expected = 4 / (5 + (theme_rates.ITEM_SPREAD / theme_rates.SEED_SPREAD) ** 2)
    assert runs.corr().to_numpy()[np.triu_indices(3, 1)] == pytest.approx([expected] * 3, abs=0.12)
