"""Concordance correlation coefficient (Lin 1989), in [-1, 1]: 2 cov / (var_1 + var_2 + (mean_1 - mean_2)^2).

1 only where predictions equal the labels: unlike r it falls with a shift or another scale. Symmetric. It is 0 where
either side is constant and the other differs.
"""

import numpy as np

from empathy_transfer.statistics.values import lacks_spread, paired_numbers

KINDS = ("regression",)


def value(labels, predictions):
    """Concordance of two vectors (items)."""
    labels, predictions = paired_numbers(labels, predictions)
    if np.array_equal(labels, predictions):
        return 1.0
    if lacks_spread(labels, predictions):
        return 0.0
    covariance = ((labels - labels.mean()) * (predictions - predictions.mean())).mean()
    spread = labels.var() + predictions.var() + (labels.mean() - predictions.mean()) ** 2
    return float(np.clip(2 * covariance / spread, -1.0, 1.0))
