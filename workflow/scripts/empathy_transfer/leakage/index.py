"""The signatures of all tasks of a study in one numbering, so that two tasks are compared by looking up numbers."""

from dataclasses import dataclass, field

import numpy as np
import pandas

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.leakage.information import least_bits
from empathy_transfer.leakage.near_duplicates import Pairs, shared_information, similar_pairs
from empathy_transfer.leakage.seen import HELD_OUT, SOURCE_SPLITS
from empathy_transfer.leakage.shared_ids import SHARED_IDS
from empathy_transfer.leakage.signatures import FIELDS, NO_PIECE

ID_KINDS = ("group", *SHARED_IDS)
ABSENT = -1
LEAST_BITS = 1e-3  # of a shingle, so that a sparse matrix keeps it


@dataclass
class SplitItems:
    """The items of one split of one task, ordered as in its table."""

    ids: np.ndarray
    codes: dict = field(default_factory=dict)  # {(kind, field): number of each item's value, ABSENT where it has none}
    different: dict = field(default_factory=dict, repr=False)  # {field: `pieces`}, once they have been asked for

    def has(self, kind, name):
        """Whether any item has a value of a kind and field."""
        return bool((self.codes[kind, name] != ABSENT).any())

    def pieces(self, name):
        """The different pieces of text in a field."""
        if name not in self.different:
            codes = self.codes["normalised", name]
            self.different[name] = np.unique(codes[codes != ABSENT])
        return self.different[name]


@dataclass
class Index:
    """All tasks of a study: their items, and which pieces of text resemble each other."""

    items: dict  # {(task, split): SplitItems}
    sizes: dict  # {(kind, field): how many numbers are in use}
    bits: np.ndarray  # information of each piece
    words: np.ndarray  # words of each piece
    near: dict  # {field: near_duplicates.Pairs}, of the fields that count


def build_index(signatures, fields, containment, chance):
    """Number everything that can be shared.

    ``signatures`` is {task: (items, pieces, shingles)} as `signatures.read_signatures` gives them; ``fields`` those in
    which pieces that resemble each other are looked for; ``containment`` the least share of one text in another;
    ``chance`` see `information.least_bits`.
    """
    keys = [pieces["key"].to_numpy() for _, pieces, _ in signatures.values()]
    different, first, number = np.unique(np.concatenate(keys), return_index=True, return_inverse=True)
    words = np.concatenate([pieces["words"].to_numpy() for _, pieces, _ in signatures.values()])[first]
    starts = np.cumsum([0, *map(len, keys)])
    numbers = {task: number[start:end] for task, start, end in zip(signatures, starts, starts[1:], strict=False)}
    items = {(task, split): SplitItems(np.empty(0, object)) for task in signatures for split in SPLITS}
    sizes = {("normalised", name): len(different) for name in FIELDS}
    for name in FIELDS:
        found = {task: _renumbered(entry[0][f"{name}_piece"], numbers[task]) for task, entry in signatures.items()}
        _spread(items, signatures, ("normalised", name), found)
        exact = {task: entry[0][f"{name}_exact"].to_numpy() for task, entry in signatures.items()}
        sizes["exact", name] = _spread_values(items, signatures, ("exact", name), exact, found)
    for kind in ID_KINDS:
        values = {task: entry[0][kind].to_numpy(dtype=object) for task, entry in signatures.items()}
        present = {task: np.where(pandas.isna(value), ABSENT, 0) for task, value in values.items()}
        sizes[kind, "id"] = _spread_values(items, signatures, (kind, "id"), values, present)
    shingles = _shingle_matrix(signatures, numbers, len(different))
    near, bits = {}, np.asarray(shingles.sum(axis=1)).ravel()
    for name in fields:
        sides = [_pieces(items, name, splits) for splits in (SOURCE_SPLITS, HELD_OUT)]
        # The least that any pair of parts asks for.
        fewest = [min(map(len, side), default=0) for side in sides]
        limit = least_bits(fewest[0] * fewest[1], chance)
        near[name] = similar_pairs(shingles, bits, *map(_union, sides), containment, limit)
    if "input" in near:
        near["input"] = _with_similar_texts(near["input"], shingles, bits, items, containment)
    return Index(items, sizes, bits, words, near)


def _pieces(items, name, splits):
    """The different pieces in a field, of each part of these splits that has any."""
    parts = [part.pieces(name) for (_, split), part in items.items() if split in splits]
    return [pieces for pieces in parts if len(pieces)]


def _union(parts):
    """The different pieces of all parts."""
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *parts]))


def _with_similar_texts(near, shingles, bits, items, containment):
    """Those pairs of inputs whose texts resemble each other, too: two replies in one context are no copies."""
    text_of = np.full(shingles.shape[0], ABSENT)
    for part in items.values():
        text_of[part.codes["normalised", "input"]] = part.codes["normalised", "text"]
    texts = text_of[near.pieces]
    alike = shared_information(shingles, texts)[0] >= containment * bits[texts].min(axis=1) - 1e-6
    return Pairs(near.pieces[alike], near.bits[alike], near.jaccard[alike])


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


def _shingle_matrix(signatures, numbers, pieces):
    """Sparse matrix of the study's pieces by shingles: bits; where tasks have a piece in common, the least of them."""
    from scipy.sparse import csr_array

    tables = [(numbers[task], entry[2]) for task, entry in signatures.items()]
    sizes = np.zeros(pieces, dtype=np.int64)
    for number, table in tables:
        sizes[number] = np.bincount(table["piece"], minlength=len(number))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    shingles, bits = np.empty(starts[-1], dtype="uint32"), np.full(starts[-1], np.inf, dtype="float32")
    for number, table in tables:
        # A piece has the same shingles in the same order in all tasks.
        piece = table["piece"].to_numpy()
        first = np.concatenate([[0], np.cumsum(sizes[number])])
        places = starts[number[piece]] + np.arange(len(piece)) - first[piece]
        shingles[places] = table["shingle"]
        bits[places] = np.minimum(bits[places], table["bits"])
    column, different = pandas.factorize(shingles)
    # An entry of 0 bits is an entry, too.
    entries = np.maximum(bits, np.float32(LEAST_BITS)), column.astype("int32"), starts
    matrix = csr_array(entries, shape=(pieces, len(different)))
    matrix.sort_indices()
    return matrix
