"""From a model to predictions and scores: numpy, torch and pyarrow only, so that a training job starts fast."""

import numpy as np
import torch

from empathy_transfer.data.batches import batch_of, evaluation_batches
from empathy_transfer.kinds import kind_of
from empathy_transfer.metrics import metric

EVALUATION_BATCH = 32


def predict(model, items, split):
    """Return the outputs (items x outputs, float32 array) for all items of a split, in their order."""
    model.train(False)
    batches = evaluation_batches(items.lengths, EVALUATION_BATCH)
    with torch.inference_mode():
        outputs = [
            model.logits(batch_of(items, split, items.rows[positions]).to(model.device)) for positions in batches
        ]
    result = torch.cat(outputs).cpu().numpy()
    order = np.concatenate(batches)
    return result[np.argsort(order)]


def labels_of(items, task):
    """Return the labels of items as files hold them: class names, values, or lists of class names."""
    return kind_of(task).values(items.labels[items.rows].numpy(), task)


def score(labels, predictions, task):
    """Return the task's main score of predictions; both are as files hold them."""
    kind, names = kind_of(task), task.get("labels")
    return metric(task["metric"]).value(kind.comparable(labels, names), kind.comparable(predictions, names))


def prediction_table(ids, labels, outputs, task):
    """Return the table of predictions (pyarrow): id, label, prediction, and a probability per label.

    Args:
        ids, labels: of the items. outputs: of the head (items x outputs). task: its kind and labels.
    """
    import pyarrow

    kind = kind_of(task)
    predictions, shares = kind.decode(outputs, task), kind.probabilities(outputs)
    if isinstance(predictions, np.ndarray) and predictions.dtype.kind == "f":
        predictions = predictions.astype(labels.dtype)  # values as exact as the labels that they stand beside
    columns = {"id": ids, "label": labels, "prediction": predictions}
    if shares is not None:
        columns |= {f"p_{label}": shares[:, column] for column, label in enumerate(task["labels"])}
    return pyarrow.table(columns)
