"""How many rows a join, a filter or a parse loses: told in one line, and refused where it is too many."""

from empathy_transfer.errors import DataError

# Where more than this share is lost, and nobody has said that it may be, what is left could be about something else.
LOST_SHARE = 0.5


def lost_line(where, lost, total, problem):
    """Say in one line how many rows a step has lost, such as `notes.tsv: 3 of 60 texts have no label (5.0 %)`."""
    share = 100 * lost / total if total else 0.0
    return f"{where}: {lost:,} of {total:,} {problem} ({share:.1f} %)"


def tell_lost_rows(where, lost, total, reason, allowed=None):
    """Print how many rows of a dataset are left out, if any.

    Args:
        where: file or task. lost: number of rows that are left out, of `total`. reason: why, in a few words.
        allowed: largest share that may be lost, 0 to 1; None: `LOST_SHARE`.

    Raises:
        DataError: more than the allowed share is lost.
    """
    allowed = LOST_SHARE if allowed is None else allowed
    line = lost_line(where, lost, total, f"rows are left out: {reason}")
    if lost > allowed * total:
        raise DataError(
            f"{line}. That is more than a share of {allowed:g}: compare the files. If so many are lost rightly, say so "
            "in the dataset's description, such as `max_lost: 0.9`."
        )
    if lost:
        print(line)
