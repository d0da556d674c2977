"""The contrastive loss of Hadsell et al. (2006) for labels between 0 (far apart) and 1 (close)."""

KINDS = ("regression",)
# The greatest distance of a cosine: what is further away learns nothing more from being so.
GREATEST = 2.0


def loss(outputs, labels, margin):
    """Mean of y D^2 + (1 - y) max(0, margin - D)^2 over items, with D = |1 - output|, at most 2.

    Args:
        outputs: closeness (items, 1), such as a cosine. labels: y (items), in [0, 1]. margin: distance beyond which
            items that are far apart cost nothing.
    """
    distances = (1 - outputs[:, 0]).abs().clamp(max=GREATEST)
    return (labels * distances**2 + (1 - labels) * (margin - distances).clamp(min=0) ** 2).mean()
