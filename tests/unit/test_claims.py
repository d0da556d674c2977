"""Claims: each rule is made to support, to disagree, to leave open and to refuse, on studies worked out by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
import yaml

from empathy_transfer.claims.engine import ClaimSet, Finding, judge, read_claims
from empathy_transfer.claims.families import holm
from empathy_transfer.claims.importance_rules import RATINGS
from empathy_transfer.claims.transfer_claims import CLAIM_COLUMNS, as_page, judge_transfer
from empathy_transfer.claims.transfer_evidence import (
    OWN_TESTS,
    SCORES,
    TESTS,
    Evidence,
    printed_evidence,
    study_evidence,
)
from empathy_transfer.claims.transfer_rules import BOUNDS as BOUND_NAMES
from empathy_transfer.claims.transfer_rules import RULES
from empathy_transfer.errors import DataError
from empathy_transfer.importance.rating_tests import PRIMARY_NULL
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, NOT_TESTABLE, SUPPORTED, UNDECIDED
from study_copy import ROOT

WRITTEN = read_claims(ROOT / "resources/claims/transfer.yaml", RULES, BOUND_NAMES)
BOUNDS = WRITTEN.bounds
THEMES = ("direct", "abstract", "adjacent")
TASKS = {
    f"{theme}{number}": {"theme": theme, "kind": "classification", "dataset": f"{theme}{number}"}
    for theme in THEMES
    for number in range(5)
}
ARGUMENTS = {
    "data": "full", "outcome": "improved", "role": "source", "theme": "direct", "direction": "more"
}  # fmt: skip


def theme(task):
    return TASKS[task]["theme"]


def make_evidence(effect, detectable=2.0, basis=TESTS, seeds=3, data="full", tasks=TASKS, **more):
    """All pairs; `effect` gives the change by source and target in points, of which 3 or more are significant.

    All baselines are 1, so that a point is a percent.
    """
    rows = [(*pair, data, float(effect(*pair)), detectable) for pair in itertools.permutations(tasks, 2)]
    pairs = pd.DataFrame(rows, columns=["source", "target", "data", "points", "detectable"])
    improved, harmed = pairs["points"] >= 3, pairs["points"] <= -3
    pairs = pairs.assign(improved=improved, harmed=harmed, not_harmed=~harmed, one_percent=1.0, own=100.0)
    # What a test at 5 % detects is 2.8 standard errors.
    pairs = pairs.assign(p=np.where(improved | harmed, 1e-5, 0.5), se=detectable / 280, df=1000.0)
    return Evidence(pairs, tasks, basis, seeds, **more)


def judged(evidence, rule, **arguments):
    return RULES[rule](evidence, BOUNDS, **arguments)


def from_direct(source, target):
    return 5 if theme(source) == "direct" else 0


def test_a_theme_that_always_improves_is_supported():
    finding = judged(make_evidence(from_direct), "theme_differs", **ARGUMENTS)
    assert finding.verdict == SUPPORTED
    assert (finding.number, finding.low, finding.high) == pytest.approx((100, 100, 100))
    # 756,756 arrangements of 15 labels in fives; hardly one of 2,000 is as extreme.
    assert finding.p == pytest.approx(1 / 2001, abs=0.001)
    assert finding.pairs == 210


def test_another_theme_that_improves_more_often_disagrees():
    evidence = make_evidence(lambda source, target: 5 if theme(source) == "adjacent" else 0)
    finding = judged(evidence, "theme_differs", **ARGUMENTS)
    assert (finding.verdict, finding.number) == (NOT_SUPPORTED, -100)
    assert "adjacent sources" in finding.why
    harms = judged(evidence, "theme_differs", **ARGUMENTS | {"outcome": "points", "direction": "less"})
    assert harms.verdict == UNDECIDED
    assert harms.number == pytest.approx(0)  # as good as the abstract ones, and 5 % below the adjacent ones


def test_two_other_themes_need_half_the_error_each_to_disagree():
    """Sources of three direct and four adjacent regressions; the adjacent ones always improve, the direct ones never.

    Of the 35 arrangements of their labels this one alone is as far from the mean, so that p is 1 / 35, or .029: below
    .05, and above .05 / 2. With five direct ones there are 126 arrangements, and p is .008.
    """
    for number, verdict in [(3, UNDECIDED), (5, NOT_SUPPORTED)]:
        sizes = {"direct": number, "adjacent": 4, "abstract": 3}
        tasks = {
            f"{name}{place}": {
                "theme": name,
                "kind": "classification" if name == "abstract" else "regression",
                "dataset": name + str(place),
            }
            for name, size in sizes.items()
            for place in range(size)
        }
        evidence = make_evidence(lambda s, t, tasks=tasks: 5 if tasks[s]["theme"] == "adjacent" else 0, tasks=tasks)
        finding = judged(evidence, "theme_differs", **ARGUMENTS)
        assert (finding.number, finding.high) == pytest.approx((-100, -100))
        assert finding.verdict == verdict
        assert finding.p == pytest.approx({3: 1 / 35, 5: 1 / 126}[number])


def test_less_often_turns_the_sign():
    evidence = make_evidence(lambda source, target: 0 if theme(source) == "direct" else -5)
    finding = judged(evidence, "theme_differs", **ARGUMENTS | {"outcome": "harmed", "direction": "less"})
    assert (finding.verdict, finding.number) == (SUPPORTED, 100)


def test_one_lucky_task_does_not_make_a_theme():
    finding = judged(make_evidence(lambda s, t: 5 if s == "direct0" else 0), "theme_differs", **ARGUMENTS)
    assert finding.verdict == UNDECIDED
    assert finding.number == pytest.approx(20)
    # One direct source of five has it: without its dataset nothing is left, without another the share is 1 in 4.
    assert finding.low < 0 < finding.high


def test_imprecise_tests_are_named():
    finding = judged(make_evidence(lambda s, t: 0, detectable=12.0), "theme_differs", **ARGUMENTS)
    assert finding.verdict == UNDECIDED
    assert finding.why == (
        "tests too imprecise: a change of 5 % would show in 0 of 210 transfers (median detectable change 12 %)"
    )
    never = judged(
        make_evidence(lambda s, t: 0, detectable=12.0), "none_improved", data="full", target_theme="abstract"
    )
    assert never.verdict == UNDECIDED
    assert "too imprecise" in never.why


def test_transfers_whose_baseline_learnt_nothing_could_not_have_shown_a_change():
    """One abstract target of five has a baseline: 14 of 70 transfers could have shown a plausible change."""
    evidence = make_evidence(lambda s, t: 0)
    able = evidence.pairs["target"] == "abstract0"
    pairs = evidence.pairs.assign(own=np.where(able, 100.0, np.nan))
    finding = judged(evidence._replace(pairs=pairs), "none_improved", data="full", target_theme="abstract")
    assert finding.verdict == UNDECIDED
    assert finding.why == (
        "tests too imprecise: a change of 5 % would show in 14 of 70 transfers "
        "(for at least half of them the baseline is near constant answers)"
    )


def test_kinds_are_not_taken_for_themes():
    """All direct targets are regressions, and those gain more than classes; but of the regressions the direct ones gain
    least. Their mean is the highest, and no other grouping of the regressions would have made it lower.
    """
    tasks = {
        f"{theme}{number}": {
            "theme": theme,
            "kind": "regression" if number < few else "classification",
            "dataset": f"{theme}{number}",
        }
        for theme, few in zip(THEMES, (6, 2, 2), strict=True)
        for number in range(6)
    }
    gains = {name: 0 if task["kind"] == "classification" else 9 if task["theme"] == "direct" else 10
             for name, task in tasks.items()}  # fmt: skip
    evidence = make_evidence(lambda s, t: gains[t], tasks=tasks)
    chosen = ARGUMENTS | {"outcome": "points", "role": "target"}
    finding = judged(evidence, "theme_differs", **chosen)
    assert finding.number == pytest.approx(9 - 20 / 6)
    assert finding.low > 0
    assert finding.p < 0.05
    assert finding.verdict == UNDECIDED
    assert finding.why == "the interval lies above 0, but other groupings of the same tasks do as much"


def test_printed_scores_do_not_settle_how_often_transfers_improve():
    finding = judged(make_evidence(from_direct, basis=SCORES), "theme_differs", **ARGUMENTS)
    assert (finding.verdict, finding.why) == (UNDECIDED, "scores without tests: a difference may be chance")
    means = judged(make_evidence(from_direct, basis=SCORES), "theme_differs", **ARGUMENTS | {"outcome": "points"})
    assert means.verdict == SUPPORTED


def test_themes_with_too_few_tasks():
    few = {name: task for name, task in TASKS.items() if name[-1] < "3" or task["theme"] != "adjacent"}
    few = {name: task for name, task in few.items() if name not in ("adjacent1", "adjacent2")}
    finding = judged(make_evidence(from_direct, tasks=few), "theme_differs", **ARGUMENTS)
    assert (finding.verdict, finding.why) == (UNDECIDED, "too few adjacent sources")
    two = {name: TASKS[name] for name in ("direct0", "direct1", "abstract0", "abstract1", "abstract2")}
    finding = judged(make_evidence(from_direct, tasks=two), "theme_differs", **ARGUMENTS)
    assert (finding.verdict, finding.why) == (NOT_TESTABLE, "full data: 2 direct sources with tests")
    assert finding.number is None


def test_half_data_that_are_not_there():
    evidence = make_evidence(from_direct)
    for claim in WRITTEN.claims:
        if claim["arguments"].get("data") == "half":
            assert RULES[claim["rule"]](evidence, BOUNDS, **claim["arguments"]).verdict == NOT_TESTABLE, claim["id"]


def test_one_role_restricted_to_a_theme():
    """Direct sources spare abstract targets only; elsewhere they harm as all others do."""
    evidence = make_evidence(lambda s, t: 0 if (theme(s), theme(t)) == ("direct", "abstract") else -5, data="half")
    chosen = {"data": "half", "outcome": "not_harmed", "direction": "more"}
    finding = judged(evidence, "theme_differs", role="source", theme="direct", other_theme="abstract", **chosen)
    assert (finding.verdict, finding.number, finding.pairs) == (SUPPORTED, 100, 70)
    finding = judged(evidence, "theme_differs", role="target", theme="abstract", other_theme="direct", **chosen)
    assert (finding.verdict, finding.pairs) == (SUPPORTED, 70)
    finding = judged(evidence, "theme_differs", role="source", theme="abstract", other_theme="abstract", **chosen)
    assert finding.verdict == NOT_SUPPORTED


def test_none_improved():
    chosen = {"data": "full", "target_theme": "abstract"}
    assert judged(make_evidence(lambda s, t: 0), "none_improved", **chosen).verdict == SUPPORTED
    one = judged(make_evidence(lambda s, t: 4 if (s, t) == ("direct0", "abstract0") else 0), "none_improved", **chosen)
    assert (one.verdict, one.why, one.pairs) == (NOT_SUPPORTED, "1 improved", 70)
    assert one.number == pytest.approx(100 / 70)
    printed = judged(make_evidence(lambda s, t: 4, basis=SCORES), "none_improved", **chosen)
    assert (printed.verdict, printed.number) == (UNDECIDED, 100)
    assert judged(make_evidence(lambda s, t: 0, data="half"), "none_improved", **chosen).verdict == NOT_TESTABLE


def test_a_claim_on_all_of_many_transfers_is_corrected_for_their_number():
    """70 transfers to abstract targets: one with p = .001 is a discovery of the matrix, yet .001 > .05 / 70."""
    evidence = make_evidence(lambda s, t: 4 if (s, t) == ("direct0", "abstract0") or theme(t) != "abstract" else 0)
    lucky = (evidence.pairs["source"] == "direct0") & (evidence.pairs["target"] == "abstract0")
    verdicts = {}
    for p in (0.001, 0.0007):
        pairs = evidence.pairs.assign(p=np.where(lucky, p, evidence.pairs["p"]))
        finding = judged(evidence._replace(pairs=pairs), "none_improved", data="full", target_theme="abstract")
        verdicts[p] = finding.verdict, finding.number
    assert verdicts == {0.001: (SUPPORTED, 0), 0.0007: (NOT_SUPPORTED, pytest.approx(100 / 70))}
    # The paper corrects for nothing, so its own tests are counted as they are.
    paper = evidence._replace(pairs=evidence.pairs.assign(p=0.001), basis=OWN_TESTS)
    assert judged(paper, "none_improved", data="full", target_theme="abstract").verdict == NOT_SUPPORTED


def test_other_targets_are_corrected_for_their_number():
    """From direct sources: 25 transfers to abstract targets, 20 to direct and 25 to adjacent ones."""
    chosen = {"data": "full", "source_theme": "direct", "target_themes": ["direct", "adjacent"]}
    evidence = make_evidence(lambda s, t: 5 if theme(s) == "direct" and theme(t) != "abstract" else 0)
    one = (evidence.pairs["source"] == "direct0") & (evidence.pairs["target"] == "abstract0")
    pairs = evidence.pairs.assign(points=evidence.pairs["points"].where(~one, 5.0))
    for p, verdict in ((0.003, SUPPORTED), (0.0019, NOT_SUPPORTED)):  # .05 / 25 is .002
        lucky = evidence._replace(pairs=pairs.assign(p=np.where(one, p, pairs["p"])))
        assert judged(lucky, "only_these_targets", **chosen).verdict == verdict
    # What a theme's targets show is corrected for that theme's transfers: .05 / 20 is .0025.
    direct = evidence.pairs["target"].map(theme) == "direct"
    for p, verdict in ((0.003, UNDECIDED), (0.0024, SUPPORTED)):
        weak = evidence._replace(pairs=evidence.pairs.assign(p=np.where(direct, p, evidence.pairs["p"])))
        assert judged(weak, "only_these_targets", **chosen).verdict == verdict


def test_the_step_down_of_holm():
    # .01 <= .05 / 4, .0166 <= .05 / 3, .026 > .05 / 2, so that .04 is not looked at.
    assert holm(np.array([0.04, 0.01, 0.026, 0.0166]), 0.05).tolist() == [False, True, False, True]


def test_only_these_targets():
    chosen = {"data": "full", "source_theme": "direct", "target_themes": ["direct", "adjacent"]}
    spared = make_evidence(lambda s, t: 5 if theme(s) == "direct" and theme(t) != "abstract" else 0)
    assert judged(spared, "only_these_targets", **chosen).verdict == SUPPORTED
    assert judged(make_evidence(from_direct), "only_these_targets", **chosen).verdict == NOT_SUPPORTED
    half = make_evidence(lambda s, t: 5 if theme(s) == theme(t) == "direct" else 0)
    finding = judged(half, "only_these_targets", **chosen)
    assert (finding.verdict, finding.why) == (UNDECIDED, "no adjacent target improved either")


def test_rare():
    chosen = {"data": "full", "outcome": "improved"}
    assert judged(make_evidence(lambda s, t: 0), "rare", **chosen).verdict == SUPPORTED
    assert judged(make_evidence(from_direct), "rare", **chosen).verdict == NOT_SUPPORTED
    never = judged(make_evidence(lambda s, t: 0), "rare", **chosen)
    assert (never.number, never.low) == (0, 0)
    assert 1 < never.high < 10  # Wilson's, as if one transfer had improved: none in 15 tasks is not none at all
    some = judged(make_evidence(lambda s, t: 5 if s == "direct0" else 0), "rare", **chosen)
    assert some.verdict == UNDECIDED
    assert some.number == pytest.approx(100 / 15)


@pytest.mark.parametrize(
    ("change", "verdict"), [(-1, SUPPORTED), (-8, NOT_SUPPORTED), (None, UNDECIDED)], ids=["near", "far", "mixed"]
)
def test_equal_to_the_baseline(change, verdict):
    effect = (lambda s, t: change) if change else (lambda s, t: -30 if t == "direct0" else -3)
    assert judged(make_evidence(effect, data="half"), "equal_to_baseline", data="half").verdict == verdict


@pytest.mark.parametrize(("change", "verdict"), [(0, SUPPORTED), (4, NOT_SUPPORTED)])
def test_no_substantial_gain(change, verdict):
    finding = judged(make_evidence(lambda s, t: change), "no_substantial_gain", data="full")
    assert (finding.verdict, finding.number) == (verdict, change)


def importance_evidence(rows, p=0.01):
    """Evidence with an importance analysis: {feature: (importance, low, high, verdict)}, R2 .2 on held-out pairs.

    The margin of each rating is its distance to the highest of the others, its interval as wide as the rating's.
    """
    others = {name: values[0] for name, values in rows.items() if name not in RATINGS}
    rival = max(others, key=others.get, default=None)
    records = []
    for name, (*values, r2) in rows.items():
        row = {"protocol": "sound", "part": "test", "feature": name, "name": name, "importance": values[0]}
        for level, wider in (("tasks", 0.0), ("datasets", 0.002)):
            ends = values[1] - wider, values[2] + wider
            margins = [end - others[rival] if rival and name in RATINGS else np.nan for end in ends]
            for end, value, margin in zip(("low", "high"), ends, margins, strict=True):
                row |= {f"{end}_{level}": value, f"margin_{end}_{level}": margin}
        row |= {"rival": rival, "margin": values[0] - others[rival] if rival and name in RATINGS else np.nan}
        records.append(row | {"verdict": values[3], "r2_test": r2, "pairs": 306})
    nulls = pd.DataFrame({"feature": list(rows), "null": PRIMARY_NULL, "p": p})
    return make_evidence(lambda s, t: 0, importance=pd.DataFrame(records), nulls=nulls)


STRONG, WEAK = (0.4, 0.3, 0.5, "predictive", 0.2), (0.0, -0.01, 0.01, "undecided", 0.2)


def test_the_most_important_feature():
    evidence = importance_evidence({"definition": STRONG, "link": WEAK, "tokens": WEAK})
    finding = judged(evidence, "most_important", feature="definition")
    assert (finding.verdict, finding.p) == (SUPPORTED, 0.01)
    # Datasets are drawn, not tasks.
    assert (finding.number, finding.low, finding.high) == pytest.approx((0.4, 0.298, 0.502))
    assert judged(evidence, "most_important", feature="link").verdict == UNDECIDED
    assert judged(evidence, "most_important", feature="conduciveness").verdict == NOT_TESTABLE
    unproven = judged(
        importance_evidence({"definition": STRONG, "tokens": WEAK}, p=0.2), "most_important", feature="definition"
    )
    assert (unproven.verdict, unproven.why) == (
        UNDECIDED,
        "predictive, but the primary test of the rating finds nothing",
    )
    alone = importance_evidence({"definition": STRONG, "link": WEAK})
    assert judged(alone, "most_important", feature="definition").verdict == NOT_TESTABLE


def test_the_other_feature_varies_too():
    """Neither verdict where the interval of the difference reaches to both sides, however narrow the rating's own."""
    evidence = importance_evidence({"definition": STRONG, "tokens": STRONG})
    for low, high in ((-0.067, 0.02), (-0.02, 0.067)):
        rows = evidence.importance.assign(margin_low_datasets=low, margin_high_datasets=high)
        finding = judged(evidence._replace(importance=rows), "most_important", feature="definition")
        assert (finding.verdict, finding.low, finding.high) == (UNDECIDED, low, high)
        assert finding.why == "predictive, but not clearly above tokens"


