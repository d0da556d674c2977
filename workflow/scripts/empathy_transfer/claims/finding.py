"""What a rule finds about a claim, and the verdicts."""

from typing import NamedTuple

SUPPORTED, NOT_SUPPORTED, UNDECIDED, NOT_TESTABLE = "supported", "not supported", "undecided", "not testable"
VERDICTS = (SUPPORTED, NOT_SUPPORTED, UNDECIDED, NOT_TESTABLE)
ALPHA, DRAWS = 0.05, 2000


class Finding(NamedTuple):
    """What a rule found: a number with its interval and p (None where there is none), pairs behind it, verdict, why."""

    statistic: str
    number: float | None
    low: float | None
    high: float | None
    p: float | None
    pairs: int
    verdict: str
    why: str


def nothing(statistic, pairs, why):
    """A finding without a number."""
    return Finding(statistic, None, None, None, None, pairs, NOT_TESTABLE, why)
