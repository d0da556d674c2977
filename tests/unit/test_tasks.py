"""From a reader's frame to a task's rows: what is kept, and what is refused with which words."""

import pandas
import pytest

from empathy_transfer.data.readers.common import PLACE
from empathy_transfer.data.tasks import task_frame
from empathy_transfer.errors import DataError

CLASSES = {"label": "mood", "kind": "classification", "labels": ["glad", "sad"], "label_source": "human"}
SCALE = {"label": "score", "kind": "regression", "range": [1, 5], "label_source": "human"}
TAGS = {"label": "tags", "kind": "multilabel", "labels": ["a", "b", "c"], "label_source": "model"}
SECRET = "a private matter that nobody should read in a log file, never"


def frame(**columns):
    """Three rows of a reader, some columns changed."""
    return pandas.DataFrame(
        {
            "id": ["x1", "x2", "x3"],
            "group": ["p:1", "p:1", "p:2"],
            "context": pandas.Series([None, "before", None], dtype="object"),
            "text": ["One", "Two", SECRET],
            PLACE: ["file.csv, row 1", "file.csv, row 2", "file.csv, row 3"],
            "mood": ["glad", "sad", "glad"],
            "score": ["1", "2.5", "5.0"],
            "tags": ["a|b", "", "c"],
            **columns,
        }
    )


def test_classification():
    result = task_frame(frame(), "t", CLASSES)
    assert list(result.columns) == ["id", "group", "context", "text", "label", "label_source"]
    assert list(result["label"]) == ["glad", "sad", "glad"]
    assert list(result["context"]) == [None, "before", None]
    assert list(result["label_source"]) == ["human"] * 3


def test_numbers_as_classes():
    task = {**CLASSES, "label": "level", "labels": ["0", "1", "2"]}
    for values in ([0, 1, 2], [0.0, 1.0, 2.0], ["0", "1", "2"]):
        assert list(task_frame(frame(level=values), "t", task)["label"]) == ["0", "1", "2"]


def test_regression():
    result = task_frame(frame(), "t", SCALE)
    assert result["label"].dtype == "float64"
    assert list(result["label"]) == [1.0, 2.5, 5.0]


def test_multilabel():
    assert list(task_frame(frame(), "t", TAGS)["label"]) == [["a", "b"], [], ["c"]]
    listed = frame(tags=[["b", "b", "a"], [], None])
    assert list(task_frame(listed, "t", TAGS)["label"]) == [["b", "a"], []]
    separated = frame(tags=["a; b", "c", ""])
    assert list(task_frame(separated, "t", {**TAGS, "label_separator": ";"})["label"]) == [["a", "b"], ["c"], []]
    with pytest.raises(DataError, match=r"row 1, column 'tags': task t: unknown label of 1 character "):
        task_frame(frame(tags=["a|z", "", ""]), "t", TAGS)


def test_mapping_and_filter():
    task = {**CLASSES, "label_mapping": {"glad": "sad", "sad": "glad"}}
    assert list(task_frame(frame(), "t", task)["label"]) == ["sad", "glad", "sad"]
    kept = task_frame(frame(), "t", {**CLASSES, "rows": {"mood": ["glad"], "score": ["5.0"]}})
    assert list(kept["id"]) == ["x3"]
    # What the filter leaves out is not looked at.
    assert len(task_frame(frame(text=["One", "", "Three"]), "t", {**CLASSES, "rows": {"mood": ["glad"]}})) == 2


def test_label_source_by_row():
    result = task_frame(frame(label_source=["human", "model", "mixed"]), "t", {**CLASSES, "label_source": "mixed"})
    assert list(result["label_source"]) == ["human", "model", "mixed"]
    with pytest.raises(DataError, match=r"row 2, column 'label_source'.*of 5 characters \(known: human"):
        task_frame(frame(label_source=["human", "robot", "mixed"]), "t", CLASSES)


@pytest.mark.parametrize(
    ("changed", "task", "message"),
    [
        pytest.param({}, {**CLASSES, "label": "moood"}, r"^file\.csv: task t: no column 'moood'.*Correct", id="column"),
        pytest.param({}, {**CLASSES, "rows": {"year": ["1"]}}, "no column 'year', which `rows`", id="filter column"),
        pytest.param({}, {**CLASSES, "rows": {"mood": ["none"]}}, "no rows left", id="no rows"),
        pytest.param(
            {"mood": ["glad", "sadd", "sad"]},
            CLASSES,
            r"^file\.csv, row 2, column 'mood': task t: unknown label of 4 characters, similar to "
            r"'sad' \(known: glad, sad\)\. Add it",
            id="unknown label",
        ),
        pytest.param({"mood": ["glad", None, "sad"]}, CLASSES, "row 2.*unknown label ''", id="no label"),
        pytest.param(
            {}, {**CLASSES, "label_mapping": {"glad": "sad"}}, r"row 2.*unknown label .*\(known: glad\)", id="unmapped"
        ),
        pytest.param({"mood": ["glad", SECRET, "sad"]}, CLASSES, "row 2.*of 6. characters", id="text as label"),
        pytest.param(
            {"score": ["1", "5.01", "2"]},
            SCALE,
            r"^file\.csv, row 2, column 'score': task t: the label '5\.01' is outside of the range 1 to 5\. Correct",
            id="too high",
        ),
        pytest.param({"score": ["1", "2", "0.99"]}, SCALE, "row 3.*'0.99' is outside", id="too low"),
        pytest.param({"score": ["1", "2", "inf"]}, SCALE, "row 3.*not a number", id="infinite"),
        pytest.param({"score": ["1", "", "2"]}, SCALE, "row 2.*label is missing. Fill", id="empty number"),
        pytest.param({"score": ["1", "nan", "2"]}, SCALE, "row 2.*not a number", id="NaN"),
        pytest.param({"score": ["1", "two", "2"]}, SCALE, "row 2.*of 3 characters is not a number", id="words"),
        pytest.param({"score": [1.0, None, 2.0]}, SCALE, "row 2.*label is missing", id="gap"),
        pytest.param(
            {"text": ["One", " \n", "3"]}, CLASSES, r"file\.csv, row 2: task t: empty text\. F", id="empty text"
        ),
        pytest.param({"text": ["One", None, "3"]}, CLASSES, "row 2: task t: empty text", id="no text"),
        pytest.param({"group": ["g", "", "g"]}, CLASSES, "row 2: task t: empty group", id="empty group"),
        pytest.param(
            {"id": ["x1", "x2", "x1"]},
            CLASSES,
            r"^file\.csv, row 1 and file\.csv, row 3: task t: 2 rows have the same id\. Ids must differ",
            id="repeated id",
        ),
    ],
)
def test_bad_input_is_named(changed, task, message):
    with pytest.raises(DataError, match=message) as caught:
        task_frame(frame(**changed), "t", task)
    assert SECRET not in str(caught.value)


def test_reader_without_a_column():
    with pytest.raises(DataError, match="gives no column 'group'"):
        task_frame(frame().drop(columns="group"), "t", CLASSES)


def test_the_frame_is_left_alone():
    given = frame()
    before = given.copy(deep=True)
    task_frame(given, "t", TAGS)
    pandas.testing.assert_frame_equal(given, before)
