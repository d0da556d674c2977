"""One run, whatever is trained on what: a model from its recipe, the loop, and the files of the run.

Test scores are no part of a run. They are computed from its predictions, by rules of their own, so that a new metric
trains nothing anew; a run computes the one score that chooses among its epochs.
"""

import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from empathy_transfer.data.batches import derived_seed
from empathy_transfer.kinds import kind_of
from empathy_transfer.losses import kind_outputs, loss_function
from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.adapter_files import save_adapter, save_head
from empathy_transfer.models.compose import compose
from empathy_transfer.models.hardware import choose_device, choose_precision, use_processor
from empathy_transfer.models.kernel_library import kernels_in_use
from empathy_transfer.models.model_files import save_model
from empathy_transfer.records.artefacts import write_json, write_json_lines, write_table
from empathy_transfer.records.encoders import find_encoder
from empathy_transfer.statistics.values import is_all_but_constant
from empathy_transfer.training.checkpoints import Checkpoint, NoCheckpoint
from empathy_transfer.training.evaluation import predict, prediction_table, score
from empathy_transfer.training.loop import Objective, fit


@dataclass(frozen=True)
class Recipe:
    """What a run trains on what.

    `items` are `batches.Items` by split, `held_out` (ids, labels) of those of validation and test, labels as files hold
    them. `task` is the task's description (`kind`, `metric`, and `labels` where it has any). `pairing` is the word that
    seeds of order and of new parameters are derived from: runs with one word are paired. `training_labels` give the
    best constant answer and the scale that labels are trained on, `loss` is the loss's name and settings, `facts`
    further fields of the run's record. `resumable`: whether the state between epochs is kept. `curves`: whether the
    epoch log has the loss and the answers of the validation items. `about`: plain values that a model's file tells of
    how texts are given to it. `tokens_digest` names the tokens of the items, see
    `first_layer`.
    """

    items: dict
    held_out: dict
    task: dict
    training_labels: object
    adaptation: Adaptation
    head: object
    loss: dict
    pairing: str
    facts: dict = field(default_factory=dict)
    resumable: bool = True
    curves: bool = False
    about: dict = field(default_factory=dict)
    tokens_digest: str | None = None


