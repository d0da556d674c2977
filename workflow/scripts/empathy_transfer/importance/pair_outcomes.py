"""What is to be predicted: the percent improvement of each ordered pair of tasks, and variants that resist outliers.

One collapsed run (-90 percent) can carry a third of the variance of all pairs, so every analysis is repeated with
improvements cut off at 25 percent, and without the pairs behind which a run collapsed.
"""

from empathy_transfer.features.pair_features import available_features
from empathy_transfer.scores.improvement import read_improvement

WINSORISED_AT = 25  # percent
# Outcome: (whether improvements are cut off, whether collapsed pairs are left out); the first is the study's own.
OUTCOMES = {
    "percent": (False, False),
    "percent_winsorised": (True, False),
    "percent_without_collapsed": (False, True),
    "percent_winsorised_without_collapsed": (True, True),
}
MINIMUM_PAIRS, MINIMUM_TASKS = 20, 4


def read_full_improvement(path):
    """The rows of improvement.csv on full training data."""
    improvement = read_improvement(path)
    return improvement[improvement["data"] == "full"]


def outcome_pairs(improvement, features, outcome="percent"):
    """The pairs that can be analysed, with their features and their outcome.

    Args:
        improvement: frame with source, target, percent, reason; rows without percent are left out.
        features: frame as from `read_pair_features`.
        outcome: one of `OUTCOMES`.

    Returns:
        The joined frame with a column `outcome` (percent), sorted by source and target so that random splits don't hang
        on the order of tasks, and the names of the features that have values. A pair that lacks a value of one of
        these, as every pair of an unrated task does, is left out.
    """
    winsorised, without_collapsed = OUTCOMES[outcome]
    known = improvement.loc[improvement["percent"].notna(), ["source", "target", "percent", "reason"]]
    if without_collapsed:
        known = known[known["reason"] != "collapsed"]
    pairs = features.merge(known, on=["source", "target"], how="inner", validate="one_to_one")
    names = available_features(pairs if len(pairs) else features)
    pairs = pairs.dropna(subset=names).sort_values(["source", "target"], ignore_index=True)
    limit = WINSORISED_AT if winsorised else float("inf")
    return pairs.assign(outcome=pairs["percent"].clip(-limit, limit)), names


def too_few(pairs):
    """Whether the pairs are too few for any regression on their features: under 20 pairs, or under four tasks."""
    return len(pairs) < MINIMUM_PAIRS or len(set(pairs["source"]) | set(pairs["target"])) < MINIMUM_TASKS
