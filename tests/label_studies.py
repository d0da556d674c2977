"""What tests of the labels share: sets of invented texts, settings of models, and a call of the asking job."""

from pathlib import Path

import pandas

from empathy_transfer.frame.job import open_job
from empathy_transfer.labelling.asking import ask_model
from empathy_transfer.records.artefacts import write_table
from fake_jobs import fake_snakemake
from study_copy import ROOT

DECODING = {"temperature": 0, "top_p": 0.01, "max_tokens": 200, "seed": 0}
SERVER = {
    "provider": "openai",
    "model": "m-1",
    "key_variable": "TEST_LABEL_KEY",
    "decoding": DECODING,
    "attempts": 2,
    "concurrency": 4,
    "timeout": 60,
    "retries": 4,
    "price": {"input": 1.0, "output": 2.0},
    "max_cost": 5.0,
}


def write_set(path, texts, **columns):
    """Write a set of texts with the ids t0, t1 ... as a job would, so that readers find its provenance."""
    path = Path(path)
    output = {"texts": str(path), "provenance": str(path.with_suffix(".provenance.json"))}
    with open_job(fake_snakemake("prepare_label_set", output, log=str(path.with_suffix(".log")))) as job:
        frame = pandas.DataFrame({"id": [f"t{number}" for number in range(len(texts))], "text": texts} | columns)
        write_table(job.output["texts"], frame)
    return path


def numbered(count):
    """Invented texts, each with its number in it."""
    return [f"This is text number {number} about a lamp in the rain." for number in range(count)]


def ask(folder, settings, set_path, prompt="scale_aware", scale="batson_empathy", **options):
    """Ask about a set; returns the path of the answers. The store lies in the folder."""
    answers = Path(folder) / "answers.parquet"
    arguments = {
        "set_path": set_path,
        "scale_path": ROOT / f"config/scales/{scale}.yaml",
        "prompt_path": ROOT / f"config/prompts/{prompt}.j2",
        "model_name": "mine",
        "settings": settings,
        "set_name": "lamps",
        "remote_allowed": False,
        "store_folder": Path(folder) / "store",
        "answers_path": answers,
    }
    ask_model(**(arguments | options))
    return answers
