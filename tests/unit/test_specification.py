"""Specification curves: the choices, effects and nulls of a small study, worked out by hand or the long way round."""

import itertools

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.claims.engine import ClaimSet
from empathy_transfer.claims.specification_curve import (
    Curve,
    feature_curve,
    joint_test,
    mean_curve,
    sign_arrangements,
    task_arrangements,
    theme_arrangements,
    theme_curve,
)
from empathy_transfer.claims.specification_figure import draw_specifications, levels_of
from empathy_transfer.claims.specification_table import TEST_COLUMNS, specification_table
from empathy_transfer.claims.specifications import HALF, OWN, changes, counts, make_study

TASKS = {
    f"{theme}_{number}": {"theme": theme, "kind": "classification", "dataset": f"{theme}{number // 2}"}
    for theme in ("direct", "abstract", "adjacent")
    for number in range(3)
}
PAIRS = list(itertools.permutations(TASKS, 2))
BOUNDS = {"least_tasks": 3}


def pairs_of(value):
    """A frame of all pairs, of which `value` gives the change."""
    rows = [(source, target, value(source, target)) for source, target in PAIRS]
    return pd.DataFrame(rows, columns=["source", "target", "value"])


def study(leaked=(), collapsed=(), data=("full",), controls=(), apart=0.0, seeds=(1, 2)):
    """A study of two seeds: baselines of .5, transfers of .6 (first seed) and .7, collapsed ones of .1.

    Each pair is better by `apart` than the one before it.
    """
    rows = []
    for condition, seed in itertools.product(data, seeds):
        for target in TASKS:
            rows.append(("none", target, condition, seed, 0.5 if condition == "full" else 0.4, False))
            rows += [(name, target, condition, seed, 0.45, False) for name in controls]
        for place, (source, target) in enumerate(PAIRS):
            lost = (source, target, seed) in collapsed
            value = 0.1 if lost else 0.5 + 0.1 * seed + apart * place
            rows.append((source, target, condition, seed, value, lost))
    scores = pd.DataFrame(rows, columns=["source", "target", "data", "seed", "value", "collapsed"])
    scores = scores.assign(main=True, metric="pearson_r")
    cells = pd.DataFrame(PAIRS, columns=["source", "target"]).assign(floor=0.2, baseline_standard_error=0.1)
    cells = pd.concat([cells.assign(data=condition) for condition in data])
    tests = cells.assign(difference=0.15, p=0.03, q=0.06, difference_published=-0.1, p_published=0.05)
    tests = pd.concat([tests.assign(runs=runs) for runs in ("all", "without_collapsed")])
    return make_study(scores, cells, tests, frozenset(leaked))


def chosen(outcomes, **choices):
    """The one outcome of these choices."""
    (found,) = [one for one in outcomes if choices.items() <= one.choices.items()]
    return found.pairs.set_index(["source", "target"])["value"]


MAIN = {"collapsed": "with", "leaked": "with", "seeds": "all", "baseline": OWN}


def test_changes_on_each_scale():
    first = PAIRS[0]
    known = study(leaked=[first], collapsed=[(*PAIRS[1], 1)])
    found = changes(known, "full")
    assert len(found) == 4 * 2 * 2 * 3  # scales, collapsed, flagged, both seeds and each
    # .65 against .5, over a floor of .2.
    assert chosen(found, outcome="percent", **MAIN)[first] == pytest.approx(30)
    assert chosen(found, outcome="percent_cut_off", **MAIN)[first] == 25
    assert chosen(found, outcome="points", **MAIN)[first] == pytest.approx(15)
    assert chosen(found, outcome="headroom", **MAIN)[first] == pytest.approx(15 / 0.8)
    assert chosen(found, outcome="points", **MAIN | {"seeds": "2"})[first] == pytest.approx(20)
    assert first not in chosen(found, outcome="points", **MAIN | {"leaked": "without"})
    # One of two runs collapsed: (.1 + .7) / 2 with it, .7 without.
    assert chosen(found, outcome="points", **MAIN)[PAIRS[1]] == pytest.approx(-10)
    assert chosen(found, outcome="points", **MAIN | {"collapsed": "without"})[PAIRS[1]] == pytest.approx(20)
    assert PAIRS[1] not in chosen(found, outcome="points", **MAIN | {"collapsed": "without", "seeds": "1"})


