"""The signatures of all tasks of a study in one numbering, so that two tasks are compared by looking up numbers."""

from dataclasses import dataclass, field

import numpy as np
import pandas

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.leakage.near_duplicates import near_duplicates
from empathy_transfer.leakage.shared_ids import SHARED_IDS
from empathy_transfer.leakage.signatures import FIELDS, NO_PIECE

ID_KINDS = ("group", *SHARED_IDS)
HELD_OUT = ("validation", "test")
ABSENT = -1


@dataclass
class SplitItems:
    """The items of one split of one task, ordered as in its table."""

    ids: np.ndarray
    codes: dict = field(default_factory=dict)  # {(kind, field): number of each item's value, ABSENT where it has none}

    def has(self, kind, name):
        """Whether any item has a value of a kind and field."""
        return bool((self.codes[kind, name] != ABSENT).any())


@dataclass
class Index:
    """All tasks of a study: their items, and which pieces of text are nearly the same."""

    items: dict  # {(task, split): SplitItems}
    sizes: dict  # {(kind, field): how many numbers are in use}
    words: np.ndarray  # words of each piece
    near: np.ndarray  # (pairs, 2) pieces, the second one stands in held-out data


def build_index(signatures, jaccard):
    """Number everything that can be shared.

    ``signatures`` is {task: (items, pieces, shingles)} as `text_signatures.read_signatures` gives them; ``jaccard`` the
    similarity from which two pieces are near duplicates.
    """
    pieces = pandas.concat([pieces for _, pieces, _ in signatures.values()], ignore_index=True)
    keys, first, number = np.unique(pieces["key"].to_numpy(), return_index=True, return_inverse=True)
    starts = np.cumsum([0, *(len(pieces) for _, pieces, _ in signatures.values())])
    numbers = {task: number[start:end] for task, start, end in zip(signatures, starts, starts[1:], strict=False)}
    items = {(task, split): SplitItems(np.empty(0, object)) for task in signatures for split in SPLITS}
    sizes = {("normalised", name): len(keys) for name in FIELDS}
    for name in FIELDS:
        found = {task: _renumbered(entry[0][f"{name}_piece"], numbers[task]) for task, entry in signatures.items()}
        _spread(items, signatures, ("normalised", name), found)
        exact = {task: entry[0][f"{name}_exact"].to_numpy() for task, entry in signatures.items()}
        sizes["exact", name] = _spread_values(items, signatures, ("exact", name), exact, found)
    for kind in ID_KINDS:
        values = {task: entry[0][kind].to_numpy(dtype=object) for task, entry in signatures.items()}
        present = {task: np.where(pandas.isna(value), ABSENT, 0) for task, value in values.items()}
        sizes[kind, "id"] = _spread_values(items, signatures, (kind, "id"), values, present)
    shingles = _shingle_matrix(signatures, starts, first, numbers, len(keys))
    near = near_duplicates(shingles, _held_out(items, len(keys)), jaccard)
    return Index(items, sizes, pieces["words"].to_numpy()[first], near)


def _renumbered(piece, numbers):
    """Numbers of pieces in the study from those in the task."""
    piece = piece.to_numpy()
    return np.where(piece == NO_PIECE, ABSENT, numbers[np.maximum(piece, 0)] if len(numbers) else ABSENT)


def _spread(items, signatures, key, codes):
    """Hand each split of each task its part of a task's codes, and its ids."""
    for task, (table, _, _) in signatures.items():
        splits = table["split"].to_numpy()
        for split in SPLITS:
            items[task, split].ids = table["id"].to_numpy(dtype=object)[splits == split]
            items[task, split].codes[key] = codes[task][splits == split]


def _spread_values(items, signatures, key, values, present):
    """Number values over all tasks; absent ones where ``present`` is ABSENT. Returns how many numbers there are."""
    together = np.concatenate([values[task] for task in signatures])
    absent = np.concatenate([present[task] for task in signatures]) == ABSENT
    codes = np.full(len(together), ABSENT, dtype=np.int64)
    codes[~absent], different = pandas.factorize(together[~absent])
    ends = np.cumsum([len(values[task]) for task in signatures])
    _spread(items, signatures, key, dict(zip(signatures, np.split(codes, ends[:-1]), strict=True)))
    return len(different)


def _held_out(items, pieces):
    """Mask over the pieces: those of validation and test items."""
    mask = np.zeros(pieces, dtype=bool)
    for (_, split), part in items.items():
        for name in FIELDS:
            codes = part.codes["normalised", name]
            if split in HELD_OUT:
                mask[codes[codes != ABSENT]] = True
    return mask


def _shingle_matrix(signatures, starts, first, numbers, pieces):
    """Sparse matrix of the study's pieces by shingles; a piece of several tasks is taken from the first of them."""
    from scipy.sparse import csr_array

    rows, values = [], []
    is_first = np.zeros(starts[-1], dtype=bool)
    is_first[first] = True
    for start, (task, (_, _, shingles)) in zip(starts, signatures.items(), strict=False):
        piece = shingles["piece"].to_numpy()
        own = is_first[start + piece]
        rows.append(numbers[task][piece[own]])
        values.append(shingles["shingle"].to_numpy()[own])
    different, column = np.unique(np.concatenate(values), return_inverse=True)
    row = np.concatenate(rows)
    ones = np.ones(len(row), dtype=np.int32)
    matrix = csr_array((ones, (row, column)), shape=(pieces, len(different)))
    matrix.sort_indices()
    return matrix
