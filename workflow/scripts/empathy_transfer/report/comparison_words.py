"""What the rows of a table of comparisons say, in words, as pages of several studies print them."""

import pandas as pd

from empathy_transfer.statistics.verdicts import BETTER, NOT_TESTABLE, UNDECIDED, WORSE

ONE_SEED = f"{NOT_TESTABLE} (one seed)"


def finding(row, above=BETTER, below=WORSE):
    """What the interval of a comparison says; nothing of one seed, since it covers the choice of test items alone.

    Args:
        row: has `seeds`, `low`, `high`, `q`, and `sure`, whether q is small enough.
        above, below: words for a difference on that side of 0.
    """
    if row.seeds < 2 or pd.isna(row.low):
        return ONE_SEED
    if row.low <= 0 <= row.high:
        return UNDECIDED
    return (above if row.low > 0 else below) if row.sure else f"{UNDECIDED}, q {row.q:.3f}"


def difference_in_words(row):
    """The difference of a comparison with its interval."""
    return f"{row.difference:+.3f}{bounds_in_words(row.low, row.high)}"


def bounds_in_words(low, high, form="+.3f"):
    """An interval in brackets behind a number; nothing where there is none."""
    return "" if pd.isna(low) or pd.isna(high) else f" ({low:{form}} to {high:{form}})"
