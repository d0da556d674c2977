"""Claims on labels from language models: each rule is made to support, to disagree, to leave open and to refuse."""

import pandas as pd
import pytest

from empathy_transfer.claims.label_claims import COLUMNS, label_claims
from empathy_transfer.claims.label_rules import RULES, LabelEvidence
from empathy_transfer.statistics.intervals import correlation_interval
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, NOT_TESTABLE, SUPPORTED, UNDECIDED
from study_copy import ROOT

CLAIMS = ROOT / "resources/claims/labels.yaml"
NOTHING = LabelEvidence(None, None, None, 0.05)
SCORE_COLUMNS = ["encoder", "model", "setting", "kind", "number", "seed", "trained_as", "pearson_r", "validation_ccc"]


def judged(rule, arguments=None, **evidence):
    """The findings of a rule at a level of 5 %, with the bounds as written."""
    found = RULES[rule](NOTHING._replace(**evidence), {"no_gain": 0.02}, **(arguments or {}))
    return [found] if hasattr(found, "verdict") else list(found)


def test_the_best_result_has_the_interval_of_its_test_texts_and_of_the_printed_ones():
    scores = pd.DataFrame({"encoder": "minilm", "model": "gpt", "setting": "alpha=4", "pearson_r": [0.3, 0.4, 0.5]})
    comparisons = pd.DataFrame({"encoder": ["minilm"], "n_test": [208]})
    (row,) = judged("best_result", {"printed_r": 0.648, "essays": 83}, scores=scores, comparisons=comparisons)
    assert (row.number, row.verdict, row.keys) == (0.4, NOT_TESTABLE, {"encoder": "minilm", "model": "gpt"})
    assert (row.low, row.high) == correlation_interval(0.4, 208, 0.05)
    assert row.why.endswith("as printed: r 0.648 (95 % interval 0.50 to 0.76 at 83 texts)")


def swept(values):
    """Scores of a sweep: {threshold: validation concordance by seed}."""
    rows = [
        ("minilm", "gpt", f"alpha={number:g}", "alpha", number, seed, f"alpha={number:g}", 0.1, value)
        for number, found in values.items()
        for seed, value in enumerate(found)
    ]
    return pd.DataFrame(rows, columns=SCORE_COLUMNS)


def compared(comparison, **columns):
    """Rows of comparisons in concordance."""
    about = {"encoder": "minilm", "comparison": comparison, "metric": "ccc", "model": "gpt", "seeds": 5}
    return pd.DataFrame(about | {"difference": 0.2, "p_published": None} | columns)


@pytest.mark.parametrize(
    ("values", "pair", "ends", "verdict"),
    [
        # Chosen by validation, and judged on test texts.
        ({0: [0.1, 0.1], 4: [0.4, 0.41], 5: [0.3, 0.31]}, (4, 5), (-0.01, 0.1), UNDECIDED),
        ({0: [0.1, 0.1], 4: [0.4, 0.41], 5: [0.3, 0.31]}, (4, 5), (0.01, 0.1), SUPPORTED),
        # The best lies in the middle, though the mean of 3.5 and 4 is below 5.
        ({3.5: [0.1, 0.1], 4: [0.4, 0.41], 5: [0.3, 0.31]}, (4, 5), (0.01, 0.1), SUPPORTED),
        # The lower threshold stands first, so that the difference is turned.
        ({3: [0.3, 0.31], 4: [0.2, 0.21]}, (3, 4), (0.01, 0.1), NOT_SUPPORTED),
        ({4: [0.2], 5: [0.3]}, (4, 5), (0.01, 0.1), NOT_TESTABLE),
        ({3: [0.2, 0.2], 5: [0.3, 0.3]}, (3, 5), (0.01, 0.1), NOT_TESTABLE),
        ({0: [0.1, 0.1], 4: [0.4, 0.41]}, (4, 5), (0.01, 0.1), NOT_TESTABLE),  # these two were not compared
    ],
)
def test_the_best_threshold_is_compared_with_the_best_of_the_others(values, pair, ends, verdict):
    names = {"setting": [f"alpha={pair[0]:g}"], "other_setting": f"alpha={pair[1]:g}"}
    seeds = len(next(iter(values.values())))
    frame = compared("thresholds", **names, low=ends[0], high=ends[1], difference=0.05)
    about = {"scores": swept(values), "comparisons": frame.assign(seeds=seeds)}
    (row,) = judged("best_threshold", {"least": 3.5, "most": 4.5}, **about)
    assert row.verdict == verdict
    if verdict == NOT_SUPPORTED:
        assert (row.number, row.low, row.high) == (-0.05, -0.1, -0.01)


