"""The unit of an outcome that resists outliers: what another seed, or other test items, would change a difference by.

A percentage grows without bound as the baseline nears 0, and one collapsed run makes it huge. A difference in units of
the target's standard deviation between seeds does neither: targets whose scores vary count less.
"""

import pandas

from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.significance.paired_tests import ALL, NOTHING


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
