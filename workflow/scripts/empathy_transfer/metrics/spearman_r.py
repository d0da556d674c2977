"""Spearman's rank correlation of predictions and labels, in [-1, 1]; it is 0 where one of them is constant."""

from scipy.stats import rankdata

from empathy_transfer.metrics import pearson_r
from empathy_transfer.statistics.values import lacks_spread, paired_numbers

KINDS = ("regression",)
OF_PAIRS = True


def value(labels, predictions):
    """Pearson's r of the ranks of two vectors (items); equal values share their mean rank."""
    labels, predictions = paired_numbers(labels, predictions)
    if lacks_spread(labels, predictions):
        return 0.0
    return pearson_r.value(rankdata(labels), rankdata(predictions))
