"""Sets of texts with crowd labels: read from their releases, and cleared of texts that another set holds too."""

from pathlib import Path

import pandas as pd

from empathy_transfer.data.raw_files import check_raw
from empathy_transfer.data.readers.common import AGAIN, read_delimited, read_headless, text_key
from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import write_table


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
        DataError: a raw file is missing, changed or damaged, an id stands there twice, or a label is off the scale.
    """
    frames = {}
    for other, about in sets.items():
        files = {file: Path(folders[other]) / file for file in about["sha256"]}
        check_raw(other, files, about["sha256"], record_folder)
        frames[other] = read_set(files, about, demographics, bounds)
    frame = frames.pop(name)
    taken = {key for other in frames.values() for key in other["text"].map(text_key)}
    shared = frame["text"].map(text_key).isin(taken)
    print(f"{name}: {len(frame):,} texts, of which {int(shared.sum()):,} are left out since a set before holds them")
    write_table(output_path, frame[~shared].reset_index(drop=True))


def read_set(files, about, demographics, bounds):
    """Read one set as a frame with the columns of `prepare_label_set`; arguments as there."""
    columns, path = about["columns"], files[about["essays"]]
    needed = [columns[name] for name in ("id", "text", "group")]
    frame = read_delimited(path, needed if about["gold"] else [*needed, columns["label"]])
    labels = frame.get(columns["label"])
    if about["gold"]:
        labels = read_headless(files[about["gold"]], [columns["label"]])[columns["label"]]
        if len(labels) != len(frame):
            raise DataError(f"{path.name} has {len(frame)} rows but {about['gold']} has {len(labels)}. {AGAIN}")
    result = pd.DataFrame(
        {
            "id": frame[columns["id"]],
            "group": frame[columns["group"]],
            "text": frame[columns["text"]],
            "label": pd.to_numeric(labels, errors="coerce"),
        }
    )
    for column in demographics:
        if column in frame:
            result[column] = pd.to_numeric(frame[column], errors="coerce").astype("float64")
    _check(result, frame["place"], bounds)
    return result


def _check(frame, places, bounds):
    """Raise DataError for an id that stands there twice, an empty text, or a label off the scale."""
    problems = {
        "its id stands in another row too": frame["id"].duplicated(),
        "its text is empty": frame["text"].str.strip() == "",
        f"its label is not between {bounds[0]} and {bounds[1]}": ~frame["label"].between(*bounds)
        & frame["label"].notna(),
    }
    for problem, rows in problems.items():
        if rows.any():
            raise DataError(f"{places[rows].iloc[0]}: {problem}. {AGAIN}")
