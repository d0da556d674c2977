"""reliability.csv and its page: ratings and their effects, labels and scores, seeds, and the paper's first question."""

import numpy as np
import pandas as pd
from scipy import stats

from empathy_transfer.features.pair_features import read_pair_features
from empathy_transfer.importance.pair_outcomes import outcome_pairs, read_full_improvement
from empathy_transfer.importance.rating_tests import PRIMARY_OUTCOME
from empathy_transfer.ratings.agreement import mean_ratings, read_ratings
from empathy_transfer.records.artefacts import read_csv, write_csv, write_text
from empathy_transfer.records.runs import BASELINE
from empathy_transfer.reliability.constructs import compare_constructs, construct_of
from empathy_transfer.reliability.raters import TEXT_COLUMNS as CEILING_TEXTS
from empathy_transfer.reliability.rating_effects import ENDS, left_of_ratings, rating_effects, rating_reliability
from empathy_transfer.reliability.seeds import read_retest, with_intervals
from empathy_transfer.report.markdown import plain_text
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.report.templates import render
from empathy_transfer.scores.improvement import read_scores
from empathy_transfer.statistics.reliability import corrected_correlation
from empathy_transfer.statistics.t_tests import t_test
from empathy_transfer.statistics.values import number_or_none

COLUMNS = """
    part name statistic number low high uncorrected uncorrected_low uncorrected_high raters units construct covers
    reason
""".split()
TEXTS = ("part", "name", "statistic", "construct", "covers", "reason")


def write_reliability(paths, prediction_paths, test_paths, tasks, settings, outputs):
    """Write reliability.csv and reliability.md.

    Args:
        paths: of `ratings`, `improvement`, `features` (of pairs), `scores`, and the list `ceilings`, see `raters`.
        prediction_paths: test predictions of all full-data baselines. test_paths: the test splits, task by task.
        tasks: {task: its title, dataset, kind and metric}. settings: `resamples` and `alpha`.
        outputs: paths of `csv` and `text`.
    """
    scores, ratings = read_scores(paths["scores"]), read_ratings(paths["ratings"])
    improvement = read_full_improvement(paths["improvement"])
    alpha, definitions = settings["alpha"], _definitions(ratings, tasks)
    pairs, _ = outcome_pairs(improvement, read_pair_features(paths["features"]), PRIMARY_OUTCOME)
    rows = rating_reliability(ratings, {task: about["dataset"] for task, about in tasks.items()}, alpha)
    if len(pairs):
        rows += rating_effects(pairs, ratings, alpha) + left_of_ratings(pairs, ratings)
    ceilings = {row["task"]: row for row in read_ceilings(paths["ceilings"]).to_dict("records")}
    labels = [label_row(row) for row in ceilings.values()]
    rows += labels + [ceiling_row(row) for row in ceilings.values()]
    errors = improvement.groupby("target")["baseline_standard_error"].first()
    rows += [score_row(task, about, ceilings.get(task), scores, errors, alpha) for task, about in tasks.items()]
    answered = {task: {} for task in tasks}
    for path in prediction_paths:
        answered[path.parent.name][path.parent.parent.name] = path
    found = [
        read_retest(answered[task], test_path, about["kind"], settings)
        for (task, about), test_path in zip(tasks.items(), test_paths, strict=True)
    ]
    words = "alpha of the baseline's answers"
    seeds = [
        {"part": "seeds", "name": task, "statistic": words, "raters": row["seeds"], "units": row["items"]}
        | {key: row[key] for key in ("number", "low", "high", "covers", "reason")}
        for task, row in zip(tasks, with_intervals(found, alpha), strict=True)
    ]
    rows += seeds
    measures = {"seeds": {row["name"]: row["number"] for row in seeds}}
    # Of one rater, for all kinds.
    measures["labels"] = {task: number_or_none(row["alpha"]) for task, row in ceilings.items()}
    for measure, values in measures.items():
        rows += compare_constructs(values, tasks, definitions, measure, alpha)
    table = frame_of_reliability(rows, construct_of(definitions))
    write_csv(outputs["csv"], table)
    write_text(outputs["text"], as_page(table, tasks))
    for row in table[(table["part"] == "constructs") & (table["name"] == "seeds")].to_dict("records"):
        print(f"{row['statistic']}: {answer(row)}")


