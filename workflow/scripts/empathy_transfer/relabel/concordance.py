"""Lin's concordance correlation coefficient, the main score of labels on a scale."""

import numpy as np


def concordance(first, second):
    """How far two measurements of the same items agree, in value and not only in order; from -1 to 1.

    2 cov / (var1 + var2 + (mean1 - mean2)^2), with variances over n (Lin 1989): 1 only for equal values; an offset or
    another spread lowers it, which Pearson's r would not see. Two constants agree (1) if they are equal, else 0.

    Args:
        first: finite numbers, shape (n,).
        second: finite numbers, shape (n,).

    Raises:
        ValueError: no items, different lengths, or values that are not finite.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or len(first) == 0:
        raise ValueError(f"expected two vectors of one length of at least 1, found {first.shape} and {second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("not all values are finite numbers")
    if np.array_equal(first, second):
        return 1.0
    difference = first.mean() - second.mean()
    covariance = np.mean((first - first.mean()) * (second - second.mean()))
    return float(2 * covariance / (first.var() + second.var() + difference**2))
