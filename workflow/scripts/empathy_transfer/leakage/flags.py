"""The one place that leaves flagged pairs out: every analysis stands once more without them, as without collapsed runs.

Flags are the column `leaked` of improvement.csv and significance.csv. Between a target and itself they say that its own
training data leak into its test items; that is the same for its baseline and all its transfers, and leaves no pair out.
"""

WITHOUT_LEAKED = "without_leaked"


def flagged_pairs(frame):
    """Which rows of a frame are of flagged pairs, as booleans; none in a frame without flags, as of printed scores."""
    import pandas

    if "leaked" not in frame:
        return pandas.Series(False, index=frame.index)
    return frame["leaked"].astype(bool) & (frame["source"] != frame["target"])


def without_leaked(frame):
    """The rows of pairs that are not flagged."""
    return frame[~flagged_pairs(frame)]
