"""Variance components by restricted maximum likelihood (REML; Patterson and Thompson 1971), for crossed groups.

An outcome is a sum of fixed effects, of normal effects of groups (each kind with a variance of its own), and of noise.
Fixed effects are taken out first: what is left are contrasts of the outcome that no fixed effect reaches, and
their likelihood is the restricted one. Of these, only those that some group reaches are kept one by one; the others
know the noise alone, and their sum of squares says all that they know. So matrices have the size of the groups, however
many the observations.
"""

from typing import NamedTuple

import numpy
from scipy.optimize import brentq, minimize
from scipy.stats import chi2

RELATIVE_TOLERANCE = 1e-9
ITERATIONS = 40
MOST_PROFILE_STEPS = 40
LEAST_NOISE = 1e-3  # of the outcome's deviation: with less, matrices have no inverse


class Contrasts(NamedTuple):
    """What fixed effects leave of outcomes and groups.

    `basis` (observations x contrasts) spans what groups reach; `fixed` what fixed effects reach; both are orthonormal.
    `products` (kinds x contrasts x contrasts) is the covariance that each kind of group makes, per unit of its
    variance. `freedom` is the number of contrasts that only noise reaches.
    """

    basis: numpy.ndarray
    fixed: numpy.ndarray
    products: numpy.ndarray
    freedom: int


def make_contrasts(fixed, groups):
    """`Contrasts` from columns of fixed effects (observations x columns), and the group of each observation by kind."""
    incidence = [(numpy.asarray(group)[:, None] == numpy.unique(group)).astype(float) for group in groups]
    reached = orthonormal(fixed)
    basis = orthonormal(numpy.hstack([columns - reached @ (reached.T @ columns) for columns in incidence]))
    shares = [basis.T @ columns for columns in incidence]
    products = numpy.stack([share @ share.T for share in shares])
    return Contrasts(basis, reached, products, len(fixed) - basis.shape[1] - reached.shape[1])


def orthonormal(columns):
    """An orthonormal basis of what the columns span."""
    left, singular, _ = numpy.linalg.svd(columns, full_matrices=False)
    return left[:, singular > max(singular.max(initial=0), 1e-12) * RELATIVE_TOLERANCE]


def rest_of_squares(contrasts, outcomes):
    """Sum of squares of the contrasts that only noise reaches, one per study."""
    if contrasts.freedom == 0:
        return numpy.zeros(len(outcomes))
    squares = (outcomes**2).sum(axis=1)
    for basis in (contrasts.fixed, contrasts.basis):
        squares = squares - ((outcomes @ basis) ** 2).sum(axis=1)
    return numpy.maximum(squares, RELATIVE_TOLERANCE * numpy.maximum((outcomes**2).sum(axis=1), 1e-12))


def fit_variances(contrasts, outcomes, iterations=ITERATIONS):
    """Fit the variances of many studies at once.

    Each step multiplies a variance by the root of the ratio of what the data say of it and what is expected (the
    minorise-maximise algorithm of Zhou, Hu, Qiao and Wu 2019): the likelihood never falls, and variances stay positive.

    Args:
        contrasts: `Contrasts`.
        outcomes: studies x observations.
        iterations: number of steps; a variance of 0 is approached slowly, which matters little for what rests on it.

    Returns:
        Array studies x kinds and noise.
    """
    values, rest = outcomes @ contrasts.basis, rest_of_squares(contrasts, outcomes)
    kinds = len(contrasts.products)
    total = ((values**2).sum(axis=1) + rest) / (values.shape[1] + contrasts.freedom)
    variances = numpy.repeat(total[:, None], kinds + 1, axis=1) / (kinds + 1)
    for _ in range(iterations):
        inverse = numpy.linalg.inv(covariance(contrasts, variances))
        weighted = numpy.einsum("sij,sj->si", inverse, values)
        noise = variances[:, -1]
        seen = [((weighted @ product) * weighted).sum(axis=1) for product in contrasts.products]
        expected = [(inverse * product).sum(axis=(1, 2)) for product in contrasts.products]
        seen.append((weighted**2).sum(axis=1) + rest / noise**2)
        expected.append(numpy.trace(inverse, axis1=1, axis2=2) + contrasts.freedom / noise)
        variances = variances * numpy.sqrt(numpy.stack(seen, axis=1) / numpy.stack(expected, axis=1))
    return variances


