"""All tests of a study side by side: false discovery rates within families, and what could have been found.

A family is all pairs of one data condition, once with all runs and once without collapsed ones; each matrix
(classification, regression) is one too. The study corrects for nothing.
"""

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from empathy_transfer.kinds import kind_of
from empathy_transfer.leakage.flags import WITHOUT_LEAKED, without_leaked
from empathy_transfer.leakage.report import read_leaked
from empathy_transfer.records.artefacts import read_csv, write_csv
from empathy_transfer.records.runs import BASELINE
from empathy_transfer.scores.improvement import read_improvement
from empathy_transfer.significance.adapter_luck import adapter_luck
from empathy_transfer.significance.paired_tests import (
    ALL,
    SOUND,
    TEXT_COLUMNS,
    effects_of,
    frame_of_tests,
    margin_column,
)
from empathy_transfer.significance.theme_counts import theme_counts
from empathy_transfer.statistics.t_tests import detectable
from empathy_transfer.statistics.verdicts import HARMED, HIGHER, IMPROVED, LOWER

FAMILY_COLUMNS = """
    family q q_matrix q_by effect effect_published bh_threshold mde_bh mde_bh_percent q_noninferior noninferior
""".split()


def write_significance(
    tests_paths,
    covariance_paths,
    scores_path,
    improvement_path,
    leaked_pairs_path,
    tasks,
    settings,
    significance_path,
    counts_path,
):
    """Write significance.csv and theme_counts.csv from the tests of all targets.

    ``tests_paths`` and ``covariance_paths`` are what ``significance.write_tests`` wrote, in the same order of targets;
    ``scores_path`` names the scores of all runs, ``improvement_path`` the comparison of all planned cells, whose reason
    codes stand where there is no test, and ``leaked_pairs_path`` the flags of the audit of leakage, if there has been
    one. ``tasks`` is {task: its kind, theme and dataset}; ``settings`` as in the config's block `analysis`.
    """
    frames = [frame for frame in map(read_csv, tests_paths) if len(frame)]
    tests = pd.concat(frames) if frames else frame_of_tests([], settings)
    covariances = {path.parent.name: read_csv(path) for path in covariance_paths}
    improvement, leaked = read_improvement(improvement_path), read_leaked(leaked_pairs_path)
    found = significance(tests, improvement, tasks, settings, leaked)
    write_csv(significance_path, found)
    scores = read_csv(scores_path)
    luck = {
        (data, runs): of_targets
        for runs in (ALL, SOUND)
        for data, of_targets in adapter_luck(scores, collapsed=runs == ALL).items()
    }
    write_csv(counts_path, theme_counts(found, covariances, tasks, settings, luck))
    tested = found["q"].notna() & (found["runs"] == ALL)
    effects = found.loc[tested, "effect"].value_counts()
    words = [f"{effects[word]} {word}" for word in (IMPROVED, HARMED, HIGHER, LOWER) if word in effects]
    print(f"{tested.sum()} tests; {', '.join(words) or 'no difference found'}")


def significance(tests, improvement, tasks, settings, leaked=frozenset()):
    """One row for each planned cell and choice of runs: the tests, with families and reasons for blanks.

    Rows follow ``improvement``; a cell without a test has its reason code. Controls and the half-data baseline (source
    none) are tested, too, but belong to no family: their q are empty. ``leaked`` are the pairs (source, target) that
    the audit of leakage flags, source = target for a task with itself.
    """
    keys = ["source", "target", "data"]
    planned = improvement[[*keys, "metric", "reason"]].drop_duplicates(keys)
    clean = without_leaked(planned.assign(leaked=_in_pairs(planned, leaked)))
    planned = pd.concat([planned.assign(runs=runs) for runs in (ALL, SOUND)])
    if len(clean) * 2 < len(planned):
        # The same tests of fewer pairs: families and counts differ.
        planned = pd.concat([planned, clean.drop(columns="leaked").assign(runs=WITHOUT_LEAKED)])
        kept = without_leaked(tests[tests["runs"] == ALL].assign(leaked=lambda rows: _in_pairs(rows, leaked)))
        tests = pd.concat([tests, kept.drop(columns="leaked").assign(runs=WITHOUT_LEAKED)])
    found = planned.merge(tests, on=[*keys, "runs"], how="outer", suffixes=("_planned", ""), indicator=True)
    untested = found["_merge"] == "left_only"
    # Such as a cell whose runs were made after its target's tests.
    found["reason_planned"] = found["reason_planned"].replace({"": "not_available", "collapsed": "not_available"})
    for name in ("reason", "metric"):
        found[name] = found[name].where(~untested, found[f"{name}_planned"])
    found = found[list(tests.columns)].fillna({"reason": ""})
    order = {key: place for place, key in enumerate(dict.fromkeys(planned[keys].itertuples(index=False, name=None)))}
    places = [order.get(key, len(order)) for key in found[keys].itertuples(index=False, name=None)]
    variants = found["runs"].map({ALL: 0, SOUND: 1, WITHOUT_LEAKED: 2})
    found = found.assign(place=places, variant=variants).sort_values(
        ["variant", "place", "target", "data"], kind="stable"
    )
    found = add_families(found.drop(columns=["place", "variant"]).reset_index(drop=True), tasks, settings)
    sources = found["source"].where(found["source"] != BASELINE, found["target"])
    flags = _in_pairs(found.assign(source=sources), leaked)
    found.insert(found.columns.get_loc("reason"), "leaked", np.array(flags, dtype=bool))
    return found


