"""Pairs of texts that share most of what one of them says: copies with changed words, and copies inside longer texts.

Two texts are compared by the information of their shingles (`information.py`): the share of the *containment* (Broder
1997) is what both have in common over what the one that says less holds. Candidates are found by prefix filtering
(Chaudhuri, Ganti and Kaushik 2006): a text's commonest shingles are left out, as long as what must be shared can't hide
in them. So no pair is missed, and the words that all texts have cost no time.
"""

from typing import NamedTuple

import numpy as np

PRODUCTS_AT_ONCE = 20_000_000
PAIRS_AT_ONCE = 100_000
# Of what must be shared, this part may lie in shingles that are too common to be looked up. More of it makes the
# look-up faster, and leaves more candidates to be compared in full.
COMMON_PART = 0.65


class Pairs(NamedTuple):
    """Pairs of pieces that resemble each other."""

    pieces: np.ndarray  # (pairs, 2), ordered; the second one stands in held-out data
    bits: np.ndarray  # information that both share
    jaccard: np.ndarray  # Jaccard similarity of their sets of shingles


def similar_pairs(weights, totals, first, second, containment, least_bits):
    """Find the pairs that share ``least_bits`` or more, and this share of the text that says less.

    Args:
        weights: sparse matrix (CSR) of pieces by shingles: what each shingle says in a piece, above 0 bits. Two pieces
            share the smaller of what it says in both.
        totals: the sum of each piece.
        first, second: numbers of the pieces to compare with each other.
        containment: between 0 and 1.
    """
    found = [
        _candidates(weights, totals, first, second, containment, least_bits),
        _candidates(weights, totals, second, first, containment, least_bits)[:, ::-1],
    ]
    pairs = np.unique(np.concatenate(found), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    shared, jaccard = shared_information(weights, pairs)
    kept = shared >= np.maximum(least_bits, containment * totals[pairs].min(axis=1)) - 1e-6
    return Pairs(pairs[kept], shared[kept], jaccard[kept])


def _candidates(weights, totals, smaller, larger, containment, least_bits):
    """Pairs (smaller, larger) whose less common shingles have their part of what must be shared in common."""
    smaller = smaller[totals[smaller] >= least_bits]
    needed = np.maximum(least_bits, containment * totals[smaller])
    rare = _without_common(weights[smaller], COMMON_PART * needed)
    # In units of what each row needs, so that one limit holds for all rows.
    rare.data /= np.repeat(needed, np.diff(rare.indptr)).astype(rare.dtype)
    columns = weights[larger].T.tocsr()
    columns.data[:] = 1
    costs = np.diff(columns.indptr)[rare.indices]
    ends = np.concatenate([[0], np.cumsum(costs)])[rare.indptr]  # products needed for all rows before this one
    found, start = [], 0
    while start < len(smaller):
        stop = max(start + 1, int(np.searchsorted(ends, ends[start] + PRODUCTS_AT_ONCE, "right")) - 1)
        shared = rare[start:stop] @ columns
        enough = np.flatnonzero(shared.data >= 1 - COMMON_PART - 1e-4)
        row = np.searchsorted(shared.indptr, enough, "right") - 1
        found.append(np.column_stack([smaller[start + row], larger[shared.indices[enough]]]))
        start = stop
    return np.concatenate([np.empty((0, 2), dtype=np.int64), *found])


def _without_common(weights, allowance):
    """Rows without the shingles that say least, as many as fit into each row's allowance."""
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    order = np.lexsort((weights.data, rows))
    running = np.cumsum(weights.data[order])
    before = np.concatenate([[0.0], running])[weights.indptr[:-1]]
    kept = np.empty(len(rows), dtype=bool)
    kept[order] = running - before[rows] > allowance[rows]
    thinned = weights.copy()
    thinned.data[~kept] = 0
    thinned.eliminate_zeros()
    return thinned


def shared_information(weights, pairs):
    """(information that both rows of each pair share, their Jaccard similarity)."""
    sizes = np.diff(weights.indptr)
    shared, similarity = np.empty(len(pairs)), np.empty(len(pairs))
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        first, second = pairs[start : start + PAIRS_AT_ONCE].T
        common = weights[first].minimum(weights[second]).tocsr()
        stop = start + len(first)
        shared[start:stop] = np.asarray(common.sum(axis=1)).ravel()
        count = np.diff(common.indptr)
        similarity[start:stop] = count / (sizes[first] + sizes[second] - count)
    return shared, similarity
