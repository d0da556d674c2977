"""What is to be predicted: the percent improvement of each ordered pair of tasks, and variants that resist outliers.

One collapsed run (-90 percent) can carry a third of the variance of all pairs, so every analysis is repeated with
improvements cut off at 25 percent, and without the pairs behind which a run collapsed. Importance is also measured for
differences in units of the target's standard deviation between seeds (`seed_units.py`), where a study has tests.
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
STANDARDISED = "standardised_difference"
MINIMUM_PAIRS, MINIMUM_TASKS = 20, 4


def read_full_improvement(path):
    """The rows of improvement.csv on full training data."""
    improvement = read_improvement(path)
    return improvement[improvement["data"] == "full"]


def outcomes_of(improvement):
    """The outcomes that there are values for: `OUTCOMES`, and `STANDARDISED` where differences have units."""
    return [*OUTCOMES, *([STANDARDISED] if "unit" in improvement else [])]


def outcome_pairs(improvement, features, outcome="percent"):
    """The pairs that can be analysed, with their features and their outcome.

    Args:
        improvement: frame with source, target, percent, reason; rows without percent are left out. For `STANDARDISED`
            also difference and unit, as from `with_units`; rows without a unit are left out, too.
        features: frame as from `read_pair_features`.
        outcome: one of `outcomes_of(improvement)`.

    Returns:
        The joined frame with a column `outcome` (percent; of `STANDARDISED` a number of units), sorted by source and
        target so that random splits don't hang on the order of tasks, and the names of the features that have values. A
        pair that lacks a value of one of these, as every pair of an unrated task does, is left out.
    """
    known = improvement[improvement["percent"].notna()]
    if outcome == STANDARDISED:
        known = known[known["unit"].notna()]
        known = known.assign(outcome=known["difference"] / known["unit"])
    else:
        winsorised, without_collapsed = OUTCOMES[outcome]
        known = known[known["reason"] != "collapsed"] if without_collapsed else known
        limit = WINSORISED_AT if winsorised else float("inf")
        known = known.assign(outcome=known["percent"].clip(-limit, limit))
    known = known[["source", "target", "percent", "reason", "outcome"]]
    pairs = features.merge(known, on=["source", "target"], how="inner", validate="one_to_one")
    names = available_features(pairs if len(pairs) else features)
    return pairs.dropna(subset=names).sort_values(["source", "target"], ignore_index=True), names


def too_few(pairs):
    """Whether the pairs are too few for any regression on their features: under 20 pairs, or under four tasks."""
    return len(pairs) < MINIMUM_PAIRS or len(set(pairs["source"]) | set(pairs["target"])) < MINIMUM_TASKS
