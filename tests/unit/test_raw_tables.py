"""Faults of raw tables: each stops the reading with file, row and remedy, and none changes a value in silence."""

import json

import pandas
import pyarrow
import pyarrow.parquet
import pytest

from empathy_transfer.data.lost_rows import tell_lost_rows
from empathy_transfer.data.raw_text import count_lines
from empathy_transfer.data.readers import table
from empathy_transfer.data.readers.common import CANONICAL, PLACE, read_headless, value_column
from empathy_transfer.data.tasks import task_frame
from empathy_transfer.errors import DataError
from empathy_transfer.labelling.label_sets import read_set

COLUMNS = {"id": "key", "text": "words", "group": "writer"}
TASK = {"label": "mood", "kind": "classification", "labels": ["no", "yes"], "label_source": "human"}
SECRET = "my brother left"


def records(**changes):
    """Six rows; `changes` gives a column its values."""
    rows = {
        "key": [f"k{row}" for row in range(6)],
        "words": [f"text {row}" for row in range(6)],
        "writer": ["w1", "w1", "w2", "w2", "w3", "w3"],
        "mood": ["no", "yes"] * 3,
    }
    return pandas.DataFrame(rows | changes)


def write(path, frame):
    """Write a frame in the format of the path's ending."""
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pandas(frame, preserve_index=False), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")))
    else:
        frame.to_csv(path, sep="\t" if path.suffix == ".tsv" else ",", index=False)
    return path


def read(path, columns=COLUMNS, task=TASK, quote=None):
    """The rows of a task from a file."""
    form = {"reader": "table", "folder": "own", "columns": columns, "quote": quote}
    return task_frame(table.read({path.name: path}, form, task), "t", task)


ENDINGS = ["csv", "tsv", "jsonl", "parquet"]
TYPED = ["jsonl", "parquet"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("role", ["id", "text", "group"])
@pytest.mark.parametrize("name", ["place", "id", "group", "text", "column group"])
def test_a_column_may_have_any_name_in_any_role(tmp_path, ending, role, name):
    """Also one that is the name of another role."""
    frame = records().rename(columns={COLUMNS[role]: name})
    found = read(write(tmp_path / f"own.{ending}", frame), COLUMNS | {role: name})
    expected = records()
    assert found["id"].tolist() == expected["key"].tolist()
    assert found["text"].tolist() == expected["words"].tolist()
    assert found["group"].tolist() == [f"own:{writer}" for writer in expected["writer"]]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", ["place", "group", "context", "column text"])
def test_labels_and_filters_are_columns_of_the_file_under_any_name(tmp_path, ending, name):
    frame = records(wave=list("aabbcc"))
    path = write(tmp_path / f"own.{ending}", frame.rename(columns={"mood": name}))
    assert read(path, task=TASK | {"label": name})["label"].tolist() == ["no", "yes"] * 3
    path = write(tmp_path / f"own.{ending}", frame.rename(columns={"wave": name}))
    assert read(path, task=TASK | {"rows": {name: ["b"]}})["id"].tolist() == ["k2", "k3"]


@pytest.mark.parametrize("name", CANONICAL)
def test_what_the_file_lacks_is_no_label_and_no_filter(tmp_path, name):
    path = write(tmp_path / "own.csv", records())
    for task in (TASK | {"label": name}, TASK | {"rows": {name: ["w1"]}}):
        with pytest.raises(
            DataError, match=rf"own\.csv: task t: no column '{name}'.*There are 'key', 'words', 'writer'"
        ):
            read(path, task=task)


def test_names_of_columns_never_meet():
    names = ["id", "column id", "column column id", "text", "mood", "column mood", "context", "group", "place"]
    found = {value_column(name) for name in names}
    assert len(found) == len(names)
    assert not found & {*CANONICAL, PLACE}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_one_name_that_is_taken_is_refused(tmp_path, ending):
    with pytest.raises(DataError, match=r"a column can't be called '\(place\)'. Rename it"):
        read(write(tmp_path / f"own.{ending}", records().rename(columns={"mood": PLACE})))


NO_TEXTS = [["a"], {"a": "b"}, 2.5, True]


@pytest.mark.parametrize("column", ["words", "key", "writer"])
@pytest.mark.parametrize("value", [*NO_TEXTS, 3], ids=str)
def test_what_is_no_text_becomes_none_in_jsonl(tmp_path, value, column):
    values = [*records()[column][:3], value, *records()[column][4:]]
    path = write(tmp_path / "own.jsonl", records(**{column: values}))
    if value == 3 and column != "words":  # whole numbers are names
        assert "3" in read(path)["id" if column == "key" else "group"].iloc[3]
    else:
        with pytest.raises(DataError, match=rf"own\.jsonl, row 4, column '{column}': .*text"):
            read(path)


@pytest.mark.parametrize("column", ["words", "key", "writer"])
@pytest.mark.parametrize("value", [*NO_TEXTS, b"bytes"], ids=str)
def test_what_is_no_text_becomes_none_in_parquet(tmp_path, value, column):
    """There a column has one type."""
    path = write(tmp_path / "own.parquet", records(**{column: [value] * 6}))
    with pytest.raises(DataError, match=rf"own\.parquet, row 1, column '{column}': .*text"):
        read(path)


@pytest.mark.parametrize("ending", TYPED)
@pytest.mark.parametrize("value", [["yes"], {"yes": 1}], ids=str)
def test_a_list_is_no_label_and_passes_no_filter(tmp_path, ending, value):
    path = write(tmp_path / f"own.{ending}", records(mood=[value] * 6))
    with pytest.raises(DataError, match=r"row 1, column 'mood': task t: .*neither text nor number"):
        read(path)
    with pytest.raises(DataError, match=r"row 1, column 'mood': task t: .*neither text nor number"):
        read(path, task=TASK | {"rows": {"mood": ["yes"]}})


@pytest.mark.parametrize("ending", TYPED)
@pytest.mark.parametrize("column", ["key", "writer"])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (range(6), "012345"),
        ([float(number) for number in range(6)], "012345"),
        ([10**18 + row for row in range(6)], [str(10**18 + row) for row in range(6)]),
        ([float(2**52 + row) for row in range(6)], [str(2**52 + row) for row in range(6)]),
    ],
)
def test_whole_numbers_are_ids_by_their_digits(tmp_path, ending, column, values, expected):
    found = read(write(tmp_path / f"own.{ending}", records(**{column: list(values)})))
    assert [name.removeprefix("own:") for name in found["id" if column == "key" else "group"]] == list(expected)


