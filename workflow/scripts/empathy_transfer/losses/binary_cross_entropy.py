"""Binary cross-entropy of each label, for any number of labels per item."""

from torch.nn import functional

KINDS = ("multilabel",)


def loss(outputs, labels):
    """Mean loss of logits and indicators, both (items, labels)."""
    return functional.binary_cross_entropy_with_logits(outputs, labels)
