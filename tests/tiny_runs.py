"""Tasks and runs of the transfer study for tiny encoders, made as jobs make them, but without the workflow engine."""

import numpy as np
import pandas

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.tokens import tokenise_task
from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import write_json, write_table
from empathy_transfer.records.files import sha256_file
from empathy_transfer.training.recipes.transfer import transfer_recipe
from empathy_transfer.training.run import train_run
from fake_jobs import fake_snakemake

FILES = {
    "adapter": "adapter.safetensors",
    "head": "head.safetensors",
    "predictions": "predictions.parquet",
    "run": "run.json",
    "epochs": "epochs.jsonl",
}
WORDS = ["good", "bad", "day", "night", "i", "am"]


def write_task(encoder_settings, name, kind, metric, labels):
    """Let jobs write the splits and tokens of a task, below the working folder; returns the paths by name.

    Most texts tell their label: the first of `labels` for a good day, the second for a bad one, or a number. The other
    `labels` never occur.
    """
    random = np.random.default_rng(1)
    description = {"task": name, "kind": kind, "metric": metric} | ({"labels": labels} if labels else {"range": [0, 1]})
    output = {split: f"data/{name}/{split}.parquet" for split in SPLITS}
    output |= {"task_json": f"data/{name}/task.json", "provenance": f"data/{name}/provenance.json"}
    with open_job(fake_snakemake("prepare_task", output)) as job:
        for split, n in zip(SPLITS, (24, 8, 12), strict=True):
            good = random.integers(0, 2, n)
            texts = [" ".join(["i", "am", WORDS[value], "day"][: 2 + row % 3]) for row, value in enumerate(good)]
            label = {
                "classification": [labels[value] if labels else None for value in good],
                "regression": good + 0.25,
                "multilabel": [[labels[value]] if labels else None for value in good],
            }[kind]
            ids = [f"{split}{row:02d}" for row in range(n)]
            columns = {"id": ids, "group": ids, "context": "night", "text": texts, "label": label}
            write_table(job.output[split], pandas.DataFrame(columns))
        write_json(job.output["task_json"], description)
    tokens = {"tokens": f"tokens/{name}/tokens.safetensors", "provenance": f"tokens/{name}/provenance.json"}
    splits = {split: output[split] for split in SPLITS}
    with open_job(fake_snakemake("tokenise_task", tokens)) as job:
        tokenise_task(splits, output["task_json"], encoder_settings, job.output["tokens"])
    return splits | {"task_json": output["task_json"], "tokens": tokens["tokens"]}


def train_transfer(run, inputs, folder, settings, encoder_settings, files=FILES, hooks=()):
    """Let a job train a `TransferRun` into a folder; returns the paths of its files by name.

    Args:
        run: the key. inputs: paths of `tokens` and `task_json`, and of `adapter` (one or several) for a transfer.
        folder: below the working folder. settings: of the training. encoder_settings: `name`, `revision`, `max_length`.
        files: names of the files by what they hold. hooks: see `loop.fit`.
    """
    output = {name: f"{folder}/{file}" for name, file in files.items()}
    single = {name: path for name, path in inputs.items() if isinstance(path, str)}
    origin = {"code": "0", "inputs": {name: sha256_file(path) for name, path in single.items()}}
    with open_job(fake_snakemake("train", output | {"provenance": f"{folder}/provenance.json"})) as job:
        train_run(
            run,
            lambda: transfer_recipe(run, inputs, settings, origin),
            job.output,
            settings,
            encoder_settings,
            threads=1,
            origin=origin,
            hooks=hooks,
        )
    return output
