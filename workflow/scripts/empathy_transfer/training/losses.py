"""Losses of a regression, some of which bear with noisy labels: torch only."""

import torch

LOSSES = ("squared_error", "huber", "trimmed")


def regression_loss(predictions, labels, loss):
    """Return the mean loss of a batch.

    Args:
        predictions, labels: vectors of one length, in units of the label.
        loss: its `name` and settings. `squared_error`; `huber`, which is squared error up to a distance of `delta` and
            grows linearly beyond it (Huber 1964); or `trimmed`, squared error without the `share` of the batch's items
            that have the largest (least trimmed squares, Rousseeuw 1984, by batch; a fraction of an item counts in
            part, so that the share holds for small batches too).

    Raises:
        ValueError: the name is unknown.
    """
    if loss["name"] == "squared_error":
        return torch.nn.functional.mse_loss(predictions, labels)
    if loss["name"] == "huber":
        return torch.nn.functional.huber_loss(predictions, labels, delta=loss["delta"])
    if loss["name"] != "trimmed":
        raise ValueError(f"unknown loss {loss['name']!r}: expected one of {', '.join(LOSSES)}")
    errors = torch.sort((predictions - labels) ** 2).values
    kept = len(errors) * (1 - loss["share"])
    weights = (kept - torch.arange(len(errors), device=errors.device)).clamp(0, 1)
    return (errors * weights).sum() / max(kept, 1.0)
