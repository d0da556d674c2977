"""One training job on a tiny random encoder: what it writes, and what it depends on."""

import json
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
from empathy_transfer.training.train import Run, train_run
from safetensors.torch import load_file

from empathy_transfer.data.batches import derived_seed, evaluation_batches, training_batches
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.tokens import tokenise_task
from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import (
    read_json,
    read_table,
    sha256_file,
    write_json,
    write_table,
)
from fake_jobs import fake_snakemake
from tiny_encoders import OF_A_JOB, SCHEDULE, write_vocabulary_encoder

SETTINGS = SCHEDULE | OF_A_JOB | {"epochs": 2, "dropout": 0.1, "max_test": 10}
WORDS = ["good", "bad", "day", "night", "i", "am"]


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

    def make(name, kind, metric, labels):
        random = np.random.default_rng(1)
        description = {"task": name, "kind": kind, "metric": metric} | (
            {"labels": labels} if labels else {"range": [0, 1]}
        )
        output = {split: f"data/{name}/{split}.parquet" for split in SPLITS}
        output |= {"task_json": f"data/{name}/task.json", "provenance": f"data/{name}/provenance.json"}
        with open_job(fake_snakemake("prepare_task", output)) as job:
            for split, n in zip(SPLITS, (24, 8, 12), strict=True):
                good = random.integers(0, 2, n)
                texts = [" ".join(["i", "am", WORDS[value], "day"][: 2 + row % 3]) for row, value in enumerate(good)]
                # The last label never occurs in validation and test.
                label = {
                    "classification": [labels[value] if labels else None for value in good],
                    "regression": good + 0.25,
                    "multilabel": [[labels[value]] if labels else None for value in good],
                }[kind]
                ids = [f"{split}{row:02d}" for row in range(n)]
                write_table(
                    job.output[split],
                    pandas.DataFrame({"id": ids, "group": ids, "context": "night", "text": texts, "label": label}),
                )
            write_json(job.output["task_json"], description)
        output = {"tokens": f"tokens/{name}/tokens.safetensors", "provenance": f"tokens/{name}/provenance.json"}
        splits = {split: f"data/{name}/{split}.parquet" for split in SPLITS}
        with open_job(fake_snakemake("tokenise_task", output)) as job:
            tokenise_task(splits, f"data/{name}/task.json", encoder_settings, job.output["tokens"])
        return splits | {"task_json": f"data/{name}/task.json", "tokens": output["tokens"]}

    return make


def train(inputs, encoder_settings, folder, run=None, **changes):
    """Run one training job and return its folder."""
    names = ["adapter.safetensors", "head.safetensors", "predictions.parquet", "metrics.json", "epochs.jsonl"]
    output = {name.split(".")[0]: f"{folder}/{name}" for name in names} | {"provenance": f"{folder}/provenance.json"}
    origin = {"code": "0", "inputs": {name: sha256_file(path) for name, path in inputs.items()}}
    with open_job(fake_snakemake("train", output)) as job:
        arguments = run or Run("none", "mood", "full", 1), inputs, job.output, SETTINGS | changes, encoder_settings
        train_run(*arguments, threads=1, origin=origin)
    return folder


def test_a_classification_job_writes_all_of_its_results(make_task, encoder_settings):
    inputs = make_task("mood", "classification", "f1_macro", ["bad", "good", "absent"])
    folder = train(inputs, encoder_settings, "run")
    metrics = read_json(f"{folder}/metrics.json")
    assert metrics.items() >= {"source": "none", "target": "mood", "data": "full", "seed": 1}.items()
    assert metrics.items() >= {"n_train": 24, "n_test": 10, "epochs": 2}.items()
    predictions = read_table(f"{folder}/predictions.parquet")
    assert list(predictions.columns) == ["id", "label", "prediction", "p_bad", "p_good", "p_absent"]
    assert len(predictions) == 10
    assert np.allclose(predictions[["p_bad", "p_good", "p_absent"]].sum(axis=1), 1, atol=1e-5)
    agreement = (predictions["label"] == predictions["prediction"]).mean()
    assert agreement == pytest.approx(metrics["values"]["accuracy"])
    epochs = Path(folder, "epochs.jsonl").read_text(encoding="utf-8").splitlines()
    scores = [json.loads(line)["validation"] for line in epochs]
    assert metrics["validation"] == max(scores)
    assert metrics["best_epoch"] == scores.index(max(scores)) + 1


@pytest.mark.parametrize(
    ("kind", "metric", "labels"), [("regression", "pearson_r", None), ("multilabel", "f1_macro", ["a", "b"])]
)
def test_other_kinds_are_trained_too(make_task, encoder_settings, kind, metric, labels):
    folder = train(make_task("mood", kind, metric, labels), encoder_settings, "run", epochs=1)
    assert set(read_json(f"{folder}/metrics.json")["values"]) >= {metric}
    assert len(read_table(f"{folder}/predictions.parquet")) == 10


def test_equal_seeds_give_the_same_bits_and_others_do_not(make_task, encoder_settings):
    inputs = make_task("mood", "classification", "f1_macro", ["bad", "good"])
    first, again, other = (
        load_file(train(inputs, encoder_settings, folder, Run("none", "mood", "full", seed)) + "/adapter.safetensors")
        for folder, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_transfer_leaves_its_source_adapter_as_it_is(make_task, encoder_settings, engine):
    inputs = make_task("mood", "classification", "f1_macro", ["bad", "good"])
    source = train(inputs, encoder_settings, "source", engine=engine)
    before = Path(source, "adapter.safetensors").read_bytes()
    target = make_task("tone", "regression", "pearson_r", None) | {"adapter": f"{source}/adapter.safetensors"}
    folder = train(target, encoder_settings, "transfer", Run("mood", "tone", "half", 1), engine=engine)
    assert Path(source, "adapter.safetensors").read_bytes() == before
    metrics = read_json(f"{folder}/metrics.json")
    assert (metrics["source"], metrics["n_train"], metrics["n_test"]) == ("mood", 12, 10)
    baseline = read_json(f"{source}/metrics.json")
    assert metrics["trained_parameters"] < baseline["trained_parameters"]  # one output instead of two


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
