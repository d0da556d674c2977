"""Support vector regression with an RBF kernel, and its errors when the values of one feature are permuted, fast.

The kernel is a product over features, exp(-gamma (d1 + d2 + ...)), since squared distances add up. Permuting one
feature exchanges one factor and leaves the others, so nothing is predicted from scratch: the factors are computed once
per training part, and all permutations and all draws of shuffled scores share them.
"""

from typing import NamedTuple

import numpy
from scipy.spatial.distance import cdist
from sklearn.svm import SVR


class Model(NamedTuple):
    """A support vector regression; `scale_features` and `scale_outcome` standardise by the training part."""

    C: float
    epsilon: float
    scale_features: bool
    scale_outcome: bool


class Errors(NamedTuple):
    """Predictions of a part of the pairs, and squared errors after permutation.

    `plain` holds predictions (draws x rows); `permuted` per feature the sums of squared errors over the rows (draws x
    permutations); `observed` per feature the mean squared error of each row over the permutations (draws x rows).
    """

    plain: numpy.ndarray
    permuted: dict
    observed: dict


class Kernel:
    """The factors of the kernel between all pairs and the training part, for one training part.

    Args:
        columns: {feature: array of pairs x columns}.
        train: positions of the training pairs.
        scaled: whether columns are standardised by their mean and deviation in the training part; a column that is
            constant there is only centred, as in scikit-learn.
    """

    def __init__(self, columns, train, scaled):
        """Compute the squared distances of each feature, and gamma as scikit-learn's `scale` does."""
        self.train = numpy.asarray(train)
        if scaled:
            columns = {name: _standardised(values, self.train) for name, values in columns.items()}
        training = numpy.hstack([values[self.train] for values in columns.values()])
        variance = training.var()
        self.gamma = 1 / (training.shape[1] * variance) if variance > 0 else 1.0
        self.distances = {name: cdist(values, values[self.train], "sqeuclidean") for name, values in columns.items()}
        self.total = sum(self.distances.values())

    def between(self, rows):
        """The kernel between these pairs and the training pairs."""
        return numpy.exp(-self.gamma * self.total[rows])

    def without(self, feature, rows):
        """The kernel between these pairs and the training pairs without one feature's factor."""
        return numpy.exp(-self.gamma * (self.total[rows] - self.distances[feature][rows]))

    def factor(self, feature):
        """One feature's factor between all pairs and the training pairs."""
        return numpy.exp(-self.gamma * self.distances[feature])


def fit_regressions(kernel, outcomes, model):
    """Fit one regression per draw of the outcomes.

    Args:
        kernel: `Kernel` of the training part.
        outcomes: draws x pairs.
        model: `Model`.

    Returns:
        Weights of the training pairs (draws x training pairs) and intercepts (draws), in the outcomes' own unit.
    """
    gram = kernel.between(kernel.train)
    weights = numpy.zeros((len(outcomes), len(kernel.train)))
    intercepts = numpy.zeros(len(outcomes))
    for draw, outcome in enumerate(outcomes[:, kernel.train]):
        centre, spread = (outcome.mean(), outcome.std() or 1.0) if model.scale_outcome else (0.0, 1.0)
        fitted = SVR(kernel="precomputed", C=model.C, epsilon=model.epsilon).fit(gram, (outcome - centre) / spread)
        weights[draw, fitted.support_] = fitted.dual_coef_[0] * spread
        intercepts[draw] = fitted.intercept_[0] * spread + centre
    return weights, intercepts


def predict_pairs(kernel, weights, intercepts, rows):
    """Predictions of these pairs, draws x rows."""
    return weights @ kernel.between(rows).T + intercepts[:, None]


def permutation_errors(kernel, weights, intercepts, outcomes, rows, donors):
    """Errors of fitted regressions on these pairs, as they are and with each feature's values taken from other pairs.

    Args:
        kernel: `Kernel` of the training part.
        weights: as from `fit`.
        intercepts: as from `fit`.
        outcomes: draws x pairs.
        rows: positions of the pairs to predict.
        donors: permutations x rows, positions of the pairs that give each row its value of the feature.

    Returns:
        Errors
    """
    permuted, observed = {}, {}
    for feature in kernel.distances:
        rest, factor = kernel.without(feature, rows), kernel.factor(feature)
        sums = numpy.zeros((len(weights), len(donors)))
        own = numpy.zeros((len(weights), len(rows)))
        for place, row in enumerate(rows):
            guesses = (weights * rest[place]) @ factor[donors[:, place]].T + intercepts[:, None]
            squares = (outcomes[:, row, None] - guesses) ** 2
            sums += squares
            own[:, place] = squares.mean(axis=1)
        permuted[feature], observed[feature] = sums, own
    return Errors(predict_pairs(kernel, weights, intercepts, rows), permuted, observed)


def _standardised(values, train):
    """Columns with mean 0 and deviation 1 in the training part."""
    deviation = values[train].std(axis=0)
    return (values - values[train].mean(axis=0)) / numpy.where(deviation > 0, deviation, 1.0)
