"""EmpathicStories++: a story that someone shared and a story told in response, rated for empathy (on request only)."""

from empathy_transfer.data.readers.common import (
    context_policy,
    join_turns,
    named_file,
    ordered_columns,
    read_delimited,
    refuse,
    row_numbers,
    text_key,
)
from empathy_transfer.errors import DataError

# The file that the study of raters used has 1 to 5; its report says 1 to 3.
SCALES = ((1, 5), (1, 3))
RATES = ["1", "2", "3", "4", "5"]


def read(files, form, task):
    """Read the pairs; label columns `rate`, as it stands, and `share`, the rate scaled to 0 to 1 (min-max).

    Rows have no id but a position; those with the same shared story are a group.

    Raises DataError, also unless the lowest and the highest rate of the file are the ends of a scale that is known:
    rates scaled by other ends would mean something else.
    """
    context_policy(form, task, ["paired"])
    (name,) = files
    columns = ["Shared_stories", "Response_stories", "Rate"]
    table = read_delimited(named_file(files, name), columns, quote="double")
    rates = table["Rate"].str.strip().str.removesuffix(".0")
    refuse(table, ~rates.isin(RATES), "Rate", "{} is no whole number from 1 to 5. Correct the file.")
    rates = rates.astype(int)
    low, high = rates.min(), rates.max()
    if (low, high) not in SCALES:
        known = " or ".join(f"{first} to {last}" for first, last in SCALES)
        raise DataError(
            f"{name}, column 'Rate': rates from {low} to {high}, but the scale goes from {known}. Is the file whole?"
        )
    print(f"{name}: rates from {low} to {high} are scaled to 0 to 1")
    frame = table.assign(
        id="row" + row_numbers(table).str.zfill(4),
        group=["empathic_stories_plus:" + text_key(story) for story in table["Shared_stories"]],
        context=[join_turns([story]) for story in table["Shared_stories"]],
        text=[join_turns([story]) or "" for story in table["Response_stories"]],
        rate=rates,
        share=(rates - low) / (high - low),
    )
    return ordered_columns(frame, ["rate", "share"])
