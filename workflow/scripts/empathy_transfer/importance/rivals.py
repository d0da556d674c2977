"""How far does a rating's importance lie above that of the most important feature that is no rating?

Both numbers come from the same pairs, and vary together from one choice of tasks to another: they are drawn together.
"""

import numpy

from empathy_transfer.features.task_facts import ASPECTS
from empathy_transfer.statistics.task_bootstrap import LEVELS, ratio_interval

MARGIN_COLUMNS = ["rival", "margin", *(f"margin_{end}_{level}" for level in LEVELS for end in ("low", "high"))]
ERROR_RATE = 0.05


def rating_margins(excess, total, draws):
    """The least difference between the importance of each rating and that of a feature that is no rating.

    The interval is one for the least of several true differences. Its low end is the lowest of the ends at 2.5 percent:
    one of the true differences is the least, and lies below its own end in 2.5 of 100 studies only. Its high end is the
    lowest of the ends at 97.5 percent, corrected for the number of features (Bonferroni).

    Args:
        excess: {feature: what permuting it adds to the squared error of each pair}.
        total: squared error of the training mean, one number per pair.
        draws: {level: how often each pair counts in each draw, or None}, as from `task_bootstrap.pair_weights`.

    Returns:
        {rating: {column of `MARGIN_COLUMNS`: value}}: the feature that comes nearest (or lies farthest above), the
        difference (share of the held-out variance) and its intervals. Empty where all features are ratings.
    """
    others = [name for name in excess if name not in ASPECTS]
    found = {}
    for rating in (name for name in excess if name in ASPECTS and others):
        differences = {name: excess[rating] - excess[name] for name in others}
        rival = min(others, key=lambda name: differences[name].sum())
        row = {"rival": rival, "margin": float(differences[rival].sum() / total.sum())}
        for level, weights in draws.items():
            lows = [ratio_interval(weights, values, total, 1 - ERROR_RATE)[0] for values in differences.values()]
            corrected = 1 - ERROR_RATE / len(others)
            highs = [ratio_interval(weights, values, total, corrected)[1] for values in differences.values()]
            row |= {f"margin_low_{level}": float(numpy.min(lows)), f"margin_high_{level}": float(numpy.min(highs))}
        found[rating] = row
    return found