def _in_pairs(frame, pairs):
    """Whether each row's source and target are among these pairs."""
    return [pair in pairs for pair in zip(frame["source"], frame["target"], strict=True)]


def add_families(found, tasks, settings):
    """The frame with ``FAMILY_COLUMNS``: false discovery rates of its tests, and what they mean at level alpha.

    ``q`` is by Benjamini and Hochberg over all pairs of a data condition, ``q_matrix`` over those of a matrix in it,
    ``q_by`` by Benjamini and Yekutieli, which holds under any dependence. Cells without a test are not in the family.
    """
    alpha, main = settings["alpha"], margin_column(settings["margins"][0])
    found = found.reindex(columns=[*found.columns, *FAMILY_COLUMNS])
    found = found.astype(dict.fromkeys([name for name in found if name not in (*TEXT_COLUMNS, *TEXTS)], "float64"))
    found = found.astype(dict.fromkeys(TEXTS, "object"))
    pairs = found["source"].isin(list(tasks)) & found["target"].isin(list(tasks))
    kinds = found["target"].map({task: kind_of(about).MATRIX for task, about in tasks.items()})
    for _, cells in found[pairs].groupby(["data", "runs"]):
        tested = cells.index[cells["p"].notna()]
        if len(tested) == 0:
            continue
        found.loc[tested, "family"] = len(tested)
        found.loc[tested, "q"] = false_discovery_control(found.loc[tested, "p"], method="bh")
        found.loc[tested, "q_by"] = false_discovery_control(found.loc[tested, "p"], method="by")
        for matrix in tested.groupby(kinds[tested]).values():
            found.loc[matrix, "q_matrix"] = false_discovery_control(found.loc[matrix, "p"], method="bh")
        # What a p may be at most to be a discovery: with r discoveries among m tests r alpha / m, or alpha / m without
        # any. One more discovery would raise it to (r + 1) alpha / m, so mde_bh errs on the side of too large.
        level = max((found.loc[tested, "q"] <= alpha).sum(), 1) * alpha / len(tested)
        found.loc[tested, "bh_threshold"] = level
        found.loc[tested, "mde_bh"] = detectable(found.loc[tested, "se"], found.loc[tested, "df"], level)
        found.loc[tested, "mde_bh_percent"] = found["mde_percent"] * found["mde_bh"] / found["mde"]
        held = tested[found.loc[tested, main].notna()] if main in found else tested[:0]
        if len(held):
            found.loc[held, "q_noninferior"] = false_discovery_control(found.loc[held, main], method="bh")
    found["effect"] = effects_of(found["difference"], found["q"] <= alpha, found["covers"]).where(
        found["q"].notna(), None
    )
    # The paper's own test has the paper's words, though it covers items alone.
    published = effects_of(found["difference_published"], found["p_published"] < alpha)
    found["effect_published"] = published.where(found["p_published"].notna(), None)
    # One-sided at half the level, as an interval of level 1 - alpha that lies above the margin.
    found["noninferior"] = _verdicts(found[main] <= alpha / 2, found[main].notna()) if main in found else None
    return found[[name for name in found if name != "reason"] + ["reason"]]


TEXTS = ("effect", "effect_published", "noninferior")


def _verdicts(held, tested):
    """Yes, no, or empty where there is no test."""
    return pd.Series(["yes" if one else "no" for one in held], index=held.index, dtype="object").where(tested, None)
