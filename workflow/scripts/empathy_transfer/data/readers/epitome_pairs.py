"""Epitome as pairs: a post and a reply, with the three mechanisms of empathy added up (Reddit part, all rows)."""

from empathy_transfer.data.readers.common import (
    AGAIN,
    context_policy,
    join_turns,
    named_file,
    ordered_columns,
    read_delimited,
    refuse,
)
from empathy_transfer.data.readers.epitome import FILES, PAIR
from empathy_transfer.errors import DataError

HIGHEST_LEVEL = 3  # sums above it are too rare for classes of their own
HIGHEST_SUM = 6


def read(files, form, task):
    """Read all 3,084 rows; label columns `sum` (0 to 6), `level` (the sum, at most 3) and `share` (the sum over 6).

    The three files have the same pairs row by row, 61 of which are rated twice; each rating stays an item of its own,
    as in the study of raters. Texts are those of the first file: a few dozen are worded differently in another one.
    The group is the post's, and the same as in the dataset `epitome`.

    Raises DataError, also if a row of one file is about another pair than that of the first.
    """
    context_policy(form, task, ["paired"])
    tables = {}
    for label, name in FILES.items():
        columns = [*PAIR, "seeker_post", "response_post", "level"]
        table = tables[label] = read_delimited(named_file(files, name), columns, quote="double")
        refuse(table, ~table["level"].isin(["0", "1", "2"]), "level", "{} is none of 0, 1, 2. Correct the file.")
        _refuse_other_rows(table, tables["er"], name)
    first = tables["er"]
    total = sum(table["level"].astype(int) for table in tables.values())
    pairs = first["sp_id"] + "-" + first["rp_id"]
    again = pairs.groupby(pairs).cumcount()
    frame = first.assign(
        id=pairs.where(again == 0, pairs + "-" + (again + 1).astype("str")),
        group="epitome:" + first["sp_id"],
        context=[join_turns([post]) for post in first["seeker_post"]],
        text=first["response_post"],
        sum=total,
        level=total.clip(upper=HIGHEST_LEVEL).astype("str"),
        share=total / HIGHEST_SUM,
    )
    return ordered_columns(frame, ["sum", "level", "share"])


def _refuse_other_rows(table, first, name):
    """Raise DataError unless the rows of a file are about the same pairs as those of the first, in the same order."""
    if len(table) != len(first):
        raise DataError(f"{name} has {len(table):,} rows, but {FILES['er']} has {len(first):,}. {AGAIN}")
    other = (table[PAIR].to_numpy() != first[PAIR].to_numpy()).any(axis=1)
    if other.any():
        raise DataError(
            f"{name} and {FILES['er']}: their rows {other.argmax() + 1} are about different pairs, so that the levels "
            f"can't be added up. {AGAIN}"
        )