def test_of_few_datasets_no_importance_is_judged():
    """Three datasets have ten ways to be drawn, and the upper end of an interval was the estimate itself."""
    evidence = importance_evidence({"dataset_similarity": WEAK, "definition": STRONG, "tokens": WEAK})
    tasks = {task: about | {"dataset": str(place % 4)} for place, (task, about) in enumerate(evidence.tasks.items())}
    for rule, feature in (("most_important", "definition"), ("negligible", "dataset_similarity")):
        assert judged(evidence, rule, feature=feature).verdict == SUPPORTED
        finding = judged(evidence._replace(tasks=tasks), rule, feature=feature)
        assert (finding.verdict, finding.why) == (UNDECIDED, "4 datasets are too few to draw from")


def test_another_feature_is_more_important():
    finding = judged(
        importance_evidence({"definition": WEAK, "tokens": STRONG}), "most_important", feature="definition"
    )
    assert (finding.verdict, finding.why) == (NOT_SUPPORTED, "tokens is more important")
    near = (0.005, 0.001, 0.1, "predictive", 0.2)
    finding = judged(importance_evidence({"definition": WEAK, "tokens": near}), "most_important", feature="definition")
    assert (finding.verdict, finding.why) == (UNDECIDED, "not predictive")
    nothing = {"definition": (*WEAK[:4], -0.1), "tokens": (*WEAK[:4], -0.1)}
    finding = judged(importance_evidence(nothing), "most_important", feature="definition")
    assert finding.verdict == UNDECIDED
    assert "predict nothing" in finding.why


