"""The words for what tests and intervals say, the same in all tables, figures and pages: docs/results.md."""

# Whatever it is about: nothing speaks clearly for either side.
UNDECIDED = "undecided"
# A claim. Not testable: there are no such data.
SUPPORTED, NOT_SUPPORTED, NOT_TESTABLE = "supported", "not supported", "not testable"
VERDICTS = (SUPPORTED, NOT_SUPPORTED, UNDECIDED, NOT_TESTABLE)
# A score beside that of a baseline: transfer, more capacity, other labels, no context.
IMPROVED, HARMED = "improved", "harmed"
# The same for one seed, whose tests cover the choice of test items alone: of these trained models, not of training.
HIGHER, LOWER = "higher", "lower"
# One of two things beside the other, where neither is a baseline.
BETTER, WORSE = "better", "worse"
# A feature of pairs of tasks.
PREDICTIVE = "predictive"


def side_of_zero(low, high, above=SUPPORTED, below=NOT_SUPPORTED):
    """The word for the side of 0 on which an interval lies; not testable where there is none (None)."""
    if low is None or high is None:
        return NOT_TESTABLE
    return above if low > 0 else below if high < 0 else UNDECIDED
