"""Folds for cross-validation of pairs: alike in size and labels, and with few texts in common."""

import numpy as np
import pandas

from empathy_transfer.data.hashing import hash_fraction
from empathy_transfer.data.readers.common import text_key
from empathy_transfer.errors import DataError

BINS = 4  # numbers are balanced by quarters of the items
# What texts in two folds cost: pairs are left out for them. With twice the weight, labels of folds are less alike.
LINK_WEIGHT = 6.0
LARGEST_SEARCH = 400  # groups; with more, the first deal is near enough
ROUNDS = 20


def texts_of_items(tasks):
    """Which texts each item has: a frame with the columns id, group and key, over all tasks of a dataset.

    ``tasks`` is {task: frame with id, group, context and text}. A key is equal for texts that differ only in case and
    spacing.
    """
    parts = [
        frame[["id", "group"]].assign(key=frame[column].map(text_key))
        for frame in tasks.values()
        for column in ("context", "text")
    ]
    return pandas.concat(parts, ignore_index=True).drop_duplicates(["id", "key"])


def deal_folds(tasks, texts, count, seed):
    """Say which fold each group belongs to: {group: number from 1 on}.

    Groups are dealt out one by one, the largest first, each to the fold that it brings nearest to its share of the
    items and labels, where texts that the fold has already count in its favour; then groups are moved as long as that
    helps. Equal input gives equal folds.

    Args:
        tasks: {task: frame with group and label}. texts: as from `texts_of_items`.
        count: number of folds. seed: decides among groups that are alike.

    Raises:
        DataError: fewer groups than folds.
    """
    contents = _contents(tasks)
    if len(contents) < count:
        raise DataError(
            f"{len(contents)} groups are too few for {count} folds. Name a finer unit as the group, or set fewer "
            "`folds` in `pairs` of the config."
        )
    parts = (contents / contents.sum()).to_numpy()
    links = _links(texts, contents.index)
    chance = [hash_fraction(f"{seed}:{group}") for group in contents.index]
    chosen = np.full(len(parts), -1)
    filled, linked = np.zeros((count, parts.shape[1])), np.zeros((len(parts), count))
    for group in np.lexsort((chance, -parts.mean(axis=1).round(9))):
        _place(group, int(np.argmin(_costs(parts, filled, linked, group))), parts, links, chosen, filled, linked)
    if len(parts) <= LARGEST_SEARCH:
        _improve(parts, links, chosen, filled, linked)
    return {group: int(place) + 1 for group, place in zip(contents.index, chosen, strict=True)}


def _contents(tasks):
    """What each group holds: groups (sorted) by items and, of each task, items of each label or quarter."""
    columns = {}
    for task, frame in tasks.items():
        labels = frame["label"]
        if pandas.api.types.is_numeric_dtype(labels):
            labels = ((labels.rank() - 0.5) / len(labels) * BINS).floordiv(1)
        counts = pandas.crosstab(frame["group"].to_numpy(), labels.to_numpy())
        columns |= {(task, str(label)): counts[label] for label in counts}
        columns[task, "items"] = counts.sum(axis=1)
    return pandas.DataFrame(columns).fillna(0).sort_index()


def _links(texts, groups):
    """How many texts each two groups have in common (groups, groups), per item; 0 of a group with itself."""
    from scipy.sparse import csr_array

    used = texts[["group", "key"]].drop_duplicates()
    used = used[used["group"].isin(groups)]
    entries = np.ones(len(used)), (groups.get_indexer(used["group"]), pandas.factorize(used["key"])[0])
    incidence = csr_array(entries, shape=(len(groups), used["key"].nunique()))
    common = (incidence @ incidence.T).tolil()
    common.setdiag(0)
    return common.tocsr() / (len(texts) / 2)


def _costs(parts, filled, linked, group):
    """What each fold would cost with the group in it (folds)."""
    share = 1 / len(filled)
    uneven = ((filled + parts[group] - share) ** 2 - (filled - share) ** 2).mean(axis=1) / share
    return uneven - LINK_WEIGHT * linked[group] / len(filled)


def _place(group, place, parts, links, chosen, filled, linked):
    """Put a group into a fold, out of the one that it is in."""
    theirs = links[[group]].toarray()[0]
    if (old := chosen[group]) >= 0:
        filled[old] -= parts[group]
        linked[:, old] -= theirs
    chosen[group] = place
    filled[place] += parts[group]
    linked[:, place] += theirs


def _improve(parts, links, chosen, filled, linked):
    """Move groups to other folds as long as that costs less."""
    for _ in range(ROUNDS):
        moved = False
        for group in range(len(parts)):
            old = chosen[group]
            if (chosen == old).sum() == 1:
                continue  # no fold stays empty
            filled[old] -= parts[group]
            costs = _costs(parts, filled, linked, group)
            filled[old] += parts[group]
            if costs.min() < costs[old] - 1e-12:
                _place(group, int(np.argmin(costs)), parts, links, chosen, filled, linked)
                moved = True
        if not moved:
            break