def test_a_feature_that_does_not_predict():
    evidence = importance_evidence({"dataset_similarity": WEAK, "task_similarity": STRONG})
    assert judged(evidence, "negligible", feature="dataset_similarity").verdict == SUPPORTED
    assert judged(evidence, "negligible", feature="task_similarity").verdict == NOT_SUPPORTED
    assert judged(make_evidence(from_direct), "negligible", feature="task_similarity").verdict == NOT_TESTABLE
    nothing = importance_evidence({"task_similarity": (*WEAK[:4], -0.1)})
    assert judged(nothing, "negligible", feature="task_similarity").verdict == UNDECIDED


def test_what_predicts_a_little_is_negligible():
    """All of the interval lies below the bound of .02."""
    little = importance_evidence({"task_similarity": (0.008, 0.003, 0.017, "predictive", 0.2)})
    finding = judged(little, "negligible", feature="task_similarity")
    assert (finding.verdict, finding.why) == (SUPPORTED, "predictive, but negligible: the interval lies below 0.02")
    both_sides = importance_evidence({"task_similarity": (0.03, 0.01, 0.05, "predictive", 0.2)})
    finding = judged(both_sides, "negligible", feature="task_similarity")
    assert (finding.verdict, finding.why) == (UNDECIDED, "predicts, but whether by more than 0.02 can't be told")


