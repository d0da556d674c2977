"""Sets of texts with crowd labels: what is read, what is missing, what is refused, and how many rows a step loses."""

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from empathy_transfer.data.lost_rows import LOST_SHARE
from empathy_transfer.errors import DataError
from empathy_transfer.frame.job import open_job
from empathy_transfer.labelling.label_sets import numbers_of, prepare_label_set
from empathy_transfer.labelling.labels import parse_labels
from empathy_transfer.labelling.valid_labels import valid_labels
from empathy_transfer.records.artefacts import write_table
from empathy_transfer.records.files import sha256_file
from empathy_transfer.relabel.recipe import held_out_texts
from fake_jobs import fake_snakemake
from study_copy import ROOT

COLUMNS = {"id": "number", "text": "essay", "group": "article", "label": "empathy"}
PRIVATE = "I never told anyone"


def write_set(folder, name, rows, gold=None, separator="\t"):
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.{'tsv' if separator == chr(9) else 'csv'}"
    pd.DataFrame(rows).to_csv(path, sep=separator, index=False)
    digests = {path.name: sha256_file(path)}
    if gold is not None:
        (folder / f"{name}_gold.tsv").write_text("".join(f"{line}\n" for line in gold), encoding="utf-8")
        digests[f"{name}_gold.tsv"] = None
    return {
        "essays": path.name,
        "gold": f"{name}_gold.tsv" if gold is not None else None,
        "columns": COLUMNS,
        "sha256": digests,
    }


def prepare(tmp_path, name, sets):
    output = tmp_path / f"{name}.parquet"
    folders = dict.fromkeys(sets, str(tmp_path / "raw"))
    prepare_label_set(name, sets, folders, ["gender", "age"], (1, 7), tmp_path / "digests", output)
    return pd.read_parquet(output)


def rows(texts, labels=None, **columns):
    frame = {"number": [f"n{place}" for place in range(len(texts))], "essay": texts, "article": ["a"] * len(texts)}
    return frame | ({"empathy": labels} if labels else {}) | columns


def crowd(count=60, **changes):
    """A set of so many invented texts; `changes` are {column: {row counted from 1: value}}."""
    labels = [str(1 + place % 7) for place in range(count)]
    frame = rows([f"{PRIVATE} {place}" for place in range(count)], labels, gender=["1"] * count, age=["30"] * count)
    for column, values in changes.items():
        frame[column] = [values.get(row, value) for row, value in enumerate(frame[column], start=1)]
    return frame


def test_a_text_of_two_sets_stays_in_the_first_and_unknown_demographics_are_missing(tmp_path):
    raw = tmp_path / "raw"
    sets = {
        "test": write_set(raw, "test", rows(["One  text", "two"], age=[20, 30]), gold=["1\t0", "6.5\t0"]),
        "train": write_set(raw, "train", rows(["three", "one text", "four"], [2, 3, 7], gender=["1", "unknown", "2"])),
    }
    test = prepare(tmp_path, "test", {"test": sets["test"]})
    assert test["label"].tolist() == [1.0, 6.5]
    train = prepare(tmp_path, "train", sets)
    assert train["id"].tolist() == ["n0", "n2"]
    assert train["gender"].tolist() == [1.0, 2.0]
    assert "gender" not in test


def test_a_set_whose_texts_all_stand_in_sets_before_it_is_refused(tmp_path):
    sets = {name: write_set(tmp_path / "raw", name, rows(["one", "two"], [2, 3])) for name in ("first", "second")}
    with pytest.raises(DataError, match="second: no text is left"):
        prepare(tmp_path, "second", sets)


def test_empty_labels_are_missing_and_counted(tmp_path, capsys):
    about = write_set(tmp_path / "raw", "notes", crowd(empathy=dict.fromkeys(range(1, 35), "")))
    found = prepare(tmp_path, "notes", {"notes": about})
    assert found["label"].isna().sum() == 34
    # 34 / 60 = 56.7 %
    assert "notes.tsv: 34 of 60 texts have no crowd label (56.7 %)" in capsys.readouterr().out


WRONG_LABELS = {
    "decimal comma": ("3,5", r"'3,5' is not a number: write 3\.5, with a point"),
    "word": ("four", "'four' is not a number"),
    "sign of a missing value": ("NA", "'NA' is not a number"),
    "not a number to Python either": ("nan", "'nan' is not a number"),
    "infinity": ("inf", "'inf' is not a number"),
    "digits with a line": ("0_4", "'0_4' is not a number"),
    "digits of another script": ("\u0663", "is not a number"),
    "off the scale": ("7.5", "is not between 1 and 7"),
    "too large for a number": ("1e999", "is not between 1 and 7"),
}


