"""Metrics and their standard errors: values worked out by hand, and equality with scikit-learn and SciPy."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from empathy_transfer.kinds.classification import comparable
from empathy_transfer.metrics import accuracy, ccc, f1_macro, f1_weighted, mae, metric, metrics_of, pearson_r, rmse
from empathy_transfer.statistics import item_bootstrap
from empathy_transfer.statistics.item_bootstrap import standard_error
from empathy_transfer.statistics.values import is_constant

COUNTED, NUMERIC = (accuracy, f1_macro, f1_weighted), (ccc, mae, pearson_r, rmse)
RATINGS = arrays(np.float64, 6, elements=st.integers(1, 7))
NUMBERS = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30)


def encoded(names, *columns):
    """Columns of class names as metrics take them."""
    return [comparable(column, list(names)) for column in columns]


def some_classes(n=120, right=0.7):
    """Labels of three classes, and predictions of which some are right by more than chance, as metrics take them."""
    generator = np.random.default_rng(11)
    labels = generator.choice(["a", "b", "c"], size=n, p=[0.6, 0.3, 0.1])
    return encoded("abc", labels, np.where(generator.random(n) < right, labels, generator.choice(["a", "b", "c"], n)))


def some_numbers(n=150):
    """Labels, and predictions that have something to do with them."""
    generator = np.random.default_rng(12)
    labels = generator.normal(3, 1, n)
    return labels, labels * 0.5 + generator.normal(size=n)


# Which metrics there are ---------------------------------------------------------------------------------------------


def test_a_metric_is_found_by_its_name_and_scores_the_kinds_that_it_names():
    assert metrics_of("regression") == ["ccc", "mae", "pearson_r", "rmse"]
    assert metrics_of("classification") == metrics_of("multilabel") == ["accuracy", "f1_macro", "f1_weighted"]
    assert metrics_of("ranking") == []
    more = ["precision_macro", "precision_weighted", "recall_macro", "recall_weighted"]
    assert metrics_of("classification", pairs=True) == ["accuracy", "f1_macro", "f1_weighted", *more]
    assert metrics_of("regression", pairs=True) == ["ccc", "cosine", "mae", "mse", "pearson_r", "rmse", "spearman_r"]
    assert [metric(name) for name in metrics_of("regression")] == list(NUMERIC)
    assert [metric(name) for name in metrics_of("multilabel")] == list(COUNTED)


def test_an_unknown_metric_is_named():
    with pytest.raises(ModuleNotFoundError, match="f2"):
        metric("f2")


# Classes -------------------------------------------------------------------------------------------------------------


def test_classes_by_hand():
    # a: tp 2, fp 1, fn 0 -> 4/5; b: tp 1, fp 0, fn 1 -> 2/3; accuracy 3/4
    sides = encoded("ab", ["a", "a", "b", "b"], ["a", "a", "b", "a"])
    assert f1_macro.value(*sides) == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert f1_weighted.value(*sides) == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert accuracy.value(*sides) == 0.75


def test_weighted_f1_weighs_each_class_by_its_items():
    # a: tp 2, fp 0, fn 1 -> 4/5 with three items; b: tp 1, fp 1, fn 0 -> 2/3 with one
    sides = encoded("ab", ["a", "a", "a", "b"], ["a", "a", "b", "b"])
    assert f1_weighted.value(*sides) == pytest.approx((3 * 4 / 5 + 2 / 3) / 4)
    assert f1_macro.value(*sides) == pytest.approx((4 / 5 + 2 / 3) / 2)


def test_class_absent_from_the_test_labels_is_left_out_of_the_macro_mean():
    # c is predicted once and never right: an error for b, but no class of its own in the mean.
    assert f1_macro.value(*encoded("abcd", list("aabb"), list("aabc"))) == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("n_classes", [2, 3, 14])
def test_classes_equal_scikit_learn(n_classes):
    sklearn = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(n_classes)
    names = np.array([f"class {k}" for k in range(n_classes)])
    labels = names[generator.integers(max(1, n_classes - 1), size=200)]
    predictions = np.where(generator.random(200) < 0.5, labels, names[generator.integers(n_classes, size=200)])
    sides, present = encoded(names, labels, predictions), np.unique(labels)
    for average, found in (("macro", f1_macro), ("weighted", f1_weighted)):
        expected = sklearn.f1_score(labels, predictions, average=average, labels=present, zero_division=0)
        assert found.value(*sides) == pytest.approx(expected, abs=1e-12)
    assert accuracy.value(*sides) == pytest.approx(sklearn.accuracy_score(labels, predictions))


def test_several_labels_by_hand():
    # First label: tp 1, fp 0, fn 1 -> 2/3, two items. Second: tp 1, fp 1, fn 0 -> 2/3, one. One row of three is right.
    sides = [[1, 0], [1, 0], [0, 1]], [[1, 0], [0, 1], [0, 1]]
    assert f1_macro.value(*sides) == pytest.approx(2 / 3)
    assert f1_weighted.value(*sides) == pytest.approx(2 / 3)
    assert accuracy.value(*sides) == pytest.approx(2 / 3)
    # Half of a row is not right, and without any label F1 is 0.
    assert accuracy.value([[1, 1]], [[1, 0]]) == 0
    assert f1_macro.value([[0, 0]], [[0, 0]]) == f1_weighted.value([[0, 0]], [[0, 0]]) == 0


def test_several_labels_equal_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(5)
    labels = (generator.random((100, 4)) < 0.3).astype(int)
    predictions = np.where(generator.random((100, 4)) < 0.7, labels, 1 - labels)
    assert f1_macro.value(labels, predictions) == pytest.approx(sklearn.f1_score(labels, predictions, average="macro"))
    expected = sklearn.f1_score(labels, predictions, average="weighted")
    assert f1_weighted.value(labels, predictions) == pytest.approx(expected)
    assert accuracy.value(labels, predictions) == pytest.approx(sklearn.accuracy_score(labels, predictions))


@pytest.mark.parametrize("found", COUNTED)
def test_what_are_no_indicators_is_refused(found):
    for function in (found.value, lambda *sides: found.resampled(*sides, seed=1, resamples=2)):
        with pytest.raises(ValueError, match="one shape"):
            function(*encoded("ab", ["a", "b"], ["a"]))
        with pytest.raises(ValueError, match="one shape"):
            function([1, 0], [1, 0])
        with pytest.raises(ValueError, match="no items"):
            function(*encoded("a", [], []))
        with pytest.raises(ValueError, match="0 or 1"):
            function([[2, 0]], [[1, 0]])


# Numbers -------------------------------------------------------------------------------------------------------------


def test_numbers_by_hand():
    # deviations (-1, 0, 1) and (-1, 1, 0): r = 1 / 2
    sides = [1, 2, 3], [1, 3, 2]
    assert pearson_r.value(*sides) == pytest.approx(0.5)
    assert mae.value(*sides) == pytest.approx(2 / 3)
    assert rmse.value(*sides) == pytest.approx((2 / 3) ** 0.5)
    # Means and variances are equal, so that concordance is r.
    assert ccc.value(*sides) == pytest.approx(0.5)


def test_pearson_equals_scipy():
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.default_rng(1)
    labels = generator.normal(1e4, 1, 300)
    predictions = labels * 0.3 + generator.normal(size=300)
    assert pearson_r.value(labels, predictions) == pytest.approx(
        stats.pearsonr(labels, predictions).statistic, abs=1e-10
    )


def test_constant_prediction_has_r_zero():
    assert pearson_r.value([1, 2, 3], [2, 2, 2]) == 0
    assert pearson_r.value([2, 2, 2], [1, 2, 3]) == 0
    rounding = np.full(3, 2.0) + np.array([0, 1e-7, -1e-7])
    assert pearson_r.value([1, 2, 3], rounding) == 0
    assert ccc.value([1, 2, 3], rounding) == 0
    assert standard_error(pearson_r, [1, 2, 3], [2, 2, 2], seed=1) == 0


@pytest.mark.parametrize("found", NUMERIC)
def test_a_diverged_run_and_what_is_no_pair_of_vectors_are_refused(found):
    with pytest.raises(ValueError, match="1 of 2 values are not finite"):
        found.value([1, 2], [1, np.nan])
    with pytest.raises(ValueError, match="1 of 2 values are not finite"):
        found.value([1, np.inf], [1, 2])
    with pytest.raises(ValueError, match="a vector of at least one number"):
        found.value([], [])
    with pytest.raises(ValueError, match="1 labels but 2 predictions"):
        found.value([1], [1, 2])


def test_concordance_of_known_vectors():
    assert ccc.value([1, 2, 3], [1, 2, 3]) == 1
    assert ccc.value([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # Means 2 and 3, variances 2/3 each, covariance 2/3: 2 * (2/3) / (2/3 + 2/3 + 1) = 4/7.
    assert ccc.value([1, 2, 3], [2, 3, 4]) == pytest.approx(4 / 7)
    assert ccc.value([1, 2, 3], [2, 4, 6]) == pytest.approx((8 / 3) / (2 / 3 + 8 / 3 + 4))
    assert ccc.value([4, 4], [4, 4]) == 1
    assert ccc.value([4, 4], [5, 5]) == 0
    assert ccc.value([1, 2, 3], [2, 2, 2]) == 0


@given(RATINGS, RATINGS)
def test_concordance_is_symmetric_within_r_and_1_only_for_equal_vectors(first, second):
    value = ccc.value(first, second)
    assert value == pytest.approx(ccc.value(second, first))
    assert -1 - 1e-12 <= value <= 1 + 1e-12
    if first.std() > 0 and second.std() > 0:
        assert abs(value) <= abs(np.corrcoef(first, second)[0, 1]) + 1e-9
    assert (value > 1 - 1e-9) == np.array_equal(first, second)


@given(NUMBERS)
def test_concordance_of_equal_values_is_one(values):
    assert ccc.value(values, values) == 1


@given(NUMBERS, st.data())
def test_concordance_is_symmetric_and_never_above_the_size_of_r(first, data):
    second = data.draw(st.lists(st.floats(-1e3, 1e3), min_size=len(first), max_size=len(first)))
    value = ccc.value(first, second)
    # Answers that spread by a millionth of what the labels do count as constant, and labels beside such answers do not.
    assert value == pytest.approx(ccc.value(second, first), abs=2e-6)
    if first != second:
        assert abs(value) <= abs(pearson_r.value(first, second)) + 1e-9


@given(RATINGS, st.floats(0.1, 3))
def test_an_offset_or_another_spread_lowers_concordance_below_1(vector, change):
    if vector.std() > 0:
        assert ccc.value(vector, vector + change) < 1
        assert ccc.value(vector, vector.mean() + (vector - vector.mean()) * (1 + change)) < 1


@given(st.floats(0.5, 5), st.floats(1.5, 4))
def test_an_offset_or_another_scale_lowers_concordance_but_not_r(offset, scale):
    labels = np.array([1.0, 2.0, 4.0, 7.0])
    for predictions in (labels + offset, labels * scale):
        assert pearson_r.value(labels, predictions) == pytest.approx(1)
        assert ccc.value(labels, predictions) < 0.999


def test_is_constant():
    assert is_constant(["a", "a"])
    assert not is_constant(["a", "b"])
    assert is_constant([0.5, 0.5])
    assert not is_constant([0.5, 0.51])
    assert is_constant([[0, 1], [0, 1]])
    assert not is_constant([[0, 1], [1, 1]])
    with pytest.raises(ValueError, match="no predictions"):
        is_constant([])


# Standard errors -----------------------------------------------------------------------------------------------------


def test_standard_error_of_accuracy_is_binomial():
    sides = encoded("ab", ["a"] * 100, ["a"] * 80 + ["b"] * 20)
    error = standard_error(accuracy, *sides, seed=3, resamples=4000)
    assert error == pytest.approx(np.sqrt(0.8 * 0.2 / 100), rel=0.05)


@pytest.mark.parametrize("found", [*COUNTED, *NUMERIC])
def test_standard_error_equals_a_plain_loop_over_items(found):
    """Of a metric with a fast way to score resamples and of one without, which is scored one by one."""
    labels, predictions = some_classes() if found in COUNTED else some_numbers()
    error = standard_error(found, labels, predictions, seed=1, resamples=3000)
    generator, slow = np.random.default_rng(100), []
    for _ in range(1000):
        items = generator.integers(len(labels), size=len(labels))
        slow.append(found.value(labels[items], predictions[items]))
    assert error == pytest.approx(np.std(slow), rel=0.12)


@pytest.mark.parametrize("found", [found for found in (*COUNTED, *NUMERIC) if hasattr(found, "resampled")])
def test_resamples_one_by_one_agree_with_the_fast_way(found):
    labels, predictions = some_classes() if found in COUNTED else some_numbers()
    plain = SimpleNamespace(value=found.value)  # the metric without `resampled`
    one_by_one, fast = (standard_error(one, labels, predictions, seed=2, resamples=2000) for one in (plain, found))
    # The error of a standard deviation of 2,000 draws is a 63rd of it; two of them differ by less than five of those.
    assert one_by_one == pytest.approx(fast, rel=5 * 2**0.5 / 63)
    assert one_by_one != fast


def test_metrics_of_counts_and_r_have_a_fast_way():
    assert [found for found in (*COUNTED, *NUMERIC) if hasattr(found, "resampled")] == [*COUNTED, pearson_r]


@pytest.mark.parametrize("found", [f1_macro, pearson_r, rmse])
def test_standard_error_repeats_with_its_seed(found):
    labels, predictions = some_classes(40) if found is f1_macro else some_numbers(40)
    first = standard_error(found, labels, predictions, seed=7, resamples=50)
    assert standard_error(found, labels, predictions, seed=7, resamples=50) == first
    assert standard_error(found, labels, predictions, seed=8, resamples=50) != first


@pytest.mark.parametrize("found", [*COUNTED, pearson_r])
def test_standard_error_does_not_depend_on_the_block_size(found, monkeypatch):
    labels, predictions = some_classes(40) if found in COUNTED else some_numbers(40)
    first = standard_error(found, labels, predictions, seed=7, resamples=50)
    monkeypatch.setattr(item_bootstrap, "BLOCK_CELLS", 120)
    assert standard_error(found, labels, predictions, seed=7, resamples=50) == pytest.approx(first)


def test_standard_error_of_several_labels():
    labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 10)
    assert 0 < standard_error(f1_macro, labels, labels[:, ::-1], seed=1) < 0.5


def test_one_resample_has_no_standard_error():
    with pytest.raises(ValueError, match="at least 2 resamples"):
        standard_error(mae, [1, 2], [1, 2], seed=1, resamples=1)


def test_precision_and_recall_by_hand():
    # Class a: 2 of 3 answers right, 2 of 3 items found; b: 1 of 2 and 1 of 1; c is never given; d is no item's label.
    sides = encoded("abcd", list("aaabc"), list("aabba"))
    assert metric("precision_macro").value(*sides) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert metric("recall_macro").value(*sides) == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert metric("precision_weighted").value(*sides) == pytest.approx((3 * 2 / 3 + 1 / 2 + 0) / 5)
    assert metric("recall_weighted").value(*sides) == pytest.approx(3 / 5) == accuracy.value(*sides)


def test_precision_and_recall_are_those_of_scikit_learn():
    sides = some_classes()
    for average in ("macro", "weighted"):
        kept = [side.argmax(axis=1) for side in sides]
        precision, recall, _, _ = sklearn.metrics.precision_recall_fscore_support(*kept, average=average)
        assert metric(f"precision_{average}").value(*sides) == pytest.approx(precision)
        assert metric(f"recall_{average}").value(*sides) == pytest.approx(recall)


def test_scores_of_numbers_in_studies_of_pairs_by_hand():
    labels, answers = np.array([0.0, 1, 2, 2]), np.array([0.0, 2, 1, 1])
    assert metric("mse").value(labels, answers) == pytest.approx(3 / 4)
    assert metric("cosine").value(labels, answers) == pytest.approx(6 / np.sqrt(9 * 6))
    assert metric("cosine").value(labels, np.zeros(4)) == 0.0
    # Ranks 1, 2, 3.5, 3.5 and 1, 4, 2.5, 2.5, which deviate by -1.5, -.5, 1, 1 and -1.5, 1.5, 0, 0 from 2.5.
    assert metric("spearman_r").value(labels, answers) == pytest.approx(1.5 / 4.5)
    assert metric("spearman_r").value(labels, answers) == pytest.approx(scipy.stats.spearmanr(labels, answers)[0])
    assert metric("spearman_r").value(labels, np.ones(4)) == 0.0


def test_a_constant_answer_has_a_high_cosine_with_positive_labels():
    labels = np.array([0.2, 0.4, 0.6, 0.8])
    assert metric("cosine").value(labels, np.full(4, 0.5)) == pytest.approx(2.0 / np.sqrt(4 * 1.2))
