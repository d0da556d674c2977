"""The recipe of raters: models of the pairs of a task, by architecture, loss and what is trained.

A cross-encoder reads both texts as one sequence; a bi-encoder reads each for itself, and its head puts them together
(sections 3 and 4 of the study of raters). All runs of a seed see the same items in the same order.
"""

from dataclasses import replace

import torch

from empathy_transfer.data.batches import choose_items
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.kinds import kind_of
from empathy_transfer.losses import head_outputs
from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.heads import CosineHead, PairHead, PooledHead
from empathy_transfer.records.artefacts import read_json
from empathy_transfer.training.evaluation import labels_of
from empathy_transfer.training.run import Recipe

BI, CROSS = "bi", "cross"
SEQUENCES = {BI: 2, CROSS: 1}
# The main scores of the study, whatever a task's own is.
METRICS = {"classification": "f1_weighted", "regression": "pearson_r"}


def rater_recipe(run, inputs, settings, origin):
    """Return the `Recipe` of a run.

    Args:
        run: a `runs.RaterRun`.
        inputs: paths of the pairs' `tokens` (of the architecture) and `task_json`, and, where the rater stands on a
            frozen adapter of the transfer study, of that `adapter`.
        settings: `adaptation`, `loss`, `segments`, and those of training. Without `segments` the encoder is not told
            which token belongs to which text.
        origin: SHA-256 of the `inputs` by name.

    Raises:
        ArtefactError: an input is damaged.
    """
    task = read_json(inputs["task_json"]) | {"task": run.pairs}
    task["metric"] = METRICS[task["kind"]]
    caps = {split: settings[f"max_{split}"] for split in SPLITS}
    chosen, ids = choose_items(inputs["tokens"], task, "full", run.seed, caps)
    digest = origin["inputs"]["tokens"]
    items = {split: replace(part, sequences=SEQUENCES[run.architecture]) for split, part in chosen.items()}
    if not settings["segments"]:
        items = {
            split: replace(part, token_type_ids=torch.zeros_like(part.token_type_ids)) for split, part in items.items()
        }
        digest = f"{digest} without segments"
    source = inputs.get("adapter")
    return Recipe(
        items=items,
        held_out={split: (ids[split], labels_of(items[split], task)) for split in ("validation", "test")},
        task=task,
        training_labels=labels_of(items["train"], task),
        adaptation=Adaptation(settings["adaptation"], (source,) if source else ()),
        head=head_of(run.architecture, task, settings["loss"]),
        loss=settings["loss"],
        pairing=f"{run.scheme} {run.pairs}",
        curves=True,
        about={"layout": run.architecture, "segments": settings["segments"]},
        tokens_digest=digest,
    )


def head_of(architecture, task, loss):
    """The head of a rater.

    A cross-encoder has the usual head of one text. A bi-encoder answers a number by the cosine of both vectors, and a
    class by one layer over both of them.

    Args:
        architecture: `bi` or `cross`. task: `kind` and `labels`. loss: its name and settings.
    """
    outputs = head_outputs(loss, kind_of(task).outputs(task))
    if architecture == CROSS:
        return PooledHead(outputs)
    return CosineHead() if task["kind"] == "regression" else PairHead(outputs)
