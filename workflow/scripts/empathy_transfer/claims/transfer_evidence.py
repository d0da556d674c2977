"""What claims are judged by: the pairs of a study with their tests, or the printed scores of the paper."""

from typing import NamedTuple

import numpy
import pandas

from empathy_transfer.features.task_facts import KIND_OF_METRIC
from empathy_transfer.importance.rating_tests import PRIMARY_OUTCOMES
from empathy_transfer.leakage.flags import WITHOUT_LEAKED
from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.scores.points import with_points
from empathy_transfer.scores.published import printed_floors, published_improvement
from empathy_transfer.significance.paired_tests import ALL, ITEMS, SOUND, TEXT_COLUMNS
from empathy_transfer.statistics.verdicts import HARMED, HIGHER, IMPROVED, LOWER

TESTS, OWN_TESTS, SCORES = "tests", "tests_of_the_paper", "scores"
UNKNOWN = ""  # dataset


class Evidence(NamedTuple):
    """The pairs that can be judged, what is known of their tasks, and the tables of the importance analysis.

    `pairs` has source, target, data, `points` and `one_percent` (`scores.points`), `improved`, `harmed` and
    `not_harmed` (booleans), and of the test its `p` (two-sided), `se` and `df`, and `detectable`, the smallest
    detectable change in percent of the target's baseline, which is `own` points, at the corrected level (infinite where
    the baseline is too near constant answers for percentages); all four are missing where they are unknown. `tasks` is
    {task: its theme, kind and dataset}. `basis` says what improved and harmed rest on: `tests` (corrected),
    `tests_of_the_paper` (one seed, uncorrected), or `scores` (any difference that is printed). `seeds` is the smallest
    number of seeds behind a pair, and `covers_seeds` whether all tests cover the choice of seeds: a pair of one seed
    does if other runs of its target have two. `importance` and `nulls` are frames, or None; of `importance` the rows of
    one outcome. `variants` is the frame of variant_gains.csv, or None.
    """

    pairs: pandas.DataFrame
    tasks: dict
    basis: str
    seeds: int
    importance: pandas.DataFrame | None = None
    nulls: pandas.DataFrame | None = None
    variants: pandas.DataFrame | None = None
    covers_seeds: bool = True


def read_study(significance_path, tasks):
    """significance.csv with text columns as text; controls and half-data baselines are left out."""
    frame = read_csv(significance_path)
    text = [name for name in (*TEXT_COLUMNS, "effect", "effect_published", "noninferior") if name in frame]
    frame = frame.astype(dict.fromkeys(text, "object")).fillna(dict.fromkeys(text, ""))
    return frame[frame["source"].isin(list(tasks)) & frame["target"].isin(list(tasks))]


def study_evidence(frame, tasks, runs, basis, importance=None, nulls=None, variants=None):
    """Evidence of a study from the frame of `read_study`: the tested pairs, with or without collapsed runs.

    Args:
        frame: see `read_study`. tasks: {task: its theme, kind and dataset}.
        runs: `all`, `without_collapsed` or `without_leaked`.
        basis: `tests` or `tests_of_the_paper`. importance, nulls: see `read_importance_tables`.
        variants: the frame of variant_gains.csv, or None.
    """
    effect, p = ("effect", "q") if basis == TESTS else ("effect_published", "p_published")
    chosen = frame[(frame["runs"] == runs) & frame[p].notna()]
    # Where there are no percentages, no change in percent could show.
    known = chosen["percent"].notna()
    pairs = with_points(chosen[["source", "target", "data", "baseline", "difference", "p", "se", "df"]])
    pairs = pairs.assign(
        own=(100 * chosen["baseline"]).where(known), detectable=chosen["mde_bh_percent"].where(known, numpy.inf)
    )
    pairs = _with_outcomes(pairs, chosen[effect].isin([IMPROVED, HIGHER]), chosen[effect].isin([HARMED, LOWER]))
    seeds = 1 if basis == OWN_TESTS else _seeds(chosen)
    covers_seeds = basis == TESTS and not (chosen["covers"] == ITEMS).any()
    return Evidence(pairs, tasks, basis, seeds, importance, nulls, variants, covers_seeds)


def printed_evidence(scores_path, labels_path, themes_path, runs=ALL, importance=None, nulls=None, datasets=None):
    """Evidence of the printed score tables: every printed difference counts, since no tests are printed for pairs.

    `datasets` is {task: its dataset}; without it no mean has an interval.
    """
    scores = read_csv(scores_path, verify=False)
    shares = read_csv(labels_path, verify=False, dtype={"label": str})
    improvement = published_improvement(scores, printed_floors(shares, scores["target"].unique()))
    themes = read_csv(themes_path, verify=False).set_index("task")["theme"]
    kinds = scores.drop_duplicates("target").set_index("target")["metric"].map(KIND_OF_METRIC)
    datasets = datasets or {}
    tasks = {
        task: {"theme": theme, "kind": kinds[task], "dataset": datasets.get(task, UNKNOWN)}
        for task, theme in themes.items()
    }
    if runs == SOUND:
        improvement = improvement[improvement["reason"] != "collapsed"]
    pairs = with_points(improvement[["source", "target", "data", "baseline", "difference"]])
    pairs = pairs.assign(**dict.fromkeys(("p", "se", "df", "own", "detectable"), numpy.nan))
    # Rounding of the subtraction is no difference.
    differences = improvement["difference"].round(6)
    pairs = _with_outcomes(pairs, differences > 0, differences < 0)
    return Evidence(pairs, tasks, SCORES, 1, importance, nulls, covers_seeds=False)


def read_importance_tables(importance_path, nulls_path, runs):
    """The rows of importance_variants.csv and rating_nulls.csv, with or without collapsed runs.

    Of each protocol the first variant on percent improvements, of the nulls the primary outcome; (None, None) where
    there are no such files.
    """
    if not importance_path or not nulls_path:
        return None, None
    outcome = "percent" if runs == ALL else f"percent_{runs}"
    primary = PRIMARY_OUTCOMES[(ALL, SOUND, WITHOUT_LEAKED).index(runs)]
    importance, nulls = (read_csv(path) for path in (importance_path, nulls_path))
    importance = importance[importance["outcome"] == outcome]
    first = importance.groupby("protocol")["variant"].transform("min")
    importance = importance[importance["variant"] == first]
    text = dict.fromkeys(("verdict", "reason"), "object")
    importance = importance.astype(text).fillna(dict.fromkeys(text, ""))
    return importance, nulls[nulls["outcome"] == primary]


def _with_outcomes(pairs, improved, harmed):
    """The pairs with three columns of booleans."""
    return pairs.assign(improved=improved, harmed=harmed, not_harmed=~harmed).reset_index(drop=True)


def _seeds(tests):
    """The seeds that the tests cover: 1 where any covers items only."""
    if tests.empty:
        return 0
    return 1 if (tests["covers"] == ITEMS).any() else int(tests["seeds"].min())
