"""Similarity of vectors, one per task: cosines, cosines of what sets them apart, and one ranking made of several."""

import numpy
from scipy.stats import rankdata

# Constant of reciprocal rank fusion, as in Cormack et al. (2009) and Vu et al. (2020).
FUSION_CONSTANT = 60
SCORE_DECIMALS = 12
# A centred unit vector shorter than this is rounding, and has no direction.
NO_DIRECTION = 1e-6


def cosines(vectors):
    """Cosine between each two rows of an array (tasks x size): tasks x tasks, from -1 to 1.

    A vector of zeros has no direction: its row and column are NaN.
    """
    unit = unit_vectors(vectors)
    return numpy.clip(unit @ unit.T, -1, 1)


def centred_cosines(vectors):
    """Cosine between what is left of each two rows when the mean of all is taken away.

    Rows are brought to length 1 first, so that no task weighs more in the mean than another. Where nothing but
    rounding is left, as when all rows are equal, there is no direction: NaN. Of two rows it is always -1.
    """
    unit = unit_vectors(vectors)
    left = unit - numpy.nanmean(unit, axis=0) if len(unit) and not numpy.isnan(unit).all() else unit
    lengths = numpy.linalg.norm(left, axis=1, keepdims=True)
    return cosines(numpy.where(lengths < NO_DIRECTION, 0.0, left))


def unit_vectors(vectors):
    """Rows brought to length 1 (float64); NaN where a row is zero."""
    vectors = numpy.asarray(vectors, dtype=numpy.float64)
    lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / numpy.where(lengths > 0, lengths, numpy.nan)


def fused_scores(similarities):
    """Reciprocal rank fusion: one score per source from its ranks under several components.

    Args:
        similarities: components x sources; a component in which any source has no value (NaN) is left out.

    Returns:
        Array (sources): sum over components of 1 / (60 + rank), where rank 1 is the most similar source and equal
        ones share their mean rank. NaN for all if no component is left.
    """
    known = similarities[~numpy.isnan(similarities).any(axis=1)]
    if len(known) == 0:
        return numpy.full(similarities.shape[1], numpy.nan)
    # Rounded, since the same ranks in another order of components add up to the same score but for rounding.
    return (1 / (FUSION_CONSTANT + rankdata(-known, axis=1))).sum(axis=0).round(SCORE_DECIMALS)


def scaled_to_one(scores):
    """Scores brought to 0 (lowest) to 1 (highest); 0.5 for all where they are equal, as with one score."""
    span = numpy.ptp(scores) if len(scores) else 0.0
    return (scores - scores.min()) / span if span > 0 else numpy.where(numpy.isnan(scores), numpy.nan, 0.5)
