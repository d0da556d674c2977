"""Construct ratings: how well raters agree on a task's definition, link and conduciveness.

Section 3 and Table 3 of the study: Krippendorff's alpha and Spearman's rank correlation per aspect and overall, and how
often two raters differ by how much (Figure 8). Any number of raters, and gaps where a rater left out a task.
"""

import csv
import io
import itertools

import pandas as pd

from empathy_transfer.agreement.intervals import percentile_interval
from empathy_transfer.agreement.krippendorff_alpha import alpha_sums, krippendorff_alpha
from empathy_transfer.agreement.pairs import spearman_of_pair
from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import read_bytes, write_csv
from empathy_transfer.statistics.reliability import sums_of_groups

ASPECTS = ("definition", "link", "conduciveness")
KEYS = ["task", "aspect", "annotator"]
COLUMNS = [*KEYS, "score"]
# All ratings taken together, and each rater's mean over the aspects of a task.
OVERALL, MEAN = "overall", "mean"
LEVELS = ("interval", "ordinal", "nominal")
AGREEMENT_COLUMNS = """
    aspect raters tasks krippendorff_alpha alpha_low alpha_high undefined_resamples
    alpha_ordinal alpha_nominal spearman_r spearman_p reason
""".split()
INTERVAL_COLUMNS = ("alpha_low", "alpha_high", "undefined_resamples")
PAIR_COLUMNS = ["aspect", "rater_1", "rater_2", "tasks", "spearman_r", "spearman_p", "reason"]
DIFFERENCE_COLUMNS = ["aspect", "difference", "count"]


def write_agreement(ratings_path, resamples, alpha, agreement_path, pairs_path, differences_path):
    """Write agreement.csv, rater_pairs.csv and differences.csv from a table of ratings.

    ``resamples`` is the number of bootstrap resamples of tasks, 1 - ``alpha`` the level of their intervals.
    """
    ratings = read_ratings(ratings_path)
    write_csv(agreement_path, agreement(ratings, resamples, alpha))
    write_csv(pairs_path, rater_pairs(ratings))
    write_csv(differences_path, difference_counts(ratings))


def read_ratings(path):
    """Read a table of ratings: a frame with the columns task, aspect, annotator (text) and score (1 to 5).

    A rating that is missing has no row.

    Raises:
        DataError: a row has not four fields, an unknown aspect, a name that is empty or has white space around it, a
            score that is no number from 1 to 5, or stands there twice; names the row.
    """
    rows = list(csv.reader(io.StringIO(read_bytes(path, verify=False).decode("utf-8-sig"), newline="")))
    header, rows = (rows or [[]])[0], [row for row in rows[1:] if row]
    if header != COLUMNS:
        raise DataError(f"{path}: the first line must be {','.join(COLUMNS)}")
    _refuse(path, [len(row) != len(COLUMNS) for row in rows], f"it has not {len(COLUMNS)} fields")
    frame = pd.DataFrame(rows, columns=COLUMNS, dtype="str")
    names = frame[KEYS]
    stripped = names.apply(lambda column: column.str.strip())
    scores = pd.to_numeric(frame["score"], errors="coerce").astype("float64")
    _refuse(path, (stripped == "").any(axis=1), "a task, aspect or annotator is empty")
    _refuse(path, (stripped != names).any(axis=1), "a task, aspect or annotator has white space around it")
    _refuse(path, ~frame["aspect"].isin(ASPECTS), f"the aspect is none of {', '.join(ASPECTS)}")
    _refuse(path, ~scores.between(1, 5), "the score is not a number from 1 to 5. A missing rating has no row")
    _refuse(path, names.duplicated(), "this task is rated twice for the aspect by the annotator: take one row out")
    return names.assign(score=scores)


def _refuse(path, wrong, problem):
    """Raise DataError about the first row that is wrong (booleans); the first row below the header is row 1."""
    if any(wrong):
        raise DataError(f"{path}, row {list(wrong).index(True) + 1}: {problem}.")


def mean_ratings(ratings):
    """Means over annotators: a frame with tasks as rows and the three aspects as columns, missing where unrated."""
    means = ratings.groupby(["task", "aspect"])["score"].mean().unstack()
    return means.reindex(columns=list(ASPECTS))


