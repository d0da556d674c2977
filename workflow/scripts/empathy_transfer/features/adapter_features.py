"""What a trained adapter makes of texts: the [CLS] vectors of the frozen encoder with it, and its head's outputs."""

import numpy
import torch

from empathy_transfer.data.batches import batch_of, evaluation_batches
from empathy_transfer.models.heads import PooledHead
from empathy_transfer.training.evaluation import EVALUATION_BATCH


@torch.inference_mode()
def vectors(model, items, split):
    """Return the vectors that a model's head reads (items x hidden size, float32 array) of all items, in order."""
    batches = evaluation_batches(items.lengths, EVALUATION_BATCH)
    parts = [
        model.encode(batch_of(items, split, items.rows[positions]).to(model.device)).float().cpu()
        for positions in batches
    ]
    return torch.cat(parts).numpy()[numpy.argsort(numpy.concatenate(batches))]


def head_probabilities(vectors, head):
    """Return the class probabilities (items x classes, float64 array) that a head gives for [CLS] vectors."""
    outputs = PooledHead(len(head["4.bias"])).apply(torch.from_numpy(vectors), head, lambda values: values)
    return outputs.double().softmax(1).numpy()
