"""What every score asks of its values: finite numbers, in vectors of one length, and whether they differ at all."""

import numpy as np

# Values whose spread is below this share of their size (at least 1) differ by rounding of the arithmetic only.
CONSTANT_TOLERANCE = 1e-6


def is_constant(predictions):
    """Whether all items got the same answer: same class, same row of indicators, or same value up to rounding.

    Numbers count as the same when they spread by less than a millionth of their size (at least of 1).
    """
    predictions = np.asarray(predictions)
    if len(predictions) == 0:
        raise ValueError("no predictions: whether they are constant is undefined")
    if predictions.ndim == 1 and predictions.dtype.kind == "f":
        scale = max(1.0, float(np.abs(predictions).max()))
        return bool(np.ptp(predictions) <= CONSTANT_TOLERANCE * scale)
    return bool((predictions == predictions[0]).all())


def paired_numbers(labels, predictions):
    """Labels and predictions as two vectors of finite 64-bit numbers of one length (at least 1), else ValueError."""
    labels, predictions = finite(labels, "labels"), finite(predictions, "predictions")
    if len(labels) != len(predictions):
        raise ValueError(f"{len(labels)} labels but {len(predictions)} predictions")
    return labels, predictions


def finite(values, name):
    """Values as a vector of at least one finite 64-bit number, else ValueError."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"{name}: expected a vector of at least one number, found shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: {int((~np.isfinite(values)).sum())} of {len(values)} values are not finite")
    return values


def paired_indicators(labels, predictions):
    """Labels and predictions as booleans of one shape (items >= 1, classes), else ValueError."""
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 2 or labels.shape != predictions.shape:
        raise ValueError(f"labels {labels.shape} and predictions {predictions.shape} must have one shape (items, k)")
    if len(labels) == 0:
        raise ValueError("no items to score")
    for array in (labels, predictions):
        if not np.isin(array, (0, 1)).all():
            raise ValueError("indicators must be 0 or 1")
    return labels.astype(bool), predictions.astype(bool)
