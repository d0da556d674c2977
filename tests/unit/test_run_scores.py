"""Scores of finished runs from their predictions: by hand for each kind, and through files."""

import json
from pathlib import Path

import numpy as np
import pandas
import pytest

from empathy_transfer.kinds.classification import comparable
from empathy_transfer.metrics import f1_macro, metrics_of, pearson_r
from empathy_transfer.records.artefacts import ArtefactError, read_csv
from empathy_transfer.records.runs import TransferRun
from empathy_transfer.records.score_tables import file_of, read_run_scores, run_records
from empathy_transfer.scores.run_scores import COLUMNS, finished, occurring_labels, scores_of
from empathy_transfer.statistics.item_bootstrap import standard_error
from finished_runs import RESULTS, finish_run, predictions_of, score_runs

CLASSES = {"kind": "classification", "metric": "f1_macro", "constant_answer": "b"}
NUMBERS = {"kind": "regression", "metric": "pearson_r", "constant_answer": 2.0}
SEVERAL = {"kind": "multilabel", "metric": "f1_macro", "constant_answer": ["a"]}
BASELINE = TransferRun("none", "news", "full", 1)
TRANSFER = TransferRun("letters", "news", "half", 2)


def table(labels, predictions, names=()):
    """A table of predictions, with the columns of probabilities of the labels `names`."""
    frame = {"id": [f"n{place}" for place in range(len(labels))], "label": labels, "prediction": predictions}
    return pandas.DataFrame(frame | {f"p_{name}": 0.5 for name in names})


def column(found, name):
    """One column of what `scores_of` returns, by metric."""
    return {row["metric"]: row[name] for row in found}


def test_scores_of_classes_by_hand():
    labels, predictions = ["a", "a", "b", "b"], ["a", "a", "b", "a"]
    found = scores_of(table(labels, predictions, "ab"), CLASSES)
    # F1 of a 4/5, of b 2/3. Always b: 2/3 and 0, and half of the items are right.
    assert column(found, "value") == pytest.approx({"f1_macro": 11 / 15, "accuracy": 3 / 4, "f1_weighted": 11 / 15})
    assert column(found, "floor") == pytest.approx({"f1_macro": 1 / 3, "accuracy": 1 / 2, "f1_weighted": 1 / 3})
    error = standard_error(f1_macro, *(comparable(side, ["a", "b"]) for side in (labels, predictions)), seed=0)
    assert column(found, "standard_error") == {"f1_macro": error, "accuracy": None, "f1_weighted": None}
    assert column(found, "main") == {"f1_macro": True, "accuracy": False, "f1_weighted": False}
    assert set(column(found, "n_test").values()) == {4}
    assert set(column(found, "constant_prediction").values()) == {False}


def test_the_main_metric_comes_first_and_has_the_standard_error_whichever_it_is():
    labels, predictions = ["a"] * 100, ["a"] * 80 + ["b"] * 20
    found = scores_of(table(labels, predictions, "ab"), CLASSES | {"metric": "accuracy"})
    assert [row["metric"] for row in found] == ["accuracy", "f1_macro", "f1_weighted"]
    # Binomial: the root of .8 x .2 / 100.
    assert column(found, "standard_error") == {
        "accuracy": pytest.approx(0.04, rel=0.1),
        "f1_macro": None,
        "f1_weighted": None,
    }


def test_scores_of_numbers_by_hand():
    labels, predictions = [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]
    found = scores_of(table(labels, predictions), NUMBERS)
    assert [row["metric"] for row in found] == ["pearson_r", "ccc", "mae", "rmse"]
    # Deviations (-1, 0, 1) and (-1, 1, 0); from their mean the labels lie 1, 0 and 1 away.
    root = (2 / 3) ** 0.5
    assert column(found, "value") == pytest.approx({"pearson_r": 0.5, "ccc": 0.5, "mae": 2 / 3, "rmse": root})
    assert column(found, "floor") == pytest.approx({"pearson_r": 0, "ccc": 0, "mae": 2 / 3, "rmse": root})
    error = standard_error(pearson_r, labels, predictions, seed=0)
    assert column(found, "standard_error") == {"pearson_r": error, "ccc": None, "mae": None, "rmse": None}
    assert set(column(found, "constant_prediction").values()) == {False}


