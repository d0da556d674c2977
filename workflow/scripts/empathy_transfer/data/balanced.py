"""The split scheme `balanced`, for small data: groups are dealt out so that each split gets its share of everything.

A hash of the group gives each split its share only where groups are many. With twenty, one split may stay empty, or
lack a class. `balanced` looks at all tasks of a dataset together, and at all their labels: a split is to have its share
of the rows, of the groups, and of the rows of each label. It takes the groups one by one, the largest and rarest first,
each to the split that misses it most (as iterative stratification does, Sechidis et al. 2011), and then moves and swaps
groups as long as that brings the shares nearer. No group is divided.

Tests draw groups, and need five (`LEAST_GROUPS`): a split gets so many even where its share asks for fewer.
"""

import numpy as np
import pandas

from empathy_transfer.data.hashing import hash_fraction
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.errors import DataError

# Five groups are what a test of test items needs; without two, one odd group would choose the epoch.
LEAST_GROUPS = {"train": 3, "validation": 2, "test": 5}
BINS = 4  # numbers are balanced by quarters of the task's rows
LARGEST_SEARCH = 400  # groups; with more, the first deal is near enough
ROUNDS = 20
SMALLEST_GAIN = 1e-12


def balanced_splits(tasks, seed, shares):
    """Say which groups belong to which split: {group: split}.

    Args:
        tasks: {task: frame with the columns group and label} of all tasks of the dataset; a label is a text, a number,
            or a list of texts.
        seed: decides among groups that are alike. shares: {train, validation, test}, with sum 1.

    Raises:
        DataError: fewer groups than `LEAST_GROUPS` of all splits together.
    """
    contents = _contents(tasks)
    needed = sum(LEAST_GROUPS.values())
    if len(contents) < needed:
        least = ", ".join(f"{count} for {split}" for split, count in LEAST_GROUPS.items())
        raise DataError(
            f"{len(contents)} groups are too few for the split scheme `balanced`, which needs {needed} ({least}). Give "
            "the dataset more groups, or name a finer unit as its group."
        )
    shares = _possible_shares(len(contents), shares)
    least = np.array([LEAST_GROUPS[split] for split in SPLITS])
    # In units of each column's total, so that a rare label weighs as much as a common one.
    parts = contents.to_numpy(dtype=float)
    parts = parts / parts.sum(axis=0)
    chance = [hash_fraction(f"{seed}:{group}") for group in contents.index]
    order = np.lexsort((chance, -parts.max(axis=1).round(9)))
    chosen = _deal(parts, order, shares, least)
    if len(parts) <= LARGEST_SEARCH:
        chosen = _improve(parts, chosen, shares, least)
    return {group: SPLITS[place] for group, place in zip(contents.index, chosen, strict=True)}


def _contents(tasks):
    """What each group holds: a frame of groups (sorted) by groups, rows of each task, and rows of each label."""
    columns = {}
    for task, frame in tasks.items():
        groups = frame["group"].to_numpy()
        columns[task, "rows", ""] = pandas.Series(1, index=groups).groupby(level=0).sum()
        labels = pandas.Series(_strata(frame["label"]).to_numpy(), index=groups).explode().dropna()
        for label, rows in labels.groupby(labels.astype("str").to_numpy()):
            columns[task, "label", label] = rows.groupby(level=0).size()
    counts = pandas.concat(columns, axis=1).fillna(0).sort_index()
    counts["", "groups", ""] = 1
    return counts


def _strata(labels):
    """The label that a row is balanced by: its own, or of numbers the quarter in which it lies."""
    if pandas.api.types.is_numeric_dtype(labels):
        return ((labels.rank() - 0.5) / labels.count() * BINS).floordiv(1)
    return labels


def _possible_shares(groups, shares):
    """The shares as an array, raised where a split needs more groups; the others give in proportion."""
    least = np.array([LEAST_GROUPS[split] for split in SPLITS]) / groups
    wanted = np.array([shares[split] for split in SPLITS], dtype=float)
    raised = wanted < least
    while True:
        rest = np.where(raised, least, wanted * (1 - least[raised].sum()) / wanted[~raised].sum())
        if not (rest < least - SMALLEST_GAIN).any():
            return rest
        raised |= rest < least


def _cost(filled, shares):
    """How far the splits are from their shares: a sum over splits and columns; ``filled`` has splits last but one."""
    return (((filled - shares[:, None]) ** 2) / shares[:, None]).sum(axis=(-1, -2))


def _deal(parts, order, shares, least):
    """The split of each group: each in turn to the split that it brings nearest to its share."""
    filled, counts = np.zeros((len(shares), parts.shape[1])), np.zeros(len(shares), dtype=int)
    chosen = np.empty(len(parts), dtype=int)
    for done, group in enumerate(order):
        missing = np.maximum(least - counts, 0)
        # So few groups are left that all must go where groups are still needed.
        allowed = missing > 0 if missing.sum() >= len(order) - done else np.ones(len(shares), dtype=bool)
        tried = filled[None] + np.eye(len(shares))[:, :, None] * parts[group]
        place = int(np.argmin(np.where(allowed, _cost(tried, shares), np.inf)))
        chosen[group], filled[place] = place, tried[place, place]
        counts[place] += 1
    return chosen


def _improve(parts, chosen, shares, least):
    """Move groups, and swap pairs of them, as long as that brings the splits nearer to their shares."""
    chosen = chosen.copy()
    for _ in range(ROUNDS):
        if not (_move(parts, chosen, shares, least) | _swap(parts, chosen, shares)):
            break
    return chosen


def _filled(parts, chosen, size):
    """What each split holds of each column, as a share of the column."""
    return np.stack([parts[chosen == place].sum(axis=0) for place in range(size)])


def _move(parts, chosen, shares, least):
    """Move each group to another split where that helps; whether any was moved."""
    moved = False
    for group, part in enumerate(parts):
        own, filled = chosen[group], _filled(parts, chosen, len(shares))
        if (chosen == own).sum() > least[own]:
            without = filled.copy()
            without[own] -= part
            costs = _cost(without[None] + np.eye(len(shares))[:, :, None] * part, shares)
            if costs.min() < costs[own] - SMALLEST_GAIN:
                chosen[group], moved = int(np.argmin(costs)), True
    return moved


def _swap(parts, chosen, shares):
    """Swap each group with that of another split with which it helps most; whether any was swapped."""
    swapped = False
    for group in range(len(parts)):
        own, filled = chosen[group], _filled(parts, chosen, len(shares))
        others = np.flatnonzero(chosen != own)
        if len(others) == 0:
            continue
        change = parts[others] - parts[group]
        tried = np.repeat(filled[None], len(others), axis=0)
        tried[:, own] += change
        tried[np.arange(len(others)), chosen[others]] -= change
        costs = _cost(tried, shares)
        best = int(np.argmin(costs))
        if costs[best] < _cost(filled, shares) - SMALLEST_GAIN:
            chosen[group], chosen[others[best]], swapped = chosen[others[best]], own, True
    return swapped
