"""Pearson's r of predictions and labels, in [-1, 1] (section 5 of the study).

It is 0, not undefined, where predictions or labels are constant: a model that answers nothing has no correlation.
"""

import numpy as np

from empathy_transfer.statistics.item_bootstrap import multinomial_blocks
from empathy_transfer.statistics.moments import pearson_of_means
from empathy_transfer.statistics.values import lacks_spread, paired_numbers

KINDS = ("regression",)


def value(labels, predictions):
    """Pearson's r of two vectors (items)."""
    x, y = paired_numbers(labels, predictions)
    if lacks_spread(x, y):
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x / np.linalg.norm(x)) @ (y / np.linalg.norm(y)), -1.0, 1.0))


def resampled(labels, predictions, seed, resamples):
    """Pearson's r in resamples of the items (resamples); 0 where a resample is constant."""
    x, y = paired_numbers(labels, predictions)
    if lacks_spread(x, y):
        return np.zeros(resamples)
    # Standardised values keep the sums of squares below free of cancellation.
    x, y = ((values - values.mean()) / (values.std() or 1.0) for values in (x, y))
    columns = np.column_stack([x, y, x * x, y * y, x * y])
    found = []
    for drawn in multinomial_blocks(np.ones(len(x), dtype=int), seed, resamples):
        mean_x, mean_y, mean_xx, mean_yy, mean_xy = (drawn @ columns / len(x)).T
        found.append(pearson_of_means(mean_x, mean_y, mean_xx, mean_yy, mean_xy))
    return np.concatenate(found)
