"""Gradients per example, from which the Fisher task embedding is made (section 6 of the study).

A batch needs one pass: with respect to its own activations, an item's gradient of the summed log-likelihood is the
gradient of its own log-likelihood, since no item's activations enter another's output.
"""

import torch

from empathy_transfer.kinds import kind_of


def squared_gradients(engine, batch, kind, variance=1.0):
    """Return squared gradients of each item's log-likelihood, averaged over the item's tokens.

    They are taken with respect to what attention and feed-forward block of each layer add to the stream, so that models
    of different tasks can be compared: bottleneck units of independent adapters do not correspond. Labels are the
    data's (empirical Fisher information); the engine should be in evaluation mode.

    Args:
        engine: a model of the packed engine. batch: a `batches.Batch`.
        kind: `classification`, `regression` (Gaussian) or `multilabel`.
        variance: of the residuals, for regression.

    Returns:
        Tensor: (2 x layers, items, hidden size), float32; attention before feed-forward block, layer by layer.
    """
    record = []
    with torch.enable_grad():
        likelihood = kind_of(kind).log_likelihood(engine.logits(batch, record), batch.labels, variance).sum()
        gradients = torch.autograd.grad(likelihood, record)
    return torch.stack([_mean_square(gradient.float(), batch.lengths) for gradient in gradients])


def _mean_square(gradient, lengths):
    """Mean over each item's tokens of squares (items x hidden size).

    In the last layer only first tokens are computed, one row per item: the other tokens have no part in the output, so
    their gradients are zero, and they count in the mean.
    """
    if len(gradient) == len(lengths) and sum(lengths) != len(lengths):
        sums = gradient**2
    else:
        sums = torch.stack([(rows**2).sum(0) for rows in gradient[: sum(lengths)].split(lengths)])
    return sums / torch.tensor(lengths, device=sums.device)[:, None]
