"""Intervals of single numbers whose values are independent: a mean, a rate, and a Pearson r."""

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


def wilson_interval(count, number, alpha, design_effect=1.0):
    """Wilson's interval of a rate, for number / design_effect independent cells; (None, None) for none."""
    if number == 0:
        return None, None
    z, effective, rate = stats.norm.isf(alpha / 2), number / design_effect, count / number
    middle = (rate + z**2 / (2 * effective)) / (1 + z**2 / effective)
    half = z / (1 + z**2 / effective) * np.sqrt(rate * (1 - rate) / effective + z**2 / (4 * effective**2))
    # Exactly 0 and 1 where the rate is, whatever the rounding.
    return (max(0.0, middle - half) if count else 0.0), (min(1.0, middle + half) if count < number else 1.0)


def correlation_interval(r, n, level):
    """(low, high) of a Pearson r of ``n`` independent texts, by Fisher's z (Fisher 1921), whose error is 1/sqrt(n - 3).

    It covers the choice of test texts alone. ``level`` is the error rate, .05 for an interval of 95 %. (None, None)
    with fewer than four texts, and for an r of exactly 1 or -1, of which z is not finite.
    """
    if n < 4 or not -1 < r < 1:
        return None, None
    z, half_width = np.arctanh(r), stats.norm.isf(level / 2) / np.sqrt(n - 3)
    return float(np.tanh(z - half_width)), float(np.tanh(z + half_width))


def correlation_in_words(r, n, level):
    """An r with its interval as a sentence's part, such as `r .648 (95 % interval .51 to .76 at 83 texts)`."""
    low, high = correlation_interval(r, n, level)
    if low is None:
        return f"r {r:.3f} ({n} texts, too few for an interval)"
    return f"r {r:.3f} ({100 * (1 - level):g} % interval {low:.2f} to {high:.2f} at {n} texts)"
