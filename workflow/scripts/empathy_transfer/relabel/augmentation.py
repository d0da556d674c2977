"""Which texts a study with a share of the data trains on: nested, by a hash of the seed and the text's id."""

import numpy as np

from empathy_transfer.data.hashing import hash_fraction


def nested_sample(ids, number, purpose, seed):
    """Return booleans (n) that choose ``number`` texts, or all where there are fewer.

    The order of the texts depends on ``purpose`` and ``seed`` and on each id alone: a smaller number is part of a
    larger one, and a text that leaves the set moves no other.

    Raises:
        ValueError: a negative number.
    """
    if number < 0:
        raise ValueError(f"{number} texts can't be drawn")
    places = np.array([hash_fraction(f"{purpose}:{seed}:{name}") for name in ids])
    chosen = np.zeros(len(places), dtype=bool)
    chosen[np.argsort(places, kind="stable")[:number]] = True
    return chosen


def share_of(number, fraction):
    """Number of texts in a share (0 to 1) of ``number``, rounded half up; at least one where the share is above 0."""
    if not 0 <= fraction <= 1:
        raise ValueError(f"the share {fraction} is not between 0 and 1")
    return max(int(number * fraction + 0.5), int(fraction > 0 and number > 0))
