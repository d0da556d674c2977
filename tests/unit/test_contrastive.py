"""The contrastive family on a tiny encoder: examples, training by the library's trainer, files, and reading back."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import read_json, read_table
from empathy_transfer.similarity.contrastive_losses import CONTRASTIVE_LOSSES, triplets
from similar_pairs import TOPICS
from similar_runs import train_model, write_study
from tiny_encoders import write_vocabulary_encoder


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


def test_examples_of_each_loss():
    pairs = pd.DataFrame({"first": list("aab"), "second": list("bcd"), "label": [3.0, 1.0, 4.0]})
    made = {
        name: examples(pairs, "range", np.random.default_rng(0)) for name, (examples, _) in CONTRASTIVE_LOSSES.items()
    }
    assert made["cosine_mse"]["score"] == pytest.approx([2 / 3, 0, 1])
    assert made["softmax"]["label"] == [1, 0, 1]
    assert made["multiple_negatives"] == {"first": ["a", "b"], "second": ["b", "d"]}
    # `a` has a dissimilar text of its own; `b` is similar to a, so c alone is left for it.
    assert made["triplet"] == {"first": ["a", "b"], "second": ["b", "d"], "negative": ["c", "c"]}
    with pytest.raises(DataError, match=r"rated 2\.5 or below"):
        triplets(pairs[pairs["label"] > 2.5], "range", np.random.default_rng(0))


@pytest.mark.parametrize("loss", CONTRASTIVE_LOSSES)
def test_each_loss_trains_and_leaves_no_file_but_its_own(loss, study, monkeypatch):
    monkeypatch.chdir(study)
    output = train_model(loss, f"runs/{loss}")
    record, predictions = read_json(output["run"]), read_table(output["predictions"])
    assert record["loss"]["name"] == loss
    assert record["steps"] == 2 * -(-record["examples"] // 8)
    assert predictions.columns.tolist() == ["id", "label", "prediction"]
    assert predictions["prediction"].between(1, 4).all()
    assert predictions["prediction"].nunique() > 1
    files = {path.name for path in Path(f"runs/{loss}").rglob("*") if path.suffix != ".lock"}
    assert files == {"run.json", "predictions.parquet", "validation.parquet", "model.safetensors", "provenance.json"}


def test_training_lowers_the_error_that_it_trains_on(study, monkeypatch):
    monkeypatch.chdir(study)
    errors = []
    for epochs in (1, 30):
        output = train_model("cosine_mse", f"runs/epochs{epochs}", epochs=epochs)
        frame = read_table(output["predictions"])
        errors.append(((frame["prediction"] - frame["label"]) ** 2).mean())
    assert errors[1] < 0.7 * errors[0]


def test_the_same_seed_gives_the_same_answers(study, monkeypatch):
    monkeypatch.chdir(study)
    first, again = train_model("softmax", "runs/first"), train_model("softmax", "runs/again")
    assert Path(first["predictions"]).read_bytes() == Path(again["predictions"]).read_bytes()


def test_a_model_of_another_encoder_is_refused(study, monkeypatch):
    from empathy_transfer.similarity.sentence_models import load_sentence_model

    monkeypatch.chdir(study)
    output = train_model("cosent", "runs/other")
    Path("second").mkdir(exist_ok=True)
    write_vocabulary_encoder(Path("second"), [*TOPICS, "one", "two", "three"])
    with pytest.raises(DataError, match="another encoder"):
        load_sentence_model(output["model"], {"name": "second", "revision": None, "max_length": 16})
    with pytest.raises(DataError, match="Set max_length"):
        load_sentence_model(output["model"], {"name": "encoder", "revision": None, "max_length": 8})