@pytest.mark.parametrize("ending", TYPED)
@pytest.mark.parametrize("number", [1.5, 2.0**53, 1.385741234567890123e18, 1e300, float("inf")])
@pytest.mark.parametrize("column", ["key", "writer"])
def test_numbers_that_may_have_lost_digits_are_no_ids(tmp_path, ending, column, number):
    values = [0.0, 1.0, number, number, 4.0, 5.0]
    with pytest.raises(
        DataError, match=rf"own\.{ending}, row 3, column '{column}': .*Write such values as text"
    ) as caught:
        read(write(tmp_path / f"own.{ending}", records(**{column: values})))
    assert str(caught.value).count("row") == 1


def test_large_floats_match_no_filter_by_digits_they_have_lost(tmp_path):
    path = write(tmp_path / "own.parquet", records(wave=[1.385741234567890123e18] * 6))
    with pytest.raises(DataError, match="no rows left"):
        read(path, task=TASK | {"rows": {"wave": [str(int(1.385741234567890123e18))]}})


@pytest.mark.parametrize("row", [0, 3, 5])
@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"key": "x", "words": "a", "words": "b", "writer": "w", "mood": "no"}', "the key 'words' stands there twice"),
        ('{"key": "x", "words": {"a": 1, "a": 2}, "writer": "w", "mood": "no"}', "the key 'a' stands there twice"),
        ('{"key": "x", "words": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"key": ' + "1" * 5_000 + ', "words": "a", "writer": "w", "mood": "no"}', "too many digits"),
        ('{"key": "x", "words": "a\\ud83d", "writer": "w", "mood": "no"}', "half of a character"),
        ('{"key": "x\\udc00", "words": "a", "writer": "w", "mood": "no"}', "half of a character"),
        ('["x", "a", "w", "no"]', "not an object"),
        ('{"key": "x"}', "not an object with the keys of row 1|not an object"),
        ('{"key": "x", "words": "a\tb", "writer": "w", "mood": "no"}', "not JSON"),
    ],
    ids=["key", "inner key", "deep", "digits", "surrogate", "id", "list", "keys", "tab"],
)
def test_a_line_of_jsonl_that_cannot_be_taken_as_it_is(tmp_path, row, line, problem):
    path = write(tmp_path / "own.jsonl", records())
    lines = path.read_text().splitlines()
    lines[row] = line
    path.write_text("\n".join(lines))
    named = 2 if problem.startswith("not an object with") and row == 0 else row + 1
    with pytest.raises(DataError, match=rf"own\.jsonl, row {named}[:,].*({problem})"):
        read(path)


