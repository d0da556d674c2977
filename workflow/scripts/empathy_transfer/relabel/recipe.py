"""The recipe of the study of labels: a whole encoder on the training set of a setting.

Every run of a seed draws the same base texts and starts from the same weights, so that settings are paired; validation
and test labels are always the crowd's. The state of the epoch with the best concordance on validation is tested.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from empathy_transfer.data.batches import Items
from empathy_transfer.data.lost_rows import lost_line
from empathy_transfer.data.token_file import unpack_texts
from empathy_transfer.errors import DataError
from empathy_transfer.kinds import kind_of
from empathy_transfer.labelling.valid_labels import valid_labels
from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.heads import LinearHead
from empathy_transfer.records.artefacts import read_json, read_table, read_tensors, write_table
from empathy_transfer.relabel.augmentation import nested_sample
from empathy_transfer.relabel.suspicion import read_embeddings, suspicious_labels
from empathy_transfer.relabel.training_sets import CROWD, Setting, base_texts, compose_training_set
from empathy_transfer.training.run import Recipe

TASK = {"kind": "regression", "metric": "ccc"}
PAIRING = "relabel"


def relabelled_recipe(run, inputs, settings, training_set_path):
    """Return the `Recipe` of a run, and write its training set.

    Args:
        run: a `runs.RelabelledRun`; its `model` is whose labels are used, `crowd` or a model.
        inputs: paths of the label sets `train`, `added`, `validation` and `test`, and of their tokens (`train_tokens`);
            where the setting needs them, of the model's labels of the first two (`train_labels`, `added_labels`), the
            chosen `threshold`, and the `embeddings` of the training texts.
        settings: see `relabel: training` in the config's schema. training_set_path: Parquet file to write.

    Raises:
        ArtefactError: an input is damaged. DataError: too few texts have labels.
    """
    texts = read_training_set(run.model, Setting.parse(run.setting), run.seed, inputs, settings)
    tested = {part: held_out_texts(inputs[part], part) for part in ("validation", "test")}
    items = {part: join_items([inputs[f"{part}_tokens"]], frame) for part, frame in tested.items()}
    items["train"] = join_items([inputs["train_tokens"], inputs["added_tokens"]], texts.training)
    write_table(training_set_path, texts.training)
    labels = texts.training["label"]
    standardised = kind_of(TASK).label_scale(labels, settings["label_scale"]) is not None
    return Recipe(
        items=items,
        held_out={part: (frame["id"].tolist(), frame["label"].to_numpy()) for part, frame in tested.items()},
        task=TASK,
        training_labels=labels,
        adaptation=Adaptation({"type": "full"}),
        head=LinearHead(1, 0.0 if standardised else float(labels.mean())),
        loss=loss_of(run.setting, texts, settings),
        pairing=PAIRING,
        facts={"threshold": texts.threshold, "n_base": texts.n_base, "n_concerned": texts.number},
        resumable=False,
    )


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
    training, number = compose_training_set(setting, base, pool, seed, threshold, suspicion)
    return TrainingTexts(training, len(base), number, threshold)


def held_out_texts(path, part):
    """The texts of a held-out set that have a crowd label: a frame with id and label; DataError if there are none."""
    frame = read_table(path, columns=["id", "label"])
    kept = frame.dropna(subset=["label"])
    print(lost_line(path, len(frame) - len(kept), len(frame), "texts have no crowd label and are left out"))
    if kept.empty:
        raise DataError(
            f"{path}: no text has a crowd label, which relabel: roles: {part} needs. Name another set there."
        )
    return kept


def labelled(inputs, part, model):
    """A label set as a frame: id, set (`train` or `added`), crowd, and llm, which is missing for the model `crowd`."""
    frame = read_table(inputs[part], columns=["id", "label"]).rename(columns={"label": CROWD})
    frame = frame.assign(set=part, llm=np.nan)
    if model != CROWD:
        frame["llm"] = valid_labels(inputs[f"{part}_labels"], frame["id"])
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
