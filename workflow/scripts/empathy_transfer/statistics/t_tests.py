"""A difference whose variance is the sum of several estimates: standard error, degrees of freedom, interval, p, power.

A part is (variance, degrees of freedom), or (variance, degrees of freedom, measured variance) where something was taken
out of what was measured.
"""

import numpy as np
from scipy import special, stats

POWER = 0.8
# Where the degrees of freedom are told: they give the critical value of a two-sided test at this level exactly.
LEVEL = 0.05
# Differences and standard errors below this are rounding of the arithmetic: scores lie between -1 and 1.
NOTHING = 1e-9


def variance_of(parts):
    """The variance that is the sum of ``parts``."""
    return sum(part[0] for part in parts)


def degrees_of_freedom(parts):
    """Degrees of freedom of the sum of ``parts``: they give a critical value between those of the parts.

    The part with the fewest rules. If it were all of the variance, the critical value would be its own; if it were
    nothing, that of the others (their mean, weighted by the variances: Cochran 1964). In between it follows the share
    of that part along an S. A part with two degrees of freedom is often measured too small, and its t quantile, 4.3, is
    too careful where its share is small. The share is half-way between that of its variance and that of what was
    measured, since the latter has these degrees of freedom. The S is close to the curve that keeps the level exactly
    for a normal difference with one known part (found numerically; Trickett and Welch 1954 solve the like). False
    positives at 5 % are 3.7 to 6.0 % in simulated cells, up to 9 % with Satterthwaite's degrees of freedom
    (docs/validation.md).
    """
    total = variance_of(parts)
    counted = [(part[0], part[1], part[-1] if len(part) == 3 else part[0]) for part in parts if part[1]]
    counted = [part for part in counted if part[2] > 0]
    if not total > 0 or len(counted) < 2:
        return float(min((part[1] for part in counted), default=min(part[1] for part in parts if part[1])))
    few = min(range(len(counted)), key=lambda place: counted[place][1])
    variance, freedom, measured = counted.pop(few)
    own = special.stdtrit(freedom, 1 - LEVEL / 2)
    rest = sum(part[0] for part in counted)
    if not rest > 0:
        return float(freedom)
    others = sum(part[0] * special.stdtrit(part[1], 1 - LEVEL / 2) for part in counted) / rest
    share = (variance + min(measured, total)) / (2 * total)
    return float(special.stdtridf(1 - LEVEL / 2, others + (own - others) * share**2 * (3 - 2 * share)))


def t_test(difference, parts, alpha):
    """Interval, standard error, degrees of freedom and two-sided p of a difference whose variance is that of the parts.

    ``alpha`` is the error rate of the interval, .05 for one of 95 %.
    """
    freedom, se = degrees_of_freedom(parts), float(np.sqrt(variance_of(parts)))
    half_width, p = stats.t.isf(alpha / 2, freedom) * se, two_sided_p(difference, se, freedom)
    return {"low": difference - half_width, "high": difference + half_width, "se": se, "df": freedom, "p": p}


def two_sided_p(difference, se, freedom):
    """Two-sided p of a t statistic; 1 where neither difference nor standard error is more than rounding."""
    return 2 * stats.t.sf(abs(difference) / se, freedom) if se >= NOTHING else 1.0


def detectable(se, freedom, alpha):
    """Smallest true difference that a two-sided t test at ``alpha`` finds with a power of 80 % (noncentral t).

    2.80 standard errors at .05 with many degrees of freedom; 5.77 at .05 / 30 with eight.
    """
    return special.nctdtrinc(freedom, 1 - POWER, stats.t.isf(alpha / 2, freedom)) * se