def test_one_seed_leaves_claims_about_single_tests_open():
    table = judge_transfer(WRITTEN, make_evidence(from_direct, seeds=1, covers_seeds=False)).set_index("id")
    row = table.loc["direct_sources_improve_most"]
    assert row["verdict"] == UNDECIDED
    assert row["why"] == (
        "one seed, so the tests say nothing of another; otherwise supported: every difference lies above 0"
    )
    assert table.loc["direct_sources_transfer_best", "verdict"] == SUPPORTED  # rests on means, not on tests
    # A pair that has one seed left is tested with the variance between the seeds of others.
    pooled = judge_transfer(WRITTEN, make_evidence(from_direct, seeds=1)).set_index("id")
    assert pooled.loc["direct_sources_improve_most", "verdict"] == SUPPORTED
    three = judge_transfer(WRITTEN, make_evidence(from_direct)).set_index("id")
    assert three.loc["direct_sources_improve_most", "verdict"] == SUPPORTED
    assert three.loc["abstract_targets_never_improve", "verdict"] == NOT_SUPPORTED


def test_evidence_of_a_study():
    frame = pd.DataFrame(
        {"source": ["direct0"] * 3, "target": ["direct1", "direct2", "direct3"], "data": "full", "runs": "all",
         "percent": [5.0, -6.0, np.nan], "baseline": 0.5, "difference": [0.025, -0.03, 0.2], "se": 0.01, "df": 9.0,
         "p": [0.005, 0.01, np.nan], "mde_bh_percent": [2.0, 3.0, np.nan], "q": [0.01, 0.02, np.nan],
         "p_published": [0.2, 0.01, 0.5], "effect": ["improved", "harmed", ""],
         "effect_published": ["undecided", "harmed", "undecided"], "covers": "items_and_seeds", "seeds": 3}
    )  # fmt: skip
    evidence = study_evidence(frame, TASKS, "all", TESTS)
    assert evidence.pairs["improved"].tolist() == [True, False]
    assert evidence.pairs["not_harmed"].tolist() == [True, False]
    assert (evidence.seeds, evidence.covers_seeds) == (3, True)
    items = study_evidence(frame.assign(covers="items"), TASKS, "all", TESTS)
    assert (items.seeds, items.covers_seeds) == (1, False)
    left = study_evidence(frame.assign(seeds=[1, 3, 3]), TASKS, "all", TESTS)
    assert (left.seeds, left.covers_seeds) == (1, True)
    # A baseline near constant answers has no percentages: no change in percent could show.
    near = study_evidence(
        frame.assign(percent=[5.0, np.nan, np.nan], mde_bh_percent=[2.0, np.nan, np.nan]), TASKS, "all", TESTS
    )
    assert near.pairs["detectable"].tolist() == [2, np.inf]
    assert near.pairs["own"].tolist() == [50, pytest.approx(np.nan, nan_ok=True)]
    # Differences in points stand there all the same; a percent of the mean baseline is half a point.
    assert near.pairs["points"].tolist() == pytest.approx([2.5, -3])
    assert near.pairs["one_percent"].tolist() == [0.5, 0.5]
    assert study_evidence(frame, TASKS, "all", "tests_of_the_paper").pairs["improved"].tolist() == [False] * 3
    assert len(study_evidence(frame, TASKS, "without_collapsed", TESTS).pairs) == 0


