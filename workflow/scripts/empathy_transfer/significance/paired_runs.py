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
    refuse_other_items(frames)
    return {key: record for key, (record, _) in runs.items()}, *pair_frames(frames, read_groups(test_path))


def refuse_other_items(frames):
    """Raise ValueError unless all runs, {key: frame of id and label}, have the same test items and labels."""
    first = next(iter(frames.values()))
    for key, frame in frames.items():
        if not (frame["id"].equals(first["id"]) and frame["label"].equals(first["label"])):
            raise ValueError(f"run {' '.join(map(str, key))}: other test items or labels than the target's other runs")


def read_groups(test_path):
    """The group of each item of a test split, by id."""
    return read_table(test_path, columns=["id", "group"]).set_index("id")["group"]


def pair_frames(frames, groups):
    """The test items of frames of predictions, and their answers.

    Args:
        frames: {key: frame with id, label and prediction}, all of the same items and labels in one order.
        groups: the groups of the test split that has these items, by id.

    Returns:
        tuple: the items in their groups, the items one by one, and {key: predictions}, as of `read_paired`.

    Raises:
        ValueError: the split lacks an item.
    """
    first = next(iter(frames.values()))
    groups = groups.reindex(first["id"])
    if groups.isna().any():
        raise ValueError(f"{int(groups.isna().sum())} items of the predictions are not among those of the test split")
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