def test_choices_that_change_nothing_are_not_made_twice():
    assert len(changes(study(), "full")) == 4 * 3
    assert len(counts(study(), "full")) == 4


def test_a_baseline_near_constant_answers_has_no_percentages():
    known = study()
    near = known._replace(cells=known.cells.assign(baseline_standard_error=0.2))
    assert chosen(changes(near, "full"), outcome="percent", **MAIN).empty
    assert len(chosen(changes(near, "full"), outcome="points", **MAIN)) == len(PAIRS)


def test_baselines_of_half_data_and_controls():
    found = changes(study(data=("full", "half"), controls=("longer",)), "half")
    points = {name: chosen(found, outcome="points", **MAIN | {"baseline": name})[PAIRS[0]] for name in (OWN, HALF)}
    assert points == pytest.approx({OWN: 15, HALF: 25})
    assert chosen(found, outcome="points", **MAIN | {"baseline": "longer"})[PAIRS[0]] == pytest.approx(20)


def test_counts_by_each_test():
    found = counts(study(), "full")
    values = {one.choices["outcome"]: set(one.pairs["value"]) for one in found}
    assert values == {"corrected": {0}, "uncorrected": {1}, "of_the_paper": {-1}, "any_difference": {1}}
    assert [one.choices["seeds"] for one in found] == ["all", "all", "first", "all"]


def standard_error(influence, ends):
    """The long way: products of what two pairs add, for all that share a unit, times units / (units - 1).

    No less than for pairs that share none.
    """
    total = sum(
        influence[one] * influence[other]
        for one, other in itertools.product(range(len(influence)), repeat=2)
        if set(ends[one]) & set(ends[other])
    )
    units = len(set(itertools.chain.from_iterable(ends)))
    return np.sqrt(max(total, (np.asarray(influence) ** 2).sum()) * units / (units - 1))


@pytest.mark.parametrize("scheme", ["tasks", "datasets"])
def test_a_mean_and_its_interval(scheme):
    numbers = dict(zip(PAIRS, np.random.default_rng(0).normal(1, 1, len(PAIRS)), strict=True))
    pairs = pairs_of(lambda *pair: numbers[pair])
    curve = mean_curve(pairs, TASKS, 1, scheme, sign_arrangements(TASKS))
    values = pairs["value"].to_numpy()
    ends = PAIRS if scheme == "tasks" else [[TASKS[task]["dataset"] for task in pair] for pair in PAIRS]
    error = standard_error((values - values.mean()) / len(values), ends)
    critical = {"tasks": 2.306004, "datasets": 2.570582}[scheme]  # t of 8 and 5 degrees of freedom
    assert curve.effect[0] == pytest.approx(values.mean())
    assert curve.high - curve.effect[0] == pytest.approx(critical * error, rel=1e-5)
    assert curve.standardised[0] == pytest.approx(values.mean() / values.std())
    # With all signs of both roles turned, only what is left beside them keeps its sign, and that has the mean 0.
    both = np.stack([np.ones((2, len(TASKS))), -np.ones((2, len(TASKS)))])
    turned = mean_curve(pairs, TASKS, 1, scheme, both)
    assert turned.effect == pytest.approx([values.mean(), -values.mean()])


