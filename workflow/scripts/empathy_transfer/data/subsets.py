"""Parts of a training set: stratified, whole groups, nested.

All groups are put into one order that depends on the seed and the data, never on the share; a subset is a prefix of
that order. So a smaller share is always part of a larger one, and the size is off by half a group at most. The order
interleaves the strata: a group's place is the middle share of its stratum that stands up to and in it (jittered inside
the group), so that every prefix holds about the same share of every stratum. For class labels, the order begins with
a few groups that hold one item of each class, so that small caps lose no class.

Training jobs import this module: numpy only.
"""

import numpy as np

from empathy_transfer.data.hashing import hash_fraction
from empathy_transfer.kinds import kind_of

DECILES = 10


def capped_share(n, cap):
    """The share of `n` items that keeps about `cap` of them; 1 where there is no cap or it is not reached."""
    if cap is not None and cap < 1:
        raise ValueError(f"a cap is at least 1 item, got {cap}")
    return 1.0 if cap is None or n <= cap else cap / n


def nested_subset(groups, labels, kind, share, seed):
    """Choose about `share` of the items, the same for everyone who asks with this seed.

    Args:
        groups: the group of each item; groups are taken whole or not at all.
        labels: the label of each item: classes (any plain values) for `classification`, numbers for `regression`, lists
            of classes for `multilabel`.
        kind: how groups are stratified: by their most frequent class (the rarer one if tied; `multilabel`: of the
            items' first labels), or by the decile of their mean label (`regression`).
        share: wanted share of the items, in (0, 1]. seed: data seed, hash of target and seed index.

    Returns:
        Boolean mask over the items; never empty, and nested: that of a smaller share lies inside that of a larger one.

    Raises:
        ValueError: no items, lengths that differ, a share outside (0, 1], or labels that are not numbers.
    """
    if len(groups) == 0 or len(groups) != len(labels):
        raise ValueError(f"{len(groups)} groups and {len(labels)} labels: need as many of both, and at least one")
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1], got {share}")
    names, group_of, sizes = np.unique(np.asarray(groups, dtype=str), return_inverse=True, return_counts=True)
    order = _group_order(names, group_of, sizes, labels, kind, seed)
    n_items = np.cumsum(sizes[order])
    # argmin takes the first of equals: the smaller prefix on a tie, which keeps the choice monotone in the share.
    n_groups = int(np.argmin(np.abs(n_items - share * n_items[-1]))) + 1
    chosen = np.zeros(len(names), dtype=bool)
    chosen[order[:n_groups]] = True
    return chosen[group_of]


def _group_order(names, group_of, sizes, labels, kind, seed):
    """Indices of all groups in the order in which growing subsets take them."""
    rank = np.empty(len(names), dtype=int)
    rank[np.argsort([hash_fraction(f"subset:{seed}:{name}") for name in names], kind="stable")] = np.arange(len(names))
    jitter = np.array([hash_fraction(f"jitter:{seed}:{name}") for name in names])
    classes = kind_of(kind).classes(labels)
    if classes is None:
        strata = _decile_strata(group_of, sizes, labels)
        first = np.array([], dtype=int)
    else:
        counts = np.zeros((len(names), classes.max() + 1), dtype=int)
        np.add.at(counts, (group_of, classes), 1)
        strata = _majority_strata(counts)
        first = _one_of_each_class(counts, rank)
    rank[first] = np.arange(len(first)) - len(first)  # ahead of all others, also inside their strata
    place = np.empty(len(names))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        members = members[np.argsort(rank[members])]
        before = np.cumsum(sizes[members]) - sizes[members]
        place[members] = (before + jitter[members] * sizes[members]) / sizes[members].sum()
    place[first] = rank[first]
    return np.lexsort((rank, place))


def _decile_strata(group_of, sizes, labels):
    """The decile of each group's mean label among the groups; equal means share one."""
    means = np.bincount(group_of, weights=np.asarray(labels, dtype=float)) / sizes
    edges = np.quantile(means, np.arange(1, DECILES) / DECILES)
    return np.searchsorted(edges, means, side="left")


def _majority_strata(counts):
    """The most frequent class of each group (rows of `counts`); on a tie the class that is rarer overall."""
    rarest_first = np.argsort(counts.sum(axis=0), kind="stable")
    return rarest_first[np.argmax(counts[:, rarest_first], axis=1)]


def _one_of_each_class(counts, rank):
    """A few groups that together hold every class: for each class, rarest first, the first group that has it."""
    chosen, covered = [], np.zeros(counts.shape[1], dtype=bool)
    by_rank = np.argsort(rank)
    for wanted in np.argsort((counts > 0).sum(axis=0), kind="stable"):
        if not covered[wanted]:
            group = int(by_rank[np.argmax(counts[by_rank, wanted] > 0)])
            chosen.append(group)
            covered |= counts[group] > 0
    return np.array(chosen, dtype=int)
