"""Simulated studies for claims: their truths by hand, and verdicts where the truth is plain."""

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.importance import permutation
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, NOT_TESTABLE, SUPPORTED, UNDECIDED
from empathy_transfer.validation import claim_importance
from empathy_transfer.validation.calibration import ridge_fit
from empathy_transfer.validation.claim_importance import importance_of_studies, with_similarities
from empathy_transfer.validation.claim_rates import (
    Condition,
    LabelCondition,
    claim_conditions,
    conditions,
    label_conditions,
    label_verdicts,
    rates,
    verdicts,
)
from empathy_transfer.validation.claim_studies import (
    Changes,
    Luck,
    draw_noise,
    true_changes,
    variants_of_study,
)
from empathy_transfer.validation.label_studies import AGREEMENT, PARTS, TRAINED, LabelTruth, label_evidence
from empathy_transfer.validation.simulated_studies import make_design

STILL = Luck(seed_sd=0.02, item_sd=0.02, adapter_sd=0.0)
VARIANTS = ["news_empathy_corrected_gpt", "news_empathy_corrected_llama"]


@pytest.fixture(scope="module")
def themes(truth):
    return np.array([about["theme"] for about in truth.tasks.values()])


def test_every_rule_that_can_decide_has_a_condition(truth):
    judged = {name for condition, _ in (conditions() | label_conditions()).values() for name in condition.truths}
    never = {"best_result", "measured_elsewhere"}
    for claims in (truth.claims, truth.label_claims):
        rules = {claim["rule"] for claim in claims.claims if claim["id"] in judged}
        assert rules == set(claims.rules) - never


def test_true_changes_by_hand(truth, themes):
    changes = Changes(mean=1.0, gains=((("direct", None), 2.0), ((None, "abstract"), 4.0)))
    found = true_changes(truth.design, themes, changes, np.random.default_rng(0))
    direct, abstract = themes[truth.design.source] == "direct", themes[truth.design.target] == "abstract"
    assert found == pytest.approx(1 + 2 * direct + 4 * abstract)
    some = Changes(share=0.25, gain=8.0, pair=1.0)
    shares = [true_changes(truth.design, themes, some, np.random.default_rng(seed)) for seed in range(20)]
    assert set(np.unique(shares)) == {0, 8}
    assert np.mean(np.array(shares) > 0) == pytest.approx(0.25, abs=0.02)


def test_errors_are_as_large_as_what_luck_does(truth):
    """With a lucky adapter, too, since the variance between seeds holds it."""
    luck = Luck(adapter_sd=1.0)
    noises = [draw_noise(truth.design, luck, (0, 0), [seed]) for seed in range(25)]
    moved = np.array([noise.moved for noise in noises])
    errors = np.sqrt(np.mean([noise.se**2 for noise in noises]))
    assert np.sqrt((moved**2).mean()) == pytest.approx(errors, rel=0.08)
    # Items 2 * 4^2 / 3; seeds (.6 (1 + 1.5^2) 2^2 + (1.5 - 1)^2 .4 2^2 + 1) / 3.
    assert errors**2 == pytest.approx(32 / 3 + (0.6 * 3.25 * 4 + 0.25 * 0.4 * 4 + 1) / 3, rel=0.1)


def test_what_variants_gain_is_found_exactly_without_luck(truth):
    tasks = list(truth.tasks)
    made_from = tasks.index("news_empathy")
    noise = draw_noise(truth.design, Luck(item_sd=0.01, seed_sd=0.0, adapter_sd=0.0), (2, made_from), [0])
    still = noise._replace(as_source=noise.as_source * 0, as_target=noise.as_target * 0)
    found = variants_of_study(VARIANTS, made_from, tasks, still, 5.0)
    # Two variants, the 17 other tasks and three seeds.
    assert found.groupby("role").size().to_dict() == {"source": 2 * 17 * 3, "target": 2 * 17 * 3}
    of_target = found[found["role"] == "target"]["gain"]
    assert of_target.to_numpy() == pytest.approx(0.05 * noise.baselines[made_from])
    of_source = found[found["role"] == "source"].set_index("other")["gain"]
    expected = 0.05 * noise.baselines[tasks.index("mi_behavior")]
    assert of_source["mi_behavior"].to_numpy() == pytest.approx(expected)