def test_a_study_without_any_test_is_not_testable():
    nothing = make_evidence(from_direct)
    nothing = nothing._replace(pairs=nothing.pairs.head(0), seeds=0)
    table = judge_transfer(WRITTEN, nothing)
    assert set(table["verdict"]) == {NOT_TESTABLE}
    assert (table["why"] != "").all()


def test_the_printed_scores():
    """Counted by hand from Tables 7 and 8: 17 of 102 transfers from direct sources have a higher score than the
    baseline, and two to abstract targets."""
    folder = ROOT / "resources/published"
    paths = [folder / f"{name}.csv" for name in ("tables7_8_scores", "tables10_12_label_shares", "tables4_5_tasks")]
    datasets = {}
    for path in (ROOT / "config/datasets").glob("*.yaml"):
        datasets |= dict.fromkeys(yaml.safe_load(path.read_text(encoding="utf-8"))["tasks"], path.stem)
    evidence = printed_evidence(*paths, datasets=datasets)
    assert len(evidence.pairs) == 306
    themes = evidence.pairs["source"].map(lambda task: evidence.tasks[task]["theme"])
    assert evidence.pairs["improved"][themes == "direct"].sum() == 17
    table = judge_transfer(WRITTEN, evidence).set_index("id")
    # 2 of 102 transfers to abstract targets score above the baseline in print.
    assert table.loc["abstract_targets_never_improve", "number"] == pytest.approx(100 * 2 / 102)
    assert table.loc["abstract_targets_never_improve", "verdict"] == UNDECIDED
    assert table.loc["half_with_transfer_equals_full", "verdict"] == NOT_TESTABLE
    mean = table.loc["no_substantial_evidence"]
    # The mean baseline in print is .703. Seven are cut off 17.6 points below 0 and the median.
    assert mean["why"] == "the interval lies below 1 % of the mean baseline (0.70 points)"
    assert (mean["verdict"], mean["pairs"]) == (SUPPORTED, 306)
    assert mean["low"] < mean["number"] < mean["high"] < 0
    unknown = judge_transfer(WRITTEN, printed_evidence(*paths)).set_index("id").loc["no_substantial_evidence"]
    assert (unknown["verdict"], unknown["why"]) == (UNDECIDED, "too few datasets for an interval")
    assert unknown["number"] == mean["number"]
    assert len(printed_evidence(*paths, runs="without_collapsed").pairs) == 304


