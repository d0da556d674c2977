"""Training, validation and test rows of a task.

`grouped`, the default, sends each group (a conversation, an essay's conversation, a seeker's post ...) to a split by a
hash of the seed and the group alone. Groups are global, so that no group stands in two splits, no task trains on
another task's test item, and a new row or task moves no old one.

`balanced`, for small data, has a module of its own (`balanced.py`), since it looks at all rows of a dataset at once.

`published` follows the paper: 80/10/10 with one split per dataset, shared by its tasks. The paper states no
seed, so it is 42. Rows are drawn by their id, except for Conv, whose shares of 80.1/10.3/9.6 percent show that whole
conversations were drawn. News is counted as 2,700 rows that are 1,000 essays: 800 drawn for training, all 1,000 for
validation and 900 drawn for the test; so its splits overlap, and `marks_overlap` says so. What is known of each
dataset's protocol is the table `PUBLISHED_PROTOCOLS`; a dataset without an entry is drawn by row id.
"""

import numpy as np

from empathy_transfer.data.hashing import hash_fraction

SPLITS = ("train", "validation", "test")
SCHEMES = ("grouped", "published")
PUBLISHED_SEED = 42
PUBLISHED_SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
PUBLISHED_PROTOCOLS = {
    "conv": {"unit": "group"},
    "news": {"overlapping_shares": {"train": 0.8, "validation": 1.0, "test": 0.9}},
}


def assign_splits(ids, groups, *, dataset, scheme="grouped", seed, shares):
    """Say which rows belong to which split.

    Args:
        ids, groups: one id (unique) and one global group id per row.
        dataset: the dataset's name; only `published` looks at it. scheme: `grouped` or `published`, see above.
        seed, shares: seed and shares {train, validation, test} (they sum to 1) of `grouped`; `published` has its own.

    Returns:
        A boolean mask over the rows for each of train, validation and test. The masks are disjoint and cover all rows,
        unless `marks_overlap(dataset, scheme)`.

    Raises:
        ValueError: an unknown scheme, shares that are not a partition, or lengths that differ.
    """
    if len(ids) != len(groups):
        raise ValueError(f"{len(ids)} ids but {len(groups)} groups")
    if scheme == "grouped":
        return _by_threshold([f"{seed}:{group}" for group in groups], shares)
    if scheme != "published":
        raise ValueError(f"unknown split scheme {scheme!r}: choose one of {', '.join(SCHEMES)}")
    protocol = PUBLISHED_PROTOCOLS.get(dataset, {})
    if "overlapping_shares" in protocol:
        return _overlapping_draws(ids, dataset, protocol["overlapping_shares"])
    units = groups if protocol.get("unit") == "group" else ids
    return _by_threshold([f"{PUBLISHED_SEED}:{dataset}:{unit}" for unit in units], PUBLISHED_SHARES)


def marks_overlap(dataset, scheme):
    """Whether a row may stand in several splits of this dataset under this scheme."""
    return scheme == "published" and "overlapping_shares" in PUBLISHED_PROTOCOLS.get(dataset, {})


def _by_threshold(keys, shares):
    """Masks from cutting the keys' hash values at the cumulative shares."""
    if set(shares) != set(SPLITS) or min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"shares must give {', '.join(SPLITS)}, none negative, with sum 1; got {dict(shares)}")
    fraction_of = {key: hash_fraction(key) for key in set(keys)}
    fractions = np.array([fraction_of[key] for key in keys], dtype=float)
    # The same three comparisons for every row: the last split takes the rest, whatever the sum rounds to.
    in_train = fractions < shares["train"]
    in_validation = ~in_train & (fractions < shares["train"] + shares["validation"])
    return {"train": in_train, "validation": in_validation, "test": ~in_train & ~in_validation}


def _overlapping_draws(ids, dataset, shares):
    """An own draw without replacement for each split, of that share of all rows."""
    masks = {}
    for split in SPLITS:
        fractions = np.array([hash_fraction(f"{PUBLISHED_SEED}:{dataset}:{split}:{row_id}") for row_id in ids])
        mask = np.zeros(len(ids), dtype=bool)
        mask[np.argsort(fractions, kind="stable")[: round(shares[split] * len(ids))]] = True
        masks[split] = mask
    return masks
