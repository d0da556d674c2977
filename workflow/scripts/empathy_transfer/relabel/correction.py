"""Correct crowd labels by those of a language model, and controls that change just as many labels: numpy only.

Application 1 of the study (Hasan et al.): a crowd label is replaced where the model's differs by more than a threshold.
The controls tell what the model's labels add beyond touching that many labels: its labels on random texts, the flagged
texts dropped, their labels replaced by the training mean, and the model's labels shuffled among the flagged texts.
"""

import numpy as np

CONTROLS = ("random_essays", "flagged_dropped", "flagged_mean", "flagged_shuffled")


def beyond_threshold(crowd, llm, threshold):
    """Which labels differ by more than the threshold: booleans (n).

    ``crowd`` and ``llm`` are vectors of n labels on one scale; a missing ``llm`` label (NaN) flags nothing. The
    comparison is strict, so that a threshold of 0 flags all that differ and one of the scale's width flags none.

    Raises:
        ValueError: a negative threshold, vectors of other lengths, or a crowd label that is missing.
    """
    crowd, llm = np.asarray(crowd, dtype=np.float64), np.asarray(llm, dtype=np.float64)
    if crowd.shape != llm.shape or crowd.ndim != 1:
        raise ValueError(f"{crowd.shape} crowd labels but {llm.shape} labels of the model")
    if not np.isfinite(crowd).all():
        raise ValueError(f"{int((~np.isfinite(crowd)).sum())} crowd labels are missing: leave these texts out")
    if not threshold >= 0:
        raise ValueError(f"the threshold is {threshold}, but a difference of labels is never negative")
    with np.errstate(invalid="ignore"):
        return np.abs(crowd - llm) > threshold


def correct(crowd, llm, threshold):
    """Return the corrected labels: the model's where ``flagged``, else the crowd's. Arguments as there."""
    return np.where(beyond_threshold(crowd, llm, threshold), llm, np.asarray(crowd, dtype=np.float64))


def control(name, crowd, llm, threshold, seed):
    """Return (labels, whether each text is kept) of a control that changes as many labels as the correction.

    Args:
        name: one of ``CONTROLS``. crowd, llm, threshold: as in ``flagged``.
        seed: of the texts that are drawn and of the shuffle.

    `random_essays` gives the model's labels to texts drawn from all that have one, flagged or not.
    """
    crowd, llm = np.asarray(crowd, dtype=np.float64), np.asarray(llm, dtype=np.float64)
    marked = beyond_threshold(crowd, llm, threshold)
    generator = np.random.default_rng(seed)
    labels, kept = crowd.copy(), np.ones(len(crowd), dtype=bool)
    if name == "random_essays":
        drawn = generator.permutation(np.flatnonzero(np.isfinite(llm)))[: marked.sum()]
        labels[drawn] = llm[drawn]
    elif name == "flagged_dropped":
        kept = ~marked
    elif name == "flagged_mean":
        labels[marked] = crowd.mean()
    elif name == "flagged_shuffled":
        labels[marked] = generator.permutation(llm[marked])
    else:
        raise ValueError(f"unknown control {name!r}: expected one of {', '.join(CONTROLS)}")
    return labels, kept
