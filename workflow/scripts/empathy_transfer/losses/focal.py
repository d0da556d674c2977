"""The focal loss of Lin et al. (2017): items that are answered well count less.

With `gamma` 0 and `alpha` 1 it is cross-entropy.
"""

KINDS = ("classification",)


def loss(outputs, labels, alpha, gamma):
    """Mean of -alpha (1 - p)^gamma log p over items; p is the probability of an item's own class.

    Args:
        outputs: logits (items, classes). labels: class indices (items). alpha: weight of all items. gamma: 0 or more.
    """
    own = outputs.log_softmax(1).gather(1, labels[:, None])[:, 0]
    return (-alpha * (1 - own.exp()) ** gamma * own).mean()