def train_run(run, make_recipe, outputs, settings, encoder_settings, threads, origin, hooks=()):
    """Train one run, answer the held-out items, and write its files.

    Args:
        run: its key, see `records.runs`. make_recipe: gives the `Recipe`, with its inputs read.
        outputs: paths of `predictions` (of the test items), `run` (the record) and `epochs`, and, where they are
            wanted, of `adapter`, `head`, `model` (all that was trained, in the unit of the labels that it was trained
            on) and `validation` (predictions of the validation items).
        settings: of the training. encoder_settings: `name`, `revision`, `max_length`.
        threads: CPU threads.
        origin: fingerprint of the `code` and SHA-256 of each of the `inputs` by name: with the settings, what a
            checkpoint belongs to.
        hooks: see `loop.fit`.

    Raises:
        ArtefactError: an input is damaged. FloatingPointError: the training diverged.
    """
    started = time.monotonic()
    use_processor(threads)
    recipe = make_recipe()
    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    device = choose_device()
    precision = choose_precision(settings["precision"], device)
    model = compose(
        settings["engine"],
        encoder,
        recipe.adaptation,
        recipe.head,
        dropout=settings["dropout"],
        seed=derived_seed("initialisation", recipe.pairing, run.seed),
        device=device,
        precision=precision,
    )
    sources = [{key: tensor.clone() for key, tensor in source.items()} for source in model.sources()]
    sizes = ", ".join(f"{len(part):,} {split}" for split, part in recipe.items.items())
    print(f"{run.label}: {sizes} items, {recipe.loss}, {device} {precision}")
    model.keep_first_layer(recipe.items, recipe.tokens_digest)
    identity = {
        "run": run.columns,
        "settings": settings,
        "encoder": encoder.weights_sha256,
        "origin": origin,
        "torch": torch.__version__,
        "engine": model.name,
        "precision": precision,
        "device": device,
        "threads": threads,
        "kernels": kernels_in_use(),
    }
    checkpoint = Checkpoint(Path(outputs["run"]).parent, identity) if recipe.resumable else NoCheckpoint()
    order = derived_seed("order", recipe.pairing, run.seed)

    task, kind = recipe.task, kind_of(recipe.task)
    scale = kind.label_scale(recipe.training_labels, settings.get("label_scale"))
    items, objective = recipe.items | {"train": scaled(recipe.items["train"], scale)}, objective_of(recipe, scale)
    log, best = fit(model, items, objective, settings, order, checkpoint, hooks)

    for before, after in zip(sources, model.sources(), strict=True):
        if any(not torch.equal(tensor, before[key]) for key, tensor in after.items()):
            raise RuntimeError("a frozen source adapter changed in training; its transfer would mean nothing")
    keys = {"task": task.get("task"), "seed": run.seed}
    if "adapter" in outputs:
        save_adapter(outputs["adapter"], model.adapter(), encoder, recipe.adaptation.settings, **keys)
    if "head" in outputs:
        about = {"labels": task.get("labels"), "kind": task["kind"], "label_scale": scale and asdict(scale)}
        head = model.head() if scale is None else recipe.head.mapped_back(model.head(), scale)
        save_head(outputs["head"], head, **about, **keys)
    if "model" in outputs:
        about = {"labels": task.get("labels"), "kind": task["kind"], "loss_settings": recipe.loss}
        about |= recipe.about | run.columns
        complete = settings["keeps_encoder"]
        save_model(outputs["model"], model, encoder, recipe.adaptation, recipe.head, complete, **about)
    for split, name in {"test": "predictions", "validation": "validation"}.items():
        if name in outputs:
            answers = answers_of(predict(model, recipe.items[split], split), recipe.loss, scale)
            table = prediction_table(*recipe.held_out[split], answers, task)
            write_table(outputs[name], table)
            sides = (kind.comparable(table[side].to_pylist(), task.get("labels")) for side in ("label", "prediction"))
            if is_all_but_constant(*sides):
                print(f"WARNING: the answers to the {split} items are all but constant: this run has collapsed")
    write_json_lines(outputs["epochs"], log)
    constant = kind.constant_answer(recipe.training_labels)
    labels = recipe.held_out["validation"][1]
    record = run.columns | {
        "kind": task["kind"],
        "metric": task["metric"],
        "validation": log[best]["validation"],
        "floor_validation": score(labels, [constant] * len(labels), task),
        "constant_answer": constant,
        **{f"n_{split}": len(part) for split, part in recipe.items.items()},
        "best_epoch": best + 1,
        "epochs": len(log),
        # A key may have the loss's name as a column.
        **{"loss_settings" if "loss" in run.columns else "loss": recipe.loss},
        "label_scale": scale and asdict(scale),
        "adaptation": recipe.adaptation.settings,
        "trained_parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seconds": round(time.monotonic() - started, 3),
        "engine": model.name,
        "precision": precision,
        "device": device,
        "encoder_name": encoder.name,
        **({"validation_labels": np.asarray(labels).tolist()} if recipe.curves else {}),
        **recipe.facts,
    }
    write_json(outputs["run"], record)
    checkpoint.remove()
    print(f"best epoch {best + 1} of {len(log)}: validation {task['metric']} {log[best]['validation']:.3f}")


def scaled(items, scale):
    """Training items with labels as the head is to learn them: in standard deviations, or as they are without scale."""
    return items if scale is None else replace(items, labels=scale.standardised(items.labels.double()).float())


def answers_of(outputs, loss, scale):
    """A head's outputs as the kind's, and mapped back from the scale that the labels were trained on, if any."""
    outputs = kind_outputs(loss, outputs)
    return outputs if scale is None else scale.mapped_back(outputs)


def objective_of(recipe, scale=None):
    """What a recipe's training makes small, and the score of its validation items in the label's own unit."""
    labels = recipe.held_out["validation"][1]
    kind, loss = kind_of(recipe.task), loss_function(recipe.loss)

    def score_of(outputs):
        """The task's main score of the validation items."""
        return score(labels, kind.decode(answers_of(outputs, recipe.loss, scale), recipe.task), recipe.task)

    def curves_of(outputs):
        """Loss and answers of the validation items, from which learning curves of any metric can be drawn."""
        items = scaled(recipe.items["validation"], scale)
        lost = loss(torch.from_numpy(outputs), items.labels[items.rows])
        answers = kind.decode(answers_of(outputs, recipe.loss, scale), recipe.task).tolist()
        return {"validation_loss": float(lost), "validation_predictions": answers}

    return Objective(loss, score_of, recipe.task["metric"], curves_of if recipe.curves else None)


def train_job(job, run, make_recipe):
    """Train the run of a `Job` whose params are `training` and `encoder`; arguments as in `train_run`."""
    train_run(
        run=run,
        make_recipe=make_recipe,
        outputs=job.output,
        settings=job.params["training"],
        encoder_settings=job.params["encoder"],
        threads=job.threads,
        origin=job.origin,
    )
