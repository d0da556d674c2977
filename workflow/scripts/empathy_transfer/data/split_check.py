"""Whether the splits of a task can serve: told when data are prepared, and not after all trainings."""

from empathy_transfer.data.balanced import LEAST_GROUPS
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.errors import DataError

COMMON_LABEL = 0.05  # a label that so many rows have must stand in training and test rows
SPREAD_LABEL = 3  # groups that have it: one for each split


def check_splits(masks, frame, task_name, splits):
    """Stop where a split is empty, and where `grouped` gives splits that `balanced` would make usable.

    Unusable are test rows of fewer than five groups, with which there is no test at all, and training or test rows
    without a label that 5 % of all rows have. Where no scheme can mend that, a warning is printed.

    Args:
        masks: {split: boolean mask over the rows}. frame: the task's rows. splits: {scheme, seed, ...}.

    Raises:
        DataError: names the task, what is missing, and what to do.
    """
    groups = frame["group"].nunique()
    found = f"of {len(frame)} rows in {groups} groups (scheme {splits['scheme']}, seed {splits['seed']})"
    mendable = splits["scheme"] == "grouped" and groups >= sum(LEAST_GROUPS.values())
    other = "write `splits: balanced` into the file of the dataset, " if mendable else ""
    if empty := [split for split in SPLITS if not masks[split].any()]:
        raise DataError(
            f"task {task_name}: no rows for {' and '.join(empty)} out {found}. Groups are never divided: {other}give "
            "the task more rows, name a finer unit as its group, or change `splits: seed` or `splits: shares` in the "
            "config."
        )
    if splits["scheme"] == "published":
        return
    if faults := [*_few_groups(masks, frame), *_missing_labels(masks, frame)]:
        if mendable:
            raise DataError(
                f"task {task_name}: {'; '.join(faults)}, out {found}. A hash can't do better with so few groups: "
                f"{other}or give the task more rows."
            )
        print(f"WARNING: task {task_name}: {'; '.join(faults)}, out {found}")


def _few_groups(masks, frame):
    """What is wrong with the number of test groups."""
    count = frame.loc[masks["test"], "group"].nunique()
    if count < LEAST_GROUPS["test"]:
        yield f"only {count} groups have test rows, so that no difference can be tested (five are needed)"


def _missing_labels(masks, frame):
    """Which common labels training or test rows lack."""
    if frame["label"].dtype.kind == "f":
        return
    labels = frame[["group", "label"]].explode("label").dropna()
    for label, rows in labels.groupby("label", sort=True):
        if len(rows) >= COMMON_LABEL * len(frame) and rows["group"].nunique() >= SPREAD_LABEL:
            for split in ("train", "test"):
                if not masks[split][frame.index.get_indexer(rows.index)].any():
                    yield f"no {split} row has the label {str(label)!r}"
