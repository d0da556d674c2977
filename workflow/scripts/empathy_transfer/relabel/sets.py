"""Sets of texts to label: id, text, crowd label and what is known of the writer, from essays as they were released."""

import pandas

from empathy_transfer.artefacts import write_table
from empathy_transfer.errors import DataError
from empathy_transfer.files import sha256_file
from empathy_transfer.readers.common import named_file, read_delimited, read_headless
from empathy_transfer.relabel.prompts import WRITER


def prepare_label_set(files, definition, set_path):
    """Write a set as a table: id, text, label (missing where the crowd gave none) and the columns about the writer.

    Args:
        files: {name: path} of the raw files.
        definition: the set's entry in its file of config/label_sets: `sha256` of its files, the file `essays`, its
            `columns`, and `gold`, a headless file with the labels row by row, first column, where they lie apart.
        set_path: the table.

    Raises:
        DataError: a file has another digest, lacks a column or rows, repeats an id, or holds a label that is no number.
    """
    for name, expected in definition["sha256"].items():
        if expected is not None and sha256_file(files[name]) != expected:
            raise DataError(f"{files[name]} is not the file that the config names: its SHA-256 is not {expected}.")
    columns, essays, gold = definition["columns"], definition["essays"], definition["gold"]
    labels = [] if gold else [columns["label"]]
    frame = read_delimited(named_file(files, essays), [columns["id"], columns["text"], *labels])
    texts = pandas.DataFrame({"id": frame[columns["id"]], "text": frame[columns["text"]]})
    if texts["id"].duplicated().any():
        raise DataError(f"{frame['place'][texts['id'].duplicated().idxmax()]}: this id stands in the file twice.")
    values = frame[labels[0]] if labels else _gold(files, gold, essays, len(frame))
    texts["label"] = _numbers(values, frame["place"])
    for column in WRITER:
        if column in frame:
            texts[column] = pandas.to_numeric(frame[column], errors="coerce").astype("float64")
    write_table(set_path, texts)
    print(f"{len(texts):,} texts, {texts['label'].notna().sum():,} with a crowd label")


def _gold(files, gold, first, rows):
    """The labels that lie in a file of their own, row by row."""
    labels = read_headless(named_file(files, gold), ["label"])["label"]
    if len(labels) != rows:
        raise DataError(f"{first} has {rows} rows but its labels {gold} have {len(labels)}; one is cut off.")
    return labels


def _numbers(values, places):
    """Labels as numbers; an empty field is a missing label, and any other text an error."""
    numbers = pandas.to_numeric(values, errors="coerce").astype("float64")
    wrong = numbers.isna() & (values.str.strip() != "")
    if wrong.any():
        raise DataError(f"{places[wrong.idxmax()]}: the label is no number.")
    return numbers