def test_the_written_claims_have_rules_and_the_page_shows_them():
    evidence = make_evidence(lambda s, t: from_direct(s, t))
    table = judge_transfer(WRITTEN, evidence, evidence, evidence)
    table = pd.concat([table.assign(runs=runs) for runs in ("all", "without_collapsed")])[CLAIM_COLUMNS]
    table.loc[table.index[0], "why"] = "a | b <script>"
    assert "without leaked pairs" not in as_page(table, WRITTEN)
    clean = table[table["runs"] == "all"].assign(runs="without_leaked", verdict="not testable")
    assert "(without leaked pairs: not testable)" in as_page(pd.concat([table, clean]), WRITTEN)
    page = as_page(table, WRITTEN)
    assert "<script>" not in page
    assert "a \\| b" in page
    for claim in WRITTEN.claims:
        assert claim["claim"] in page
        assert f"`{claim['rule']}`" in page
    lines = [line for line in page.splitlines() if line.startswith("| ") and "---" not in line]
    assert {line.replace("\\|", "").count("|") for line in lines} == {8}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bounds: {}\nclaims: []\n", "'least_tasks' is missing"),
        ("claims: [{id: x, rule: theme_differs}]", "'arguments' is missing"),
        ("claims: [{id: x, claim: c, where: w, printed: p, rule: magic, arguments: {}}]", "no rule 'magic'"),
        (
            "claims: [{id: x, claim: c, where: w, printed: p, rule: rare, arguments: {data: full}}]",
            r"rare: .*'outcome'",
        ),
    ],
)
def test_a_faulty_file_of_claims_is_named(text, words, tmp_path):
    path = tmp_path / "claims.yaml"
    bounds = "" if text.startswith("bounds") else f"bounds: {BOUNDS}\n"
    path.write_text(bounds + text, encoding="utf-8")
    with pytest.raises(DataError, match=words):
        read_claims(path, RULES, BOUND_NAMES)


