"""Tests of slopes in models with several random effects, for the few groups of real studies (Kenward and Roger 1997).

A slope's standard error rests on estimated variances. Taking them as known makes it too small, and a normal
distribution makes its tails too thin. Kenward and Roger add what the estimation costs, and compare with Student's t,
whose degrees of freedom say how well the variance of the slope is known (for one slope they are Satterthwaite's).
"""

from typing import NamedTuple

import numpy
from scipy.stats import t as student

from empathy_transfer.statistics.variance_components import (
    RELATIVE_TOLERANCE,
    best_deviations,
    covariance,
    fit_variances,
    make_contrasts,
    variance_information,
)


class Slopes(NamedTuple):
    """Studies x columns each; NaN where nothing of a column or an outcome is left. `p` is two-sided."""

    estimates: numpy.ndarray
    errors: numpy.ndarray
    freedom: numpy.ndarray
    p: numpy.ndarray


class SlopeModel:
    """What tests of slopes need to know of the columns and the groups, whatever the outcome.

    Args:
        columns: observations x columns whose slopes are tested; an intercept is added.
        groups: the group of each observation, by kind of random effect.
        most_freedom: degrees of freedom are never more than this.
    """

    def __init__(self, columns, groups, most_freedom=numpy.inf):
        """Take the fixed effects out: all of them for the variances, and the others of each column for its slope."""
        ones = numpy.ones((len(columns), 1))
        self.most_freedom = max(most_freedom, 1.0)
        self.whole = make_contrasts(numpy.hstack([ones, columns]), groups)
        self.parts = []
        for position in range(columns.shape[1]):
            others = numpy.hstack([ones, numpy.delete(columns, position, axis=1)])
            contrasts = make_contrasts(others, groups)
            own, column = contrasts.basis.T @ columns[:, position], columns[:, position]
            left = (own**2).sum() > RELATIVE_TOLERANCE * max(float(((column - column.mean()) ** 2).sum()), 1e-12)
            self.parts.append((contrasts, own if left else None))

    def fit(self, outcomes):
        """The variances of each outcome (studies x kinds and noise)."""
        return fit_variances(self.whole, outcomes)

    def fit_closely(self, outcome):
        """The standard deviations of highest likelihood for one outcome, and twice its negative logarithm.

        `fit` is for many studies at once, and stops after a fixed number of steps, next to this.
        """
        start = numpy.sqrt(self.fit(outcome[None])[0])
        return best_deviations(self.whole, outcome, start)

    def test_closely(self, outcome):
        """What `fit_closely` gives of one outcome, and the `Slopes` that follow: one number per column each."""
        deviations, least = self.fit_closely(outcome)
        found = self.test(outcome[None], deviations[None] ** 2)
        return deviations, least, Slopes(*(values[0] for values in found))

    def test(self, outcomes, variances):
        """Test the slope of each column, given the variances of each study.

        Args:
            outcomes: studies x observations. variances: studies x kinds and noise.

        Returns:
            Slopes
        """
        uncertainty = numpy.linalg.pinv(variance_information(self.whole, variances), hermitian=True)
        found = [self._test(outcomes, variances, uncertainty, *part) for part in self.parts]
        spread = numpy.ptp(outcomes, axis=1) > RELATIVE_TOLERANCE * numpy.abs(outcomes).max(axis=1, initial=1e-12)
        return Slopes(*(numpy.where(spread[:, None], values, numpy.nan) for values in numpy.stack(found, axis=2)))

    def _test(self, outcomes, variances, uncertainty, contrasts, column):
        """Estimate, standard error, degrees of freedom and p of one column: 4 x studies."""
        if column is None:
            return numpy.full((4, len(outcomes)), numpy.nan)
        inverse = numpy.linalg.inv(covariance(contrasts, variances))
        weighted = inverse @ column
        precision = weighted @ column
        estimates = ((outcomes @ contrasts.basis) * weighted).sum(axis=1) / precision
        kinds = (*contrasts.products, numpy.eye(len(column)))
        shares = [weighted @ product for product in kinds]
        first = -numpy.stack([(share * weighted).sum(axis=1) for share in shares], axis=1)
        solved = [numpy.einsum("sij,sj->si", inverse, share) for share in shares]
        second = numpy.stack(
            [numpy.stack([(one * other).sum(axis=1) for other in solved], axis=1) for one in shares], axis=1
        )
        outer = first[:, :, None] * first[:, None, :]
        cost = (uncertainty * (second - outer / precision[:, None, None])).sum(axis=(1, 2))
        errors = numpy.sqrt((1 + 2 * numpy.maximum(cost, 0.0) / precision) / precision)
        freedom = 2 * precision**2 / (uncertainty * outer).sum(axis=(1, 2))
        freedom = numpy.clip(freedom, 1.0, self.most_freedom)
        return numpy.stack([estimates, errors, freedom, 2 * student.sf(numpy.abs(estimates) / errors, freedom)])
