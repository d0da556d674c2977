"""The cosine embedding loss: pairs are close (labels above a half) or far apart, and nothing between."""

KINDS = ("regression",)
HALF = 0.5


def loss(outputs, labels, margin):
    """Mean over items of 1 - c where the label is above a half, and of max(0, c - margin) elsewhere.

    Args:
        outputs: cosines c (items, 1). labels: values (items), in [0, 1]. margin: cosine up to which items that are far
            apart cost nothing.
    """
    cosines = outputs[:, 0]
    return (1 - cosines).where(labels > HALF, (cosines - margin).clamp(min=0)).mean()
