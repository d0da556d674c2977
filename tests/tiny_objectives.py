"""What a training without files makes small and is judged by."""

from empathy_transfer.kinds import kind_of
from empathy_transfer.losses import loss_function
from empathy_transfer.training.evaluation import labels_of, score
from empathy_transfer.training.loop import Objective
from tiny_encoders import LOSSES


def objective_for(items, task, loss=None):
    """The objective of a task (`kind`, `metric`, `labels`) on `batches.Items` by split; `loss` in place of its own."""
    labels = labels_of(items["validation"], task)

    def score_of(outputs):
        return score(labels, kind_of(task).decode(outputs, task), task)

    return Objective(loss or loss_function({"name": LOSSES[task["kind"]]}), score_of, task["metric"])
