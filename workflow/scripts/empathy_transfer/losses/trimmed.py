"""Squared error without the items of a batch that have the largest (least trimmed squares, Rousseeuw 1984)."""

import torch

KINDS = ("regression",)


def loss(outputs, labels, share):
    """Mean loss of outputs (items, 1) and values (items), without the `share` of the items with the largest errors.

    A fraction of an item counts in part, so that the share holds for small batches, too.
    """
    errors = torch.sort((outputs[:, 0] - labels) ** 2).values
    kept = len(errors) * (1 - share)
    weights = (kept - torch.arange(len(errors), device=errors.device)).clamp(0, 1)
    return (errors * weights).sum() / max(kept, 1.0)
