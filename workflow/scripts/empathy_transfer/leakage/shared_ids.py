"""Ids that rows of different groups can have in common: the article that people write about, and who writes.

They never decide splits; the audit of leakage compares them. A dataset's description names them under `shared_ids`.
"""

import re

import pandas

from empathy_transfer.data.readers.common import named_file, read_delimited
from empathy_transfer.errors import DataError, shown

SHARED_IDS = ("article", "author")


def row_ids(description, ids, groups, files):
    """The shared ids of each row: {"article" or "author": Series of text in the order of the rows}.

    Args:
        description: None, or {`pool`: prefix that makes ids global, and either `from_group`: {kind: regular expression
            whose match in the group's id is the shared id}, or `columns`: {kind: column}, `files`: names of raw tables,
            and `row`: the columns whose values, joined by "-", are a row's id; and `quote`, if the tables are read so}.
        ids, groups: id and group of each row.
        files: {name: path} of the raw files.

    Raises DataError for a row that the files lack, a missing column, or a group in which nothing matches.
    """
    if description is None:
        return {}
    pool = description["pool"]
    if "from_group" in description:
        return {
            kind: pandas.Series([f"{pool}:{_match(pattern, group)}" for group in groups], dtype="object")
            for kind, pattern in description["from_group"].items()
        }
    columns = description["columns"]
    needed = [*dict.fromkeys([*description["row"], *columns.values()])]
    paths = [named_file(files, name) for name in description["files"]]
    tables = [read_delimited(path, needed, quote=description.get("quote"))[needed] for path in paths]
    table = pandas.concat(tables, ignore_index=True)
    table.index = table[description["row"]].agg("-".join, axis=1)
    table = table[~table.index.duplicated()]
    if missing := [row for row in ids if row not in table.index]:
        raise DataError(
            f"{', '.join(description['files'])}: no row for {len(missing)} of {len(ids)} ids, the first of which is "
            f"{shown(missing[0])}. Correct `shared_ids: row` in the description of the dataset: it names the columns "
            "whose values, joined by '-', are the ids of its rows."
        )
    table = table.loc[list(ids)]
    return {
        kind: pandas.Series([f"{pool}:{_whole(value)}" if value else None for value in table[column]], dtype="object")
        for kind, column in columns.items()
    }


def _match(pattern, group):
    """What a pattern finds in the id of a group."""
    found = re.search(pattern, group)
    if found is None:
        raise DataError(
            f"{pattern!r} matches nothing in the id of a group ({shown(group)}). Correct `shared_ids: from_group` in "
            "the description of the dataset."
        )
    return found.group()


def _whole(value):
    """An id without the decimals that a table's maker left behind: one file writes 35.0 where another writes 35."""
    return value.removesuffix(".0")
