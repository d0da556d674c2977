"""The t interval of a mean, for a handful of values without structure of their own."""

import numpy as np
from scipy import stats


def mean_interval(values, level):
    """(low, high) of the mean of independent ``values`` by Student's t; (None, None) for fewer than two.

    ``level`` is the error rate, .05 for an interval of 95 %.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return None, None
    half_width = stats.t.isf(level / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half_width), float(values.mean() + half_width)
