"""Sets of texts with crowd labels: read from their releases, and cleared of texts that another set holds too."""

from pathlib import Path

import pandas as pd

from empathy_transfer.data.lost_rows import lost_line
from empathy_transfer.data.raw_files import check_raw
from empathy_transfer.data.readers.common import AGAIN, PLACE, read_delimited, read_headless, text_key
from empathy_transfer.data.texts import is_blank
from empathy_transfer.errors import DataError, shown
from empathy_transfer.kinds.regression import NUMBER
from empathy_transfer.records.artefacts import write_table

# What releases write in place of a number about a writer.
UNKNOWN = ("unknown",)


def prepare_label_set(name, sets, folders, demographics, bounds, record_folder, output_path):
    """Read a set, take out what stands in a set before it, and write it as Parquet.

    Columns: `id`, `group` (what makes texts alike, such as their writer), `text`, `label` (crowd label, in units of the
    scale; missing where there is none) and those of `demographics` that the release has, as numbers (missing where it
    says "unknown").

    Args:
        name: the set. sets: {name: its `folder`, `essays`, `gold`, `columns` and `sha256`} of this set and of those
            that come before it. folders: {name: folder of its raw files}. demographics: names of columns.
        bounds: (lowest, highest) value of the scale. record_folder: where unknown digests are recorded.
        output_path: the file to write.

    Raises:
        DataError: a raw file is missing, changed or damaged; an id, a group or a text is empty, or an id stands there
            twice; a label is no number or off the scale; or no text is left.
    """
    frames = {}
    for other, about in sets.items():
        files = {file: Path(folders[other]) / file for file in about["sha256"]}
        check_raw(other, files, about["sha256"], record_folder)
        frames[other] = read_set(files, about, demographics, bounds)
    frame = frames.pop(name)
    taken = {key for other in frames.values() for key in other["text"].map(text_key)}
    shared = frame["text"].map(text_key).isin(taken)
    print(lost_line(name, int(shared.sum()), len(frame), "texts are left out, since a set before holds them"))
    if shared.all():
        raise DataError(f"{name}: no text is left, since sets before it hold them all. Take the set out of the file.")
    write_table(output_path, frame[~shared].reset_index(drop=True))


def read_set(files, about, demographics, bounds):
    """Read one set as a frame with the columns of `prepare_label_set`; arguments as there."""
    columns, path = about["columns"], files[about["essays"]]
    needed = [columns[name] for name in ("id", "text", "group")]
    needed = needed if about["gold"] else [*needed, columns["label"]]
    frame = read_delimited(path, needed, quote=about.get("quote"))
    labels, hint = frame, ""
    if about["gold"]:
        labels = read_headless(files[about["gold"]], [columns["label"]])
        hint = f" The label must be the first column of {about['gold']}."
        if len(labels) != len(frame):
            raise DataError(f"{path.name} has {len(frame)} rows but {about['gold']} has {len(labels)}. {AGAIN}")
    result = pd.DataFrame({name: frame[columns[name]] for name in ("id", "group", "text")})
    result["label"] = numbers_of(labels[columns["label"]], labels[PLACE], "its label", hint=hint)
    for column in demographics:
        if column in frame:
            result[column] = numbers_of(frame[column], frame[PLACE], f"its {column!r}", UNKNOWN)
    _check(result, frame[PLACE], labels[PLACE], bounds)
    missing = int(result["label"].isna().sum())
    print(lost_line(path.name, missing, len(result), "texts have no crowd label"))
    return result


def numbers_of(values, places, what, missing=(), hint=""):
    """A column of texts as numbers; an empty field, and those of `missing`, are NaN.

    Raises:
        DataError: any other field is no number.
    """
    values = values.str.strip()
    given = ~values.isin(["", *missing])
    if len(wrong := values[given & ~values.str.fullmatch(NUMBER.pattern)]):
        value = wrong.iloc[0]
        problem = f"{what} {shown(value, values[given])} is not a number"
        if NUMBER.fullmatch(written := value.replace(",", ".")):
            problem += f": write {written}, with a point"
        raise DataError(f"{places[wrong.index[0]]}: {problem}. Only an empty field is a missing one.{hint}")
    return pd.to_numeric(values.where(given, None), errors="raise").astype("float64")


def _check(frame, places, label_places, bounds):
    """Raise DataError for an id, group or text that can't be one, or a label off the scale."""
    spaced = "has white space around it, so that it would count as another one"
    off_scale = f"its label is not between {bounds[0]} and {bounds[1]}"
    problems = {
        "its id stands in another row too": (frame["id"].duplicated(), places),
        "its id is empty": (frame["id"].map(is_blank), places),
        f"its id {spaced}": (frame["id"] != frame["id"].str.strip(), places),
        "its group is empty: rows without one would count as one writer": (frame["group"].map(is_blank), places),
        f"its group {spaced}": (frame["group"] != frame["group"].str.strip(), places),
        "its text is empty": (frame["text"].map(is_blank), places),
        off_scale: (~frame["label"].between(*bounds) & frame["label"].notna(), label_places),
    }
    for problem, (rows, where) in problems.items():
        if rows.any():
            raise DataError(f"{where[rows].iloc[0]}: {problem}. Correct the file, or the set's description.")
