"""Trainings of the similarity study on tiny models, as jobs make them, below the working folder."""

import pytest

from empathy_transfer.frame.job import open_job
from empathy_transfer.similarity.contrastive import train_contrastive
from empathy_transfer.similarity.fine_tuning import fine_tune
from empathy_transfer.similarity.runs import SimilarityRun
from fake_jobs import fake_snakemake
from similar_pairs import TOPICS, story_pairs, write_pairs
from tiny_causal import write_tiny_causal
from tiny_encoders import write_vocabulary_encoder

SETTINGS = {"cosent": {"scale": 20}, "angle": {"scale": 20}, "multiple_negatives": {"scale": 20}}
SETTINGS |= {name: {"margin": 0.8} for name in ("contrastive", "online_contrastive")} | {"triplet": {"margin": 1}}
CONTRASTIVE_TRAINING = {"epochs": 2, "batch_size": 8, "learning_rate": 5e-3, "weight_decay": 0.0, "warmup_share": 0.3}
CONTRASTIVE_TRAINING |= {"dropout": 0.0, "precision": "fp32"}
MODEL = {"name": "model", "revision": None, "gguf_file": None}
LORA = {"r": 4, "alpha": 8, "dropout": 0.0}
TUNING = {"epochs": 1, "batch_size": 4, "accumulation": 2, "learning_rate": 1e-3, "max_length": 400}
TUNING |= {"max_explanation": 12, "precision": "fp32"}
PLAIN = {"explanation": False, "loss_on": "answer", "reversed": True}


def write_study(folder):
    """Write a tiny encoder, a tiny language model and the tables of a fold into a folder; returns the folder."""
    (folder / "encoder").mkdir()
    write_vocabulary_encoder(folder / "encoder", [*TOPICS, "one", "two"])
    write_tiny_causal(folder / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        sizes = {"train": (24, 0), "validation": (4, 24), "test": (8, 28)}
        tables = {name: story_pairs(n, start=at) for name, (n, at) in sizes.items()}
        write_pairs("fold1", "stories_empathy", tables)
        tables["train"][["id"]].assign(explanation="They are alike.").to_csv("explanations.csv", index=False)
    return folder


def train_model(loss, folder, **changes):
    """Train a run in the working folder; returns the paths of its files."""
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
            CONTRASTIVE_TRAINING | changes,
            "range",
        )
    return output


def tune_model(folder, variant=PLAIN, **changes):
    """Train a run in the working folder; returns the paths of its files."""
    run = SimilarityRun("fine_tuned", "tiny", "full", "empathy", "fold1", 1)
    names = {"run": "run.json", "predictions": "predictions.parquet", "validation": "validation.parquet"}
    names |= {"adapter": "adapter.safetensors", "provenance": "provenance.json"}
    output = {name: f"{folder}/{file}" for name, file in names.items()}
    inputs = {split: f"pairs/fold1/stories_empathy/{split}.parquet" for split in ("train", "validation", "test")}
    if variant["explanation"]:
        inputs["explanations"] = "explanations.csv"
    with open_job(fake_snakemake("fine_tune", output, inputs=inputs)) as job:
        fine_tune(run, job.input, job.output, MODEL, variant, LORA, TUNING | changes)
    return output
