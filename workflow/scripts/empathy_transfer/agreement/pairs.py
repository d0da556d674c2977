"""Two raters of the same items: their correlations, and why they have none."""

import warnings

# With fewer pairs of values, a rank correlation can't be told from any other.
LEAST_PAIRS = 3


def spearman_of_pair(first, second):
    """Spearman's r of two vectors of values, its two-sided p by the t distribution, and a reason code: (r, p, reason).

    ``reason`` is ``too_few`` with fewer than three pairs of values, ``constant`` if a rater gave one value only.
    """
    from scipy.stats import spearmanr

    if len(first) < LEAST_PAIRS:
        return None, None, "too_few"
    if len(set(first)) == 1 or len(set(second)) == 1:
        return None, None, "constant"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # r of exactly 1 divides by zero: p is 0
        r, p = (float(value) for value in spearmanr(first, second))
    return r, p, ""