def test_scores_of_several_labels_by_hand():
    found = scores_of(table([["a"], ["a", "b"], []], [["a"], ["b"], ["c"]], "abc"), SEVERAL)
    # a: tp 1, fn 1 -> 2/3, two items. b: tp 1 -> 1, one item. c is no test label. One row of three is right.
    assert column(found, "value") == pytest.approx({"f1_macro": 5 / 6, "accuracy": 1 / 3, "f1_weighted": 7 / 9})
    # Always a: tp 2, fp 1 -> 4/5 for a, 0 for b; only the first row is right.
    assert column(found, "floor") == pytest.approx({"f1_macro": 2 / 5, "accuracy": 1 / 3, "f1_weighted": 8 / 15})
    assert column(found, "standard_error")["f1_macro"] > 0
    assert set(column(found, "constant_prediction").values()) == {False}


def test_several_labels_of_which_none_occurs_have_a_score_of_zero():
    found = scores_of(table([[], []], [[], []], "ab"), SEVERAL | {"constant_answer": []})
    assert column(found, "value") == column(found, "floor") == {"f1_macro": 0, "accuracy": 1, "f1_weighted": 0}
    assert column(found, "standard_error")["f1_macro"] == 0


def test_a_constant_answer_that_the_test_items_lack_has_a_floor_of_zero():
    found = scores_of(table(["a", "b"], ["a", "b"], "abc"), CLASSES | {"constant_answer": "c"})
    assert set(column(found, "value").values()) == {1}
    assert set(column(found, "floor").values()) == {0}


@pytest.mark.parametrize(
    ("frame", "record"),
    [
        (table(["a", "b"], ["b", "b"], "ab"), CLASSES),
        (table([["a"], ["b"]], [["a"], ["a"]], "ab"), SEVERAL),
        (table([1.0, 2.0], [1.5, 1.5 + 1e-9]), NUMBERS),
    ],
    ids=["classification", "multilabel", "regression"],
)
def test_a_run_that_answers_the_same_to_all_is_told_in_each_row(frame, record):
    found = scores_of(frame, record)
    assert [row["metric"] for row in found] == [record["metric"]] + [
        name for name in metrics_of(record["kind"]) if name != record["metric"]
    ]
    assert set(column(found, "constant_prediction").values()) == {True}


def test_a_label_may_look_like_a_column_of_probabilities():
    found = scores_of(table(["p_a", "b"], ["p_a", "b"], ["p_a", "b"]), CLASSES)
    assert set(column(found, "value").values()) == {1}


def test_labels_that_occur_are_sorted():
    assert occurring_labels(["b", "a"], ["c", "a"]) == ["a", "b", "c"]
    assert occurring_labels([["b"], []], [["c", "a"], []]) == ["a", "b", "c"]
    assert occurring_labels([[], []], [[], []]) == []


# Through files -------------------------------------------------------------------------------------------------------


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """The records of a baseline and of a transfer, in the working folder."""
    monkeypatch.chdir(tmp_path)
    return [
        finish_run(BASELINE, table(list("aabb"), list("aaba"), "ab"), **CLASSES, validation=0.625),
        finish_run(TRANSFER, table(list("aabb"), list("bbbb"), "ab"), **CLASSES),
    ]


