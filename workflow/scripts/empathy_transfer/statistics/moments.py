"""Correlations from means of products, of many resamples at once: numpy only."""

import numpy as np

from empathy_transfer.statistics.values import CONSTANT_TOLERANCE


def pearson_of_means(x, y, xx, yy, xy):
    """Pearson r from the means of x, y, x * x, y * y and x * y (arrays that broadcast); 0 where a side is constant.

    Of values that lie near 0 for their spread, else the squares cancel.
    """
    covariance, of_x, of_y, defined = _spreads(x, y, xx, yy, xy)
    scale = np.sqrt(np.where(defined, of_x * of_y, 1.0))
    return np.where(defined, covariance / scale, 0.0).clip(-1, 1)


def concordance_of_means(x, y, xx, yy, xy):
    """Concordance (Lin 1989) from the same means; 0 where a side is constant."""
    covariance, of_x, of_y, defined = _spreads(x, y, xx, yy, xy)
    spread = np.where(defined, of_x + of_y + (x - y) ** 2, 1.0)
    return np.where(defined, 2 * covariance / spread, 0.0)


def _spreads(x, y, xx, yy, xy):
    """Covariance, both variances, and whether neither side is constant."""
    of_x, of_y = xx - x**2, yy - y**2
    return xy - x * y, of_x, of_y, (of_x > CONSTANT_TOLERANCE**2) & (of_y > CONSTANT_TOLERANCE**2)
