"""Variances over pairs that share members, such as pairs of stories: numpy only.

Two pairs with a story in common are not independent, and where most stories stand in several pairs, no grouping makes
independent units of them: chains of pairs join nearly all. What pairs with a common member add to the variance of a
statistic is measured by leaving out one member after another, with all its pairs. Each pair is left out with either of
its members, so the part that is its own comes twice; leaving out single pairs measures it, and it is taken off once.
That is the sum over all pairs of pairs with a common member of Cameron and Miller (2014) and Aronow, Samii and
Assenova (2015), by the jackknife.
"""

import numpy as np

from empathy_transfer.statistics.resampling import leave_one_out_counts
from empathy_transfer.statistics.seed_variance import spread


class Dyads:
    """Pairs by their two members; members that are equal are the same one."""

    def __init__(self, first, second):
        """Take the members of each pair: two sequences of one length, of anything that can be sorted."""
        members, places = np.unique([*first, *second], return_inverse=True)
        self.n_pairs, self.n_members = len(first), len(members)
        sides = places.reshape(2, -1)
        self.without = np.ones((self.n_members, self.n_pairs), dtype=np.float32)
        self.without[sides[0], np.arange(self.n_pairs)] = 0
        self.without[sides[1], np.arange(self.n_pairs)] = 0

    @property
    def blocks(self):
        """(counts of pairs without each member, counts without each pair), each a list as `resampling` takes it."""
        return [self.without], list(leave_one_out_counts(self.n_pairs))

    def replicates(self, value):
        """A statistic without each member, and without each pair: two arrays.

        ``value`` gives the statistic of the pairs at some rows.
        """
        rows = [np.flatnonzero(kept) for kept in self.without]
        every = np.arange(self.n_pairs)
        return (
            np.array([value(kept) for kept in rows]),
            np.array([value(np.delete(every, row)) for row in every]),
        )


def dyadic_variance(without_members, without_pairs):
    """Variance of a statistic from its values without each member and without each pair; arrays (..., values).

    Never below what independent pairs would have: sums of products may come out below it by chance.
    """
    pairs = spread(without_pairs, few=True)
    return np.maximum(spread(without_members, few=True) - pairs, pairs)
