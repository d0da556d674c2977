"""Condolence: replies to posts about grief, rated for empathy."""

from empathy_transfer.data.readers.common import (
    context_policy,
    join_turns,
    named_file,
    ordered_columns,
    read_delimited,
    row_numbers,
    text_key,
)


def read(files, form, task):
    """Read the replies; label column `rating`, the mean of two raters. Raises DataError.

    Rows have no id but a position, and posts none at all, so equal posts share a group.
    """
    policy = context_policy(form, task, ["none", "paired"])
    table = read_delimited(named_file(files, "output.csv"), ["rating", "target", "observer"], quote="double")
    frame = table.assign(
        id="row" + row_numbers(table),
        group=["condolence:" + text_key(post) for post in table["target"]],
        context=[join_turns([post]) if policy == "paired" else None for post in table["target"]],
        text=table["observer"],
    )
    return ordered_columns(frame, ["rating"])
