"""Any table that a file can hold: what is read is what was written, or an error names a row that can't be taken.

`EMPATHY_EXAMPLES=5000 pytest tests/unit/test_table_property.py` looks at more tables than the 200 of every run.
"""

import csv
import json
import math
import os
import re
import tempfile
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from empathy_transfer.data.readers import table
from empathy_transfer.data.tasks import task_frame
from empathy_transfer.data.texts import is_blank, is_broken, spacing_key
from empathy_transfer.errors import DataError

EXAMPLES = int(os.environ.get("EMPATHY_EXAMPLES", "200"))
ROLES = ("id", "group", "context", "text", "label")
ODD = [
    "",
    " ",
    "\0",
    "\u200b",
    '"',
    '""',
    '"a',
    'a"',
    ",",
    "\t",
    "\n",
    "\r\n",
    "\ufeff",
    "w1",
    "w1 ",
    "NA",
    "null",
    "1.0",
    "\u2028",
    "x\n1,2,3,4,y",
    "x\n1\t2\t3\t4\ty",
]
NAMES = ["place", "id", "group", "context", "text", "label_source2", "column id", "(place)", "a;b", '"q"', " x "]


def rarely(odd, usual):
    """One strategy once in thirty times, and else the other."""
    return st.integers(0, 29).flatmap(lambda draw: usual if draw else odd)


plain_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
text = st.one_of(st.sampled_from(ODD), plain_text, st.lists(st.sampled_from(ODD), max_size=5).map("".join))
line = text.map(lambda value: re.sub("[\t\r\n]", " ", value))
number = st.one_of(st.integers(-(10**30), 10**30), st.floats(), st.integers(0, 9).map(float), st.just(float(2**53)))
json_text = rarely(st.one_of(st.just("\ud83d"), st.text(max_size=3)), text)
json_value = st.one_of(
    json_text,
    st.none(),
    number,
    st.booleans(),
    st.lists(plain_text, max_size=2),
    st.dictionaries(plain_text, st.integers(0, 1), max_size=2),
)
VALUES = {"csv": text, "tsv": text, "lines": line, "jsonl": rarely(json_value, json_text)}
ARROW = {
    pyarrow.string(): text,
    pyarrow.large_string(): text,
    pyarrow.int64(): st.integers(-(2**63), 2**63 - 1),
    pyarrow.float64(): st.floats(),
    pyarrow.bool_(): st.booleans(),
    pyarrow.binary(): st.binary(max_size=3),
    pyarrow.list_(pyarrow.string()): st.lists(text, max_size=2),
}


@st.composite
def tables(draw):
    """(format, names of the columns of the roles, rows of values in the order of `ROLES`, options of writing)."""
    form = draw(st.sampled_from(["csv", "tsv", "lines", "jsonl", "parquet"]))
    name = line if form == "lines" else text
    names = draw(st.lists(st.one_of(st.sampled_from(NAMES), name), min_size=5, max_size=5, unique=True))
    size = draw(st.integers(1, 5))
    if form == "parquet":
        option = [draw(st.sampled_from([*[pyarrow.string()] * 40, *ARROW])) for _ in ROLES]
        columns = [draw(st.lists(rarely(st.none(), ARROW[kind]), min_size=size, max_size=size)) for kind in option]
        rows = list(zip(*columns, strict=True))
    else:
        option = draw(st.booleans())
        rows = draw(st.lists(st.tuples(*[VALUES[form]] * len(ROLES)), min_size=size, max_size=size))
    if draw(st.booleans()):  # ids that differ and texts with something in them, so that more tables can be read
        rows = [tamed(row, number, option if form == "parquet" else None) for number, row in enumerate(rows)]
        names = [
            name.replace("\ufeff", "").replace("(place)", "(places)") + "-" * place for place, name in enumerate(names)
        ]
    return form, names, rows, option


def tamed(row, number, types):
    """A row whose id, group and text can be taken, as far as the types of its columns allow."""
    able = [
        isinstance(value, str) if types is None else types[place] in (pyarrow.string(), pyarrow.large_string())
        for place, value in enumerate(row)
    ]
    changed = {0: f"{number}{row[0]}", 1: f"{number}{row[1]}", 3: f"{row[3]}x"}
    return tuple(changed.get(place, value) if able[place] else value for place, value in enumerate(row))


def write(folder, form, names, rows, option):
    """Write a table as its format says; gives the path."""
    path = Path(folder, f"own.{'tsv' if form == 'lines' else form}")
    if form == "parquet":
        columns = [
            pyarrow.array(list(values), kind) for values, kind in zip(zip(*rows, strict=True), option, strict=True)
        ]
        pyarrow.parquet.write_table(pyarrow.Table.from_arrays(columns, names), path)
    elif form == "jsonl":
        readable = option and not any(is_broken(repr_of(value)) for row in rows for value in [*row, *names])
        lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=not readable) for row in rows]
        path.write_bytes("\n".join([*lines, ""]).encode())
    elif form == "lines":
        path.write_bytes("\n".join("\t".join(row) for row in [names, *rows]).encode())
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            quoting, end = (csv.QUOTE_ALL, "\n") if option else (csv.QUOTE_MINIMAL, "\r\n")
            mark = "\t" if form == "tsv" else ","
            csv.writer(file, delimiter=mark, quoting=quoting, lineterminator=end).writerows([names, *rows])
    return path


