"""What a rule finds about a claim."""

from typing import NamedTuple

from empathy_transfer.statistics.verdicts import NOT_TESTABLE

ALPHA, DRAWS = 0.05, 2000


class Finding(NamedTuple):
    """A verdict and why, and the number that it rests on.

    `statistic` says what the number is. Its interval (`low`, `high`) and `p` are None where there are none; `pairs` are
    the pairs behind it. `keys` say what a finding is about, such as {"model": "gpt"}, where a rule has several.
    """

    statistic: str
    verdict: str
    why: str
    number: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    pairs: int = 0
    keys: dict | None = None


def nothing(statistic, pairs, why):
    """A finding without a number."""
    return Finding(statistic, NOT_TESTABLE, why, pairs=pairs)
