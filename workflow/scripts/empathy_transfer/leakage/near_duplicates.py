"""Pairs of texts that are nearly the same: their sets of shingles overlap by a given Jaccard similarity or more.

Candidates come from MinHash with locality-sensitive hashing (Broder 1997; Leskovec, Rajaraman and Ullman 2014, section
3.4), by the library datasketch. The similarity of each candidate is then computed exactly, so that no pair is wrong;
at the threshold itself, at most one pair in 200 is missed, and fewer above it.
"""

import numpy as np
from datasketch import MinHash, MinHashLSH

PERMUTATIONS = 128
SEED = 1
LEAST_RECALL = 0.995


def bands(threshold, permutations=PERMUTATIONS):
    """(bands, rows per band): the most rows, thus the fewest candidates, with a recall of 99.5 % at the threshold."""
    choices = [(permutations // rows, rows) for rows in range(1, permutations // 2 + 1)]
    good = [(count, rows) for count, rows in choices if 1 - (1 - threshold**rows) ** count >= LEAST_RECALL]
    return max(good, key=lambda choice: choice[1])


def near_duplicates(shingles, wanted, threshold):
    """Find the pairs of different pieces with a Jaccard similarity of at least ``threshold``.

    Args:
        shingles: sparse matrix (CSR) of pieces by shingles, 1 where a piece has a shingle; no piece is empty.
        wanted: boolean mask over the pieces: only pairs whose second piece is wanted are looked for.
        threshold: between 0 and 1, both excluded.

    Returns:
        Integer array of shape (pairs, 2), ordered, each pair once per wanted piece in it.
    """
    sizes = np.diff(shingles.indptr)
    # A set of n elements that differs from another shares at most n / (n + 1) with it. This leaves out stock phrases.
    eligible = sizes / (sizes + 1) >= threshold
    count, rows = bands(threshold)
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(count, rows))
    places = np.flatnonzero(eligible)
    signatures = list(
        MinHash.generator(
            (shingles.indices[shingles.indptr[place] : shingles.indptr[place + 1]].tolist() for place in places),
            num_perm=PERMUTATIONS,
            seed=SEED,
            hashfunc=int,
        )
    )
    for place, signature in zip(places, signatures, strict=True):
        if wanted[place]:
            index.insert(int(place), signature, check_duplication=False)
    found = [
        (place, other)
        for place, signature in zip(places.tolist(), signatures, strict=True)
        for other in index.query(signature)
        if other != place
    ]
    pairs = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    return pairs[jaccard(shingles, pairs) >= threshold]


def jaccard(shingles, pairs, rows_at_once=100_000):
    """Jaccard similarity of each pair of rows of a 0/1 matrix: size of the intersection over that of the union."""
    sizes = np.diff(shingles.indptr)
    values = np.empty(len(pairs))
    for start in range(0, len(pairs), rows_at_once):
        first, second = pairs[start : start + rows_at_once].T
        common = np.asarray(shingles[first].multiply(shingles[second]).sum(axis=1)).ravel()
        values[start : start + rows_at_once] = common / (sizes[first] + sizes[second] - common)
    return values