def test_numbers_of_many_digits_are_exact_ids_and_no_ratings(tmp_path):
    rows = records(key=[10**400 + row for row in range(6)])
    assert read(write(tmp_path / "own.jsonl", rows))["id"].tolist() == [str(10**400 + row) for row in range(6)]
    path = write(tmp_path / "own.jsonl", records(mood=[1, 2, 10**400, 1, 2, 3]))
    with pytest.raises(DataError, match="row 3, column 'mood': task t: the label of 401 characters is outside"):
        read(path, task={"label": "mood", "kind": "regression", "range": [1, 5], "label_source": "human"})


def test_columns_of_parquet_that_are_not_readable(tmp_path):
    path = tmp_path / "own.parquet"
    columns = [pyarrow.array(["a"]), pyarrow.array(["b"])]
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(columns, ["words", "words"]), path)
    with pytest.raises(DataError, match=r"own\.parquet: column 'words' stands there more than once"):
        read(path)
    broken = pyarrow.array([b"good", b"\xff"], pyarrow.binary()).view(pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"words": broken}), path)
    with pytest.raises(DataError, match=r"own\.parquet, row 2, column 'words': not a readable value"):
        read(path, columns={"text": "words"})


def test_decimals_of_parquet_are_numbers(tmp_path):
    path = tmp_path / "own.parquet"
    keys = pyarrow.array([7, 10**20 + 1], pyarrow.decimal128(22, 0))
    moods = pyarrow.array(["1.50", "2.00"]).cast(pyarrow.decimal128(5, 2))
    pyarrow.parquet.write_table(pyarrow.table({"key": keys, "words": ["one", "two"], "mood": moods}), path)
    task = {"label": "mood", "kind": "regression", "range": [1, 5], "label_source": "human"}
    found = read(path, columns={"id": "key", "text": "words"}, task=task)
    assert found["id"].tolist() == ["7", "100000000000000000001"]
    assert found["label"].tolist() == [1.5, 2.0]


def test_true_and_false_are_labels_as_json_writes_them(tmp_path):
    task = TASK | {"labels": ["true", "false"]}
    for ending in TYPED:
        found = read(write(tmp_path / f"own.{ending}", records(mood=[True, False] * 3)), task=task)
        assert found["label"].tolist() == ["true", "false"] * 3


# --- quotation marks ---


def essays(path, texts, quoting=True):
    """Write texts into a file that no program has quoted."""
    mark = "\t" if path.suffix == ".tsv" else ","
    lines = [f"k{row}{mark}{text}{mark}w{row}{mark}{'no' if row % 2 else 'yes'}" for row, text in enumerate(texts)]
    path.write_text("\n".join([mark.join(["key", "words", "writer", "mood"]), *lines, ""]))
    return path


@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize(("first", "last"), [(0, 1), (3, 9), (10, 79), (78, 79)])
def test_a_stray_quotation_mark_swallows_no_rows(tmp_path, ending, first, last):
    texts = [f"essay {row}" for row in range(80)]
    texts[first] = f'"{texts[first]}'
    texts[last] = f'{texts[last]}"'
    path = essays(tmp_path / f"own.{ending}", texts)
    with pytest.raises(
        DataError, match=rf"row {first + 1}: .*spans {last - first + 1} lines.*quote: none.*quote: double"
    ):
        read(path)
    assert read(path, quote="none")["text"].tolist() == texts
    # Who says so, gets the standard reading.
    assert len(read(path, quote="double")) == 80 - (last - first)


def test_a_label_set_says_how_its_table_is_quoted(tmp_path):
    path = tmp_path / "own.tsv"
    path.write_text('id\ttext\twriter\tlabel\na\t"one\tw\t1\nb\ttwo"\tw\t2\n')
    about = {
        "essays": path.name,
        "gold": None,
        "columns": {"id": "id", "text": "text", "group": "writer", "label": "label"},
    }
    with pytest.raises(DataError, match=r"own\.tsv, row 1: .*quote: none"):
        read_set({path.name: path}, about, [], (1, 7))
    assert read_set({path.name: path}, about | {"quote": "none"}, [], (1, 7))["text"].tolist() == ['"one', 'two"']


@pytest.mark.parametrize("ending", ENDINGS)
def test_ids_that_all_repeat_name_the_first_rows_only(tmp_path, ending):
    with pytest.raises(
        DataError, match=r"row 2 and own\.\w+, row 3 and 3 more: task t: 6 rows have the same id"
    ) as caught:
        read(write(tmp_path / f"own.{ending}", records(key=["k"] * 6)))
    assert str(caught.value).count(", row") == 3