def frame_of_reliability(rows, constructs):
    """Rows as a frame with `COLUMNS`; rows of tasks get their construct."""
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame["construct"] = [constructs.get(name, "") for name in frame["name"]]
    frame = frame.astype({name: "object" if name in TEXTS else "float64" for name in COLUMNS})
    return frame.fillna(dict.fromkeys(TEXTS, ""))


def read_reliability(path):
    """reliability.csv, texts as text."""
    return read_csv(path, dtype=dict.fromkeys(TEXTS, str)).fillna(dict.fromkeys(TEXTS, ""))


def read_ceilings(paths):
    """The rows of several tables of ceilings, texts as text; a frame without rows where there are none."""
    frames = [read_csv(path, dtype=dict.fromkeys(CEILING_TEXTS, str)) for path in paths]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*CEILING_TEXTS, "ceiling"])
    return frame.fillna(dict.fromkeys(CEILING_TEXTS, ""))


def label_row(row):
    """The reliability of a task's labels as a row: of the mean of its raters, or for classes of one rater (alpha)."""
    numbers = row["metric"] == "pearson_r"
    name, words = (
        ("reliability", "reliability of the mean of the raters") if numbers else ("alpha", "alpha of one rater")
    )
    found = {key: number_or_none(row[f"{name}{end}"]) for key, end in ENDS.items()}
    about = {"part": "labels", "name": row["task"], "statistic": words, "raters": row["raters"], "units": row["items"]}
    return about | found | {"reason": row["reason"]}


def ceiling_row(row):
    """The human ceiling of a task's score as a row."""
    about = {"part": "ceilings", "name": row["task"], "statistic": f"human ceiling of {row['metric']}"}
    about |= {"raters": row["raters"], "units": row["items"], "reason": row["reason"]}
    return about | {key: number_or_none(row[f"ceiling{end}"]) for key, end in ENDS.items()}


def score_row(task, about_task, row, scores, errors, alpha):
    """The baseline's score of a task, corrected for its labels' reliability where raters are known, as a row.

    Of r, `number` is the correlation with what would be labelled without error: r over the ceiling. Its variance is
    that over items and seeds, and that of the ceiling. Of F1, which nothing corrects, `number` is empty. ``row`` is the
    task's row of ceilings, or None; ``errors`` the standard errors of baselines over test items, by task.
    """
    about = {"part": "scores", "name": task, "statistic": f"{about_task['metric']} of the baseline"}
    own = scores[(scores["source"] == BASELINE) & (scores["target"] == task) & (scores["data"] == "full")]
    values = own.loc[own["main"], "value"].dropna().to_numpy(float)
    about |= {"reason": "" if len(values) else "not_run"}
    if not len(values):
        return about
    n, score = own["n_test"].iloc[0], float(values.mean())
    seeds = [(float(values.var(ddof=1) / len(values)), len(values) - 1)] if len(values) > 1 else []
    about |= {"units": n, "uncorrected": score, "covers": "items_and_seeds" if seeds else "items"}
    if number_or_none(errors.get(task)) is None:
        return about | {"reason": "not_available"}
    items = (float(errors[task]) ** 2, n - 1)
    tested = t_test(score, [items, *seeds], alpha)
    about |= {"uncorrected_low": tested["low"], "uncorrected_high": min(tested["high"], 1.0)}
    if about_task["metric"] != "pearson_r":
        return about
    if row is None or number_or_none(row["reliability"]) is None:
        return about | {"reason": "no_ratings" if row is None else row["reason"]}
    about["raters"], corrected = row["raters"], float(corrected_correlation(score, row["reliability"]))
    if np.isnan(corrected):
        return about | {"reason": "unreliable"}
    if number_or_none(row["reliability_low"]) is None:
        return about | {"number": corrected, "reason": row["reason"]}
    # By the delta method: r / sqrt(reliability) changes by -r / (2 reliability^1.5) per unit of the reliability.
    factor = corrected / score if score else float(corrected_correlation(1.0, row["reliability"]))
    freedom = max(row["groups"] - 1, 1)
    error = (row["reliability"] - row["reliability_low"]) / stats.t.isf(alpha / 2, freedom)
    of_labels = ((corrected / (2 * row["reliability"]) * error) ** 2, freedom)
    parts = [(factor**2 * variance, freedom) for variance, freedom in [items, *seeds]]
    tested = t_test(corrected, [*parts, of_labels], alpha)
    return about | {"number": corrected, "low": tested["low"], "high": tested["high"], "reason": ""}