def test_a_lucky_adapter_of_a_variant_moves_all_of_its_gains(truth):
    made_from = list(truth.tasks).index("news_empathy")
    noise = draw_noise(truth.design, Luck(item_sd=0.01, seed_sd=0.0, adapter_sd=2.0), (2, made_from), [0])
    others = np.arange(18) != made_from
    assert np.ptp(noise.as_source[:, others], axis=1) == pytest.approx(0, abs=0.2)
    assert np.abs(noise.as_source[:, others]).max() > 0.5
    # As a target, it moves transfer to the variant and to the task alike.
    assert noise.as_target[:, others] == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            Changes(gains=((("direct", "direct"), 15), (("direct", "adjacent"), 15))),
            {
                "abstract_targets_never_improve": SUPPORTED,
                "direct_sources_help_direct_and_adjacent": SUPPORTED,
                "direct_sources_transfer_best": SUPPORTED,
                "definition_above_all": NOT_TESTABLE,
            },
        ),
        (
            Changes(mean=10.0),
            {"no_substantial_evidence": NOT_SUPPORTED, "half_with_transfer_equals_full": NOT_SUPPORTED},
        ),
        (
            Changes(),
            {"no_substantial_evidence": SUPPORTED, "half_with_transfer_equals_full": SUPPORTED},
        ),
        (
            Changes(mean=-20.0, gains=(((None, "abstract"), 40.0),)),
            {
                "abstract_targets_never_improve": NOT_SUPPORTED,
                "direct_sources_help_direct_and_adjacent": NOT_SUPPORTED,
            },
        ),
    ],
)
def test_plain_truths_are_found(truth, changes, expected):
    (found,) = verdicts(truth, Condition(STILL, changes, dict.fromkeys(expected)), [[3]])
    assert found == expected


def test_rates_by_hand():
    studies = [{"a": SUPPORTED, "b": [SUPPORTED, UNDECIDED]}, {"a": NOT_SUPPORTED, "b": [NOT_SUPPORTED, NOT_TESTABLE]}]
    found = rates({"a": SUPPORTED, "b": None}, studies)
    assert {name: values.tolist() for name, values in found.items()} == {
        "a: wrong": [0, 1],
        "a: right": [1, 0],
        "b: wrong": [0.5, 0.5],  # neither verdict is right there
    }
    for _, _, about in claim_conditions():
        assert {about["bars"].get(f"{name}: wrong") for name in about["condition"].truths} == {(0.0, 0.065)}
        assert {about["bars"].get(f"{name}: right") for name in about["condition"].truths} == {None}


def test_importance_of_all_studies_is_that_of_each(truth, monkeypatch):
    """Against the analysis of one study, with ridge regression in the place of support vectors."""
    tasks = list(truth.tasks)[:6]
    pairs = with_similarities(truth.pairs)
    pairs = pairs[pairs["source"].isin(tasks) & pairs["target"].isin(tasks)].reset_index(drop=True)
    settings = {"seed": 0, "shuffles": 3, "permutations": 2, "interval_draws": 50}
    monkeypatch.setattr(claim_importance, "SETTINGS", settings)
    outcomes = np.random.default_rng(0).normal(0, 3, (2, len(pairs))) + 4 * pairs["definition"].to_numpy(float)
    found = importance_of_studies(pairs, make_design(pairs), outcomes)
    monkeypatch.setattr(permutation, "fit_regressions", lambda kernel, drawn, model: ridge_fit(kernel, drawn))
    columns = permutation.feature_columns(pairs, list(found[0][0].dropna(subset=["importance"])["feature"]))
    model = permutation.Model(1.0, 0.1, True, True)
    rows = permutation.measure_sound(pairs.assign(outcome=outcomes[1]), columns, model, {}, settings)
    expected = pd.DataFrame([row for row in rows if row["part"] == "test"]).set_index("feature")
    table = found[1][0].set_index("feature").loc[expected.index]
    for name in ("importance", "band_high", "low_tasks", "high_datasets", "r2_test"):
        assert table[name].to_numpy(float) == pytest.approx(expected[name].to_numpy(float)), name
    assert (table["protocol"] == "sound").all()
    assert table["importance"].idxmax() == "definition"


def test_a_study_of_labels_has_its_truths():
    evidence = label_evidence(LabelTruth(dict.fromkeys(TRAINED, 0.5)), [1])
    gains = evidence.comparisons[evidence.comparisons["comparison"] == "baseline"].set_index("setting")
    assert (gains.loc[list(TRAINED), "difference"] > 0.2).all()
    assert (gains["n_test"] == PARTS["test"]).all()
    alphas = evidence.agreement.set_index(["first", "second"])["krippendorff_alpha"]
    assert alphas["gpt", "llama"] == pytest.approx(AGREEMENT["models"], abs=0.06)
    assert alphas["crowd", "gpt"] == pytest.approx(AGREEMENT["crowd"], abs=0.15)


def test_claims_on_labels_are_found_where_they_are_plain(truth):
    names = ("correction and augmentation beat the baseline", "DeBERTa-v3-base above RoBERTa-base")
    plain = LabelTruth(dict.fromkeys(TRAINED, 0.5), encoder=0.5)
    (found,) = label_verdicts(truth.label_claims, LabelCondition(plain, dict.fromkeys(names)), [[2]])
    assert found == {names[0]: [SUPPORTED] * 6, names[1]: [SUPPORTED]}