@pytest.mark.parametrize("separator", ["\t", ","], ids=["tsv", "csv"])
@pytest.mark.parametrize("fault", WRONG_LABELS)
@pytest.mark.parametrize("row", [1, 60])
def test_a_label_that_is_no_number_of_the_scale_is_an_error_with_its_row(tmp_path, fault, row, separator):
    value, message = WRONG_LABELS[fault]
    about = write_set(tmp_path / "raw", "notes", crowd(empathy={row: value}), separator=separator)
    with pytest.raises(DataError, match=rf"notes\.(tsv|csv), row {row}: its label.*{message}"):
        prepare(tmp_path, "notes", {"notes": about})


@pytest.mark.parametrize("column", ["gender", "age"])
@pytest.mark.parametrize("value", ["3,5", "old", "n/a"])
def test_what_is_said_of_writers_is_a_number_or_unknown(tmp_path, column, value):
    about = write_set(tmp_path / "raw", "notes", crowd(**{column: {9: value, 12: "unknown", 20: ""}}))
    with pytest.raises(DataError, match=rf"notes\.tsv, row 9: its '{column}' '{value}' is not a number"):
        prepare(tmp_path, "notes", {"notes": about})


@pytest.mark.parametrize("first", ["joy", "3,5", PRIVATE + " what I did in the rain"])
def test_labels_in_another_column_of_their_file_are_an_error(tmp_path, first):
    gold = [f"{first}\t{1 + place % 7}" for place in range(10)]
    about = write_set(tmp_path / "raw", "notes", rows([f"text {place}" for place in range(10)]), gold=gold)
    with pytest.raises(DataError, match=r"notes_gold\.tsv, row 1: its label .*first column of notes_gold") as caught:
        prepare(tmp_path, "notes", {"notes": about})
    assert PRIVATE not in str(caught.value)


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\ufeff", "\x00", "\u00a0\t"], ids=repr)
@pytest.mark.parametrize(("column", "part"), [("number", "id"), ("article", "group"), ("essay", "text")])
def test_an_id_a_writer_or_a_text_that_shows_nothing_is_an_error(tmp_path, column, part, blank):
    about = write_set(tmp_path / "raw", "notes", crowd(**{column: {17: blank}}))
    with pytest.raises(DataError, match=rf"notes\.tsv, row 17: its {part} is empty"):
        prepare(tmp_path, "notes", {"notes": about})


@pytest.mark.parametrize(("column", "part"), [("number", "id"), ("article", "group")])
def test_white_space_makes_no_other_writer(tmp_path, column, part):
    about = write_set(tmp_path / "raw", "notes", crowd(**{column: {3: "a "}}))
    with pytest.raises(DataError, match=rf"notes\.tsv, row 3: its {part} has white space around it"):
        prepare(tmp_path, "notes", {"notes": about})


def test_an_id_that_stands_there_twice_is_an_error(tmp_path):
    about = write_set(tmp_path / "raw", "notes", rows(["a", "b"], [2, 3]) | {"number": ["n0", "n0"]})
    with pytest.raises(DataError, match="row 2: its id stands in another row too"):
        prepare(tmp_path, "notes", {"notes": about})


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9) | st.integers(-999, 999) | st.none() | st.text(max_size=6), min_size=1))
def test_a_column_is_read_as_it_was_written_or_its_first_wrong_row_is_named(values):
    texts = ["" if value is None else str(value) for value in values]
    wrong = [row for row, text in enumerate(texts) if text.strip() and not reads_as_number(text.strip())]
    column = pd.Series(texts, dtype="str")
    places = pd.Series([f"row {row}" for row in range(len(texts))])
    if wrong:
        with pytest.raises(DataError, match=f"^row {wrong[0]}: "):
            numbers_of(column, places, "its label")
    else:
        expected = [float(text) if text.strip() else np.nan for text in texts]
        np.testing.assert_allclose(numbers_of(column, places, "its label"), expected, rtol=1e-15)


def reads_as_number(text):
    """Whether a text is a finite decimal number in plain digits."""
    try:
        return bool(np.isfinite(float(text))) and text.isascii() and "_" not in text
    except ValueError:
        return False


