"""Kinds of tasks: what metrics compare, the best constant answer, and what each kind counts as a class."""

import numpy as np
import pytest

from empathy_transfer.kinds import classification, kind_of, multilabel, regression
from empathy_transfer.metrics import accuracy, f1_macro, mae, pearson_r

KINDS = {"classification": classification, "multilabel": multilabel, "regression": regression}
NAMES = (
    *("MATRIX", "label_of", "typed", "classes", "statistics", "encode", "decode", "outputs", "values", "comparable"),
    *("constant_answer", "probabilities", "log_likelihood", "indicators"),
)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_found_by_the_word_of_a_description_and_has_all_names(name):
    assert kind_of(name) is kind_of({"kind": name, "labels": ["a"]}) is KINDS[name]
    assert [missing for missing in NAMES if not hasattr(KINDS[name], missing)] == []


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="unknown kind of task 'ranking'"):
        kind_of("ranking")


def test_answers_are_compared_as_indicators_or_as_numbers():
    assert classification.comparable(["b", "a"], ["a", "b"]).tolist() == [[False, True], [True, False]]
    found = multilabel.comparable([["b"], [], ["a", "b"]], ["a", "b"])
    assert found.tolist() == [[False, True], [False, False], [True, True]]
    assert regression.comparable([1, 2.5]).tolist() == [1.0, 2.5]
    for kind in (classification, multilabel):
        assert kind.comparable([], ["a", "b"]).shape == (0, 2)
        assert kind.comparable([], ["a", "b"]).dtype == bool


def test_a_label_that_is_no_class_of_the_task_is_named():
    with pytest.raises(ValueError, match="'z'"):
        classification.comparable(["a", "z"], ["a", "b"])


def floor(kind, training, labels, metric, names=None):
    """Score of the best constant answer that training labels suggest."""
    answers = [kind.constant_answer(training)] * len(labels)
    return metric.value(kind.comparable(labels, names), kind.comparable(answers, names))


def test_the_best_constant_answer_and_its_score_by_hand():
    assert classification.constant_answer(["b", "b", "a"]) == "b"
    # Of equally frequent classes the first in sorted order.
    assert classification.constant_answer(["b", "a", "b", "a"]) == "a"
    # Always "b" on two a and one b: F1 of b = 2/(2+2) = 1/2, of a = 0.
    assert floor(classification, ["b", "b", "a"], ["a", "a", "b"], f1_macro, ["a", "b"]) == pytest.approx(0.25)
    assert floor(classification, ["b"], ["a", "b"], accuracy, ["a", "b"]) == pytest.approx(0.5)
    # The majority class of training may be absent from the test labels.
    assert floor(classification, ["c", "c"], ["a", "b"], f1_macro, ["a", "b", "c"]) == 0
    assert regression.constant_answer([1.0, 3.0]) == 2
    assert floor(regression, [1.0, 3.0], [2.0, 4.0], pearson_r) == 0
    assert floor(regression, [1.0, 3.0], [2.0, 4.0], mae) == pytest.approx(1)
    # Each label that more than half of the training items carry.
    assert multilabel.constant_answer([["a"], ["a", "b"], ["a"]]) == ["a"]
    assert multilabel.constant_answer([["a"], ["b"]]) == []
    found = floor(multilabel, [["a"], ["a", "b"], ["a"]], [["a"], ["a", "b"]], f1_macro, ["a", "b"])
    assert found == pytest.approx(0.5)


def test_training_labels_that_are_no_numbers_have_no_mean():
    with pytest.raises(ValueError, match="training labels: 1 of 2 values are not finite"):
        regression.constant_answer([1.0, np.nan])


def test_classes_by_which_a_draw_is_stratified():
    assert classification.classes(["b", "a", "b"]).tolist() == [1, 0, 1]
    # The first label of each item; items without a label are a class of their own.
    assert multilabel.classes([["b", "a"], [], ["a"]]).tolist() == [2, 0, 1]
    assert regression.classes([1.0, 2.0]) is None
    with pytest.raises(ValueError, match="finite"):
        regression.classes([1.0, np.inf])