def test_a_rule_of_any_study_may_have_several_findings_with_keys():
    def larger(evidence, bounds, than):
        for name, value in evidence.items():
            verdict = SUPPORTED if value - bounds["margin"] > than else NOT_SUPPORTED
            yield Finding("a size", verdict, f"{value} is known", value, keys={"model": name})

    claim = {"id": "x", "claim": "All are large.", "where": "page 1", "printed": "3", "rule": "larger"}
    table = judge(ClaimSet([claim | {"arguments": {"than": 2}}], {"margin": 1}, {"larger": larger}), {"a": 4, "b": 3})
    assert table[["model", "verdict", "number"]].to_numpy().tolist() == [["a", SUPPORTED, 4], ["b", NOT_SUPPORTED, 3]]
    assert table["arguments"].tolist() == ["than 2"] * 2
    assert table[["low", "p"]].isna().all(axis=None)


VARIANTS = {"data": "full", "variants": ["cleaned", "relabelled"]}


def variant_evidence(gains, seeds=3, role="source", luck=(0.01, 0.0, -0.01), shared=0.0):
    """Gains of transfers of two variants by the task at the other end; one of the variants has one more point.

    A seed moves all gains by its luck.
    """
    rows = [
        (variant, role, f"task{number}", "full", seed, gain + more + luck[seed], shared, 101 if shared else np.nan)
        for variant, more in (("cleaned", 0.0), ("relabelled", 0.01), ("other", 5.0))
        for number, gain in enumerate(gains)
        for seed in range(seeds)
    ]
    columns = ["variant", "role", "other", "data", "seed", "gain", "shared_variance", "clusters"]
    return make_evidence(from_direct, variants=pd.DataFrame(rows, columns=columns))


