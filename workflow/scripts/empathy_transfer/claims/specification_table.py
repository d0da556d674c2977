"""Specification curves of the claims of a study: specification.csv, and the test of each curve."""

from collections.abc import Callable
from typing import NamedTuple

import numpy
import pandas

from empathy_transfer.claims.engine import read_claims
from empathy_transfer.claims.specification_curve import (
    SCHEMES,
    feature_curve,
    joint_test,
    mean_curve,
    sign_arrangements,
    task_arrangements,
    theme_arrangements,
    theme_curve,
)
from empathy_transfer.claims.specifications import CHOICES, changes, counts, make_study
from empathy_transfer.claims.transfer_evidence import read_study
from empathy_transfer.claims.transfer_rules import BOUNDS, RULES
from empathy_transfer.features.pair_features import read_pair_features
from empathy_transfer.features.task_facts import ASPECTS
from empathy_transfer.leakage.report import read_leaked
from empathy_transfer.records.artefacts import write_csv
from empathy_transfer.report.style import THEMES
from empathy_transfer.scores.improvement import read_improvement, read_scores

KEYS = ["id", "claim", "rule", "data", "effect_of"]
COLUMNS = [
    *KEYS, *CHOICES, "intervals", "main", "pairs", "effect", "standardised", "low", "high", "side", "reason",
]  # fmt: skip
TEST_COLUMNS = [
    *KEYS, "null", "specifications", "median", "share_above", "share_below", "p_median", "p_share", "arrangements",
    "reason",
]  # fmt: skip
# The choices that figures mark.
MAIN = {"outcome": ("percent", "corrected"), "collapsed": ("with",), "leaked": ("with",), "seeds": ("all",)}
MAIN |= {"baseline": ("own",), "intervals": ("tasks",)}
SIDES = {1: "above", 0: "", -1: "below"}
HITS = {
    "improved": lambda value: value == 1,
    "harmed": lambda value: value == -1,
    "not_harmed": lambda value: value != -1,
}


class CurveParts(NamedTuple):
    """What the curves of a claim are made of.

    `effect_of` says in words what the effect is, `null` what is permuted; `outcomes` are those of `specifications`;
    `curve` gives the `Curve` of an outcome's pairs and a scheme of intervals; `nulls` are those of `joint_test`.
    """

    effect_of: str
    null: str
    outcomes: list
    curve: Callable
    data: str
    nulls: dict | None = None


def write_specifications(claims_path, paths, tasks, specifications_path, tests_path):
    """Write specification.csv, a row per claim and specification, and specification_tests.csv, a row per claim.

    Args:
        claims_path: YAML file of claims and bounds.
        paths: of the study's `scores`, `improvement`, `significance`, `leaked_pairs` and `features`.
        tasks: {task: its theme, kind and dataset}.
        specifications_path, tests_path: CSV files to write.
    """
    tests = read_study(paths["significance"], tasks)
    leaked = read_leaked(paths["leaked_pairs"])
    study = make_study(read_scores(paths["scores"]), read_improvement(paths["improvement"]), tests, leaked)
    claim_set = read_claims(claims_path, RULES, BOUNDS)
    features = read_pair_features(paths["features"])
    table, found = specification_table(study, claim_set, tasks, features)
    write_csv(specifications_path, table)
    write_csv(tests_path, found)
    print(f"{len(table)} specifications of {(found['reason'] == '').sum()} claims")


def specification_table(study, claim_set, tasks, features):
    """(frame with `COLUMNS`, frame with `TEST_COLUMNS`) of all claims.

    Args:
        study: `specifications.Study`. claim_set: `engine.ClaimSet`. tasks: {task: its theme, kind and dataset}.
        features: frame as from `read_pair_features`.

    A claim without a curve has one row in the second frame, with a reason: `not_available` (its rule has none, or there
    are no such data), `too_few` tasks of a theme, or no arrangement but the true one.
    """
    rows, tests = [], []
    for claim in claim_set.claims:
        keys = {name: claim[name] for name in ("id", "claim", "rule")}
        made_of = _curve_parts(claim, study, claim_set.bounds, tasks, features)
        if isinstance(made_of, str):
            tests.append(keys | {"reason": made_of})
            continue
        keys |= {"data": made_of.data, "effect_of": made_of.effect_of}
        curves = []
        for outcome in made_of.outcomes:
            for scheme in SCHEMES:
                curve = made_of.curve(outcome.pairs, scheme)
                choices = outcome.choices | {"intervals": scheme}
                row = keys | choices | {"pairs": len(outcome.pairs), "reason": "" if curve else "too_few"}
                row["main"] = all(choices[name] in chosen for name, chosen in MAIN.items())
                if curve:
                    curves.append(curve)
                    ends = {"low": curve.low, "high": curve.high, "side": SIDES[int(curve.side[0])]}
                    row |= {"effect": curve.effect[0], "standardised": curve.standardised[0], **ends}
                rows.append(row)
        test = joint_test(curves, made_of.nulls) if curves else {"reason": "too_few"}
        tests.append(keys | {"null": made_of.null, "reason": ""} | test)
        print(f"{claim['id']}: {len(curves)} specifications", flush=True)
    table = pandas.DataFrame(rows, columns=COLUMNS)
    numbers = ("effect", "standardised", "low", "high")
    return table.astype(dict.fromkeys(numbers, "float64")), pandas.DataFrame(tests, columns=TEST_COLUMNS)


