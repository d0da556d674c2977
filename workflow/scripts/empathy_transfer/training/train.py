"""Train one adapter: a baseline, or a transfer on top of a frozen source adapter, and test it.

Reads top to bottom: the job, the loop, the files. Sections 3 and 4 of the study: the encoder and the source adapter are
frozen, the target's settings are used for every run of that target, and the state of the best validation epoch is kept.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from empathy_transfer.data.batches import batch_of, choose_items, derived_seed, training_batches
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.models.adapter_files import save_adapter, save_head
from empathy_transfer.models.engines import choose_engine
from empathy_transfer.models.hardware import choose_device, choose_precision, use_processor
from empathy_transfer.models.kernel_library import kernels_in_use
from empathy_transfer.records.artefacts import read_json, write_json, write_json_lines, write_table
from empathy_transfer.records.encoders import find_encoder
from empathy_transfer.training.checkpoints import Checkpoint
from empathy_transfer.training.evaluation import decode, floor, predict, prediction_table, score
from empathy_transfer.training.losses import regression_loss
from empathy_transfer.training.metrics import bootstrap_standard_error, is_constant
from empathy_transfer.training.optimizer import AdamW

# Below this an epoch is cheaper to repeat than to keep.
CHECKPOINT_SECONDS = 5.0
OPTIMIZER_SETTINGS = ("learning_rate", "weight_decay", "warmup_share", "max_gradient_norm", "beta_2", "epsilon")


@dataclass(frozen=True)
class Run:
    """What is trained: source task (`none` for a baseline), target task, data condition (`full`, `half`) and seed."""

    source: str
    target: str
    data: str
    seed: int


def train_job(job, source, target):
    """Train the run that a `Job` with wildcards `data` and `seed` asks for; the source of a baseline is `none`."""
    train_run(
        run=Run(source, target, job.wildcards["data"], int(job.wildcards["seed"])),
        inputs=job.input,
        outputs=job.output,
        settings=job.params["training"],
        encoder_settings=job.params["encoder"],
        threads=job.threads,
        origin=job.origin,
    )


def train_run(run, inputs, outputs, settings, encoder_settings, threads, origin):
    """Train one run, test it, and write its files.

    Args:
        run: a `Run`.
        inputs: paths of the target's `tokens` and `task_json`, and, for a transfer, of the source's baseline `adapter`.
        outputs: paths of `adapter`, `head`, `predictions`, `metrics` and `epochs`.
        settings: the target's training settings, see `training` in the config's schema.
        encoder_settings: `name`, `revision`, `max_length`.
        threads: CPU threads.
        origin: fingerprint of the `code` and SHA-256 of each of the `inputs` by name: with the settings, what a
            checkpoint belongs to.

    Raises:
        ArtefactError: an input is damaged. FloatingPointError: the training diverged.
    """
    started = time.monotonic()
    use_processor(threads)
    task = read_json(inputs["task_json"])
    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    caps = {split: settings[f"max_{split}"] for split in SPLITS}
    items, ids = choose_items(inputs["tokens"], task, run.data, run.seed, caps)
    device = choose_device()
    precision = choose_precision(settings["precision"], device)
    engine = choose_engine(settings["engine"], encoder)(
        encoder=encoder,
        outputs=len(task.get("labels", [None])),
        reduction_factor=settings["reduction_factor"],
        dropout=settings["dropout"],
        source_adapter=inputs.get("adapter"),
        seed=derived_seed("initialisation", run.target, run.seed),
        device=device,
        precision=precision,
    )
    source_before = {key: tensor.clone() for key, tensor in engine.source().items()}
    print(f"{run}: {', '.join(f'{len(part):,} {split}' for split, part in items.items())} items, {device} {precision}")
    engine.keep_first_layer(items, origin["inputs"]["tokens"])
    identity = {
        "run": asdict(run), "settings": settings, "encoder": encoder.weights_sha256, "origin": origin,
        "torch": torch.__version__, "engine": engine.name, "precision": precision, "device": device, "threads": threads,
        "kernels": kernels_in_use(),
    }  # fmt: skip
    checkpoint = Checkpoint(Path(outputs["metrics"]).parent, identity)

    log, best = fit(engine, items, task, settings, derived_seed("order", run.target, run.seed), checkpoint)

    if any(not torch.equal(tensor, source_before[key]) for key, tensor in engine.source().items()):
        raise RuntimeError("the frozen source adapter changed in training; its transfer would mean nothing")
    outputs_test = predict(engine, items["test"], "test")
    labels, predictions = decode(items["test"], outputs_test, task)
    record = {
        "source": run.source, "target": run.target, "data": run.data, "seed": run.seed,
        "kind": task["kind"], "metric": task["metric"],
        "values": score(labels, predictions, task),
        "validation": log[best]["validation"],
        "floor": floor(items, "test", task), "floor_validation": floor(items, "validation", task),
        "standard_error": bootstrap_standard_error(labels, predictions, task["metric"], seed=0),
        "n_train": len(items["train"]), "n_validation": len(items["validation"]), "n_test": len(items["test"]),
        "constant_prediction": bool(is_constant(predictions)), "best_epoch": best + 1, "epochs": len(log),
        "seconds": round(time.monotonic() - started, 3), "engine": engine.name, "precision": precision,
        "device": device, "encoder": encoder.name,
        "trained_parameters": sum(parameter.numel() for parameter in engine.parameters()),
    }  # fmt: skip
    keys = {"task": run.target, "seed": run.seed}
    save_adapter(outputs["adapter"], engine.adapter(), encoder, settings["reduction_factor"], **keys)
    save_head(outputs["head"], engine.head(), labels=task.get("labels"), kind=task["kind"], **keys)
    write_table(outputs["predictions"], prediction_table(ids, items["test"], predictions, outputs_test, task))
    write_json_lines(outputs["epochs"], log)
    write_json(outputs["metrics"], record)
    checkpoint.remove()
    print(f"test {task['metric']} {record['values'][task['metric']]:.3f} (floor {record['floor']:.3f})")


def fit(engine, items, task, settings, seed, checkpoint):
    """Train for the set number of epochs and restore the best one by validation score; returns (epoch log, best).

    AdamW with a linear warm-up and decay, and gradients clipped to a norm. Order and dropout of an epoch depend on the
    seed and the epoch's number alone, so that a training goes on from a checkpoint as if nothing had happened. On equal
    scores the earlier epoch is kept; after `patience` epochs without a better one training ends, but not before
    `least_epochs` where that is set. With `tested_epoch: last` the last epoch stays and nothing is restored.
    """
    train, parameters = items["train"], engine.parameters()
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
        loss = train_epoch(engine, optimizer, train, task, settings, epoch_seed(seed, len(log)), len(log) + 1)
        trained = time.monotonic() - started
        validation = predict(engine, items["validation"], "validation")
        value = score(*decode(items["validation"], validation, task), task)[task["metric"]]
        log.append({"epoch": len(log) + 1, "steps": optimizer.done, "learning_rate": rate, "training_loss": loss,
                    "validation": value, "seconds": round(time.monotonic() - started, 3),
                    "tokens_per_second": round(int(train.lengths.sum()) / trained, 1)})  # fmt: skip
        if len(log) == 1 or value > log[best]["validation"]:
            best, kept = len(log) - 1, [tensor.detach().clone() for tensor in parameters]
        left = (settings["epochs"] - len(log)) * (time.monotonic() - started)
        print(f"epoch {len(log)}/{settings['epochs']}: loss {loss:.4f}, validation {task['metric']} {value:.4f}, "
              f"{len(train) / trained:.1f} items/s, at most {left:.0f} s left", flush=True)  # fmt: skip
        if time.monotonic() - saved > CHECKPOINT_SECONDS and len(log) < settings["epochs"]:
            checkpoint.save(state(parameters, optimizer, kept), {"log": log, "best": best})
            saved = time.monotonic()
    if settings.get("tested_epoch") == "last":
        return log, len(log) - 1
    with torch.no_grad():
        for tensor, value in zip(parameters, kept, strict=True):
            tensor.copy_(value)
    return log, best


def is_exhausted(epochs, best, settings):
    """Whether training ends early after this many epochs, of which `best` (from 0) has the best validation score."""
    waited = settings["patience"] is not None and epochs - best - 1 >= settings["patience"]
    return waited and epochs >= settings.get("least_epochs", 1)


def train_epoch(engine, optimizer, train, task, settings, seed, epoch):
    """Train on every item once and return the mean loss per item.

    The loss is looked at after the epoch only: looking at each step would make a GPU wait.

    Raises:
        FloatingPointError: a loss was not finite; the message names its step and the settings.
    """
    engine.train()
    engine.seed(seed)
    batches = training_batches(train.lengths, settings["batch_size"], torch.Generator().manual_seed(seed))
    losses = []
    for positions in batches:
        batch = batch_of(train, "train", train.rows[positions]).to(engine.device)
        loss = task_loss(engine.logits(batch), batch.labels, task["kind"], settings.get("loss"))
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


def task_loss(logits, labels, kind, loss=None):
    """Return the mean loss of a batch: cross-entropy, squared error, or binary cross-entropy, by the task's kind.

    A regression may have another `loss`, see `losses.regression_loss`.
    """
    if kind == "classification":
        return torch.nn.functional.cross_entropy(logits, labels)
    if kind == "regression":
        return regression_loss(logits[:, 0], labels, loss or {"name": "squared_error"})
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
