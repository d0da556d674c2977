"""Regressions are trained on standardised labels: the unit of a label changes no training, and heads answer in it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch

from empathy_transfer.data.batches import choose_items
from empathy_transfer.frame.job import open_job
from empathy_transfer.kinds import LabelScale, kind_of
from empathy_transfer.metrics import ccc, pearson_r
from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.heads import LinearHead, PooledHead
from empathy_transfer.models.trained_models import load_trained
from empathy_transfer.records.artefacts import read_json, read_table, read_tensors, write_table
from empathy_transfer.records.encoders import find_encoder
from empathy_transfer.records.runs import BASELINE, RelabelledRun, TransferRun
from empathy_transfer.relabel.recipe import relabelled_recipe
from empathy_transfer.relabel.tokens import tokenise_label_set
from empathy_transfer.statistics.values import is_all_but_constant
from empathy_transfer.training.evaluation import labels_of, predict
from empathy_transfer.training.run import Recipe, train_run
from fake_jobs import fake_snakemake
from label_studies import write_set
from tiny_encoders import ADAPTER, OF_A_JOB, SCHEDULE, items_of, write_vocabulary_encoder
from tiny_runs import FILES, WORDS, train_transfer, write_task

# Smallest and greatest label: the same labels in these units.
UNITS = {"0 to 1": (0, 1), "1 to 7": (1, 7), "0 to 100": (0, 100), "-50 to 50": (-50, 50), "0 to 1e-5": (0, 1e-5)}
TASK = {"task": "warmth", "kind": "regression", "metric": "ccc"}
RUN = TransferRun(BASELINE, "warmth", "full", 1)
SETTINGS = SCHEDULE | OF_A_JOB | {"epochs": 4, "batch_size": 16, "dropout": 0.0, "max_test": None}
FULL = {"type": "full"}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny random BERT in a folder."""
    folder = tmp_path_factory.mktemp("encoder")
    write_vocabulary_encoder(folder, WORDS)
    return {"name": str(folder), "revision": None, "max_length": 16}


def texts_in_unit(unit, number, seed):
    """Generated texts of which the share of one word decides about the label, in sixteenths of the unit's range."""
    low, high = UNITS[unit]
    items = items_of([4 + place % 7 for place in range(number)], kind="regression", seed=seed, vocabulary=11)
    words = [items.input_ids[start:end] for start, end in zip(items.offsets[:-1], items.offsets[1:], strict=True)]
    shares = torch.stack([(ids >= 8).float().mean() for ids in words])
    sixteenths = (shares * 16).round()
    return replace(items, labels=(low + sixteenths.double() * (high - low) / 16).float())


def train(unit, encoder, folder, adaptation=ADAPTER, loss="squared_error", **settings):
    """Train on 200 texts with labels in a unit; returns the run's record and its predictions."""
    items = {split: texts_in_unit(unit, n, n) for split, n in {"train": 120, "validation": 30, "test": 50}.items()}
    held_out = {split: ([f"{n}" for n in range(len(part))], part.labels.numpy()) for split, part in items.items()}
    settings = SETTINGS | {"label_scale": "standardised"} | settings
    labels = items["train"].labels.numpy()
    bias = 0.0 if settings["label_scale"] == "standardised" else float(labels.mean())
    more = {"huber": {"delta": 0.5}, "trimmed": {"share": 0.1}}.get(loss, {})
    recipe = Recipe(
        items=items,
        held_out=held_out,
        task=TASK,
        training_labels=labels,
        adaptation=Adaptation(adaptation),
        head=PooledHead(1) if adaptation == ADAPTER else LinearHead(1, bias),
        loss={"name": loss} | more,
        pairing="warmth",
        resumable=False,
        tokens_digest="0" * 64,
    )
    names = FILES if adaptation == ADAPTER else {key: FILES[key] for key in ("predictions", "run", "epochs")}
    output = {name: f"{folder}/{file}" for name, file in names.items()}
    with open_job(fake_snakemake("train", output | {"provenance": f"{folder}/provenance.json"})) as job:
        train_run(RUN, lambda: recipe, job.output, settings, encoder, threads=1, origin={})
    return read_json(output["run"]), read_table(output["predictions"])


def log_of(folder):
    """The log of the job that trained into a folder."""
    return Path(f"logs/{folder}_provenance.json.log").read_text(encoding="utf-8")


