"""One training job on a tiny random encoder: what it writes, and what it depends on."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from empathy_transfer.data.batches import choose_items, derived_seed, evaluation_batches, training_batches
from empathy_transfer.metrics import metrics_of
from empathy_transfer.models.adapter_files import settings_in
from empathy_transfer.models.trained_models import load_trained
from empathy_transfer.records.artefacts import read_json, read_json_lines, read_table, read_tensors
from empathy_transfer.records.encoders import find_encoder
from empathy_transfer.records.runs import BASELINE, TransferRun
from empathy_transfer.scores.run_scores import scores_of
from empathy_transfer.training.evaluation import labels_of, predict, prediction_table, score
from tiny_encoders import ADAPTER, LOSSES, OF_A_JOB, SCHEDULE, write_vocabulary_encoder
from tiny_runs import FILES, WORDS, train_transfer, write_task

SETTINGS = SCHEDULE | OF_A_JOB | {"epochs": 2, "dropout": 0.1, "max_test": 10}
MOOD = TransferRun(BASELINE, "mood", "full", 1)


@pytest.fixture(scope="module")
def encoder_settings(tmp_path_factory):
    """A tiny random BERT with a vocabulary of eleven words, in a folder."""
    folder = tmp_path_factory.mktemp("encoder")
    write_vocabulary_encoder(folder, WORDS)
    return {"name": str(folder), "revision": None, "max_length": 16}


@pytest.fixture
def make_task(tmp_path, monkeypatch, encoder_settings):
    """A function that makes the splits and tokens of a task of a kind, in the working folder."""
    monkeypatch.chdir(tmp_path)
    return partial(write_task, encoder_settings)


def train(inputs, encoder_settings, folder, run=MOOD, files=FILES, hooks=(), **changes):
    """Run one training job and return its folder."""
    kind = read_json(inputs["task_json"])["kind"]
    settings = SETTINGS | {"loss": {"name": LOSSES[kind]}} | changes
    train_transfer(run, inputs, folder, settings, encoder_settings, files, hooks)
    return folder


def test_a_classification_job_writes_all_of_its_results(make_task, encoder_settings):
    inputs = make_task("mood", "classification", "f1_macro", ["bad", "good", "absent"])
    folder = train(inputs, encoder_settings, "run")
    record = read_json(f"{folder}/run.json")
    assert record.items() >= {"source": "none", "target": "mood", "data": "full", "seed": 1}.items()
    assert record.items() >= {"n_train": 24, "n_validation": 8, "n_test": 10, "epochs": 2}.items()
    assert record.items() >= {"kind": "classification", "metric": "f1_macro", "engine": "fast"}.items()
    assert (record["loss"], record["adaptation"]) == ({"name": "cross_entropy"}, ADAPTER)
    predictions = read_table(f"{folder}/predictions.parquet")
    assert list(predictions.columns) == ["id", "label", "prediction", "p_bad", "p_good", "p_absent"]
    assert len(predictions) == 10
    assert np.allclose(predictions[["p_bad", "p_good", "p_absent"]].sum(axis=1), 1, atol=1e-5)
    agreement = (predictions["label"] == predictions["prediction"]).mean()
    values = {row["metric"]: row["value"] for row in scores_of(predictions, record)}
    assert agreement == pytest.approx(values["accuracy"])
    scores = [row["validation"] for row in read_json_lines(f"{folder}/epochs.jsonl")]
    assert record["validation"] == max(scores)
    assert record["best_epoch"] == scores.index(max(scores)) + 1
    for name in ("adapter", "head"):
        metadata = read_tensors(f"{folder}/{name}.safetensors")[1]
        assert metadata.items() >= {"type": name, "task": "mood", "seed": 1}.items()
    assert settings_in(read_tensors(f"{folder}/adapter.safetensors")[1]) == ADAPTER
    assert not list(Path(folder).glob("*checkpoint*"))


def test_a_training_writes_no_test_score(make_task, encoder_settings):
    inputs = make_task("mood", "classification", "f1_macro", ["bad", "good"])
    record = read_json(f"{train(inputs, encoder_settings, 'run')}/run.json")
    assert not {"values", "value", "floor", "standard_error", "constant_prediction"} & record.keys()
    assert not set(metrics_of("classification")) & record.keys()
    # What a table of scores needs of it.
    counts = read_table(inputs["train"])["label"].value_counts()
    assert record["constant_answer"] == counts.idxmax()
    validation = read_table(inputs["validation"])["label"]
    task = read_json(inputs["task_json"])
    floor = score(validation.tolist(), [record["constant_answer"]] * len(validation), task)
    assert record["floor_validation"] == pytest.approx(floor)


@pytest.mark.parametrize(
    ("kind", "metric", "labels"),
    [
        ("classification", "f1_macro", ["bad", "good"]),
        ("regression", "pearson_r", None),
        ("multilabel", "f1_macro", ["a", "b"]),
    ],
)
def test_all_kinds_are_trained(make_task, encoder_settings, kind, metric, labels):
    files = FILES | {"validation": "validation.parquet"}
    inputs = make_task("mood", kind, metric, labels)
    folder = train(inputs, encoder_settings, "run", epochs=1, files=files)
    record, predictions = read_json(f"{folder}/run.json"), read_table(f"{folder}/predictions.parquet")
    assert len(predictions) == 10
    assert scores_of(predictions, record)[0]["metric"] == metric
    # Validation is predicted too where that is wanted, by the model of the best epoch.
    validation = read_table(f"{folder}/validation.parquet")
    assert list(validation.columns) == list(predictions.columns)
    assert validation["id"].tolist() == read_table(inputs["validation"])["id"].tolist()
    (main,) = [row for row in scores_of(validation, record) if row["main"]]
    assert main["value"] == pytest.approx(record["validation"], rel=1e-6)
    assert main["floor"] == pytest.approx(record["floor_validation"])


def test_files_that_are_not_wanted_are_not_written(make_task, encoder_settings):
    wanted = {name: FILES[name] for name in ("predictions", "run", "epochs")}
    folder = train(make_task("mood", "regression", "pearson_r", None), encoder_settings, "run", files=wanted)
    written = {path.name for path in Path(folder).iterdir() if not path.name.startswith(".")}
    assert written == {*wanted.values(), "provenance.json"}


def test_equal_seeds_give_the_same_bits_and_others_do_not(make_task, encoder_settings):
    inputs = make_task("mood", "classification", "f1_macro", ["bad", "good"])
    first, again, other = (
        load_file(train(inputs, encoder_settings, folder, replace(MOOD, seed=seed)) + "/adapter.safetensors")
        for folder, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize("count", [1, 2], ids=["source", "two sources"])
def test_a_transfer_leaves_its_source_adapters_as_they_are(make_task, encoder_settings, engine, count):
    inputs = make_task("mood", "classification", "f1_macro", ["bad", "good"])
    sources = [
        train(inputs, encoder_settings, f"source{seed}", replace(MOOD, seed=seed), engine=engine)
        for seed in range(1, count + 1)
    ]
    paths = [f"{source}/adapter.safetensors" for source in sources]
    before = [Path(path).read_bytes() for path in paths]
    target = make_task("tone", "regression", "pearson_r", None) | {"adapter": paths[0] if count == 1 else paths}
    folder = train(target, encoder_settings, "transfer", TransferRun("mood", "tone", "half", 1), engine=engine)
    assert [Path(path).read_bytes() for path in paths] == before
    record = read_json(f"{folder}/run.json")
    assert (record["source"], record["n_train"], record["n_test"]) == ("mood", 12, 10)
    baseline = read_json(f"{sources[0]}/run.json")
    assert record["trained_parameters"] < baseline["trained_parameters"]  # one output instead of two
    assert record["engine"] == engine


def test_hooks_see_the_epochs_of_a_run_and_may_end_it(make_task, encoder_settings):
    seen = []
    hooks = [lambda log: seen.append(log[-1]["validation"]), lambda log: len(log) == 2]
    inputs = make_task("mood", "classification", "f1_macro", ["bad", "good"])
    record = read_json(f"{train(inputs, encoder_settings, 'run', epochs=5, hooks=hooks)}/run.json")
    assert record["epochs"] == len(seen) == 2
    assert record["validation"] == max(seen)


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_trained_run_can_be_loaded_and_answers_as_it_did(make_task, encoder_settings, engine):
    inputs = make_task("mood", "classification", "f1_macro", ["bad", "good"])
    folder, task = train(inputs, encoder_settings, "run"), read_json(inputs["task_json"])
    files = [f"{folder}/{name}.safetensors" for name in ("adapter", "head")]
    model = load_trained(*files, find_encoder(encoder_settings["name"]), SETTINGS | {"engine": engine})
    items, ids = choose_items(inputs["tokens"], task, "full", 1, {"train": None, "validation": None, "test": 10})
    table = prediction_table(ids["test"], labels_of(items["test"], task), predict(model, items["test"], "test"), task)
    expected = read_table(f"{folder}/predictions.parquet")
    assert table.column("id").to_pylist() == expected["id"].tolist()
    assert table.column("label").to_pylist() == expected["label"].tolist()
    assert np.allclose(table.column("p_good").to_numpy(), expected["p_good"], atol=1e-5)


def test_a_diverged_run_is_an_error(make_task, encoder_settings):
    inputs = make_task("mood", "regression", "pearson_r", None)
    with pytest.raises(SystemExit, match="loss is not finite"):
        train(inputs, encoder_settings, "run", learning_rate=1e30, max_gradient_norm=1e30, epochs=3)


def test_a_damaged_source_adapter_is_refused(make_task, encoder_settings):
    inputs = make_task("mood", "classification", "f1_macro", ["bad", "good"])
    source = f"{train(inputs, encoder_settings, 'source')}/adapter.safetensors"
    data = bytearray(Path(source).read_bytes())
    data[-1] ^= 1
    Path(source).write_bytes(data)
    with pytest.raises(SystemExit, match=r"adapter.safetensors.*changed"):
        train(inputs | {"adapter": source}, encoder_settings, "transfer")


def test_seeds_differ_by_purpose_and_target_only():
    assert derived_seed("data", "mood", 1) == derived_seed("data", "mood", 1)
    seeds = {
        derived_seed(*key)
        for key in [("data", "mood", 1), ("order", "mood", 1), ("data", "tone", 1), ("data", "mood", 2)]
    }
    assert len(seeds) == 4
    assert max(seeds) < 2**63


def test_batches_hold_every_item_once():
    lengths = np.arange(50) % 7
    batches = training_batches(lengths, 4, torch.Generator().manual_seed(0))
    assert sorted(np.concatenate(batches)) == list(range(50))
    assert max(map(len, batches)) == 4
    assert sorted(np.concatenate(evaluation_batches(lengths, 8))) == list(range(50))
