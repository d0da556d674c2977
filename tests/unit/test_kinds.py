"""Kinds of tasks: from labels to numbers and back, by hand."""

import math
import pkgutil
import re

import numpy as np
import pandas
import pytest
import torch

from empathy_transfer import kinds
from empathy_transfer.errors import DataError
from empathy_transfer.kinds import kind_of
from empathy_transfer.metrics import accuracy, f1_macro, mae, pearson_r

NAMES = [module.name for module in pkgutil.iter_modules(kinds.__path__)]
TASKS = {
    "classification": {"kind": "classification", "labels": ["sad", "glad", "calm"]},
    "regression": {"kind": "regression", "range": [1, 5]},
    "multilabel": {"kind": "multilabel", "labels": ["b", "a", "c"]},
}
LABELS = {
    "classification": ["glad", "sad", "calm", "glad"],
    "regression": [1.5, 5.0, 2.25, 1.5],
    "multilabel": [["a"], [], ["b", "c"], ["b", "a", "c"]],
}


def column(kind):
    """The labels of a kind as a file holds them."""
    return kind_of(kind).typed(pandas.Series(LABELS[kind], dtype="object"))


def plain(answers):
    """Answers as Python's own values."""
    return [list(map(str, row)) if isinstance(row, list) else row for row in np.asarray(answers, object).tolist()]


def test_every_kind_has_every_name_that_the_package_tells():
    told = set(re.findall(r"``(\w+)``", kinds.__doc__))
    assert len(told) > 10
    assert set(NAMES) == set(TASKS)
    for kind in NAMES:
        assert [name for name in told if not hasattr(kind_of(kind), name)] == []


def test_a_kind_is_found_by_name_or_in_a_task_and_an_unknown_one_is_named():
    assert kind_of("regression") is kind_of(TASKS["regression"])
    with pytest.raises(ValueError, match="unknown kind of task 'ranking'"):
        kind_of({"kind": "ranking"})


@pytest.mark.parametrize("kind", NAMES)
def test_labels_are_the_same_after_encoding(kind):
    task = TASKS[kind]
    encoded = kind_of(kind).encode(column(kind), task)
    assert plain(kind_of(kind).values(encoded.numpy(), task)) == LABELS[kind]


@pytest.mark.parametrize(
    ("kind", "expected", "type_"),
    [
        ("classification", [1, 0, 2, 1], torch.int64),
        ("regression", [1.5, 5.0, 2.25, 1.5], torch.float32),
        ("multilabel", [[0, 1, 0], [0, 0, 0], [1, 0, 1], [1, 1, 1]], torch.float32),
    ],
)
def test_labels_become_numbers_in_the_order_of_the_task(kind, expected, type_):
    encoded = kind_of(kind).encode(column(kind), TASKS[kind])
    assert encoded.dtype == type_
    assert encoded.tolist() == expected


@pytest.mark.parametrize(
    ("kind", "outputs", "expected"),
    [
        # The greatest output; of equal ones the first.
        ("classification", [[0.1, -2.0, 0.0], [-3.0, -1.0, -2.0], [0.5, 0.5, 0.0]], ["sad", "glad", "sad"]),
        ("regression", [[1.25], [7.0]], [1.25, 7.0]),
        # Above 0, that is above a half.
        ("multilabel", [[0.1, -2.0, 3.0], [-1.0, 0.0, -0.5]], [["b", "c"], []]),
    ],
)
def test_outputs_become_answers(kind, outputs, expected):
    outputs = np.array(outputs, dtype="float32")
    assert kind_of(kind).outputs(TASKS[kind]) == outputs.shape[1]
    assert plain(kind_of(kind).decode(outputs, TASKS[kind])) == expected


def test_answers_of_a_model_are_as_good_as_labels():
    for kind in NAMES:
        names = TASKS[kind].get("labels")
        given = kind_of(kind).comparable(LABELS[kind], names)
        encoded = kind_of(kind).encode(column(kind), TASKS[kind]).numpy()
        assert np.array_equal(kind_of(kind).comparable(kind_of(kind).values(encoded, TASKS[kind]), names), given)


def test_comparable_classes_are_a_column_for_each_name():
    found = kind_of("classification").comparable(["glad", "sad", "glad"], ["sad", "glad", "calm"])
    assert found.dtype == bool
    assert found.tolist() == [[False, True, False], [True, False, False], [False, True, False]]
    with pytest.raises(ValueError, match="not among the task's classes: 'angry', 'cross'"):
        kind_of("classification").comparable(["cross", "sad", "angry"], ["sad"])


