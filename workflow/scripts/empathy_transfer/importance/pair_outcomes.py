"""What is to be predicted: the percent improvement of each ordered pair of tasks, and variants that resist outliers.

One collapsed run (-90 percent) can carry a third of the variance of all pairs, so every analysis is repeated with
improvements cut off at 25 percent, and without the pairs behind which a run collapsed. Importance is also measured for
differences in units of the target's standard deviation between seeds, where a study has tests: a percentage grows
without bound as the baseline nears 0, and one collapsed run makes it huge; these units do neither, since targets whose
scores vary count less.
"""

import pandas

from empathy_transfer.features.pair_features import available_features
from empathy_transfer.leakage.flags import WITHOUT_LEAKED, flagged_pairs, without_leaked
from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.scores.improvement import read_improvement
from empathy_transfer.significance.paired_tests import ALL, NOTHING

WINSORISED_AT = 25  # percent
# Outcome: (whether improvements are cut off, whether collapsed pairs are left out); the first is the study's own.
OUTCOMES = {
    "percent": (False, False),
    "percent_winsorised": (True, False),
    "percent_without_collapsed": (False, True),
    "percent_winsorised_without_collapsed": (True, True),
}
# The same without the pairs that the audit of leakage flags, where it flags any.
LEAK_OUTCOMES = {f"{outcome}_{WITHOUT_LEAKED}": outcome for outcome in ("percent", "percent_winsorised")}
STANDARDISED = "standardised_difference"
MINIMUM_PAIRS, MINIMUM_TASKS = 20, 4


def read_full_improvement(path):
    """The rows of improvement.csv on full training data."""
    improvement = read_improvement(path)
    return improvement[improvement["data"] == "full"]


def read_all_tests(paths):
    """The tests of all targets as one frame; `paths` are what `paired_tests.write_tests` wrote."""
    return pandas.concat([read_csv(path) for path in paths], ignore_index=True)


def with_units(improvement, tests):
    """The rows of improvement.csv with a column `unit`, in the units of the target's metric.

    Args:
        improvement: frame as from `read_full_improvement`.
        tests: frame with source, target, data, runs, seed_sd and item_se, of pairs that are tested.

    The unit is `seed_sd`, the standard deviation between seeds pooled over all runs of the target, collapsed ones
    included, but no less than the pair's `item_se`, the bootstrap standard error of its difference over test items.
    Where no run of the target has a second seed, it is `item_se` alone. Missing where the pair has no test, or where
    neither seeds nor items vary it.
    """
    tests = tests[(tests["data"] == "full") & (tests["runs"] == ALL)]
    units = tests[["seed_sd", "item_se"]].astype("float64").max(axis=1, skipna=True)
    units = units.where(tests["item_se"].notna() & (units >= NOTHING))
    known = tests[["source", "target"]].assign(unit=units)
    return improvement.merge(known, on=["source", "target"], how="left", validate="one_to_one")


def outcomes_of(improvement):
    """The outcomes that there are values for: of percent changes, and `STANDARDISED` where differences have units."""
    return [*percent_outcomes(improvement), *([STANDARDISED] if "unit" in improvement else [])]


def percent_outcomes(improvement):
    """`OUTCOMES`, and `LEAK_OUTCOMES` where pairs are flagged."""
    return [*OUTCOMES, *(LEAK_OUTCOMES if flagged_pairs(improvement).any() else [])]


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
    known = known_pairs(improvement, outcome)
    if outcome == STANDARDISED:
        known = known[known["unit"].notna()]
        known = known.assign(outcome=known["difference"] / known["unit"])
    else:
        winsorised, _ = OUTCOMES[LEAK_OUTCOMES.get(outcome, outcome)]
        limit = WINSORISED_AT if winsorised else float("inf")
        known = known.assign(outcome=known["percent"].clip(-limit, limit))
    known = known[["source", "target", "percent", "reason", "outcome"]]
    pairs = features.merge(known, on=["source", "target"], how="inner", validate="one_to_one")
    names = available_features(pairs if len(pairs) else features)
    return pairs.dropna(subset=names).sort_values(["source", "target"], ignore_index=True), names


def known_pairs(improvement, outcome):
    """The rows with a percentage that an outcome is about: all, or those without collapsed runs or flagged pairs."""
    known = improvement[improvement["percent"].notna()]
    if outcome in LEAK_OUTCOMES:
        known, outcome = without_leaked(known), LEAK_OUTCOMES[outcome]
    _, without_collapsed = OUTCOMES.get(outcome, (False, False))
    return known[known["reason"] != "collapsed"] if without_collapsed else known


def too_few(pairs):
    """Whether the pairs are too few for any regression on their features: under 20 pairs, or under four tasks."""
    return len(pairs) < MINIMUM_PAIRS or len(set(pairs["source"]) | set(pairs["target"])) < MINIMUM_TASKS