def test_the_smallest_difference_of_themes():
    gains = {"direct": 3.0, "abstract": 1.0, "adjacent": 2.0}
    pairs = pairs_of(lambda source, target: gains[TASKS[source]["theme"]])
    differences = [("direct", "abstract"), ("direct", "adjacent")]
    about = (pairs, TASKS, "source", differences)
    curve = theme_curve(*about, 1, "tasks", theme_arrangements(TASKS)[0])
    assert curve.effect[0] == pytest.approx(1)
    assert (curve.low, curve.high, curve.side[0]) == (1, 1, 1)  # nothing varies within a theme
    turned = theme_curve(*about, -1, "tasks", theme_arrangements(TASKS)[0])
    assert turned.effect[0] == pytest.approx(-2)
    # Nothing exceeds that of three threes against others that are mixed: 3 - 1.5.
    assert 1 <= curve.effect.max() <= 1.5


def test_errors_of_a_difference_of_themes():
    numbers = dict(zip(PAIRS, np.random.default_rng(1).normal(0, 1, len(PAIRS)), strict=True))
    pairs = pairs_of(lambda *pair: numbers[pair])
    curve = theme_curve(pairs, TASKS, "source", [("direct", "abstract")], 1, "tasks", theme_arrangements(TASKS)[0])
    themes = pairs["source"].map(lambda name: TASKS[name]["theme"])
    influence, effect = np.zeros(len(pairs)), 0.0
    for theme, sign in (("direct", 1), ("abstract", -1)):
        inside = (themes == theme).to_numpy()
        mean = pairs["value"][inside].mean()
        effect += sign * mean
        influence[inside] = sign * (pairs["value"][inside] - mean) / inside.sum()
    assert curve.effect[0] == pytest.approx(effect)
    assert curve.high - effect == pytest.approx(2.306004 * standard_error(influence, PAIRS), rel=1e-5)


def feature_grid():
    """All pairs with two features."""
    generator = np.random.default_rng(2)
    grid = pairs_of(lambda *pair: 0.0).drop(columns="value")
    grid = grid.assign(definition=generator.normal(size=len(grid)), link=generator.normal(size=len(grid)))
    about = [TASKS[name]["dataset"] for name in grid["source"]]
    return grid.assign(source_dataset=about, conduciveness=np.nan)  # which nobody rated


def test_the_slope_of_a_feature_is_that_of_least_squares():
    grid = feature_grid()
    outcome = 2 * grid["definition"] + np.random.default_rng(3).normal(size=len(grid))
    pairs = grid[["source", "target"]].assign(value=outcome)[3:]  # three pairs are not known
    datasets = grid.drop_duplicates("source")["source_dataset"].tolist()
    arrangements, nulls = task_arrangements(datasets)
    curve = feature_curve(pairs, grid, "definition", ["link"], arrangements, nulls["tasks"])
    dummies = pd.get_dummies(grid[["target", "source_dataset"]]).to_numpy(float)
    columns = np.column_stack([grid[["definition", "link"]], dummies])[3:]
    assert curve.effect[0] == pytest.approx(np.linalg.lstsq(columns, outcome[3:], rcond=None)[0][0])
    assert curve.side[0] == 1
    # By its definition about one arrangement in twenty lies as far out.
    assert (curve.side[nulls["tasks"]] != 0).mean() == pytest.approx(0.05, abs=0.005)


def test_arrangements_begin_with_the_true_one():
    assert (sign_arrangements(TASKS)[0] == 1).all()
    themes, nulls = theme_arrangements(TASKS)
    assert themes[0].tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert {name: len(null) for name, null in nulls.items()} == {"kinds": 501, "datasets": 501}
    few = {name: TASKS[name] for name in list(TASKS)[2:5]}
    few = {name: about | {"dataset": about["theme"]} for name, about in few.items()}
    listed, nulls = theme_arrangements(few)
    # One direct and two abstract ones, the true one not twice; datasets of one and of two tasks can't be exchanged.
    assert (len(listed), len(nulls["kinds"])) == (503, 3)
    alone = dict(zip("ab", few.values(), strict=False))
    # Two datasets of three have four signs each, in either role.
    assert sign_arrangements(alone).shape == (16, 2, 2)
    orders, nulls = task_arrangements(["a", "a", "b"])
    assert orders[0].tolist() == [0, 1, 2]
    assert (orders[nulls["datasets"], 2] == 2).all()  # the one task of the second dataset stays
    assert list(task_arrangements(["a"])[1]) == ["tasks"]


