"""Pairs of stories as frames, and the two ways in which ratings and cosines stand for each other."""

import numpy as np

from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import read_table

LOWEST, HIGHEST = 1.0, 4.0
# A pair counts as similar above this rating, as in the study's released code.
SIMILAR_ABOVE = 2.5
# Rating to cosine and back: (x - 1) / 3 and x / 4, both of the released code.
MAPPINGS = {"range": (LOWEST, HIGHEST - LOWEST), "quarter": (0.0, HIGHEST)}


def read_pairs(path):
    """Read a prepared table of pairs: a frame with id, first, second (texts) and label (1 to 4).

    Raises:
        ArtefactError: the file is damaged. DataError: there are no pairs in it.
    """
    frame = read_table(path, columns=["id", "context", "text", "label"])
    if frame.empty:
        raise DataError(f"{path}: no pairs. Too few are left for this fold: use fewer folds (`pairs` in the config).")
    return frame.rename(columns={"context": "first", "text": "second"})


def to_cosine(ratings, mapping):
    """The cosines that ratings (1 to 4) stand for, an array; `mapping` is one of `MAPPINGS`."""
    low, width = MAPPINGS[mapping]
    return (np.asarray(ratings, dtype=float) - low) / width


def to_rating(cosines, mapping):
    """The ratings that cosines stand for, an array within 1 to 4: what lies beyond is taken as the end of the scale."""
    low, width = MAPPINGS[mapping]
    return np.clip(low + width * np.asarray(cosines, dtype=float), LOWEST, HIGHEST)


def is_similar(ratings):
    """Whether ratings count as similar: an array of booleans."""
    return np.asarray(ratings, dtype=float) > SIMILAR_ABOVE
