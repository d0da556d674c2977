"""Scores of finished runs, from their predictions: by every metric of the task's kind, without training anything."""

from pathlib import Path

import pandas as pd

from empathy_transfer.kinds import kind_of
from empathy_transfer.metrics import metric, metrics_of
from empathy_transfer.records.artefacts import read_json, read_table, write_csv
from empathy_transfer.records.runs import TransferRun
from empathy_transfer.statistics.item_bootstrap import standard_error
from empathy_transfer.statistics.values import is_all_but_constant

# What a run's own record says of it, beside its key.
RUN_FACTS = ("validation", "floor_validation")
SCORES = "metric main value floor standard_error n_test constant_prediction".split()
COLUMNS = [*TransferRun.__dataclass_fields__, *SCORES, *RUN_FACTS]


def write_run_scores(run_paths, scores_path, key=TransferRun, facts=RUN_FACTS, pairs=False):
    """Write the long table of the scores of runs: a row for each run and metric, with its key, `SCORES` and facts.

    `main` marks the metric of the task; it has a standard error (item bootstrap). `floor` is the score of the best
    answer that knows the training labels alone.

    Args:
        run_paths: records of runs; of unfinished ones nothing is read. scores_path: CSV file to write.
        key: what tells the runs apart, see `records.runs`. facts: what else is taken from their records.
        pairs: whether they are of a study of pairs, see `metrics.metrics_of`.

    Raises:
        ArtefactError: a file is damaged.
    """
    rows = []
    for path in finished(run_paths):
        record = read_json(path)
        found = scores_of(read_table(path.with_name("predictions.parquet")), record, pairs)
        keys = key.of(record).columns
        rows += [keys | row | {name: record[name] for name in facts} for row in found]
    write_csv(scores_path, pd.DataFrame(rows, columns=[*key.__dataclass_fields__, *SCORES, *facts]))
    print(f"{len(rows)} scores of {len(run_paths)} runs")


def finished(paths):
    """The paths of those records of runs that are finished: a run without a provenance beside it does not count."""
    return [path for path in map(Path, paths) if path.with_name("provenance.json").exists() and path.exists()]


def scores_of(table, record, pairs=False):
    """Score one run: a list of {`metric`, `value`, `floor`, ...}, one for each metric of its kind, the main one first.

    Args:
        table: its predictions, a frame with id, label, prediction, and `p_<label>` for each label.
        record: the run's record: `kind`, `metric` and `constant_answer`. pairs: see `metrics.metrics_of`.
    """
    kind = kind_of(record["kind"])
    names = [name.removeprefix("p_") for name in table.columns if name.startswith("p_")]
    labels, predictions = table["label"].tolist(), table["prediction"].tolist()
    if not names:
        labels, predictions = (table[name].to_numpy() for name in ("label", "prediction"))
    true, given, floor = (
        kind.comparable(answers, names) for answers in (labels, predictions, [record["constant_answer"]] * len(table))
    )
    rows = []
    for name in sorted(metrics_of(record["kind"], pairs), key=lambda name: (name != record["metric"], name)):
        scored = metric(name)
        error = None
        if name == record["metric"]:
            occurring = occurring_labels(labels, predictions) if names else None
            sides = (kind.comparable(answers, occurring) for answers in (labels, predictions))
            error = standard_error(scored, *sides, seed=0)
        row = {"metric": name, "main": error is not None, "value": scored.value(true, given)}
        row |= {"floor": scored.value(true, floor), "standard_error": error, "n_test": len(table)}
        rows.append(row | {"constant_prediction": is_all_but_constant(true, given)})
    return rows


def occurring_labels(labels, predictions):
    """The labels that occur among labels and predictions (texts, or lists of texts), sorted."""
    several = any(isinstance(answer, list) for answer in labels)
    answers = [*labels, *predictions]
    return sorted({name for row in answers for name in row} if several else set(answers))
