"""Mean differences between systems on the same test items, with interval and p.

What `significance` does for a transfer and its target's baseline, for any two systems and for means over several such
pairs: the variance over items comes from the resamples, paired; that between seeds is the caller's, who knows whether
two runs of one seed are independent.
"""

import numpy as np

from empathy_transfer.significance.paired_tests import ITEMS, ITEMS_AND_SEEDS
from empathy_transfer.statistics.resampling import (
    FEW_CLUSTERS,
    LEAST_CLUSTERS,
    paired_difference,
    resampled_counts,
    score_systems,
)
from empathy_transfer.statistics.seed_variance import spread
from empathy_transfer.statistics.t_tests import NOTHING, t_test

CONTRAST_COLUMNS = ["clusters", "method", "covers", "item_se", "seed_se", "se", "df", "low", "high", "p"]


def resample_scores(sample, predictions, settings):
    """Scores of all systems in the resamples of the test items: `resampling.Scores`.

    Args:
        sample: the test items in the units that are drawn. predictions: a list, as `resampling.score_systems` takes it.
        settings: `resamples`. Below 40 units each one is left out once instead (jackknife).
    """
    return score_systems(sample, predictions, resampled_counts(sample.n_units, settings["resamples"]))


def contrast_test(scores, pairs, difference, seeds, n_units, settings):
    """Test a mean of differences: a dict of `CONTRAST_COLUMNS`, and `reason` (a reason code, or empty).

    Args:
        scores: from `resample_scores`.
        pairs: (systems of one side, systems of the other) as lists of rows of `scores`; the contrast is the mean over
            pairs of the difference of the two sides' mean scores.
        difference: that contrast on all test items.
        seeds: what seeds add to the variance of the contrast, as a part of `t_tests`; (0.0, 0) if it can't be told.
        n_units: units of the test items. settings: `alpha` and `absent_classes`.

    Fewer than five units give no test (`too_few`); a difference that no resample varies gives none either
    (`no_variance`).
    """
    few = n_units < FEW_CLUSTERS
    row = dict.fromkeys(CONTRAST_COLUMNS) | {"clusters": n_units, "method": "cluster_t" if few else "bootstrap"}
    row |= {"covers": ITEMS_AND_SEEDS if seeds[1] else ITEMS, "seed_se": np.sqrt(seeds[0]) if seeds[1] else None}
    if n_units < LEAST_CLUSTERS:
        return row | {"reason": "too_few"}
    replicates = np.mean(
        [paired_difference(scores, *pair, absent=settings["absent_classes"]) for pair in pairs], axis=0
    )
    items = spread(replicates, few)
    tested = t_test(difference, [(items, n_units - 1), seeds], settings["alpha"])
    row |= {"item_se": float(np.sqrt(items)), "se": tested["se"], "df": tested["df"]}
    if tested["se"] < NOTHING < abs(difference):
        return row | {"reason": "no_variance"}
    return row | tested | {"reason": ""}
