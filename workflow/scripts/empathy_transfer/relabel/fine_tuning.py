"""Train an encoder on the training set of a setting, and test it: one run of the stage.

Every run of a seed draws the same base texts and starts from the same weights, so that settings are paired; validation
and test labels are always the crowd's. The state of the epoch with the best concordance on validation is tested.
"""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from empathy_transfer.data.batches import Items, derived_seed
from empathy_transfer.data.token_file import unpack_texts
from empathy_transfer.models.full_model import choose_full_engine
from empathy_transfer.models.hardware import choose_device, choose_precision, use_processor
from empathy_transfer.records.artefacts import (
    read_json,
    read_table,
    read_tensors,
    write_json,
    write_json_lines,
    write_table,
)
from empathy_transfer.records.encoders import find_encoder
from empathy_transfer.relabel.augmentation import nested_sample
from empathy_transfer.relabel.suspicion import read_embeddings, suspicious_labels
from empathy_transfer.relabel.training_sets import CROWD, Setting, base_texts, compose
from empathy_transfer.training.evaluation import predict
from empathy_transfer.training.metrics import is_constant, regression_scores
from empathy_transfer.training.train import fit

TASK = {"kind": "regression", "metric": "ccc"}
PURPOSE = "relabel"


class NoCheckpoint:
    """In place of a training's checkpoint: a run takes minutes, and its state is several times the encoder's size."""

    def load(self):
        """Find nothing."""

    def save(self, tensors, record):
        """Keep nothing."""


def train_relabelled(model, setting, seed, inputs, outputs, settings, encoder_settings, threads):
    """Train one run, test it, and write its files.

    Args:
        model: whose labels are used: `crowd` or a model. setting: its name, see `training_sets`. seed: of the study.
        inputs: paths of the label sets `train`, `added`, `validation` and `test`, and of their tokens (`train_tokens`);
            where the setting needs them, of the model's labels of the first two (`train_labels`, `added_labels`), the
            chosen `threshold`, and the `embeddings` of the training texts.
        outputs: paths of `metrics`, `predictions`, `training_set` and `epochs`.
        settings: see `relabel: training` in the config's schema.
        encoder_settings: `key`, `name`, `revision`. threads: CPU threads.

    Raises:
        ArtefactError: an input is damaged. FloatingPointError: the training diverged.
    """
    started = time.monotonic()
    use_processor(threads)
    texts = read_training_set(model, Setting.parse(setting), seed, inputs, settings)
    tested = {part: read_table(inputs[part], columns=["id", "label"]).dropna() for part in ("validation", "test")}
    items = {part: join_items([inputs[f"{part}_tokens"]], frame) for part, frame in tested.items()}
    items["train"] = join_items([inputs["train_tokens"], inputs["added_tokens"]], texts.training)
    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    device = choose_device()
    precision = choose_precision(settings["precision"], device)
    engine = choose_full_engine(settings["engine"], encoder)(
        encoder=encoder,
        dropout=settings["dropout"],
        seed=derived_seed("initialisation", PURPOSE, seed),
        bias=float(texts.training["label"].mean()),
        device=device,
        precision=precision,
    )
    loss = loss_of(setting, texts, settings)
    print(f"{model} {setting}, seed {seed}: {len(texts.training):,} texts, {texts.number:,} labels concerned, {loss}")
    order = derived_seed("order", PURPOSE, seed)
    log, best = fit(engine, items, TASK, settings | {"loss": loss}, order, NoCheckpoint())
    predictions = {part: predict(engine, items[part], part)[:, 0].astype("float64") for part in tested}
    scores = {part: regression_scores(frame["label"], predictions[part]) for part, frame in tested.items()}
    record = {
        "encoder": encoder_settings["key"], "model": model, "setting": setting, "seed": seed,
        "threshold": texts.threshold, "values": scores["test"], "validation": scores["validation"],
        "n_base": texts.n_base, "n_concerned": texts.number, "n_train": len(texts.training),
        "n_validation": len(tested["validation"]), "n_test": len(tested["test"]), "loss": loss,
        "constant_prediction": bool(is_constant(predictions["test"])), "best_epoch": best + 1, "epochs": len(log),
        "seconds": round(time.monotonic() - started, 3), "engine": engine.name, "precision": precision,
        "device": device, "encoder_name": encoder.name,
    }  # fmt: skip
    write_table(outputs["predictions"], tested["test"].assign(prediction=predictions["test"]))
    write_table(outputs["training_set"], texts.training)
    write_json_lines(outputs["epochs"], log)
    write_json(outputs["metrics"], record)
    print(", ".join(f"test {name} {value:.3f}" for name, value in scores["test"].items()))


@dataclass(frozen=True)
class TrainingTexts:
    """What a run trains on: the composed set, base texts, labels concerned, and the threshold they were chosen with."""

    training: pd.DataFrame
    n_base: int
    number: int
    threshold: float | None


def read_training_set(model, setting, seed, inputs, settings):
    """Read the sets and labels that a run trains on and compose its training set; arguments as above."""
    threshold = read_json(inputs["threshold"])["threshold"] if "threshold" in inputs else None
    base = base_texts(labelled(inputs, "train", model), settings["max_train"], seed)
    pool = labelled(inputs, "added", model)
    pool = pool.assign(label=pool[CROWD if model == CROWD else "llm"], origin=CROWD if model == CROWD else "llm")
    # The cap holds for the texts that the study has; which of them are labelled must not change who is drawn.
    pool = pool[nested_sample(pool["id"], settings["max_added"] or len(pool), "added", seed)]
    suspicion = (
        suspicious_labels(base, *read_embeddings(inputs["embeddings"]), seed) if "embeddings" in inputs else None
    )
    training, number = compose(setting, base, pool, seed, threshold, suspicion)
    return TrainingTexts(training, len(base), number, threshold)


def labelled(inputs, part, model):
    """A label set as a frame: id, set (`train` or `added`), crowd, and llm, which is missing for the model `crowd`."""
    frame = read_table(inputs[part], columns=["id", "label"]).rename(columns={"label": CROWD})
    frame = frame.assign(set=part, llm=np.nan)
    if model != CROWD:
        labels = read_table(inputs[f"{part}_labels"], columns=["id", "label", "valid"])
        frame["llm"] = labels[labels["valid"]].set_index("id")["label"].reindex(frame["id"]).to_numpy()
    return frame


def loss_of(setting, texts, settings):
    """The loss of a setting, see `losses`; `trimmed` leaves out the share that the correction would replace."""
    if setting == "huber":
        return {"name": "huber", "delta": settings["huber_delta"]}
    if setting == "trimmed":
        return {"name": "trimmed", "share": texts.number / texts.n_base}
    return {"name": "squared_error"}


def join_items(paths, frame):
    """The texts of a frame (id, label) as `batches.Items`, from the tokens files of label sets.

    Raises:
        ArtefactError: a file is damaged. KeyError: a text has no tokens.
    """
    parts = [read_tensors(path)[0] for path in paths]
    places, first = {}, 0
    for part in parts:
        names = unpack_texts(part, "ids")
        places |= {name: first + place for place, name in enumerate(names)}
        first += len(names)
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), *(part["offsets"].diff() for part in parts)]).cumsum(0)
    labels = torch.zeros(first)
    rows = np.array([places[name] for name in frame["id"]])
    labels[rows] = torch.tensor(frame["label"].to_numpy(dtype="float32"))
    flat = [torch.cat([part[name] for part in parts]) for name in ("input_ids", "token_type_ids")]
    return Items(*flat, starts, labels, rows)
