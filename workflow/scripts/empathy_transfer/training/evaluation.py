"""From an engine to predictions and scores: numpy, torch and pyarrow only, so that a training job starts fast."""

import numpy as np
import torch

from empathy_transfer.data.batches import batch_of, evaluation_batches, label_values
from empathy_transfer.training.metrics import classification_scores, floor_score, multilabel_scores, regression_scores

EVALUATION_BATCH = 32


def predict(engine, items, split):
    """Return the outputs (items x outputs, float32 array) for all items of a split, in their order."""
    engine.train(False)
    batches = evaluation_batches(items.lengths, EVALUATION_BATCH)
    with torch.inference_mode():
        outputs = [
            engine.logits(batch_of(items, split, items.rows[positions]).to(engine.device)) for positions in batches
        ]
    result = torch.cat(outputs).cpu().numpy()
    order = np.concatenate(batches)
    return result[np.argsort(order)]


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


def prediction_table(ids, items, predictions, outputs, task):
    """Return the table of test predictions (pyarrow): id, label, prediction, and a probability per label."""
    import pyarrow

    labels = label_values(items.labels[items.rows], task)
    if task["kind"] == "multilabel":
        names = np.array(task["labels"], dtype=object)
        predictions = [list(names[row == 1]) for row in predictions]
    columns = {"id": ids, "label": labels, "prediction": predictions}
    if task["kind"] != "regression":
        logits = torch.from_numpy(outputs)
        probabilities = logits.softmax(1) if task["kind"] == "classification" else logits.sigmoid()
        columns |= {f"p_{label}": probabilities[:, column].numpy() for column, label in enumerate(task["labels"])}
    return pyarrow.table(columns)
