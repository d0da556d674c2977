"""The two contrastive losses of the released code of the study of raters, which differ from the one that it prints.

For a cosine c the code has (1 - y) c^2 + y max(0, margin - c)^2, as if c were a distance with the labels' roles
exchanged. For the output z of a cross-encoder it has y (1 - z)^2 + (1 - y) max(0, margin - z)^2.
"""

KINDS = ("regression",)
ARCHITECTURES = ("bi", "cross")


def loss(outputs, labels, margin, architecture):
    """Mean over items, see above; outputs (items, 1), labels (items) in [0, 1].

    Raises:
        ValueError: an unknown architecture.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture {architecture!r} is none of {', '.join(ARCHITECTURES)}")
    outputs = outputs[:, 0]
    below = (margin - outputs).clamp(min=0) ** 2
    if architecture == "bi":
        return ((1 - labels) * outputs**2 + labels * below).mean()
    return (labels * (1 - outputs) ** 2 + (1 - labels) * below).mean()