@pytest.mark.parametrize(
    ("low", "high", "seeds", "verdict"),
    [
        (-1, 0.01, 5, SUPPORTED),
        (0.01, 0.05, 5, NOT_SUPPORTED),
        (-1, 0.05, 5, UNDECIDED),
        (-1, 0.01, 1, NOT_TESTABLE),
    ],
)
def test_a_plateau_is_a_gain_of_surely_less_than_what_is_worth_labels(low, high, seeds, verdict):
    frame = compared("plateau", setting=["added=1"], other_setting="added=0.3", low=low, high=high, seeds=seeds)
    (row,) = judged("plateau", comparisons=frame)
    assert (row.verdict, row.number, row.keys) == (verdict, 0.2, {"encoder": "minilm", "model": "gpt"})
    assert row.why == "concordance of added=1 less that of added=0.3; supported if surely below 0.02"


@pytest.mark.parametrize(("p", "verdict"), [(0.01, SUPPORTED), (0.02, UNDECIDED)])
def test_a_gain_is_supported_at_a_false_discovery_rate_among_the_rows_of_its_claim(p, verdict):
    # Three rows: q of the smallest p is three times it, .03 or .06.
    settings = ["alpha=chosen", "added=1", "both=1"]
    frame = compared("baseline", setting=settings, p=[p, 0.6, 0.7], low=[0.1, -1, -1], high=1)
    rows = judged("beat_the_baseline", {"settings": settings}, comparisons=frame)
    assert [row.verdict for row in rows] == [verdict, UNDECIDED, UNDECIDED]
    assert f"q {3 * p:.3g} among the 3 of this claim" in rows[0].why
    once = judged("beat_the_baseline", {"settings": settings}, comparisons=frame.assign(seeds=1, p_published=0.5))
    assert {row.verdict for row in once} == {NOT_TESTABLE}
    assert "noise of seeds only" in once[0].why


