"""What is known of each task before any training: sizes, labels, where its texts come from, and its construct ratings.

Features of pairs are differences of these facts (section 6 of the study). There are two sources of the same table: the
data of a study, and the numbers printed in the paper.
"""

import pandas

from empathy_transfer.ratings.agreement import ASPECTS, mean_ratings
from empathy_transfer.records.artefacts import read_csv

SIZES = ("samples", "tokens", "vocabulary")
FACT_COLUMNS = ["task", "dataset", "kind", *SIZES, "labels", "data_source", "language_setting", *ASPECTS]
# Under which name data/summary.csv counts each size.
STATISTICS = {"samples": "n", "tokens": "tokens", "vocabulary": "vocabulary"}
KIND_OF_METRIC = {"f1_macro": "classification", "pearson_r": "regression"}


def study_facts(tasks, summary, ratings):
    """Facts of a study's tasks, from its own data.

    Args:
        tasks: {task: its dataset, kind, data_source, language_setting, and `labels`, the list of its classes}; a task
            of kind regression has no labels, and counts as one.
        summary: the frame of data/summary.csv; its counts over all splits are the sizes.
        ratings: frame with the columns task, aspect, annotator, score (1 to 5).

    Returns:
        A frame with `FACT_COLUMNS`, one row per task in the order of `tasks`. Sizes are numbers of rows, words and
        distinct words; definition, link and conduciveness are means over annotators, missing for a task that nobody
        rated on the aspect.

    Raises:
        ValueError: the summary lacks a count of a task; names both.
    """
    whole = summary[summary["split"] == "all"]
    counts = whole.set_index(["task", "statistic"])["value"].to_dict()
    rows = []
    for task, about in tasks.items():
        sizes = {}
        for size, statistic in STATISTICS.items():
            if pandas.isna(counts.get((task, statistic))):
                raise ValueError(f"the summary of the data has no {statistic} of task {task}: make it anew")
            sizes[size] = counts[task, statistic]
        rows.append({"task": task, **_described(about), **sizes, "labels": max(len(about.get("labels") or []), 1)})
    return _with_ratings(rows, ratings)


def published_facts(tasks, printed_paths):
    """Facts of the 18 tasks as printed: Tables 1 (sizes of datasets), 2 (ratings), 7 and 8 (kinds), 10 to 12 (labels).

    The paper prints sizes per dataset, so all tasks of a dataset have the same. The number of labels is that of the
    printed shares; a regression counts as one.

    Args:
        tasks: {task: its dataset, data_source and language_setting}, which the paper says in words only.
        printed_paths: paths of the printed tables by what they hold: `sizes`, `ratings`, `scores`, `labels`.

    Returns:
        A frame as from `study_facts`.

    Raises:
        ValueError: the tables lack a dataset or a task; names it.
    """
    sizes = read_csv(printed_paths["sizes"], verify=False).set_index("dataset")
    scores = read_csv(printed_paths["scores"], verify=False)
    kinds = scores.drop_duplicates("target").set_index("target")["metric"].map(KIND_OF_METRIC)
    shares = read_csv(printed_paths["labels"], verify=False, dtype={"label": str})
    labels = shares[(shares["split"] == "all") & (shares["label"] != "(split share)")].groupby("task").size()
    rows = []
    for task, about in tasks.items():
        if about["dataset"] not in sizes.index or task not in kinds.index:
            raise ValueError(f"the printed tables hold nothing on task {task} of dataset {about['dataset']}")
        kind = kinds[task]
        if kind == "classification" and task not in labels.index:
            raise ValueError(f"the printed tables hold no label shares of task {task}")
        counts = {size: float(sizes.loc[about["dataset"], size]) for size in SIZES}
        number = 1 if kind == "regression" else int(labels[task])
        rows.append({"task": task, **_described(about | {"kind": kind}), **counts, "labels": number})
    return _with_ratings(rows, read_csv(printed_paths["ratings"], verify=False))


def _described(about):
    """The facts that the description of a dataset gives."""
    return {key: about[key] for key in ("dataset", "kind", "data_source", "language_setting")}


def _with_ratings(rows, ratings):
    """The rows as a frame with `FACT_COLUMNS`, ratings added."""
    frame = pandas.DataFrame(rows).join(mean_ratings(ratings), on="task")
    return frame[FACT_COLUMNS]
