"""Condolence: replies to posts about grief, rated for empathy."""

from pathlib import Path

import pandas

from empathy_transfer.data.readers.common import (
    check_policy,
    context_policy,
    join_turns,
    named_file,
    ordered_columns,
    read_delimited,
    text_key,
)


def read(files: dict[str, Path], form: dict, task: dict) -> pandas.DataFrame:
    """Read the replies; label column `rating`, the mean of two raters. Raises DataError.

    Rows have no id but a position, and posts none at all, so equal posts share a group.
    """
    policy = check_policy(context_policy(form, task), ["none", "paired"], "condolence")
    table = read_delimited(named_file(files, "output.csv"), ["rating", "target", "observer"])
    numbers = pandas.Series(range(1, len(table) + 1), index=table.index).astype("str")
    frame = table.assign(
        id="row" + numbers,
        group=["condolence:" + text_key(post) for post in table["target"]],
        context=[join_turns([post]) if policy == "paired" else None for post in table["target"]],
        text=table["observer"],
    )
    return ordered_columns(frame, ["rating"])
