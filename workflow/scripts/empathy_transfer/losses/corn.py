"""Conditional ordinal regression (CORN, Shi, Cao and Raschka 2023), for classes that are ordered levels.

A head has an output for each step from a level to the next: the log odds that an item goes beyond it, given that it has
come as far. Probabilities of the steps multiply, so that those of higher levels never contradict those of lower ones.
"""

import torch
from torch.nn import functional

KINDS = ("classification",)


def outputs(classes):
    """The number of outputs of a head for this number of classes."""
    return classes - 1


def loss(outputs, labels):
    """Mean over steps and the items that have come as far, of their binary cross-entropy.

    Args:
        outputs: log odds of the steps (items, classes - 1). labels: levels (items), from 0.
    """
    steps = torch.arange(outputs.shape[1], device=outputs.device)
    reached, beyond = labels[:, None] >= steps, labels[:, None] > steps
    found = functional.binary_cross_entropy_with_logits(outputs, beyond.to(outputs.dtype), reduction="none")
    return (found * reached).sum() / reached.sum()


def logits(outputs):
    """Log probabilities of the levels (items, classes) from log odds of the steps (items, classes - 1)."""
    outputs = torch.as_tensor(outputs).double()
    come = functional.pad(functional.logsigmoid(outputs).cumsum(1), (1, 0))
    stay = functional.pad(functional.logsigmoid(-outputs), (0, 1))
    return (come + stay).float()