def test_comparable_lists_are_a_column_for_each_name_and_numbers_stay_numbers():
    found = kind_of("multilabel").comparable([["a"], [], ["b", "a"]], ["a", "b"])
    assert found.dtype == bool
    assert found.tolist() == [[True, False], [False, False], [True, True]]
    assert kind_of("multilabel").comparable([[], []], []).shape == (2, 0)
    numbers = kind_of("regression").comparable([1, 2.5], None)
    assert (numbers.dtype, numbers.tolist()) == (np.float64, [1.0, 2.5])
    with pytest.raises(ValueError, match="1 of 2 values are not finite"):
        kind_of("regression").comparable([1.0, math.nan])


@pytest.mark.parametrize(
    ("kind", "labels", "expected"),
    [
        ("classification", ["b", "a", "b"], "b"),
        ("classification", ["b", "a", "c", "b", "a"], "a"),  # of equally frequent ones the first in sorted order
        ("regression", [1.0, 2.0, 6.0], 3.0),
        ("multilabel", [["b", "a"], ["b"], ["a"], ["b"]], ["b"]),  # half of the items is not more than half
        ("multilabel", [["b", "a"], ["a", "b"], ["c"]], ["a", "b"]),
        ("multilabel", [[], ["a"]], []),
    ],
)
def test_the_best_constant_answer(kind, labels, expected):
    labels = np.array(labels, dtype=object) if kind == "classification" else labels
    assert kind_of(kind).constant_answer(labels) == expected


def floor(kind, training, labels, metric, names=None):
    """Score of the best constant answer that training labels suggest."""
    answers = [kind_of(kind).constant_answer(training)] * len(labels)
    return metric.value(kind_of(kind).comparable(labels, names), kind_of(kind).comparable(answers, names))


def test_the_score_of_the_best_constant_answer_by_hand():
    # Always "b" on two a and one b: F1 of b = 2/(2+2) = 1/2, of a = 0.
    assert floor("classification", ["b", "b", "a"], ["a", "a", "b"], f1_macro, ["a", "b"]) == pytest.approx(0.25)
    assert floor("classification", ["b"], ["a", "b"], accuracy, ["a", "b"]) == pytest.approx(0.5)
    # The majority class of training may be absent from the test labels.
    assert floor("classification", ["c", "c"], ["a", "b"], f1_macro, ["a", "b", "c"]) == 0
    assert floor("regression", [1.0, 3.0], [2.0, 4.0], pearson_r) == 0
    assert floor("regression", [1.0, 3.0], [2.0, 4.0], mae) == pytest.approx(1)
    found = floor("multilabel", [["a"], ["a", "b"], ["a"]], [["a"], ["a", "b"]], f1_macro, ["a", "b"])
    assert found == pytest.approx(0.5)


def test_training_labels_that_are_no_numbers_have_no_mean():
    with pytest.raises(ValueError, match="training labels: 1 of 2 values are not finite"):
        kind_of("regression").constant_answer([1.0, np.nan])


def test_probabilities_of_labels():
    logits = np.array([[0.0, math.log(3)]], dtype="float32")
    np.testing.assert_allclose(kind_of("classification").probabilities(logits), [[0.25, 0.75]], rtol=1e-6)
    np.testing.assert_allclose(kind_of("multilabel").probabilities(logits), [[0.5, 0.75]], rtol=1e-6)
    assert kind_of("regression").probabilities(logits[:, :1]) is None


