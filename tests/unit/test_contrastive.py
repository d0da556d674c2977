"""The contrastive family on a tiny encoder: examples, training by the library's trainer, files, and reading back."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.errors import DataError
from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import read_json, read_table
from empathy_transfer.similarity.contrastive_losses import CONTRASTIVE_LOSSES, triplets
from empathy_transfer.similarity.runs import SimilarityRun
from fake_jobs import fake_snakemake
from similar_pairs import TOPICS, story_pairs, write_pairs
from study_copy import ROOT
from tiny_encoders import write_vocabulary_encoder

SETTINGS = {"cosent": {"scale": 20}, "angle": {"scale": 20}, "multiple_negatives": {"scale": 20}}
SETTINGS |= {name: {"margin": 0.8} for name in ("contrastive", "online_contrastive")} | {"triplet": {"margin": 1}}
TRAINING = {"epochs": 2, "batch_size": 8, "learning_rate": 5e-3, "weight_decay": 0.0, "warmup_share": 0.3}
TRAINING |= {"dropout": 0.0, "precision": "fp32"}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder with a tiny encoder and the tables of a fold."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "encoder").mkdir()
    write_vocabulary_encoder(folder / "encoder", [*TOPICS, "one", "two"])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        sizes = {"train": (24, 0), "validation": (10, 24), "test": (12, 34)}
        write_pairs("fold1", "stories_empathy", {name: story_pairs(n, start=at) for name, (n, at) in sizes.items()})
    return folder


def train(loss, folder, **changes):
    """Train a run in the working folder; returns the paths of its files."""
    from empathy_transfer.similarity.contrastive import train_contrastive

    run = SimilarityRun("contrastive", f"tiny_{loss}", "full", "empathy", "fold1", 1)
    names = {"run": "run.json", "predictions": "predictions.parquet", "validation": "validation.parquet"}
    names |= {"model": "model.safetensors", "provenance": "provenance.json"}
    output = {name: f"{folder}/{file}" for name, file in names.items()}
    inputs = {split: f"pairs/fold1/stories_empathy/{split}.parquet" for split in ("train", "validation", "test")}
    with open_job(fake_snakemake("train_contrastive", output, inputs=inputs)) as job:
        train_contrastive(
            run,
            job.input,
            job.output,
            {"name": "encoder", "revision": None, "max_length": 16},
            {"name": loss} | SETTINGS.get(loss, {}),
            TRAINING | changes,
            "range",
        )
    return output


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
    output = train(loss, f"runs/{loss}")
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
        output = train("cosine_mse", f"runs/epochs{epochs}", epochs=epochs)
        frame = read_table(output["predictions"])
        errors.append(((frame["prediction"] - frame["label"]) ** 2).mean())
    assert errors[1] < 0.7 * errors[0]


def test_the_same_seed_gives_the_same_answers_and_a_new_process_reads_them_back(study, monkeypatch):
    monkeypatch.chdir(study)
    first, again = train("softmax", "runs/first"), train("softmax", "runs/again")
    assert Path(first["predictions"]).read_bytes() == Path(again["predictions"]).read_bytes()
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from empathy_transfer.similarity.sentence_models import load_model, story_cosines\n"
        "from empathy_transfer.similarity.story_pairs import read_pairs, to_rating\n"
        "from empathy_transfer.records.artefacts import read_table\n"
        "model = load_model('runs/first/model.safetensors', {'name': 'encoder', 'revision': None, 'max_length': 16})\n"
        "pairs = read_pairs('pairs/fold1/stories_empathy/test.parquet')\n"
        "known = read_table('runs/first/predictions.parquet')['prediction']\n"
        "assert (to_rating(story_cosines(model, pairs), 'range') == known).all()\n"
    )
    subprocess.run([sys.executable, "-c", code, str(ROOT / "workflow/scripts")], check=True)


def test_a_model_of_another_encoder_is_refused(study, monkeypatch):
    from empathy_transfer.similarity.sentence_models import load_model

    monkeypatch.chdir(study)
    output = train("cosent", "runs/other")
    Path("second").mkdir(exist_ok=True)
    write_vocabulary_encoder(Path("second"), [*TOPICS, "one", "two", "three"])
    with pytest.raises(DataError, match="another encoder"):
        load_model(output["model"], {"name": "second", "revision": None, "max_length": 16})
    with pytest.raises(DataError, match="Set max_length"):
        load_model(output["model"], {"name": "encoder", "revision": None, "max_length": 8})