def test_variants_that_are_better_sources():
    finding = judged(variant_evidence([0.05, 0.06, 0.07]), "variants_gain", role="source", **VARIANTS)
    # Means of both: 5.5, 6.5 and 7.5 points, and as much between seeds; each part of the variance is 1 / 3.
    assert (finding.verdict, finding.pairs) == (SUPPORTED, 6)
    half_width = 4.3027 * np.sqrt(2 / 3)
    assert (finding.number, finding.low, finding.high) == pytest.approx(
        (6.5, 6.5 - half_width, 6.5 + half_width), abs=0.001
    )
    # The same gains from lucky seeds might be none: two seeds near 0 and one of 12 points.
    lucky = variant_evidence([0.05, 0.06, 0.07], luck=(0.11, -0.05, -0.06))
    assert judged(lucky, "variants_gain", role="source", **VARIANTS).verdict == UNDECIDED


def test_test_items_that_all_gains_of_a_target_share_count():
    chosen = {"role": "target", **VARIANTS}
    assert judged(variant_evidence([0.05, 0.06, 0.07], role="target"), "variants_gain", **chosen).verdict == SUPPORTED
    finding = judged(variant_evidence([0.05, 0.06, 0.07], role="target", shared=0.03**2), "variants_gain", **chosen)
    # A variance of 9 with t(100) = 1.984 beside 2 / 3 with t(2) = 4.303.
    half_width = (9 * 1.98397 + 2 / 3 * 4.30265) / (9 + 2 / 3) * np.sqrt(9 + 2 / 3)
    assert finding.verdict == UNDECIDED
    assert finding.high - finding.low == pytest.approx(2 * half_width, abs=0.001)


def test_variants_that_are_worse_or_as_good_or_of_few_seeds():
    worse = judged(variant_evidence([-0.05, -0.06, -0.07], role="target"), "variants_gain", role="target", **VARIANTS)
    assert (worse.verdict, worse.number) == (NOT_SUPPORTED, pytest.approx(-5.5))
    same = judged(variant_evidence([-0.03, 0.02, 0.01]), "variants_gain", role="source", **VARIANTS)
    assert (same.verdict, same.why) == (UNDECIDED, "the interval holds 0")
    for seeds, words in ((1, "one seed"), (2, "2 seeds")):
        gains = variant_evidence([0.01, 0.011, 0.012], seeds, luck=(0.0, 0.0))
        once = judged(gains, "variants_gain", role="source", **VARIANTS)
        assert (once.verdict, once.number) == (UNDECIDED, pytest.approx(1.6))
        assert once.why == f"{words}, so another training might turn it; otherwise supported: the interval lies above 0"


def test_a_transfer_that_lacks_a_seed_is_left_out():
    evidence = variant_evidence([0.05, 0.06, 0.07, 0.9])
    gone = (evidence.variants["other"] == "task3") & (evidence.variants["seed"] == 1)
    finding = judged(evidence._replace(variants=evidence.variants[~gone]), "variants_gain", role="source", **VARIANTS)
    assert (finding.number, finding.pairs) == (pytest.approx(6.5), 6)


def test_variants_that_are_not_there():
    few = judged(variant_evidence([0.01, 0.02]), "variants_gain", role="source", **VARIANTS)
    assert (few.verdict, few.why) == (NOT_TESTABLE, "too few transfers of cleaned or relabelled as a source")
    assert judged(variant_evidence([0.01] * 3), "variants_gain", role="target", **VARIANTS).verdict == NOT_TESTABLE
    none = judged(make_evidence(from_direct), "variants_gain", role="source", **VARIANTS)
    assert (none.verdict, none.why) == (NOT_TESTABLE, "the study has no variants")
