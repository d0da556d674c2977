"""The defensible choices of an analysis, and what transfers did under each of them.

Every choice that could have been made otherwise is varied, and each combination is a *specification*: the scale of the
outcome, or the test that counts; runs that collapsed, with or without them; pairs that the audit of leakage flags, with
or without them; all seeds, or one; and what a transfer is compared with. How intervals are made is a choice, too, and
part of the test (`specification_curve`).
"""

import itertools
from typing import NamedTuple

import numpy
import pandas

from empathy_transfer.claims.engine import ALPHA
from empathy_transfer.importance.pair_outcomes import WINSORISED_AT
from empathy_transfer.records.runs import BASELINE, CONTROLS
from empathy_transfer.significance.paired_tests import ALL, SOUND

WITH, WITHOUT = "with", "without"
# What a transfer is compared with: the target's own baseline on all data, that on half of them, or a control.
OWN, HALF = "own", "half_data"
SCALES = ("percent", "percent_cut_off", "points", "headroom")
# What counts as improved or harmed: the corrected test, the same uncorrected, the paper's own of one seed, and any
# difference of the means at all.
TESTS = ("corrected", "uncorrected", "of_the_paper", "any_difference")
CHOICES = ("outcome", "collapsed", "leaked", "seeds", "baseline")


class Study(NamedTuple):
    """What specifications are made from.

    `runs` is scores.csv with the runs that have a value in the target's main metric, `cells` improvement.csv, `tests`
    significance.csv, and `leaked` the set of flagged pairs (source, target).
    """

    runs: pandas.DataFrame
    cells: pandas.DataFrame
    tests: pandas.DataFrame
    leaked: frozenset


class Outcome(NamedTuple):
    """What transfers did under some choices: `choices` {name: choice}, and a frame with source, target and value."""

    choices: dict
    pairs: pandas.DataFrame


def make_study(scores, improvement, tests, leaked):
    """`Study` from the frames of scores.csv, improvement.csv and significance.csv, and the flagged pairs."""
    runs = scores[scores["main"] & scores["value"].notna()]
    runs = runs.assign(collapsed=runs["collapsed"].fillna(False).astype(bool))
    return Study(runs, improvement, tests, leaked)


def changes(study, data):
    """Mean changes by transfer with these data, an `Outcome` for each combination of choices.

    `percent` of the baseline (pairs whose baseline is clear of constant answers), the same cut off at 25, `points` of
    the metric times 100, and `headroom`, points in percent of what constant answers leave to gain.
    """
    seeds = sorted(study.runs["seed"].unique())
    chosen_seeds = [("all", seeds), *((str(seed), [seed]) for seed in seeds if len(seeds) > 1)]
    found = []
    baselines = _baselines(study, data)
    for collapsed, (word, used), baseline in itertools.product(_collapsed_choices(study), chosen_seeds, baselines):
        cells = _compared(study, data, collapsed, used, baseline)
        for leaked, scale in itertools.product(_leaked_choices(study), SCALES):
            pairs = _without_leaked(study, cells, leaked)
            values = _scaled(pairs, scale)
            choices = dict(zip(CHOICES, (scale, collapsed, leaked, word, baseline), strict=True))
            found.append(Outcome(choices, pairs[["source", "target"]].assign(value=values).dropna()))
    return found


def counts(study, data):
    """Which transfers with these data improve (1), harm (-1) or neither (0): an `Outcome` for each combination."""
    found = []
    for test, collapsed in itertools.product(TESTS, _collapsed_choices(study)):
        runs = ALL if collapsed == WITH else SOUND
        cells = study.tests[(study.tests["runs"] == runs) & (study.tests["data"] == data)]
        cells = cells[cells["p_published" if test == "of_the_paper" else "q"].notna()]
        values = _counted(cells, test)
        for leaked in _leaked_choices(study):
            pairs = _without_leaked(study, cells.assign(value=values), leaked)
            seeds = "first" if test == "of_the_paper" else "all"
            choices = dict(zip(CHOICES, (test, collapsed, leaked, seeds, OWN), strict=True))
            found.append(Outcome(choices, pairs[["source", "target", "value"]]))
    return found


def _compared(study, data, collapsed, seeds, baseline):
    """Baseline, transfer, floor and error of each cell, means over the seeds that both have."""
    runs = study.runs[study.runs["seed"].isin(seeds)]
    runs = runs[~runs["collapsed"]] if collapsed == WITHOUT else runs
    condition, source = ("half" if baseline == HALF else "full"), (baseline if baseline in CONTROLS else BASELINE)
    compared = runs[(runs["source"] == source) & (runs["data"] == condition)]
    transfers = runs[(runs["data"] == data) & ~runs["source"].isin([BASELINE, *CONTROLS])]
    both = transfers.merge(compared[["target", "seed", "value"]], on=["target", "seed"], suffixes=("", "_baseline"))
    means = both.groupby(["source", "target"], sort=False)[["value", "value_baseline"]].mean().reset_index()
    known = study.cells[study.cells["data"] == data]
    return means.merge(known[["source", "target", "floor", "baseline_standard_error"]], on=["source", "target"])


def _baselines(study, data):
    """What a transfer may be compared with: the target's own baseline, that on half of the data, and controls."""
    found = [OWN]
    if data == "half" and ((study.runs["source"] == BASELINE) & (study.runs["data"] == "half")).any():
        found.append(HALF)
    of_condition = study.runs[study.runs["data"] == "full"]
    return [*found, *(name for name in CONTROLS if (of_condition["source"] == name).any())]


def _collapsed_choices(study):
    """With collapsed runs and without them, or with them where there is none."""
    return (WITH, WITHOUT) if study.runs["collapsed"].any() else (WITH,)


def _leaked_choices(study):
    """With flagged pairs and without them, or with them where none is flagged."""
    between = any(source != target for source, target in study.leaked)
    return (WITH, WITHOUT) if between else (WITH,)


def _without_leaked(study, cells, leaked):
    """The cells, maybe without flagged pairs."""
    if leaked == WITH:
        return cells
    flagged = [pair in study.leaked for pair in zip(cells["source"], cells["target"], strict=True)]
    return cells[~numpy.array(flagged, dtype=bool)]


def _scaled(cells, scale):
    """The changes of cells on a scale; NaN where it has none."""
    difference = 100 * (cells["value"] - cells["value_baseline"])
    if scale == "points":
        return difference
    if scale == "headroom":
        return (difference / (1 - cells["floor"])).where(cells["floor"] < 1)
    clear = cells["value_baseline"] - cells["floor"] > 2 * cells["baseline_standard_error"]
    percent = (difference / cells["value_baseline"]).where(clear)
    return percent.clip(-WINSORISED_AT, WINSORISED_AT) if scale == "percent_cut_off" else percent


def _counted(cells, test):
    """1 where a cell improves, -1 where it harms, 0 else."""
    if test == "any_difference":
        return numpy.sign(cells["difference"].round(9))
    column = {"corrected": "q", "uncorrected": "p", "of_the_paper": "p_published"}[test]
    difference = cells["difference_published" if test == "of_the_paper" else "difference"]
    return numpy.sign(difference) * (cells[column] <= ALPHA)
