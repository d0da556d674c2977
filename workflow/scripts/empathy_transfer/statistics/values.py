"""What every score asks of its values: finite numbers, in vectors of one length, and whether they differ at all."""

import numpy as np

# Values whose spread is below this share of their size differ by rounding of the arithmetic only.
CONSTANT_TOLERANCE = 1e-6
# Numbers below this size spread by nothing, since their squares can't be told from 0.
SMALLEST_SIZE = 1e-140
# Predictions whose standard deviation is below this share of the labels' say next to nothing.
LEAST_SPREAD = 0.01


def is_constant(predictions, size=1.0):
    """Whether all items got the same answer: same class, same row of indicators, or same value up to rounding.

    Numbers count as the same when they spread by less than a millionth of the greatest, and at least of `size`.
    """
    predictions = np.asarray(predictions)
    if len(predictions) == 0:
        raise ValueError("no predictions: whether they are constant is undefined")
    if predictions.ndim == 1 and predictions.dtype.kind == "f":
        scale = max(float(size), float(np.abs(predictions).max()), SMALLEST_SIZE)
        return bool(np.ptp(predictions) <= CONSTANT_TOLERANCE * scale)
    return bool((predictions == predictions[0]).all())


def is_all_but_constant(labels, predictions):
    """Whether predictions are constant, or numbers that spread by less than a hundredth of what the labels do.

    Args:
        labels, predictions: as arrays that `metrics` take. The spread is the standard deviation.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if predictions.dtype.kind != "f":
        return is_constant(predictions)
    return is_constant(predictions, np.ptp(labels)) or bool(predictions.std() < LEAST_SPREAD * labels.std())


def lacks_spread(labels, predictions):
    """Whether the numbers of either side are constant up to rounding, in whatever unit they are.

    Rounding of predictions is a share of their size or of the labels' spread, whichever is more.
    """
    return is_constant(labels, 0.0) or is_constant(predictions, np.ptp(labels))


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


def number_or_none(value):
    """A plain number, or None for one that is missing: None or NaN."""
    return None if value is None or np.isnan(value) else float(value)
