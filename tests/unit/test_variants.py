"""Variants of tasks: which rows they keep, whose labels they train on, and what stops them."""

import pandas
import pytest

from empathy_transfer.controls.variant_effects import write_variant_effects
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.variants import derive_variant, read_labels
from empathy_transfer.errors import DataError
from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import read_json, read_table, write_json, write_table
from empathy_transfer.records.runs import TransferRun
from fake_jobs import fake_snakemake
from finished_runs import finish_run

TASK = {"task": "mood", "kind": "classification", "labels": ["good", "bad"], "n": {"train": 4}, "scheme": "grouped"}


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A prepared task with labels of both kinds, in the working folder; returns a function that writes other ones."""
    monkeypatch.chdir(tmp_path)

    def prepare(task=TASK, label="good", sources=("human", "model", "human", "model")):
        output = {split: f"data/mood/{split}.parquet" for split in SPLITS}
        output |= {"task_json": "data/mood/task.json", "provenance": "data/mood/provenance.json"}
        with open_job(fake_snakemake("prepare_task", output)) as job:
            for split in SPLITS:
                ids = [f"{split}{row}" for row in range(4)]
                frame = {"id": ids, "group": ids, "context": None, "text": "-", "label": [label] * 4}
                write_table(job.output[split], pandas.DataFrame(frame | {"label_source": list(sources)}))
            write_json(job.output["task_json"], task)

    prepare()
    return prepare


def derive(variant, labels=None):
    """Derive a variant; returns its tables by split, and its description."""
    output = {split: f"data/variant/{split}.parquet" for split in SPLITS}
    output |= {"task_json": "data/variant/task.json", "released": "data/variant/released"}
    with open_job(fake_snakemake("derive_variant", output | {"provenance": "data/variant/provenance.json"})) as job:
        splits = {split: f"data/mood/{split}.parquet" for split in SPLITS}
        entry = {"variant_of": "mood"} | variant
        derive_variant("mood_other", entry, splits, "data/mood/task.json", labels, job.output)
    return {split: read_table(output[split]) for split in SPLITS}, read_json(output["task_json"])


def test_rows_of_other_sources_are_left_out_of_all_splits(prepared):
    tables, task = derive({"label_sources": ["human"]})
    for split in SPLITS:
        assert tables[split]["id"].tolist() == [f"{split}0", f"{split}2"]
        assert set(tables[split]["label_source"]) == {"human"}
    assert task == TASK | {"variant": "mood_other", "n": {"train": 2, "validation": 2, "test": 2}}


def test_training_labels_are_replaced_by_id_and_only_in_training(prepared, tmp_path):
    (tmp_path / "labels.csv").write_text("id,label\ntrain1,bad\ntest1,bad\n")
    tables, _ = derive({}, "labels.csv")
    assert tables["train"]["label"].tolist() == ["good", "bad", "good", "good"]
    assert tables["train"]["label_source"].tolist() == ["human", "model", "human", "model"]
    assert set(tables["test"]["label"]) == {"good"}


def test_numbers_are_replaced_as_numbers(prepared, tmp_path):
    prepared({"task": "mood", "kind": "regression", "range": [1, 7], "n": {}}, label=2.0)
    (tmp_path / "labels.csv").write_text("id,label\ntrain3,6.5\n")
    tables, _ = derive({}, "labels.csv")
    assert tables["train"]["label"].tolist() == [2.0, 2.0, 2.0, 6.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,label\ntrain1,ugly\n", "row 1: unknown label of 4 characters"),
        ("id,label\nother,bad\n", "none of its ids is a training row"),
        ("id,label\ntrain1,bad\ntrain1,good\n", "row 2: an id that another row has"),
        ("id,value\ntrain1,bad\n", "no column 'label'"),
        ("id,label\n,bad\n", "row 1: an empty id"),
        ("id,label\ntrain1,bad\ntrain1.0,bad\ntest1.0,bad\n", "2 of 3 rows are left out: their id is no row of mood"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(prepared, tmp_path, text, message):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(SystemExit, match=message):
        derive({}, "labels.csv")


def test_ids_that_the_task_lacks_are_counted_and_may_be_allowed(prepared, tmp_path, capsys):
    (tmp_path / "labels.csv").write_text("id,label\ntrain1,bad\ntest0,bad\nNA,bad\nother,bad\nmore,bad\n")
    tables, _ = derive({"max_lost": 0.6}, "labels.csv")
    assert tables["train"]["label"].tolist() == ["good", "bad", "good", "good"]
    assert (
        "labels.csv: 3 of 5 rows are left out: their id is no row of mood"
        in (tmp_path / "logs/data_variant_provenance.json.log").read_text()
    )


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ("8", "the label '8' is outside of the range 1 to 7"),
        ("high", "the label of 4 characters is not a number"),
        ("", "the label is missing"),
    ],
)
def test_a_number_out_of_range_is_refused(prepared, tmp_path, label, problem):
    prepared({"task": "mood", "kind": "regression", "range": [1, 7], "n": {}}, label=2.0)
    (tmp_path / "labels.csv").write_text(f"id,label\ntrain3,{label}\n")
    with pytest.raises(SystemExit, match=rf"labels\.csv, row 1: {problem}"):
        derive({}, "labels.csv")


def test_a_split_without_rows_is_refused_with_what_there_is(prepared):
    prepared(sources=("mixed", "mixed", "mixed", "model"))
    with pytest.raises(SystemExit, match=r"no train row has a label by human .*3 mixed, 1 model"):
        derive({"label_sources": ["human"]})


def test_several_labels_are_lists(prepared, tmp_path):
    prepared(TASK | {"kind": "multilabel"}, label=["good"])
    (tmp_path / "labels.csv").write_text("id,label\ntrain0,good|bad\n")
    tables, _ = derive({}, "labels.csv")
    assert tables["train"]["label"].tolist() == [["good", "bad"], ["good"], ["good"], ["good"]]


def test_a_file_of_labels_says_them_as_the_task_does_and_not_as_its_raw_file(prepared, tmp_path):
    prepared(TASK | {"label_mapping": {"+": "good", "-": "bad"}})
    (tmp_path / "labels.csv").write_text("id,label\ntrain0,bad\n")
    tables, _ = derive({}, "labels.csv")
    assert tables["train"]["label"].tolist() == ["bad", "good", "good", "good"]
    (tmp_path / "labels.csv").write_text("id,label\ntrain0,-\n")
    with pytest.raises(SystemExit, match=r"labels\.csv, row 1: unknown label '-' \(known: good, bad\)"):
        derive({}, "labels.csv")


def test_a_file_without_columns_is_no_table_of_labels(tmp_path):
    (tmp_path / "labels.csv").write_text("text\nhello\n")
    with pytest.raises(DataError, match="no column 'id' and 'label'"):
        read_labels(tmp_path / "labels.csv")


def make_run(source, target, ids, wrong, seed=1):
    """Write a run of a task of two classes; the first `wrong` of its answers are wrong. Returns its record."""
    labels = [["good", "bad"][int(key[4:]) % 2] for key in ids]
    answers = [{"good": "bad", "bad": "good"}[label] if place < wrong else label for place, label in enumerate(labels)]
    table = pandas.DataFrame({"id": ids, "label": labels, "prediction": answers})
    return finish_run(TransferRun(source, target, "full", seed), table, metric="f1_macro")


def test_a_variant_is_compared_on_the_items_of_both(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ids = [f"test{row}" for row in range(60)]
    with open_job(
        fake_snakemake("prepare_task", {"test": "data/mood/test.parquet", "provenance": "data/mood/provenance.json"})
    ) as job:
        write_table(job.output["test"], pandas.DataFrame({"id": ids, "group": ids}))
    half = ids[:40]
    paths = [
        make_run("none", "mood", ids, wrong=10),
        make_run("none", "mood_human", half, wrong=0),
        make_run("mood", "other", ids, wrong=0),
        make_run("mood_human", "other", ids, wrong=6),
        make_run("other", "mood_human", half, wrong=8),
        make_run("other", "mood", ids, wrong=4),
        make_run("more", "mood_human", half, wrong=4),
        make_run("more", "mood", ids, wrong=4),
        make_run("alone", "mood_human", half, wrong=1),
    ]
    settings = {"resamples": 200, "alpha": 0.05, "absent_classes": "drop"}
    tests = dict.fromkeys(("mood", "mood_human", "other"), "data/mood/test.parquet")
    output = {name: f"analysis/{name}.csv" for name in ("variants", "variant_gains")}
    output |= {"provenance": "analysis/variants.provenance.json"}
    with open_job(fake_snakemake("compare_variants", output)) as job:
        tables = job.output["variants"], job.output["variant_gains"]
        write_variant_effects({"mood_human": "mood"}, paths, tests, settings, *tables)
    found = pandas.read_csv("analysis/variants.csv")
    found = found[~found["source"].isin(["more", "alone"])].set_index("role")
    assert found["n_test"].to_dict() == {"baseline": 40, "source": 60, "target": 40}
    # Ten of 40 wrong, five of each class: macro F1 is .75; likewise, six of 60 are .9, eight of 40 .8.
    assert found["value"].to_dict() == pytest.approx({"baseline": 1, "source": 0.9, "target": 0.8})
    assert found["reference_value"].to_dict() == pytest.approx({"baseline": 0.75, "source": 1, "target": 1})
    assert found["effect"].to_dict() == {"baseline": "higher", "source": "lower", "target": "lower"}
    gains = pandas.read_csv("analysis/variant_gains.csv").set_index(["role", "other", "seed"])
    # As a target: .8 - 1 less .9 - .75, and .9 - 1 less .9 - .75. No transfer from `alone` to the task itself.
    expected = {("source", "other", 1): -0.1, ("target", "more", 1): -0.25, ("target", "other", 1): -0.35}
    assert gains["gain"].to_dict() == pytest.approx(expected)
    assert gains["clusters"].dropna().tolist() == [40, 40]
    # 10 wrong answers of the task's baseline are in both gains: a share of .25 of 40 items varies by .068.
    assert gains.loc["target", "shared_variance"].iloc[0] ** 0.5 == pytest.approx(0.068, rel=0.25)
