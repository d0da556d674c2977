"""Kullback-Leibler divergence from targets that give a part of each label to others.

With hard targets (`smoothing` 0) it is cross-entropy, so that it says something of its own only with soft ones.
"""

import torch
from torch.nn import functional

KINDS = ("classification",)
SPREADS = ("neighbours", "all")


def loss(outputs, labels, smoothing, spread):
    """Mean over items of sum y log(y / p), with probabilities p of the classes and the targets y of `soft_targets`.

    Args:
        outputs: logits (items, classes). labels: class indices (items). smoothing, spread: see `soft_targets`.
    """
    targets = soft_targets(labels, outputs.shape[1], smoothing, spread)
    return functional.kl_div(outputs.log_softmax(1), targets.to(outputs.dtype), reduction="batchmean")


def soft_targets(labels, classes, smoothing, spread):
    """Targets (items, classes), of which each row sums to 1.

    Args:
        labels: class indices (items). classes: their number. smoothing: the share, 0 to 1, that an item's own class
            gives away. spread: to whom: `neighbours`, the adjacent levels (for ordered labels), or `all` other classes.

    Raises:
        ValueError: an unknown word for `spread`.
    """
    if spread not in SPREADS:
        raise ValueError(f"spread {spread!r} is none of {', '.join(SPREADS)}")
    places = torch.arange(classes, device=labels.device)
    distances = (labels[:, None] - places).abs()
    takers = (distances == 1 if spread == "neighbours" else distances > 0).double()
    shares = smoothing * takers / takers.sum(1, keepdim=True).clamp(min=1)
    # What nobody takes, as with a single class, stays.
    return shares + (distances == 0) * (1 - shares.sum(1, keepdim=True))