def covariance(contrasts, variances):
    """The covariance of the contrasts under these variances (studies x kinds and noise)."""
    noise = variances[:, -1, None, None] * numpy.eye(contrasts.basis.shape[1])
    return numpy.tensordot(variances[:, :-1], contrasts.products, axes=1) + noise


def variance_information(contrasts, variances):
    """Expected information of the variances: studies x kinds and noise x kinds and noise."""
    inverse = numpy.linalg.inv(covariance(contrasts, variances))
    noise = numpy.eye(contrasts.basis.shape[1])
    weighted = [inverse @ product for product in (*contrasts.products, noise)]
    found = [[(one * numpy.swapaxes(other, 1, 2)).sum(axis=(1, 2)) / 2 for other in weighted] for one in weighted]
    found = numpy.moveaxis(numpy.array(found), 2, 0)
    found[:, -1, -1] += contrasts.freedom / 2 / variances[:, -1] ** 2
    return found


def restricted_likelihood(contrasts, outcome, deviations):
    """Twice the negative logarithm of the restricted likelihood up to a constant, and its slope in each deviation.

    `outcome` is one per observation; `deviations` are the standard deviations of kinds and noise.
    """
    values, rest = outcome @ contrasts.basis, rest_of_squares(contrasts, outcome[None])[0]
    matrix = covariance(contrasts, deviations[None] ** 2)[0]
    inverse = numpy.linalg.inv(matrix)
    weighted, noise = inverse @ values, deviations[-1] ** 2
    logs = numpy.linalg.slogdet(matrix)[1] + contrasts.freedom * numpy.log(noise)
    slopes = [(inverse * product).sum() - weighted @ product @ weighted for product in contrasts.products]
    slopes.append(numpy.trace(inverse) - weighted @ weighted + (contrasts.freedom - rest / noise) / noise)
    return float(values @ weighted + rest / noise + logs), 2 * deviations * numpy.array(slopes)


def best_deviations(contrasts, outcome, start, held=None, value=None):
    """Standard deviations of the highest restricted likelihood, and twice its negative logarithm.

    `held` is the place of a deviation that is held at `value`; `start` are deviations to start from.
    """
    least = LEAST_NOISE * float(numpy.std(outcome) or 1.0)
    bounds = [(0.0, None)] * (len(start) - 1) + [(least, None)]
    start = numpy.maximum(start, 2 * least)
    if held is not None:
        bounds[held], start[held] = (value, value), value
    found = minimize(
        lambda deviations: restricted_likelihood(contrasts, outcome, deviations),
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
    )
    return found.x, float(found.fun)


def profile_interval(contrasts, outcome, best, least, place, level=0.95):
    """Interval of one standard deviation: where the likelihood, the others at their best, is not much lower.

    Args:
        contrasts, outcome: as for `restricted_likelihood`.
        best, least: as from `best_deviations`.
        place: which deviation.
        level: coverage aimed at; the likelihood ratio is compared with chi-square of one degree of freedom.

    Returns:
        (low, high); low is 0 where 0 fits nearly as well.
    """
    allowed = least + chi2.ppf(level, 1)

    def excess(value):
        return best_deviations(contrasts, outcome, best, place, value)[1] - allowed

    spread = float(numpy.std(outcome))
    precision = {"xtol": 1e-4 * spread, "rtol": 0.002}
    low = LEAST_NOISE * spread if place == len(best) - 1 else 0.0
    low = brentq(excess, low, best[place], **precision) if excess(low) > 0 else 0.0
    inside, outside = best[place], max(best[place], spread / 10)
    for _ in range(MOST_PROFILE_STEPS):
        if excess(outside) > 0:
            return float(low), float(brentq(excess, inside, outside, **precision))
        inside, outside = outside, 1.6 * outside
    return float(low), float("inf")