def test_the_joint_test_by_hand():
    sides = [[1, 0, 1, 0], [1, 1, 0, -1], [0, 0, 0, -1]]
    effects = [[3.0, 0.0, -1.0, 1.0], [2.0, 1.0, 0.0, -3.0], [1.0, 2.0, 1.0, -2.0]]
    curves = [Curve(None, np.array(one), None, None, np.array(side)) for one, side in zip(effects, sides, strict=True)]
    found = joint_test(curves)
    # Medians 2, 1, 0, -2 with the mean .25: 1.75 away, and so is or farther only the last (2.25).
    assert (found["median"], found["p_median"]) == (2, 0.5)
    # By the first two arrangements alone, a median lies as far from the mean of both as the other.
    assert joint_test(curves, {"all": [0, 1, 2, 3], "two": [0, 1]})["p_median"] == 1
    # Two of three above in the true one; then one of three, one of three, and two of three below.
    assert (found["share_above"], found["share_below"], found["p_share"]) == (pytest.approx(2 / 3), 0, 0.5)


def claims(*rules):
    """A `ClaimSet` of these rules with their arguments."""
    listed = [{"id": rule, "claim": rule, "rule": rule, "arguments": about} for rule, about in rules]
    return ClaimSet(listed, BOUNDS, {})


CLAIMS = claims(
    ("theme_differs", {"data": "full", "outcome": "percent", "role": "source", "theme": "direct", "direction": "more"}),
    ("rare", {"data": "full", "outcome": "improved"}),
    ("most_important", {"feature": "definition"}),
    ("equal_to_baseline", {"data": "half"}),
    ("variants_gain", {"data": "full", "role": "source", "variants": ["a"]}),
)


@pytest.fixture(scope="module")
def tables():
    return specification_table(study(leaked=[PAIRS[5]], apart=0.001, seeds=[1]), CLAIMS, TASKS, feature_grid())


def test_every_claim_has_a_curve_or_a_reason(tables):
    table, tests = tables
    assert list(tests.columns) == TEST_COLUMNS
    reasons = tests.set_index("id")["reason"].to_dict()
    absent = dict.fromkeys(("equal_to_baseline", "variants_gain"), "not_available")
    assert reasons == {"theme_differs": "", "rare": "", "most_important": ""} | absent
    # Scales or tests, flagged, intervals.
    assert table.groupby("id").size().to_dict() == dict.fromkeys(("theme_differs", "rare", "most_important"), 4 * 2 * 2)
    assert table[table["main"]].groupby("id").size().to_dict() == {"theme_differs": 1, "rare": 1, "most_important": 1}
    effects = table[table["id"] == "rare"].groupby("outcome")["effect"].first().to_dict()
    assert effects == {"corrected": 0, "uncorrected": -1, "of_the_paper": 1, "any_difference": -1}


def test_a_figure_has_two_axes_per_claim_and_a_line_per_choice(tables):
    table, tests = tables
    plotted = table[table["reason"] == ""]
    figure = draw_specifications(plotted, tests)
    assert len(figure.axes) == 2 * 3
    words = [words for *_, words in levels_of(plotted[plotted["id"] == "rare"])]
    assert words[:4] == ["corrected", "uncorrected", "paper's test", "any difference"]
    assert words[4:8] == ["with flagged pairs", "without flagged pairs", "all seeds", "first seed"]
    assert words[8:] == ["intervals: tasks", "intervals: datasets"]


def test_a_study_without_any_curve_has_an_empty_figure(tables):
    table, tests = tables
    assert draw_specifications(table[:0], tests).axes == []
