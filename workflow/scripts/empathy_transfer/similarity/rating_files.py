"""Raw files of people's ratings of pairs, as long tables: a row per rating, or a column per rater and aspect."""

import re

import numpy as np
import pandas as pd

from empathy_transfer.agreement.tables import KEYS
from empathy_transfer.data.readers.common import PLACE, read_delimited, refuse, require_columns, row_numbers
from empathy_transfer.errors import DataError

FIELDS = ("rater", "aspect")


def read_pair_ratings(path, about):
    """The ratings of a file: a frame with the columns item, aspect, form, rater (text) and value.

    Args:
        path: CSV file. about: its description in the config. Either `columns`, names of the columns of a file with a
            row per rating, of which `where` {column: value} takes some; or `wide`, the name of a column with {rater}
            and {aspect} in it, such as Person_{rater}_{aspect}_score, and `form`, what all rows are of. `range` holds
            all values.

    Raises:
        DataError: a column is missing, a value is no number of the range, or a rating stands there twice.
    """
    table = read_delimited(path)
    if "wide" in about:
        ratings = _melt(table, path, about)
    else:
        columns = about["columns"]
        require_columns(table, [*columns.values(), *about.get("where", {})], path)
        for column, value in about.get("where", {}).items():
            table = table[table[column] == value]
        ratings = table[[*columns.values(), PLACE]].set_axis([*columns, PLACE], axis=1)
    ratings = ratings[ratings["value"].str.strip() != ""]
    if ratings.empty:
        raise DataError(f"{path.name}: no row is left. Correct `where` below similarity.raters in the config.")
    refuse(ratings, ratings.duplicated(KEYS), "rater", "{} gave two ratings of an item in one form and aspect")
    return ratings[KEYS].assign(value=as_numbers(ratings, "value", about["range"])).reset_index(drop=True)


def read_machines(path, about):
    """Scores of machines beside the people's, which count as no rater: a frame (items, machines), items as above."""
    table, machines = read_delimited(path), about.get("machines", {})
    require_columns(table, machines.values(), path)
    found = {name: as_numbers(table, column, about["range"]).to_numpy() for name, column in machines.items()}
    return pd.DataFrame(found, index=pd.Index(row_numbers(table), name="item"))


def as_numbers(table, column, bounds):
    """A column of texts as numbers of a range; DataError about the first one that is none."""
    numbers = pd.to_numeric(table[column].str.strip(), errors="coerce").astype(float)
    low, high = bounds
    inside = np.isfinite(numbers) & numbers.between(low, high)
    refuse(table, ~inside, column, f"{{}} is no number from {low} to {high}")
    return numbers


def _melt(table, path, about):
    """Ratings of a file with a row per item and a column per rater and aspect."""
    pattern = re.escape(about["wide"])
    for field in FIELDS:
        pattern = pattern.replace(re.escape(f"{{{field}}}"), f"(?P<{field}>[A-Za-z0-9]+)")
    found = {column: match for column in table if (match := re.fullmatch(pattern, column))}
    if not found:
        raise DataError(f"{path.name}: no column fits {about['wide']}. Correct `wide` below similarity.raters.")
    common = {"item": row_numbers(table), "form": about["form"], PLACE: table[PLACE]}
    parts = [pd.DataFrame(common | {"value": table[column]} | match.groupdict()) for column, match in found.items()]
    return pd.concat(parts, ignore_index=True)