def _definitions(ratings, tasks):
    """Mean Definition rating of each task; NaN where nobody gave one."""
    means = mean_ratings(ratings)["definition"]
    return {task: float(means.get(task, np.nan)) for task in tasks}


def as_page(table, tasks):
    """The table as a Markdown page."""
    titles = {task: about["title"] for task, about in tasks.items()}
    rows = {
        part: [row | {"title": plain_text(titles.get(row["name"], row["name"]))} for row in frame.to_dict("records")]
        for part, frame in table.groupby("part", sort=False)
    }
    ceilings = {row["name"]: with_interval(row) for row in rows.get("ceilings", [])}
    cells = {
        "seeds": lambda row: [row["construct"], with_interval(row), f"{row['raters']:g}", f"{row['units']:g}"],
        "ratings": lambda row: [row["statistic"], with_interval(row)],
        "rating_effects": lambda row: [row["statistic"], with_interval(row, "uncorrected"), with_interval(row)],
        "left_of_ratings": lambda row: [
            with_interval(row, "uncorrected"),
            "0 or less" if row["number"] <= 0 else with_interval(row),
        ],
        "labels": lambda row: [f"{row['raters']:.1f}", row["statistic"], with_interval(row), ceilings[row["name"]]],
        "scores": lambda row: [row["statistic"], with_interval(row, "uncorrected"), with_interval(row)],
    }
    tables = {
        part: [[row["title"], *those(row), plain_text(row["reason"])] for row in rows.get(part, [])]
        for part, those in cells.items()
    }
    answers = {row["statistic"]: answer(row) for row in rows["constructs"] if row["name"] == "seeds"}
    codes = [code for code in REASONS if code in set(table.loc[table["part"].isin(list(cells)), "reason"])]
    return render(__file__, answers=answers, codes=codes, REASONS=REASONS, **tables)


def answer(row):
    """What a comparison of constructs says, as a sentence: no more than its interval holds."""
    if row["low"] != row["low"]:
        return "Can't be told: too few datasets, or too few with ratings, on one of the sides."
    number = with_interval(row)
    if row["low"] <= 0 <= row["high"]:
        return f"Can't be told: {number}, and the interval holds 0."
    if "slope" in row["statistic"]:
        word = "more" if row["number"] > 0 else "less"
        return f"The closer a task is to a definition of empathy, the {word} reliable: {number} per point."
    return f"Specific constructs are {'more' if row['number'] > 0 else 'less'} reliable than general scores: {number}."


def with_interval(row, prefix="number"):
    """A number with its interval as text; `prefix` is number or uncorrected."""
    low, high = ("low", "high") if prefix == "number" else (f"{prefix}_low", f"{prefix}_high")
    number, low, high = (f"{row[name]:.2f}" if row[name] == row[name] else "–" for name in (prefix, low, high))
    return number if low == "–" else f"{number} ({low} to {high})"