def test_log_likelihood_of_each_item():
    logits = torch.tensor([[0.0, math.log(3)], [0.0, 0.0]])
    found = kind_of("classification").log_likelihood(logits, torch.tensor([1, 0]))
    assert found.tolist() == pytest.approx([math.log(0.75), math.log(0.5)])
    found = kind_of("multilabel").log_likelihood(logits, torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    assert found.tolist() == pytest.approx([math.log(0.5 * 0.25), math.log(0.5 * 0.5)])
    found = kind_of("regression").log_likelihood(torch.tensor([[1.0], [3.0]]), torch.tensor([2.0, 3.0]), variance=2.0)
    assert found.tolist() == [-0.25, 0.0]


def test_labels_as_columns_of_numbers():
    assert kind_of("classification").indicators(np.array([0, 2, 0])).tolist() == [[1, 0], [0, 1], [1, 0]]
    assert kind_of("regression").indicators([1.5, 2.0]).tolist() == [[1.5], [2.0]]
    assert kind_of("multilabel").indicators([[1, 0], [0, 0]]).tolist() == [[1, 0], [0, 0]]


def test_classes_by_which_a_draw_is_stratified():
    assert kind_of("classification").classes(["b", "a", "b"]).tolist() == [1, 0, 1]
    assert kind_of("multilabel").classes([["b", "a"], [], ["a"]]).tolist() == [2, 0, 1]
    assert kind_of("regression").classes([1.0, 2.0]) is None
    with pytest.raises(ValueError, match="finite"):
        kind_of("regression").classes([1.0, math.inf])


def test_labels_of_files():
    mapped = TASKS["classification"] | {"label_mapping": {1: "sad", "2": "glad"}}
    assert [kind_of(mapped).label_of(value, mapped) for value in (1, 1.0, "2")] == ["sad", "sad", "glad"]
    with pytest.raises(DataError, match=r"unknown label '3' \(known: 1, 2\)"):
        kind_of(mapped).label_of(3, mapped)
    scale = TASKS["regression"]
    assert kind_of(scale).label_of("2.5", scale) == 2.5
    for value, problem in ((6, "outside of the range 1 to 5"), (True, "not a number"), (None, "is missing")):
        with pytest.raises(DataError, match=problem):
            kind_of(scale).label_of(value, scale)
    tags = TASKS["multilabel"]
    assert kind_of(tags).label_of("a| c|a|", tags) == ["a", "c"]
    assert kind_of(tags).label_of(math.nan, tags) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *(("4", 4.0), (" -2.5 ", -2.5), ("1e1", 10.0), (".5", 0.5), ("3.", 3.0), (2, 2.0), (np.float32(2.5), 2.5)),
        *((text, None) for text in ("1_0", "0_4", "\u0664", "nan", "inf", "0x4", "1 000", "four", "--4")),
        *((value, None) for value in (True, False, [4], {"a": 4}, b"4", math.nan, 10**400)),
    ],
)
def test_only_digits_are_numbers(value, number):
    scale = {"kind": "regression", "range": [-10, 10]}
    if number is None:
        with pytest.raises(DataError, match=r"\.$"):
            kind_of(scale).label_of(value, scale)
    else:
        assert kind_of(scale).label_of(value, scale) == number


@pytest.mark.parametrize(
    ("value", "remedy"),
    [("3,5", "decimal comma"), ("", "is missing"), ("7", "`range`"), ("x", "Correct the file")],
)
def test_a_wrong_number_is_told_with_its_own_remedy(value, remedy):
    scale = {"kind": "regression", "range": [1, 5]}
    with pytest.raises(DataError, match=remedy) as caught:
        kind_of(scale).label_of(value, scale)
    assert ("`range`" in str(caught.value)) == (value == "7")


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        (["a", "b", "a"], ["a", "b"]),
        ([], []),
        ("", []),
        (None, None),
        ({"b": 1, "a": 0}, ["b"]),
        ({"b": False, "a": True, "c": True}, ["a", "c"]),
        ({"b": 1.0, "c": "1", "a": "false"}, ["b", "c"]),
        ({"b": 0}, []),
    ],
)
def test_several_labels_from_lists_texts_and_flags(value, labels):
    assert kind_of("multilabel").label_of(value, TASKS["multilabel"]) == labels


@pytest.mark.parametrize("value", [1, 2.0, True, b"a", {"b": 2}, {"b": None}, {"z": 0}, [["a"]], [None], {"b": "yes"}])
def test_what_is_neither_list_nor_flags_is_refused(value):
    with pytest.raises(DataError, match=r"label|list"):
        kind_of("multilabel").label_of(value, TASKS["multilabel"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *(("x", "x"), (1, "1"), (1.0, "1"), (2.5, "2.5"), (None, ""), (math.nan, ""), (True, "true"), (False, "false")),
        *((10**30, str(10**30)), (np.int64(3), "3"), (np.bool_(True), "true"), (float(2**53), str(float(2**53)))),
        (1.385741234567890123e18, "1.3857412345678902e+18"),
    ],
)
def test_values_of_files_are_written_exactly(value, text):
    assert kinds.plain(value) == text


@pytest.mark.parametrize("value", [[1], {"a": 1}, b"x", object()])
def test_what_has_no_exact_spelling_is_refused(value):
    with pytest.raises(DataError, match="neither text nor number"):
        kinds.plain(value)


def test_numbers_of_the_report():
    labels = pandas.Series(["sad", "sad", "glad", "sad"])
    shares = kind_of("classification").statistics(labels, TASKS["classification"])
    assert shares == {"share:sad": 75, "share:glad": 25, "share:calm": 0}
    lists = pandas.Series([["a", "b"], ["a"]])
    assert kind_of("multilabel").statistics(lists, TASKS["multilabel"]) == {"share:b": 50, "share:a": 100, "share:c": 0}
    found = kind_of("regression").statistics(pandas.Series([1.0, 2.0, 6.0]), TASKS["regression"])
    assert found == pytest.approx({"min": 1, "median": 2, "max": 6, "mean": 3, "std": math.sqrt(7)})