def _curve_parts(claim, study, bounds, tasks, features):
    """The `CurveParts` of a claim, or the code of the reason why it has none."""
    arguments = claim["arguments"]
    data = arguments.get("data", "full")
    if not (study.cells["data"] == data).any():
        return "not_available"
    if claim["rule"] in ("most_important", "negligible"):
        return _of_feature(study, features, arguments["feature"])
    if claim["rule"] in ("equal_to_baseline", "no_substantial_gain"):
        sign = -1 if claim["rule"] == "no_substantial_gain" else 1
        return _of_mean("mean change" if sign > 0 else "mean loss", changes(study, data), data, tasks, sign)
    if claim["rule"] in ("none_improved", "rare"):
        theme = arguments.get("target_theme")
        outcomes = [_within(outcome, tasks, "target", theme) for outcome in counts(study, data)]
        return _of_mean("share harmed less share improved", outcomes, data, tasks, -1)
    if claim["rule"] == "only_these_targets":
        inside, source = arguments["target_themes"], arguments["source_theme"]
        outcomes = [_hits(_within(outcome, tasks, "source", source), "improved") for outcome in counts(study, data)]
        differences = [(one, other) for one in inside for other in THEMES if other not in inside]
        words = f"percent improved: {' and '.join(inside)} targets less others"
        return _of_themes(words, outcomes, data, tasks, "target", differences, 1, bounds)
    if claim["rule"] == "theme_differs":
        role, theme, outcome = arguments["role"], arguments["theme"], arguments["outcome"]
        other_role = "target" if role == "source" else "source"
        found = counts(study, data) if outcome in HITS else changes(study, data)
        found = [_within(one, tasks, other_role, arguments.get("other_theme")) for one in found]
        found = [_hits(one, outcome) for one in found] if outcome in HITS else found
        differences = [(theme, other) for other in THEMES if other != theme]
        sign = 1 if arguments["direction"] == "more" else -1
        sides = [f"{theme} {role}s", "the nearest theme"][::sign]
        words = f"percent {outcome.replace('_', ' ')}" if outcome in HITS else "mean change"
        words = f"{words}: {sides[0]} less {sides[1]}"
        return _of_themes(words, found, data, tasks, role, differences, sign, bounds)
    return "not_available"


def _of_themes(words, outcomes, data, tasks, role, differences, sign, bounds):
    """The `CurveParts` of a claim on differences between themes of one role."""
    arrangements, nulls = theme_arrangements(tasks)
    main = outcomes[0].pairs
    counted = main.drop_duplicates(role)[role].map(lambda name: tasks[name]["theme"]).value_counts()
    enough = {theme for theme, number in counted.items() if number >= bounds["least_tasks"]}
    differences = [pair for pair in differences if enough.issuperset(pair)]
    if arrangements is None or not differences:
        return "too_few"

    def curve(pairs, scheme):
        """Of one specification."""
        return theme_curve(pairs, tasks, role, differences, sign, scheme, arrangements)

    return CurveParts(words, "themes", outcomes, curve, data, nulls)


def _of_mean(words, outcomes, data, tasks, sign):
    """The `CurveParts` of a claim on means."""
    arrangements = sign_arrangements(tasks)

    def curve(pairs, scheme):
        """Of one specification."""
        return mean_curve(pairs, tasks, sign, scheme, arrangements)

    return CurveParts(words, "signs", outcomes, curve, data)


def _of_feature(study, features, feature):
    """The `CurveParts` of a claim on a feature of pairs."""
    grid = features[features[feature].notna()]
    tasks = set(grid["source"]) & set(grid["target"])
    grid = grid[grid["source"].isin(tasks) & grid["target"].isin(tasks)].reset_index(drop=True)
    if grid.empty or len(grid) != len(tasks) * (len(tasks) - 1):
        return "not_available"
    beside = [name for name in ASPECTS if name != feature and grid[name].notna().all()]
    datasets = grid.drop_duplicates("source")["source_dataset"].tolist()
    arrangements, nulls = task_arrangements(datasets)

    def curve(pairs, scheme):
        """Of one specification."""
        return feature_curve(pairs, grid, feature, beside, arrangements, nulls[scheme]) if scheme in nulls else None

    return CurveParts("slope of the feature", "features", changes(study, "full"), curve, "full", nulls)


def _within(outcome, tasks, role, theme):
    """The outcome of the pairs whose source (target) is of a theme; of all where it is None."""
    if theme is None:
        return outcome
    return outcome._replace(pairs=outcome.pairs[[tasks[name]["theme"] == theme for name in outcome.pairs[role]]])


def _hits(outcome, word):
    """The outcome as percent: 100 where a pair improved (harmed, not harmed), else 0."""
    hits = numpy.where(HITS[word](outcome.pairs["value"]), 100.0, 0.0)
    return outcome._replace(pairs=outcome.pairs.assign(value=hits))
