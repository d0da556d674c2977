"""The test predictions of all runs of a target, on the same items."""

import numpy as np

from empathy_transfer.records.artefacts import read_table
from empathy_transfer.statistics.resampling import make_sample


def read_paired(runs, test_path):
    """Read the predictions of runs of one target, checked to be paired.

    Args:
        runs: {key: (record of the run, path of its predictions)}. test_path: the target's test split.

    Returns:
        tuple: {key: record}, the test items in their groups, the items one by one (``resampling.Sample``), and
        {key: predictions} as ``resampling.score_systems`` takes them.

    Raises:
        ValueError: runs have other test items or labels than the first one, or the split lacks an item.
    """
    frames = {key: read_table(path, columns=["id", "label", "prediction"]) for key, (_, path) in runs.items()}
    first = next(iter(frames.values()))
    for key, frame in frames.items():
        if not (frame["id"].equals(first["id"]) and frame["label"].equals(first["label"])):
            raise ValueError(f"{runs[key][1].parent}: other test items or labels than in the other runs of the target")
    return {key: record for key, (record, _) in runs.items()}, *pair_frames(frames, test_path)


def pair_frames(frames, test_path):
    """The test items of frames of predictions, and their answers.

    Args:
        frames: {key: frame with id, label and prediction}, all of the same items and labels in one order.
        test_path: the test split that has these items.

    Returns:
        tuple: the items in their groups, the items one by one, and {key: predictions}, as of `read_paired`.

    Raises:
        ValueError: the split lacks an item.
    """
    first = next(iter(frames.values()))
    groups = read_table(test_path, columns=["id", "group"]).set_index("id")["group"].reindex(first["id"])
    if groups.isna().any():
        raise ValueError(f"{test_path}: {int(groups.isna().sum())} items of the predictions are not among its rows")
    labels, predictions = _encode(first["label"], {key: frame["prediction"] for key, frame in frames.items()})
    return make_sample(labels, groups.to_numpy()), make_sample(labels), predictions


def _encode(labels, predictions):
    """Labels and predictions as numbers, or as booleans (items, classes among the labels)."""
    if labels.dtype.kind == "f":
        return labels.to_numpy(), {key: column.to_numpy() for key, column in predictions.items()}
    several = isinstance(labels.iloc[0], list)
    classes = sorted({name for row in labels for name in row} if several else set(labels))

    def indicators(column):
        """Which classes each item has."""
        rows = [set(row) if several else {row} for row in column]
        return np.array([[name in row for name in classes] for row in rows], dtype=bool)

    return indicators(labels), {key: indicators(column) for key, column in predictions.items()}