def agreement(ratings, resamples=10_000, alpha=0.05, seed=0):
    """Agreement of all raters, per aspect, overall and on the means: a frame with ``AGREEMENT_COLUMNS``.

    ``krippendorff_alpha`` is at interval level, as in the study's Table 3, with the percentile interval of a bootstrap
    over tasks (all aspects of a task together); at the other levels it is there for comparison. ``spearman_r`` is the
    mean over pairs of raters; it has a p only where there is one pair. ``tasks`` counts those that two raters rated.
    ``reason`` says why alpha is empty: ``no_ratings`` (no task with two ratings) or ``constant`` (all ratings equal).
    """
    rows, pairs = [], rater_pairs(ratings)
    raters = sorted(ratings["annotator"].unique())
    for aspect, units in _units(ratings).items():
        found = pairs[pairs["aspect"] == aspect]
        values = {level: krippendorff_alpha(units.to_numpy(), level) for level in LEVELS}
        value, reason = values["interval"]
        rated = units[units.notna().sum(axis=1) >= 2].index.get_level_values("task")
        row = {"aspect": aspect, "raters": len(raters), "tasks": rated.nunique(), "krippendorff_alpha": value}
        row |= bootstrap_interval(units, resamples, alpha, seed)
        row |= {f"alpha_{level}": values[level][0] for level in ("ordinal", "nominal")}
        row |= {"spearman_r": found["spearman_r"].mean(), "reason": reason}
        row["spearman_p"] = found["spearman_p"].iloc[0] if len(found) == 1 else None
        rows.append(row)
    return _typed(pd.DataFrame(rows, columns=AGREEMENT_COLUMNS))


def bootstrap_interval(units, resamples, alpha, seed=0):
    """Percentile interval of alpha at interval level: {alpha_low, alpha_high, undefined_resamples}.

    Tasks are drawn with replacement. The interval is one for the population of tasks that these are drawn from; it
    does not cover the choice of raters. A resample in which alpha is undefined is left out; their share is returned.
    Empty with fewer than two tasks, or where more than half of the resamples are undefined.
    """
    counted = units[units.notna().sum(axis=1) >= 2]
    tasks = counted.index.get_level_values("task")
    by_task = sums_of_groups(alpha_sums(counted.to_numpy()), tasks) if len(counted) else []
    return dict(zip(INTERVAL_COLUMNS, percentile_interval(by_task, resamples, alpha, seed), strict=True))


def rater_pairs(ratings):
    """Spearman's rank correlation of each pair of raters: a frame with ``PAIR_COLUMNS``.

    ``tasks`` counts the tasks that both rated; p is two-sided, by the t distribution (``scipy.stats.spearmanr``).
    ``reason`` is ``too_few`` with fewer than three pairs of values, ``constant`` if a rater gave one value only.
    """
    rows = []
    for aspect, units in _units(ratings).items():
        for first, second in itertools.combinations(units.columns, 2):
            both = units[[first, second]].dropna()
            r, p, reason = spearman_of_pair(both[first], both[second])
            tasks = both.index.get_level_values("task").nunique()
            rows.append((aspect, first, second, tasks, r, p, reason))
    return _typed(pd.DataFrame(rows, columns=PAIR_COLUMNS))


def difference_counts(ratings):
    """How often two raters differ by how much: a frame with ``DIFFERENCE_COLUMNS``, 0 to 4 always listed.

    Each pair of raters counts once for each task that both rated; ``overall`` is the sum over the aspects.
    """
    rows = []
    for aspect, units in _units(ratings).items():
        if aspect == MEAN:
            continue
        pairs = [units[[*pair]].dropna() for pair in itertools.combinations(units.columns, 2)]
        found = [abs(pair.iloc[:, 0] - pair.iloc[:, 1]).round(9) for pair in pairs]
        counts = pd.concat(found).value_counts().to_dict() if found else {}
        rows += [(aspect, value, counts.get(value, 0)) for value in sorted({*counts, 0.0, 1.0, 2.0, 3.0, 4.0})]
    return pd.DataFrame(rows, columns=DIFFERENCE_COLUMNS).astype({"difference": "float64", "count": "int64"})


def _units(ratings):
    """{aspect: frame of scores, rows (task, aspect), columns raters}: the aspects, overall and the means."""
    scores = ratings.pivot(index=["task", "aspect"], columns="annotator", values="score")
    by_aspect = {aspect: scores[scores.index.get_level_values("aspect") == aspect] for aspect in ASPECTS}
    # A mean needs all aspects: two raters' means over different aspects would differ for no fault of theirs.
    means = scores.groupby("task").mean().round(12).where(scores.groupby("task").count() == len(ASPECTS))
    return by_aspect | {OVERALL: scores, MEAN: means}


def _typed(frame):
    """The frame with numbers as numbers, also where a column holds none."""
    text = ("aspect", "reason", "rater_1", "rater_2")
    whole = ("raters", "tasks")
    return frame.astype({name: "int64" if name in whole else "float64" for name in frame if name not in text})