CASES = {
    "adapter, fast engine": {"engine": "fast"},
    "adapter, reference engine": {"engine": "reference"},
    "whole encoder, fast engine": {"adaptation": FULL, "engine": "fast", "learning_rate": 1e-3},
    "whole encoder, reference engine": {"adaptation": FULL, "engine": "reference", "learning_rate": 1e-3},
    "adapter, huber loss": {"loss": "huber"},
    "adapter, trimmed loss": {"loss": "trimmed"},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_unit_of_the_labels_changes_no_training(encoder, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    first, expected = train("0 to 1", encoder, "0", **case)
    r = pearson_r.value(expected["label"], expected["prediction"])
    assert r > 0.2
    # All units for the usual recipe; the others need no more than two.
    for unit in list(UNITS)[1:] if case == CASES["adapter, fast engine"] else ["0 to 100", "-50 to 50"]:
        low, high = UNITS[unit]
        record, found = train(unit, encoder, unit, **case)
        assert record["best_epoch"] == first["best_epoch"]
        assert record["validation"] == pytest.approx(first["validation"], abs=1e-4)
        assert pearson_r.value(found["label"], found["prediction"]) == pytest.approx(r, abs=1e-4)
        # Predictions are in the label's unit, each the same place of its range.
        mapped = low + expected["prediction"] * (high - low)
        assert np.abs(found["prediction"] - mapped).max() < 1e-3 * (high - low)


def test_raw_labels_of_a_wide_scale_are_learnt_less_and_the_log_says_so(encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    raw, predictions = train("0 to 100", encoder, "raw", label_scale="raw")
    spread = predictions["prediction"].std() / predictions["label"].std()
    assert spread < 0.01
    assert is_all_but_constant(predictions["label"].to_numpy(), predictions["prediction"].to_numpy())
    assert "WARNING: the answers to the test items are all but constant" in log_of("raw")
    assert raw["label_scale"] is None
    _, learnt = train("0 to 100", encoder, "standardised")
    assert learnt["prediction"].std() / learnt["label"].std() > 0.1
    assert "WARNING" not in log_of("standardised")


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize("data", ["full", "half"])
def test_a_saved_head_answers_in_the_label_s_unit_and_tells_the_scale_of_its_own_training_items(
    encoder, tmp_path, monkeypatch, engine, data
):
    monkeypatch.chdir(tmp_path)
    inputs = write_task(encoder, "warmth", "regression", "pearson_r", None)
    settings = SETTINGS | {"loss": {"name": "squared_error"}, "label_scale": "standardised", "engine": engine}
    paths = train_transfer(TransferRun(BASELINE, "warmth", data, 1), inputs, "run", settings, encoder)
    caps = {"train": None, "validation": None, "test": None}
    items, _ = choose_items(inputs["tokens"], read_json(inputs["task_json"]), data, 1, caps)
    labels = labels_of(items["train"], TASK).astype(float)
    assert len(labels) == {"full": 24, "half": 12}[data]
    expected = {"mean": pytest.approx(labels.mean()), "sd": pytest.approx(labels.std())}
    assert read_json(paths["run"])["label_scale"] == read_tensors(paths["head"])[1]["label_scale"] == expected
    model = load_trained(paths["adapter"], paths["head"], find_encoder(encoder["name"]), settings)
    answers = kind_of(TASK).decode(predict(model, items["test"], "test"), TASK)
    np.testing.assert_allclose(answers, read_table(paths["predictions"])["prediction"], atol=1e-5)


@pytest.fixture
def label_sets(encoder, tmp_path, monkeypatch):
    """A function that writes the sets of the study of labels, with labels times a unit, and returns their paths."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(2)
    parts = {}
    for part, number in {"train": 60, "added": 20, "validation": 20, "test": 30}.items():
        good = random.integers(0, 5, number)
        texts = [
            " ".join(["good"] * count + ["bad"] * (4 - count) + ["day"] * (row % 3)) for row, count in enumerate(good)
        ]
        wrong = np.where(np.arange(number) % 5 == 0, 4 - good, good)  # a fifth of the crowd's labels is turned round
        parts[part] = (texts, wrong if part in ("train", "added") else good, good)

    def write(unit):
        paths = {}
        for part, (texts, crowd, model) in parts.items():
            name = f"{unit}/{part}"
            paths[part] = str(write_set(f"{name}.parquet", texts, label=unit * crowd.astype(float)))
            output = {"tokens": f"{name}.safetensors", "provenance": f"{name}.tokens.provenance.json"}
            with open_job(fake_snakemake("tokenise_label_set", output)) as job:
                tokenise_label_set(paths[part], encoder, job.output["tokens"])
            paths[f"{part}_tokens"] = output["tokens"]
            paths[f"{part}_labels"] = f"{name}.labels.parquet"
            output = {"labels": paths[f"{part}_labels"], "provenance": f"{name}.labels.provenance.json"}
            with open_job(fake_snakemake("parse_labels", output)) as job:
                labels = {"id": [f"t{place}" for place in range(len(texts))], "label": unit * model.astype(float)}
                write_table(job.output["labels"], pandas.DataFrame(labels | {"valid": True}))
        return paths

    return write


def train_relabelled(inputs, setting, encoder, folder, **settings):
    """Train a whole encoder on a model's labels; returns the record, the training set and the predictions."""
    settings = SETTINGS | {"max_train": None, "max_added": None, "label_scale": "standardised"} | settings
    run = RelabelledRun("tiny", "gpt", setting, 1)
    output = {name: f"{folder}/{FILES[name]}" for name in ("predictions", "run", "epochs")}
    output |= {"training_set": f"{folder}/training_set.parquet", "provenance": f"{folder}/provenance.json"}
    with open_job(fake_snakemake("train_relabelled", output)) as job:
        train_run(
            run,
            lambda: relabelled_recipe(run, inputs, settings, job.output["training_set"]),
            job.output,
            settings,
            encoder,
            threads=1,
            origin={},
        )
    return read_json(output["run"]), read_table(output["training_set"]), read_table(output["predictions"])


def test_the_study_of_labels_standardises_by_the_labels_that_it_trains_on(encoder, label_sets):
    results = {}
    for unit in (1, 25):
        inputs, setting = label_sets(unit), f"alpha={unit * 1.5:g}"
        record, training, results[unit] = train_relabelled(inputs, setting, encoder, f"run{unit}", learning_rate=1e-3)
        labels = training["label"]
        assert (labels != training["crowd"]).sum() == record["n_concerned"] > 0
        assert record["label_scale"] == {"mean": pytest.approx(labels.mean()), "sd": pytest.approx(labels.std(ddof=0))}
    assert np.abs(results[25]["prediction"] - 25 * results[1]["prediction"]).max() < 0.01
    raw, *_ = train_relabelled(inputs, setting, encoder, "raw", label_scale="raw")
    assert raw["label_scale"] is None


def test_equal_training_labels_are_the_answer_of_their_run(encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(UNITS, "equal", (0.1, 0.1))
    record, predictions = train("equal", encoder, "equal")
    assert record["label_scale"] == {"mean": pytest.approx(0.1), "sd": 1}
    assert np.abs(predictions["prediction"] - 0.1).max() < 1
    assert pearson_r.value(predictions["label"], predictions["prediction"]) == 0


# Parts ---------------------------------------------------------------------------------------------------------------


def test_a_scale_by_hand():
    regression = kind_of("regression")
    # Mean 3, deviations -2, -2, 0 and 4: the mean of their squares is 6.
    scale = regression.label_scale([1, 1, 3, 7], "standardised")
    assert (scale.mean, scale.sd) == (3, pytest.approx(6**0.5))
    assert scale.standardised(np.array([3.0, 3 + 2 * scale.sd])) == pytest.approx([0, 2])
    assert scale.mapped_back(np.array([0.0, -1.0])) == pytest.approx([3, 3 - 6**0.5])
    # Their deviations from the mean are rounding, of which no unit can be made.
    assert regression.label_scale([0.1] * 3, "standardised").sd == 1
    assert regression.label_scale([1, 7], "raw") is None
    with pytest.raises(ValueError, match="label scale 'z' is none of standardised, raw"):
        regression.label_scale([1, 7], "z")
    with pytest.raises(ValueError, match="1 of 2 values are not finite"):
        regression.label_scale([1, np.nan], "standardised")
    assert kind_of("classification").label_scale(["a"], None) is None
    assert kind_of("multilabel").label_scale([["a"]], None) is None


@pytest.mark.parametrize("head", [PooledHead(1), LinearHead(1, 0.3)])
def test_a_head_that_is_mapped_back_answers_in_the_label_s_unit(head):
    tensors, vectors = head.draw(8, torch.Generator().manual_seed(1)), torch.linspace(-3, 3, 40).reshape(5, 8)
    before = head.apply(vectors, tensors, lambda values: values)
    mapped = head.mapped_back(tensors, LabelScale(-20.0, 30.0))
    torch.testing.assert_close(head.apply(vectors, mapped, lambda values: values), before * 30 - 20)
    torch.testing.assert_close(head.apply(vectors, tensors, lambda values: values), before)


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1.0, 1e6])
def test_predictions_that_spread_by_less_than_a_hundredth_of_the_labels_have_collapsed_in_any_unit(unit):
    labels = np.array([-1.0, 1, -1, 1]) * unit
    for share, collapsed in ((0.0099, True), (0.0101, False), (0.0, True)):
        for mean in (0, 3 * unit):
            assert is_all_but_constant(labels + 5 * unit, share * labels + mean) is collapsed
    assert not is_all_but_constant(np.full(4, unit), labels)


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1.0, 1e6])
def test_scores_do_not_depend_on_the_unit(unit):
    labels, predictions = np.array([1.0, 2, 6]), np.array([1.0, 3, 5])
    # Deviations (-2, -1, 3) and (-2, 0, 2).
    assert pearson_r.value(labels * unit, predictions * unit) == pytest.approx(10 / 112**0.5)
    assert ccc.value(labels * unit, predictions * unit) == pytest.approx(2 * (10 / 3) / (14 / 3 + 8 / 3))
    rounding = np.array([4.0, 4 + 1e-7, 4]) * unit
    assert pearson_r.value(labels * unit, rounding) == ccc.value(labels * unit, rounding) == 0
    resampled = pearson_r.resampled(labels * unit, predictions * unit, 1, 5)
    assert resampled == pytest.approx(pearson_r.resampled(labels, predictions, 1, 5))