def repr_of(value):
    """All characters of a value."""
    return json.dumps(value, ensure_ascii=False)


def expected(value, role):
    """What must be read for a value; raises ValueError where it can't be taken as it is."""
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    if role == "label":
        if isinstance(value, bool):
            return str(value).lower()
        if missing or (isinstance(value, str) and not is_broken(value)):
            return "" if missing else value
        if isinstance(value, int | float):
            return str(int(value)) if value == int_or_none(value) else str(value)
        raise ValueError
    if role in ("id", "group") and isinstance(value, int | float) and not isinstance(value, bool) and not missing:
        if int_or_none(value) is None:
            raise ValueError
        return str(int(value))
    if not (missing or isinstance(value, str)) or (not missing and is_broken(value)):
        raise ValueError
    if missing or is_blank(value):
        if role == "context":
            return None
        raise ValueError
    return value


def int_or_none(value):
    """A number that is exactly whole, as such."""
    if isinstance(value, int):
        return value
    return int(value) if math.isfinite(value) and value.is_integer() and abs(value) < 2**53 else None


def expected_rows(rows):
    """(what must be read row by row, the rows of which an error may speak)."""
    good, bad = [], set()
    for number, row in enumerate(rows, 1):
        try:
            good.append([expected(value, role) for value, role in zip(row, ROLES, strict=True)])
        except ValueError:
            bad.add(number)
            good.append(None)
    for one, first in enumerate(good):
        for other, second in enumerate(good[:one]):
            if first and second:
                alike = first[1] != second[1] and spacing_key(first[1]) == spacing_key(second[1])
                if first[0] == second[0] or alike:
                    bad |= {one + 1, other + 1}
    return good, bad


def read(path, names, labels, quote):
    """Read a table as rows in the order of `ROLES`; gives the words of the error where it is refused."""
    columns = dict(zip(ROLES[:4], names, strict=False))
    form = {"reader": "table", "folder": "own", "columns": columns, "context": "paired", "quote": quote}
    task = {"label": names[4], "kind": "classification", "labels": labels, "label_source": "human"}
    try:
        frame = task_frame(table.read({path.name: path}, form, task), "t", task)
    except DataError as error:
        return str(error)
    groups = frame["group"].str.removeprefix("own:")
    return [list(row) for row in zip(frame["id"], groups, frame["context"], frame["text"], frame["label"], strict=True)]


@settings(max_examples=EXAMPLES)
@given(tables())
def test_what_is_read_is_what_was_written_or_an_error_names_the_row(written):
    form, names, rows, option = written
    good, bad = expected_rows(rows)
    labels = [*sorted({row[4] for row in good if row}), "another"]
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder, form, names, rows, option)
        found = read(path, names, labels, "none" if form == "lines" else None)
        if form in ("csv", "tsv") and "quote: double" in found:
            event("lines that could be rows")
            assert "\n" in "".join("".join(row) for row in [names, *rows])
            found = read(path, names, labels, "double")
    event(f"{form}: {'refused' if isinstance(found, str) else 'read'}")
    if isinstance(found, str):
        assert is_right(found, names, bad, form)
    else:
        assert not bad
        assert found == good


def is_right(message, names, bad, form):
    """Whether an error names a row that can't be taken, or a column that can't."""
    if named := {int(number) for number in re.findall(r"own\.\w+, row (\d+)", message)}:
        return named <= bad
    if "can't be called" in message:
        return "(place)" in names
    # A mark at the start of a file is that of its encoding.
    about_names = "no column" in message or "more than once" in message
    return about_names and form in ("csv", "tsv", "lines") and names[0].startswith("\ufeff")


@pytest.mark.parametrize("form", ["csv", "tsv", "lines", "jsonl", "parquet"])
def test_an_ordinary_table_is_read_in_each_format(tmp_path, form):
    """So that the test above is known to read tables, and not only to see them refused."""
    rows = [("a", "w1", None if form in ("jsonl", "parquet") else "", "one", "x"), ("b", "w2", "before", "two", "y")]
    option = [pyarrow.string()] * 5 if form == "parquet" else False
    path = write(tmp_path, form, list("KGCTL"), rows, option)
    found = read(path, list("KGCTL"), ["x", "y"], "none" if form == "lines" else None)
    assert found == [["a", "w1", None, "one", "x"], ["b", "w2", "before", "two", "y"]]