def test_a_mark_that_is_never_closed_is_told_with_the_remedy(tmp_path):
    path = essays(tmp_path / "own.tsv", ['"essay one', "essay two"])
    with pytest.raises(DataError, match=r"row 1: not a readable table.*`quote: none`"):
        read(path)
    assert read(path, quote="none")["text"].tolist() == ['"essay one', "essay two"]


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_quoted_texts_of_several_lines_are_read_as_before(tmp_path, ending):
    texts = ["one\ntwo", 'she said "no"\n\nand left', '"', "a\tb,c", "\r\n", "x"]
    path = write(tmp_path / f"own.{ending}", records(words=texts, writer=list("abcdef")))
    if ending == "csv":
        path.write_bytes(path.read_bytes().replace(b'"\r\n"', b'"z\r\n"'))
        texts[4] = "z\r\n"
    else:
        path.write_bytes(path.read_bytes().replace(b'"\r\n"', b'"z\r\n"'))
        texts[4] = "z\r\n"
    assert read(path)["text"].tolist() == texts
    assert count_lines([path]) == 7 + 4


def test_lines_are_counted_in_files_of_text_only(tmp_path):
    paths = [write(tmp_path / f"own.{ending}", records()) for ending in ENDINGS]
    assert [count_lines([path]) for path in paths] == [7, 7, 6, None]
    assert count_lines(paths[:3]) == 20
    assert count_lines(paths) is None


# --- encodings and separators ---


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize("row", [1, 4, 6])
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_another_encoding_is_told_with_its_row(tmp_path, ending, row, encoding):
    words = [f"text {number}" for number in range(6)]
    words[row - 1] = "gr\u00fcn caf\u00e9"
    path = tmp_path / f"own.{ending}"
    if ending == "jsonl":
        rows = records(words=words).to_dict("records")
        path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), encoding=encoding)
    else:
        records(words=words).to_csv(path, sep="\t" if ending == "tsv" else ",", index=False, encoding=encoding)
    with pytest.raises(
        DataError, match=rf"own\.{ending}, row {row}: not UTF-8 \(byte 0xFC\).*Latin-1.*save it as UTF-8"
    ):
        read(path)


