"""Scores of ratings of pairs of stories, with intervals over the choice of stories.

Pairs share stories, so each story is left out with all its pairs (`statistics.dyads`). Intervals of correlations are on
Fisher's z, so that they end within -1 and 1.
"""

import numpy as np
from scipy import stats

from empathy_transfer.agreement.scales import fishers_z, unchanged
from empathy_transfer.metrics import metric, metrics_of
from empathy_transfer.similarity.story_pairs import is_similar
from empathy_transfer.statistics.dyads import dyadic_variance

SCALES = dict.fromkeys(("pearson_r", "spearman_r"), fishers_z)


def as_classes(ratings):
    """Ratings as indicators (items, 2): dissimilar and similar."""
    similar = is_similar(ratings)
    return np.column_stack([~similar, similar])


def sides_of(name, labels, predictions):
    """Labels and predictions (ratings) as a metric of this name takes them: as numbers, or as two classes."""
    if name in metrics_of("regression", pairs=True):
        return np.asarray(labels, dtype=float), np.asarray(predictions, dtype=float)
    return as_classes(labels), as_classes(predictions)


def score_with_interval(name, labels, predictions, dyads, alpha):
    """(value, low, high) of a metric.

    Args:
        name: of the metric. labels, predictions: ratings (pairs). dyads: `statistics.dyads.Dyads` of these pairs.
        alpha: error rate of the interval.
    """
    sides, value = sides_of(name, labels, predictions), metric(name).value
    to_scale, from_scale, _ = SCALES.get(name, unchanged)()
    number = value(*sides)
    without = [to_scale(part) for part in dyads.replicates(lambda kept: value(*(side[kept] for side in sides)))]
    half = stats.t.isf(alpha / 2, dyads.n_members - 1) * np.sqrt(dyadic_variance(*without))
    return number, *(float(from_scale(to_scale(number) + sign * half)) for sign in (-1, 1))
