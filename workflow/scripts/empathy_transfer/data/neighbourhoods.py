"""Neighbourhoods: groups of pairs that share texts, where chains of pairs connect nearly all of them."""

import numpy as np


def neighbourhoods(links, most):
    """Part pairs of things into groups, so that pairs that share a thing mostly stand in one group.

    Things that are linked are put together, those with the fewest links first, as long as at most `most` links are
    within a group (as Kruskal's algorithm grows a forest). A pair whose things stand in two groups goes to the group of
    the thing with more links. Equal input gives equal groups on every machine.

    Args:
        links: two names of things for each pair. most: 1 or more; pairs at the edge of a group come on top.

    Returns:
        The name of the first pair's position in each group, as a text, for each pair.
    """
    names = {}
    ends = np.array([[names.setdefault(name, len(names)) for name in pair] for pair in links]).reshape(-1, 2)
    degrees = np.bincount(ends.ravel(), minlength=len(names))[ends]
    root, within = list(range(len(names))), [0] * len(names)

    def group_of(thing):
        """The first thing of a thing's group."""
        while root[thing] != thing:
            root[thing] = thing = root[root[thing]]
        return thing

    for place in np.argsort(degrees.sum(axis=1), kind="stable"):
        first, second = sorted(map(group_of, ends[place].tolist()))
        if first != second and within[first] + within[second] < most:
            root[second] = first
            within[first] += within[second] + 1
        elif first == second:
            within[first] += 1
    hubs = np.where(degrees[:, 0] >= degrees[:, 1], ends[:, 0], ends[:, 1])
    groups = [group_of(hub) for hub in hubs.tolist()]
    position = {}
    return [f"{position.setdefault(group, place):04d}" for place, group in enumerate(groups)]