def test_essays_of_newsemp_are_grouped_by_their_writers():
    sets = yaml.safe_load((ROOT / "config/label_sets/newsemp.yaml").read_text(encoding="utf-8"))["sets"]
    writers = {"wassa22": "response_id", "news_wassa23": "speaker_id"}
    assert {about["columns"]["group"] == writers[about["folder"]] for about in sets.values()} == {True}


def as_job(rule, path, frame):
    """Write a table as a job does, with its provenance."""
    output = {"table": str(path), "provenance": str(path.with_suffix(".provenance.json"))}
    with open_job(fake_snakemake(rule, output, log=str(path.with_suffix(".log")))) as job:
        write_table(job.output["table"], frame)
    return path


def labels_of(folder, count, valid, first_id=0):
    """A model's labels of so many texts, of which the first ones are valid."""
    ids = [f"n{first_id + place}" for place in range(count)]
    labels = [4.0 if place < valid else np.nan for place in range(count)]
    frame = pd.DataFrame({"id": ids, "label": labels, "valid": [place < valid for place in range(count)]})
    return as_job("parse_labels", folder / "labels.parquet", frame)


@pytest.mark.parametrize(("valid", "first_id"), [(60, 0), (31, 0), (30, 0), (60, 30)])
def test_labels_are_joined_by_id_and_the_lost_ones_counted(tmp_path, capsys, valid, first_id):
    ids = [f"n{place}" for place in range(60)]
    found = valid_labels(labels_of(tmp_path, 60, valid, first_id), ids)
    expected = [first_id <= place < first_id + valid for place in range(60)]
    assert (~np.isnan(found)).tolist() == expected
    assert f"{60 - sum(expected)} of 60 texts have no valid label" in capsys.readouterr().out


@pytest.mark.parametrize(("valid", "first_id"), [(29, 0), (0, 0), (60, 31), (60, 1000)])
def test_a_join_that_loses_more_than_half_of_the_texts_stops(tmp_path, valid, first_id):
    path = labels_of(tmp_path, 60, valid, first_id)
    lost = 60 - sum(first_id <= place < first_id + valid for place in range(60))
    with pytest.raises(DataError, match=f"{lost} of 60 texts have no valid label .*at most 50% may lack one"):
        valid_labels(path, [f"n{place}" for place in range(60)])


@pytest.mark.parametrize(("readable", "stops"), [(10, False), (5, False), (4, True), (0, True)])
def test_answers_of_which_more_than_half_cannot_be_read_stop(tmp_path, readable, stops):
    """The share holds for a whole set; of a sample, which compares prompts, any number may be invalid."""
    raws = ['{"score": 3}' if place < readable else "I would say three" for place in range(10)]
    about = {"provider": "openai", "model": "m", "model_version": "", "prompt": "plain", "scale": "batson_empathy"}
    about |= {"served_model": "m", "finish": "stop"}
    frame = pd.DataFrame({"id": [f"n{place}" for place in range(10)], "status": "answered", "raw": raws, "repeat": 0})
    answers = as_job("ask_model", tmp_path / "answers.parquet", frame.assign(**about))
    labels = tmp_path / "labels.parquet"
    arguments = (answers, ROOT / "config/scales/batson_empathy.yaml", ROOT / "config/prompts/plain.j2", labels)
    parse_labels(*arguments)
    assert pd.read_parquet(labels)["valid"].sum() == readable
    labels.unlink()
    if stops:
        with pytest.raises(DataError, match=rf"10 answers, {10 - readable} invalid .*At most 50% may be invalid"):
            parse_labels(*arguments, most_invalid=LOST_SHARE)
        assert not labels.exists()
    else:
        parse_labels(*arguments, most_invalid=LOST_SHARE)


def test_held_out_texts_without_a_crowd_label_are_left_out_and_counted(tmp_path, capsys):
    frame = pd.DataFrame({"id": ["n0", "n1", "n2"], "label": [3.0, np.nan, 5.0]})
    kept = held_out_texts(as_job("prepare_label_set", tmp_path / "test.parquet", frame), "test")
    assert kept["id"].tolist() == ["n0", "n2"]
    assert "1 of 3 texts have no crowd label" in capsys.readouterr().out
    nothing = as_job("prepare_label_set", tmp_path / "empty.parquet", frame.assign(label=np.nan))
    with pytest.raises(DataError, match="no text has a crowd label, which relabel: roles: validation needs"):
        held_out_texts(nothing, "validation")
