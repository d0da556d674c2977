"""Train one adapter: a baseline, or a transfer on top of a frozen source adapter, and test it.

Reads top to bottom: the job, the loop, the evaluation, the files. Sections 3 and 4 of the study: the encoder and the
source adapter are frozen, the target's settings are used for every run of that target, and the state of the best
validation epoch is kept.
"""

import time
from dataclasses import dataclass

import numpy as np
import pandas
import torch

from empathy_transfer.adapter_files import save_adapter, save_head
from empathy_transfer.artefacts import read_json, write_csv, write_json, write_table
from empathy_transfer.batches import choose_items, derived_seed, evaluation_batches, training_batches
from empathy_transfer.encoders import find_encoder
from empathy_transfer.engines import choose_engine
from empathy_transfer.metrics import (
    bootstrap_standard_error,
    classification_scores,
    floor_score,
    is_constant,
    multilabel_scores,
    regression_scores,
)
from empathy_transfer.optimizer import AdamW
from empathy_transfer.precision import choose_precision
from empathy_transfer.splits import SPLITS

EVALUATION_BATCH = 64


@dataclass(frozen=True)
class Run:
    """What is trained: source task (`none` for a baseline), target task, data condition (`full`, `half`) and seed."""

    source: str
    target: str
    data: str
    seed: int


def train_run(run, inputs, outputs, settings, encoder_settings, threads):
    """Train one run, test it, and write its files.

    Args:
        run: a `Run`.
        inputs: paths of the target's `tokens`, `train`, `validation`, `test` and `task_json`, and, for a transfer, of
            the source's baseline `adapter`.
        outputs: paths of `adapter`, `head`, `predictions`, `metrics` and `epochs`.
        settings: the target's training settings, see `training` in the config's schema.
        encoder_settings: `name`, `revision`, `max_length`.
        threads: CPU threads.

    Raises:
        ArtefactError: an input is damaged. FloatingPointError: the training diverged.
    """
    started = time.monotonic()
    torch.set_num_threads(threads)
    task = read_json(inputs["task_json"])
    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    split_paths = {split: inputs[split] for split in SPLITS}
    caps = {split: settings[f"max_{split}"] for split in SPLITS}
    items, ids = choose_items(inputs["tokens"], split_paths, task, run.data, run.seed, caps)
    device = "cuda" if torch.cuda.is_available() else "cpu"
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

    epochs, best = fit(engine, items, task, settings, derived_seed("order", run.target, run.seed))

    if any(not torch.equal(tensor, source_before[key]) for key, tensor in engine.source().items()):
        raise RuntimeError("the frozen source adapter changed in training; its transfer would mean nothing")
    outputs_test = predict(engine, items["test"])
    labels, predictions = decode(items["test"], outputs_test, task)
    constant = is_constant(predictions)
    record = {
        "source": run.source, "target": run.target, "data": run.data, "seed": run.seed,
        "kind": task["kind"], "metric": task["metric"],
        "values": score(labels, predictions, task),
        "validation": epochs[best]["validation"],
        "floor": floor(items, "test", task), "floor_validation": floor(items, "validation", task),
        "standard_error": bootstrap_standard_error(labels, predictions, task["metric"], seed=0),
        "n_train": len(items["train"]), "n_validation": len(items["validation"]), "n_test": len(items["test"]),
        "constant_prediction": bool(constant), "best_epoch": best + 1, "epochs": len(epochs),
        "seconds": round(time.monotonic() - started, 3), "engine": engine.name, "precision": precision,
        "device": device, "encoder": encoder.name,
        "trained_parameters": sum(parameter.numel() for parameter in engine.trained().values()),
    }  # fmt: skip
    keys = {"task": run.target, "seed": run.seed}
    save_adapter(outputs["adapter"], engine.adapter(), encoder, settings["reduction_factor"], **keys)
    save_head(outputs["head"], engine.head(), labels=task.get("labels"), kind=task["kind"], **keys)
    write_table(outputs["predictions"], prediction_table(ids, labels, predictions, outputs_test, task))
    write_csv(outputs["epochs"], pandas.DataFrame(epochs))
    write_json(outputs["metrics"], record)
    print(f"test {task['metric']} {record['values'][task['metric']]:.3f} (floor {record['floor']:.3f})")