def test_an_encoding_of_two_bytes_and_a_wrong_header_are_told(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("key,words\na,b\n", encoding="utf-16")
    with pytest.raises(DataError, match=r"own\.csv: the file is in UTF-16. Save it as UTF-8"):
        read(path)
    path.write_bytes("key,w\u00f6rter\na,b\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"own\.csv, first line: not UTF-8"):
        read(path)
    path.write_bytes(b"1\n2\n\xff\n")
    with pytest.raises(DataError, match=r"own\.csv, row 3: not UTF-8"):
        read_headless(path, ["label"])


@pytest.mark.parametrize(("mark", "words"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
@pytest.mark.parametrize("comma", ["", ", well"])
def test_other_separators_are_told_as_what_they_are(tmp_path, mark, words, comma):
    path = tmp_path / "own.csv"
    path.write_text(f"key{mark}words{mark}writer{mark}mood\nk{mark}text{comma}{mark}w{mark}no\n")
    with pytest.raises(DataError, match=f"parted by {words}: save it with commas"):
        read(path)


# --- blank and look-alike values ---


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("blank", [" ", "\u200b", "\u00a0\ufeff", "\0"])
@pytest.mark.parametrize(("column", "role"), [("words", "text"), ("key", "id"), ("writer", "group")])
def test_what_cannot_be_seen_is_empty(tmp_path, ending, blank, column, role):
    values = records()[column].tolist()
    values[3] = blank
    with pytest.raises(DataError, match=rf"own\.{ending}, row 4.*empty"):
        read(write(tmp_path / f"own.{ending}", records(**{column: values})))


@pytest.mark.parametrize("ending", TYPED)
@pytest.mark.parametrize("column", ["words", "key", "writer"])
def test_a_missing_value_is_empty(tmp_path, ending, column):
    values = records()[column].tolist()
    values[2] = None
    with pytest.raises(DataError, match=rf"own\.{ending}, row 3.*empty"):
        read(write(tmp_path / f"own.{ending}", records(**{column: values})))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("other", ["w1 ", " w1", "w1\u00a0", "w\u200b1"])
def test_groups_that_look_alike_are_refused(tmp_path, ending, other):
    path = write(tmp_path / f"own.{ending}", records(writer=["w1", "w2", "w1", "w3", other, "w4"]))
    with pytest.raises(
        DataError, match=r"row 3 and .*row 5: task t: their groups differ only in white space"
    ) as caught:
        read(path)
    assert "w1" not in str(caught.value)


# --- rows that are lost ---


def test_lost_rows_are_told_and_too_many_stop(capsys):
    tell_lost_rows("a.csv", 0, 10, "no text")
    assert capsys.readouterr().out == ""
    tell_lost_rows("a.csv", 5, 10, "no text")
    assert capsys.readouterr().out == "a.csv: 5 of 10 rows are left out: no text (50.0 %)\n"
    with pytest.raises(
        DataError, match=r"a\.csv: 6 of 10 rows are left out: no text \(60\.0 %\)\. .*a share of 0\.5.*`max_lost: 0\.9`"
    ):
        tell_lost_rows("a.csv", 6, 10, "no text")
    tell_lost_rows("a.csv", 9, 10, "no text", 0.9)
    with pytest.raises(DataError, match="1 of 10"):
        tell_lost_rows("a.csv", 1, 10, "no text", 0)


@pytest.mark.parametrize("ending", TYPED)
def test_rows_that_nobody_annotated_are_left_out_and_counted(tmp_path, ending, capsys):
    task = TASK | {"kind": "multilabel"}
    path = write(tmp_path / f"own.{ending}", records(mood=[["yes"], [], None, ["no", "yes"], None, ["no"]]))
    found = read(path, task=task)
    assert found["id"].tolist() == ["k0", "k1", "k3", "k5"]
    assert found["label"].tolist() == [["yes"], [], ["no", "yes"], ["no"]]
    assert "task t: 2 of 6 rows are left out: nobody has annotated them" in capsys.readouterr().out
    path = write(tmp_path / f"own.{ending}", records(mood=[["yes"], [], None, None, None, None]))
    with pytest.raises(DataError, match="4 of 6 rows are left out"):
        read(path, task=task)


def test_flags_are_read_as_flags(tmp_path):
    flags = [{"yes": row % 2, "no": 0} for row in range(6)]
    for ending in TYPED:
        found = read(write(tmp_path / f"own.{ending}", records(mood=flags)), task=TASK | {"kind": "multilabel"})
        assert found["label"].tolist() == [[], ["yes"]] * 3


def test_a_filter_tells_what_it_keeps_and_what_it_does_not_find(tmp_path, capsys):
    path = write(tmp_path / "own.csv", records(wave=["1", "1", "2", "2", "3", "03"]))
    assert len(read(path, task=TASK | {"rows": {"wave": ["1", "3", "4"]}})) == 3
    out = capsys.readouterr().out
    assert "task t: 3 of 6 rows are kept by `rows`" in out
    assert "WARNING: task t: `rows` keeps '4' of 'wave': no row has it" in out


@pytest.mark.parametrize("ending", ENDINGS)
def test_files_of_a_dataset_have_the_columns_that_are_used(tmp_path, ending):
    first = write(tmp_path / f"one.{ending}", records())
    second = write(tmp_path / f"two.{ending}", records(key=list("abcdef"), wave=["1"] * 6))
    form = {"reader": "table", "folder": "own", "columns": COLUMNS}
    files = {path.name: path for path in (first, second)}
    assert len(table.read(files, form, TASK)) == 12
    with pytest.raises(DataError, match="only one of them has the column 'wave'"):
        table.read(files, form, TASK | {"rows": {"wave": ["1"]}})


# --- messages quote no text ---


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "task",
    [
        TASK | {"label": "words"},
        TASK | {"label": "words", "kind": "regression", "range": [1, 5]},
        TASK | {"label": "words", "kind": "multilabel"},
        TASK | {"label": "mood", "rows": {"words": ["x"]}},
        TASK | {"label": "none"},
    ],
    ids=["class", "number", "several", "filter", "column"],
)
def test_a_short_text_is_not_quoted_as_a_label(tmp_path, ending, task):
    words = [f"{SECRET} {row}" for row in range(6)]
    with pytest.raises(DataError) as caught:
        read(write(tmp_path / f"own.{ending}", records(words=words)), task=task)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("columns", [{"id": "words", "text": "key"}, {"group": "words", "text": "key"}])
def test_a_short_text_is_not_quoted_as_an_id_or_group(tmp_path, ending, columns):
    words = [SECRET, SECRET, "b", "c", f"{SECRET} ", "d"]
    with pytest.raises(DataError, match="row") as caught:
        read(write(tmp_path / f"own.{ending}", records(words=words)), columns=columns)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_a_file_without_a_header_is_not_quoted(tmp_path, ending):
    path = essays(tmp_path / f"own.{ending}", ["I have not told anybody of it", "so far"])
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(DataError, match="no column 'key', 'words', 'writer'") as caught:
        read(path)
    assert "anybody" not in str(caught.value)