def test_runs_come_back_from_their_table(paths):
    scores = score_runs(paths)
    frame = read_csv(scores)
    assert list(frame.columns) == COLUMNS
    assert frame["metric"].tolist() == ["f1_macro", "accuracy", "f1_weighted"] * 2
    assert frame["main"].tolist() == [True, False, False] * 2
    assert frame["standard_error"].notna().tolist() == frame["main"].tolist()
    baseline, transfer = read_run_scores(scores)
    assert TransferRun.of(baseline) == BASELINE
    assert TransferRun.of(transfer) == TRANSFER
    assert baseline["values"] == pytest.approx({"f1_macro": 11 / 15, "accuracy": 3 / 4, "f1_weighted": 11 / 15})
    assert transfer["values"] == pytest.approx({"f1_macro": 1 / 3, "accuracy": 1 / 2, "f1_weighted": 1 / 3})
    assert (baseline["metric"], baseline["n_test"], baseline["constant_prediction"]) == ("f1_macro", 4, False)
    assert (transfer["metric"], transfer["n_test"], transfer["constant_prediction"]) == ("f1_macro", 4, True)
    # Floor and standard error are those of the main metric, validation scores those of the run's own record.
    assert (baseline["floor"], baseline["standard_error"] > 0) == (pytest.approx(1 / 3), True)
    assert (baseline["validation"], transfer["validation"]) == (0.625, 0.5)
    assert (baseline["floor_validation"], transfer["floor_validation"]) == (0.25, 0.25)


def test_a_score_has_all_its_digits_in_the_table(paths):
    run = TransferRun("none", "ratings", "full", 1)
    generator = np.random.default_rng(4)
    frame = table(generator.normal(size=30), generator.normal(size=30))
    (found,) = read_run_scores(score_runs([finish_run(run, frame, **NUMBERS)]))
    assert found["values"]["pearson_r"] == pearson_r.value(frame["label"], frame["prediction"])


def test_tables_are_read_one_after_another(paths):
    scores = [score_runs([path], name) for path, name in zip(paths, ("one", "two"), strict=True)]
    assert read_run_scores(*scores) == read_run_scores(score_runs(paths))
    assert read_run_scores() == []


def test_rows_of_a_run_need_not_stand_together(paths):
    frame = read_csv(score_runs(paths))
    found = run_records(frame.sort_values("metric", kind="stable"))
    assert found == sorted(run_records(frame), key=lambda record: record["seed"])
    assert all(len(record["values"]) == 3 for record in found)


def test_a_source_may_be_called_like_a_missing_value(paths):
    run = TransferRun("null", "nan", "full", 1)
    (found,) = read_run_scores(score_runs([finish_run(run, table(list("ab"), list("ab"), "ab"), **CLASSES)]))
    assert TransferRun.of(found) == run


def test_unfinished_runs_are_skipped_and_damaged_ones_refused(paths):
    Path(paths[1]).with_name("provenance.json").unlink()
    missing = f"{RESULTS}/baseline/full/seed=9/news/run.json"
    assert [str(path) for path in finished([*paths, missing])] == paths[:1]
    assert [TransferRun.of(record) for record in read_run_scores(score_runs([*paths, missing]))] == [BASELINE]
    predictions, record = Path(predictions_of(paths)[0]), Path(paths[0])
    whole = record.read_bytes()
    record.write_text(json.dumps(json.loads(whole) | {"metric": "accuracy"}))
    with pytest.raises(SystemExit, match=r"run\.json"):
        score_runs(paths)
    record.write_bytes(whole)
    predictions.write_bytes(predictions.read_bytes()[:-1])
    with pytest.raises(SystemExit, match=r"predictions\.parquet"):
        score_runs(paths)


def test_without_a_finished_run_there_is_a_table_without_rows(paths):
    scores = score_runs([])
    assert list(read_csv(scores).columns) == COLUMNS
    assert read_run_scores(scores) == []


def test_a_damaged_table_is_refused(paths):
    scores = Path(score_runs(paths))
    scores.write_text(scores.read_text().replace("0.625", "0.999"))
    with pytest.raises(ArtefactError, match=r"scores\.csv"):
        read_run_scores(scores)


def test_the_file_of_a_run_is_found_by_its_key(paths):
    control = finish_run(TransferRun("self", "news", "full", 1), table(list("ab"), list("ab"), "ab"), **CLASSES)
    every = [*paths, control]
    records = read_run_scores(score_runs(every))
    assert [str(file_of(record, every)) for record in records] == every
    found = [str(file_of(record, predictions_of(every))) for record in records]
    assert found == predictions_of(every)
    elsewhere = [f"/some/where/{path}" for path in every]
    assert str(file_of(records[1], elsewhere)) == elsewhere[1]
    with pytest.raises(KeyError, match="seed=3"):
        file_of(records[0] | {"seed": 3}, every)