def fit(engine, items, task, settings, seed):
    """Train for the set number of epochs and restore the best one by validation score; returns (epoch log, best).

    AdamW with a linear warm-up and decay, and gradients clipped to a norm. Order and dropout depend on the seed
    alone. On equal scores the earlier epoch is kept.
    """
    train = items["train"]
    parameters = engine.trained()
    steps = settings["epochs"] * -(-len(train) // settings["batch_size"])
    schedule = {key: settings[key] for key in ("learning_rate", "weight_decay", "warmup_share", "max_gradient_norm")}
    optimizer = AdamW(parameters.values(), steps=steps, **schedule)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    log, best, kept = [], None, None
    for epoch in range(settings["epochs"]):
        started, total = time.monotonic(), 0.0
        engine.train()
        for positions in training_batches(train.lengths, settings["batch_size"], generator):
            *inputs, labels = (part.to(engine.device, non_blocking=True) for part in train.batch(positions))
            loss = task_loss(engine.logits(*inputs), labels, task["kind"])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(positions)
        total = float(total) / len(train)
        if not np.isfinite(total):
            raise FloatingPointError(f"the training loss is not finite in epoch {epoch + 1}; lower `learning_rate`")
        validation = score(*decode(items["validation"], predict(engine, items["validation"]), task), task)
        value = validation[task["metric"]]
        log.append({"epoch": epoch + 1, "training_loss": total, "validation": value,
                    "seconds": round(time.monotonic() - started, 3)})  # fmt: skip
        print(f"epoch {epoch + 1}/{settings['epochs']}: loss {total:.4f}, validation {task['metric']} {value:.4f}",
              flush=True)  # fmt: skip
        if best is None or value > log[best]["validation"]:
            best, kept = epoch, {name: tensor.detach().clone() for name, tensor in parameters.items()}
    with torch.no_grad():
        for name, tensor in parameters.items():
            tensor.copy_(kept[name])
    return log, best


def task_loss(logits, labels, kind):
    """Return the mean loss of a batch: cross-entropy, squared error, or binary cross-entropy, by the task's kind."""
    if kind == "classification":
        return torch.nn.functional.cross_entropy(logits, labels)
    if kind == "regression":
        return torch.nn.functional.mse_loss(logits[:, 0], labels)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)


def predict(engine, items):
    """Return the outputs (items x outputs, float32 array) for all items, in their order."""
    engine.train(False)
    result = None
    with torch.inference_mode():
        for positions in evaluation_batches(items.lengths, EVALUATION_BATCH):
            *inputs, _ = (part.to(engine.device, non_blocking=True) for part in items.batch(positions))
            logits = engine.logits(*inputs).cpu().numpy()
            result = np.empty((len(items), logits.shape[1]), dtype="float32") if result is None else result
            result[positions] = logits
    return result


def decode(items, outputs, task):
    """Return (labels, predictions) as arrays: class names, values, or indicators, by the task's kind."""
    labels = items.labels[items.rows].numpy()
    if task["kind"] == "regression":
        return labels, outputs[:, 0]
    if task["kind"] == "multilabel":
        return labels.astype(int), (outputs > 0).astype(int)
    names = np.array(task["labels"], dtype=object)
    return names[labels], names[outputs.argmax(axis=1)]


def score(labels, predictions, task):
    """Return all scores of the predictions, by name (see `metrics`)."""
    if task["kind"] == "classification":
        return classification_scores(labels, predictions, task["labels"])
    return (
        regression_scores(labels, predictions)
        if task["kind"] == "regression"
        else multilabel_scores(labels, predictions)
    )


def floor(items, split, task):
    """Return the score of the best constant answer on a split: the majority class or the mean of the training items."""
    names = np.array(task.get("labels", []), dtype=object)
    given = [items[part].labels[items[part].rows].numpy() for part in ("train", split)]
    train, test = [names[part] for part in given] if task["kind"] == "classification" else given
    return floor_score(task["kind"], train, test, task["metric"])


def prediction_table(ids, labels, predictions, outputs, task):
    """Return the table of test predictions: id, label, prediction, and a probability per label."""
    if task["kind"] == "multilabel":
        names = np.array(task["labels"], dtype=object)
        labels, predictions = ([list(names[row == 1]) for row in part] for part in (labels, predictions))
    table = pandas.DataFrame({"id": ids, "label": labels, "prediction": predictions})
    if task["kind"] == "regression":
        return table
    logits = torch.from_numpy(outputs)
    probabilities = logits.softmax(1) if task["kind"] == "classification" else logits.sigmoid()
    for column, label in enumerate(task["labels"]):
        table[f"p_{label}"] = probabilities[:, column].numpy()
    return table
