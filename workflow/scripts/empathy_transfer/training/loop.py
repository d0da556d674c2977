"""The loop that every training goes through, whatever is trained on what.

Sections 3 and 4 of the study: the state of the best validation epoch is kept.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from empathy_transfer.data.batches import batch_of, derived_seed, training_batches
from empathy_transfer.training.evaluation import predict
from empathy_transfer.training.optimizer import AdamW

# Below this an epoch is cheaper to repeat than to keep.
CHECKPOINT_SECONDS = 5.0
OPTIMIZER_SETTINGS = ("learning_rate", "weight_decay", "warmup_share", "max_gradient_norm", "beta_2", "epsilon")


@dataclass(frozen=True)
class Objective:
    """What a training makes small and what it is judged by.

    `loss(outputs, labels)` is the mean loss of a batch, and `score(outputs)` the score of the validation items by
    `metric`, of which more is better. `curves(outputs)`, if any, gives more fields of the epoch log, among them
    `validation_loss`.
    """

    loss: Callable
    score: Callable
    metric: str
    curves: Callable | None = None


def fit(model, items, objective, settings, seed, checkpoint, hooks=()):
    """Train for the set number of epochs and restore the best one by validation score; returns (epoch log, best).

    With `chosen_by: loss` the best epoch is the one of the least validation loss, which the objective's `curves` give.
    AdamW with a linear warm-up and decay, and gradients clipped to a norm. Order and dropout of an epoch depend on the
    seed and the epoch's number alone, so that a training goes on from a checkpoint as if nothing had happened. On equal
    scores the earlier epoch is kept; after `patience` epochs without a better one training ends, but not before
    `least_epochs` where that is set. With `tested_epoch: last` the last epoch stays and nothing is restored.

    Args:
        model: see `models.compose`. items: `batches.Items` of `train` and `validation`. objective: an `Objective`.
        settings: of the training, see its part in the config's schema. seed: of order and dropout.
        checkpoint: a `checkpoints.Checkpoint`.
        hooks: functions that are called with the epoch log after each epoch; where one returns true, training ends.
    """
    train, parameters = items["train"], model.parameters()
    steps = settings["epochs"] * -(-len(train) // settings["batch_size"])
    schedule = {key: settings[key] for key in OPTIMIZER_SETTINGS if key in settings}
    optimizer = AdamW(parameters, steps=steps, **schedule)
    log, best, kept = [], 0, parameters
    if found := checkpoint.load():
        log, best, kept = restore(*found, parameters, optimizer)
        print(f"going on after epoch {len(log)} from {checkpoint.path}", flush=True)
    saved = time.monotonic()
    while len(log) < settings["epochs"] and not is_exhausted(len(log), best, settings):
        started, rate = time.monotonic(), optimizer.rate()
        loss = train_epoch(model, optimizer, train, objective.loss, settings, epoch_seed(seed, len(log)), len(log) + 1)
        trained = time.monotonic() - started
        outputs = predict(model, items["validation"], "validation")
        value = objective.score(outputs)
        log.append(
            {
                "epoch": len(log) + 1,
                "steps": optimizer.done,
                "learning_rate": rate,
                "training_loss": loss,
                "validation": value,
                "seconds": round(time.monotonic() - started, 3),
                "tokens_per_second": round(int(train.lengths.sum()) / trained, 1),
                **(objective.curves(outputs) if objective.curves else {}),
            }
        )
        if len(log) == 1 or merit(log[-1], settings) > merit(log[best], settings):
            best, kept = len(log) - 1, [tensor.detach().clone() for tensor in parameters]
        left = (settings["epochs"] - len(log)) * (time.monotonic() - started)
        print(
            f"epoch {len(log)}/{settings['epochs']}: loss {loss:.4f}, validation {objective.metric} {value:.4f}, "
            f"{len(train) / trained:.1f} items/s, at most {left:.0f} s left",
            flush=True,
        )
        # Hooks come first: a training that they end must end there again when it goes on from a checkpoint.
        ended = [hook(log) for hook in hooks]
        if any(ended):
            break
        if time.monotonic() - saved > CHECKPOINT_SECONDS and len(log) < settings["epochs"]:
            checkpoint.save(state(parameters, optimizer, kept), {"log": log, "best": best})
            saved = time.monotonic()
    if settings.get("tested_epoch") == "last":
        return log, len(log) - 1
    with torch.no_grad():
        for tensor, value in zip(parameters, kept, strict=True):
            tensor.copy_(value)
    return log, best


def merit(row, settings):
    """What epochs are chosen by, from a row of the epoch log: more is better."""
    return -row["validation_loss"] if settings.get("chosen_by") == "loss" else row["validation"]


def is_exhausted(epochs, best, settings):
    """Whether training ends early after this many epochs, of which `best` (from 0) has the best validation score."""
    waited = settings["patience"] is not None and epochs - best - 1 >= settings["patience"]
    return waited and epochs >= settings.get("least_epochs", 1)


def train_epoch(model, optimizer, train, loss_of, settings, seed, epoch):
    """Train on every item once and return the mean loss per item.

    The loss is looked at after the epoch only: looking at each step would make a GPU wait.

    Raises:
        FloatingPointError: a loss was not finite; the message names its step and the settings.
    """
    model.train()
    model.seed(seed)
    batches = training_batches(train.lengths, settings["batch_size"], torch.Generator().manual_seed(seed))
    losses = []
    for positions in batches:
        batch = batch_of(train, "train", train.rows[positions]).to(model.device)
        loss = loss_of(model.logits(batch), batch.labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    losses = torch.stack(losses).double().cpu()
    if not losses.isfinite().all():
        step = int((~losses.isfinite()).nonzero()[0]) + 1
        used = ", ".join(f"{key} {settings[key]}" for key in ("learning_rate", "batch_size", "max_gradient_norm"))
        raise FloatingPointError(
            f"the loss is not finite in step {step} of {len(batches)} of epoch {epoch} ({used}); lower `learning_rate`"
        )
    sizes = torch.tensor([len(positions) for positions in batches], dtype=torch.double)
    return float((losses * sizes).sum() / sizes.sum())


def epoch_seed(seed, epoch):
    """Return the seed of an epoch's order and dropout."""
    return derived_seed("epoch", str(seed), epoch)


def state(parameters, optimizer, kept):
    """Return everything that changes in training, as tensors by name."""
    groups = {"parameter": parameters, "first": optimizer.first, "second": optimizer.second, "kept": kept}
    return {f"{name}.{place}": tensor for name, group in groups.items() for place, tensor in enumerate(group)}


@torch.no_grad()
def restore(tensors, record, parameters, optimizer):
    """Put a checkpoint's tensors back and return (epoch log, best epoch, its parameters)."""
    for name, group in {"parameter": parameters, "first": optimizer.first, "second": optimizer.second}.items():
        for place, tensor in enumerate(group):
            tensor.copy_(tensors[f"{name}.{place}"])
    optimizer.done = record["log"][-1]["steps"]
    kept = [tensors[f"kept.{place}"].to(tensor.device) for place, tensor in enumerate(parameters)]
    return record["log"], record["best"], kept