# With ten groups and three rows, 95 % for all of them: t of 9 degrees of freedom beyond 2.5 % / 3 is 2.93.
@pytest.mark.parametrize(
    ("alphas", "error", "verdict"),
    [
        ([0.9, 0.9, 0.9], 0.03, SUPPORTED),  # .9 - .088 is above .8
        ([0.9, 0.9, 0.85], 0.03, UNDECIDED),  # .85 - .088 is not, though .85 is
        ([0.9, 0.9, 0.75], 0.03, UNDECIDED),  # .75 + .088 is above .8: a point below it does not decide
        ([0.9, 0.9, 0.7], 0.03, NOT_SUPPORTED),  # .7 + .088 is below .8
        ([0.9, 0.9, 0.73], 0.03, UNDECIDED),  # 95 % of one row would end at .798
    ],
)
def test_claims_on_agreement_are_judged_by_intervals_wide_enough_for_all(alphas, error, verdict):
    frame = pd.DataFrame({"krippendorff_alpha": alphas, "alpha_se": error, "clusters": 10, "first": "gpt"})
    of_models = {"of": "models", "limit": 0.8, "side": "above"}
    of_crowd = {"of": "crowd", "limit": 0.27, "side": "below"}
    (row,) = judged("agree_in_all_sets", of_models, agreement=frame)
    assert (row.verdict, row.low, row.high) == (verdict, min(alphas), max(alphas))
    assert judged("agree_in_all_sets", of_crowd, agreement=frame) == []
    # The same numbers of the crowd against a limit that they must not pass: all are above .27.
    (row,) = judged("agree_in_all_sets", of_crowd, agreement=frame.assign(first="crowd"))
    assert row.verdict == NOT_SUPPORTED
    assert "of 3 sets and pairs 0 surely as printed, 3 surely not" in row.why
    one = judged("agree_in_all_sets", of_models, agreement=frame.assign(clusters=1))
    assert one[0].verdict == NOT_TESTABLE


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        # With eight degrees of freedom, an error of .01 gives half-widths of .0231, and for two settings of .0275.
        ([0.024, 0.1], SUPPORTED),
        ([0.022, 0.1], UNDECIDED),
        ([-0.027, 0.1], UNDECIDED),
        ([-0.028, 0.1], NOT_SUPPORTED),
    ],
)
def test_an_order_of_encoders_is_judged_over_texts_and_seeds(differences, verdict):
    scores = pd.DataFrame({"encoder": ["deberta", "roberta"]})
    names = {"setting": ["baseline", "huber"], "other_encoder": "roberta", "se": 0.01, "df": 8}
    frame = compared("encoders", **names, difference=differences).assign(encoder="deberta")
    order = {"better": "deberta", "other": "roberta"}
    (row,) = judged("encoder_above", order, scores=scores, comparisons=frame)
    assert (row.verdict, row.pairs) == (verdict, 2)
    turned = frame.assign(encoder="roberta", other_encoder="deberta", difference=-frame["difference"])
    assert judged("encoder_above", order, scores=scores, comparisons=turned) == [row]
    (row,) = judged("encoder_above", order | {"other": "electra"}, scores=scores, comparisons=frame)
    assert (row.verdict, row.why) == (NOT_TESTABLE, "this study does not train both encoders")
    (row,) = judged("encoder_above", order, scores=scores, comparisons=frame.assign(seeds=1))
    assert (row.verdict, row.why) == (NOT_TESTABLE, "no setting has two seeds of both encoders")


def test_the_written_claims_are_the_printed_ones_and_all_have_rows():
    scores = pd.concat([swept({0: [0.1, 0.1], 4: [0.4, 0.41]})]).assign(ccc=0.4)
    baseline = compared("baseline", setting=["alpha=chosen"], p=0.001, low=0.1, high=0.3, n_test=120)
    plateau = compared("plateau", setting=["added=1"], other_setting="added=0.3", low=-0.1, high=0.01, n_test=120)
    alphas = {"krippendorff_alpha": [0.2, 0.5], "alpha_se": 0.01, "clusters": 60}
    agreement = pd.DataFrame({"first": ["crowd", "gpt"], "second": ["gpt", "llama"]} | alphas)
    found = label_claims(CLAIMS, LabelEvidence(scores, pd.concat([baseline, plateau]), agreement, 0.05))
    assert list(found.columns) == COLUMNS
    verdicts = found.set_index("claim")["verdict"]
    assert verdicts["LLM label consistency"] == NOT_SUPPORTED
    assert verdicts["crowd label consistency"] == SUPPORTED
    assert verdicts["correction and augmentation beat the baseline"] == SUPPORTED
    assert verdicts["plain prompt"] == NOT_TESTABLE
    printed = pd.read_csv(ROOT / "resources/published/s3_claims.csv").set_index("claim")
    printed = printed.rename(columns={"value": "printed"})[["metric", "printed"]].fillna("")
    written = found.set_index("claim")[["metric", "printed"]]
    assert set(written.index) == set(printed.index)
    assert written.to_dict("index") == printed.loc[written.index].to_dict("index")
