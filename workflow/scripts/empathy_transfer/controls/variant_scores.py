"""Scores of runs on the test items that all of them have: a variant may have fewer than its task."""

from empathy_transfer.kinds import kind_of
from empathy_transfer.metrics import metric
from empathy_transfer.records.artefacts import read_table
from empathy_transfer.scores.run_scores import occurring_labels


def shared_items(runs):
    """Frames of predictions of runs, on the items of all and in one order: {key: frame with id, label, prediction}.

    Args:
        runs: {key: (record of the run, path of the record)}.

    Raises:
        ValueError: the runs have no test item in common.
    """
    columns = ["id", "label", "prediction"]
    frames = {
        key: read_table(path.with_name("predictions.parquet"), columns=columns) for key, (_, path) in runs.items()
    }
    shared = set.intersection(*(set(frame["id"]) for frame in frames.values()))
    if not shared:
        paths = sorted(str(path.parent) for _, path in runs.values())
        raise ValueError(f"{paths[0]}, {paths[-1]}: runs that are to be compared have no test item in common")
    return {key: frame[frame["id"].isin(shared)].sort_values("id", ignore_index=True) for key, frame in frames.items()}


def scores_by_run(frames, runs):
    """The score of each frame of predictions by the metric of the run: {key: number}. ``runs`` as in `shared_items`."""
    return {key: score_of(frame, runs[key][0]["metric"]) for key, frame in frames.items()}


def score_of(frame, name):
    """The score of a frame of labels and predictions by a metric of this name."""
    scored = metric(name)
    labels, predictions = frame["label"].tolist(), frame["prediction"].tolist()
    several, numbers = isinstance(labels[0], list), not isinstance(labels[0], list | str)
    kind = kind_of("multilabel" if several else "regression" if numbers else "classification")
    names = None if numbers else occurring_labels(labels, predictions)
    return scored.value(kind.comparable(labels, names), kind.comparable(predictions, names))
