"""Estimators of transferability that need no training on the target: what practitioners use to choose a source.

Each compares features or predictions of a source model on a target's items with the target's labels; a higher value
promises a better transfer. All are relative: only values of one target can be compared, and of one set of items. Input
of which an estimator can say nothing, such as items of one class, raises `UndefinedEstimate`, and never gives a number.
"""

import numpy
from sklearn.covariance import ledoit_wolf

from empathy_transfer.kinds.classification import comparable
from empathy_transfer.metrics import f1_macro, pearson_r

ESTIMATORS = ("log_me", "h_score", "leep", "nce", "nearest_neighbours")
NEIGHBOURS = 5
ITERATIONS, TOLERANCE, TINY = 300, 1e-9, 1e-12


class UndefinedEstimate(ValueError):
    """An estimator has no value for its input; `reason` is the code that tables give."""

    def __init__(self, reason, message):
        """Keep the code (`constant`, `too_few` or `undefined`) beside what the message says."""
        super().__init__(message)
        self.reason = reason


def check_rows(values, name, like=None):
    """Raise UndefinedEstimate where an estimator could say nothing of items, whatever is asked of them.

    Args:
        values: one row per item: features, labels or classes. name: what they are.
        like: what there must be as many rows of; None for no such thing. A difference is a ValueError.
    """
    values = numpy.asarray(values)
    if like is not None and len(values) != len(like):
        raise ValueError(f"{len(values)} {name} for {len(like)} items")
    if len(values) < 2:
        raise UndefinedEstimate("too_few", f"{len(values)} {name}: at least 2 items are needed")
    if values.dtype.kind == "f" and not numpy.isfinite(values).all():
        raise UndefinedEstimate("undefined", f"the {name} hold numbers that are not finite")
    if (values == values[0]).all():
        raise UndefinedEstimate("constant", f"the {name} are the same for all items")


def log_me(features, targets):
    """Logarithm of the maximum evidence of a Bayesian linear regression, per item (You et al. 2021).

    For each column y of the targets, y = F w + noise with w ~ N(0, 1 / alpha) and noise ~ N(0, 1 / beta); alpha and
    beta are those that make y most likely when w is integrated out, found by their fixed point. Nothing is centred.

    Args:
        features: items x size.
        targets: items x columns: one column of values, or one of 0 and 1 per class.

    Returns:
        Mean over the columns of the log evidence / number of items.

    Raises:
        UndefinedEstimate: fewer than 2 items, constant features, a column that is the same for all items (a class that
            none has), or numbers that are not finite.
    """
    check_rows(features, "features")
    check_rows(targets, "targets", like=features)
    if flat := [place for place, column in enumerate(numpy.asarray(targets).T) if not numpy.ptp(column)]:
        raise UndefinedEstimate("undefined", f"column {flat[0] + 1} of the targets is the same for all items")
    left, singular, _ = numpy.linalg.svd(numpy.asarray(features, numpy.float64), full_matrices=False)
    kept = singular > singular.max(initial=0.0) * max(features.shape) * numpy.finfo(numpy.float64).eps
    left, variance = left[:, kept], singular[kept] ** 2
    return float(numpy.mean([_evidence(left, variance, column) for column in numpy.asarray(targets, numpy.float64).T]))


def _evidence(left, variance, values):
    """Log evidence per item of one column, from the features' left singular vectors and squared singular values."""
    items, projected = len(values), (left.T @ values) ** 2
    outside = max(float(values @ values) - float(projected.sum()), 0.0)
    ratio, precision, noise = 1.0, 1.0, 1.0
    for _ in range(ITERATIONS):
        used = (variance / (variance + ratio)).sum()
        size = (variance * projected / (variance + ratio) ** 2).sum()
        error = outside + (projected * (ratio / (variance + ratio)) ** 2).sum()
        precision, noise = used / (size + TINY), max(items - used, TINY) / (error + TINY)
        before, ratio = ratio, precision / noise
        if abs(ratio - before) <= TOLERANCE * before:
            break
    size = (variance * projected / (variance + ratio) ** 2).sum()
    error = outside + (projected * (ratio / (variance + ratio)) ** 2).sum()
    spread = numpy.log(precision / (precision + noise * variance)).sum()
    fitted = items * numpy.log(noise / (2 * numpy.pi)) - noise * error - precision * size
    return float(spread + fitted) / (2 * items)


def h_score(features, classes, shrink=True):
    """H-score (Bao et al. 2019): trace of the features' inverse covariance times that of their class means.

    Args:
        features: items x size.
        classes: the class of each item.
        shrink: take Ledoit and Wolf's covariance, and scale by 1 - its shrinkage (Ibrahim et al. 2022); without it, the
            score of few items in many dimensions is near its greatest value whatever the features say.

    Returns:
        The score: 0 or more and, without shrinking, at most the number of classes - 1.

    Raises:
        UndefinedEstimate: fewer than 2 items, constant features, one class, a class of its own for each item, or
            features that are not finite.
    """
    check_rows(features, "features")
    check_rows(classes, "classes", like=features)
    if len(numpy.unique(classes)) == len(classes):
        raise UndefinedEstimate("too_few", "each item has a class of its own, so that nothing varies within a class")
    centred = numpy.asarray(features, numpy.float64) - numpy.mean(features, axis=0, dtype=numpy.float64)
    covariance, shrinkage = centred.T @ centred / len(centred), 0.0
    if shrink:
        covariance, shrinkage = ledoit_wolf(centred, assume_centered=True)
    names, index, counts = numpy.unique(classes, return_inverse=True, return_counts=True)
    means = numpy.zeros((len(names), centred.shape[1]))
    numpy.add.at(means, index, centred)
    means /= counts[:, None]
    explained = (means @ numpy.linalg.pinv(covariance, hermitian=True) * means).sum(axis=1)
    return float((1 - shrinkage) * (counts / len(centred) * explained).sum())


def leep(probabilities, classes):
    """Log expected empirical prediction (Nguyen et al. 2020).

    Args:
        probabilities: items x source classes: what the source model says of the target's items.
        classes: the target class of each item.

    Returns:
        Mean log-likelihood of the target classes if they are guessed through the source's: 0 at best.

    Raises:
        UndefinedEstimate: fewer than 2 items, one target class, or probabilities that are not finite or all 0.
    """
    check_rows(classes, "classes")
    if len(probabilities) != len(classes):
        raise ValueError(f"{len(probabilities)} probabilities for {len(classes)} items")
    if not (numpy.isfinite(probabilities).all() and numpy.sum(probabilities, axis=1).all()):
        raise UndefinedEstimate("undefined", "an item has no probability, or one that is not finite")
    _, index = numpy.unique(classes, return_inverse=True)
    joint = numpy.zeros((index.max() + 1, probabilities.shape[1]))
    numpy.add.at(joint, index, probabilities)
    given = joint / numpy.maximum(joint.sum(axis=0), numpy.finfo(numpy.float64).tiny)
    return float(numpy.log((given[index] * probabilities).sum(axis=1)).mean())


def negative_conditional_entropy(source_classes, classes):
    """Minus the entropy of the target classes given the source's (Tran et al. 2019), in nats: 0 at best.

    Args:
        source_classes: class of each item by the source model. classes: its target class.

    Raises:
        UndefinedEstimate: fewer than 2 items, or one target class.
    """
    check_rows(classes, "classes", like=source_classes)
    _, index = numpy.unique(classes, return_inverse=True)
    _, source = numpy.unique(source_classes, return_inverse=True)
    joint = numpy.zeros((index.max() + 1, source.max() + 1))
    numpy.add.at(joint, (index, source), 1)
    return float(numpy.log((joint / joint.sum(axis=0))[index, source]).mean())


def nearest_neighbours(features, labels, groups, kind, neighbours=NEIGHBOURS):
    """Score of predicting each item by its nearest items of other groups, by cosine.

    Args:
        features: items x size. labels: classes or values.
        groups: the group of each item; items of one group (a conversation, a post) never predict each other.
        kind: `classification`: the most frequent class, of equal ones that of the nearest, scored by macro F1;
            `regression`: the mean, scored by Pearson r.
        neighbours: how many are asked.

    Raises:
        UndefinedEstimate: fewer than 2 items, items of one group alone, constant features or labels, or numbers that
            are not finite.
    """
    check_rows(features, "features")
    check_rows(labels, "labels", like=features)
    groups, labels = numpy.asarray(groups), numpy.asarray(labels)
    lengths = numpy.linalg.norm(features, axis=1, keepdims=True)
    unit = features / numpy.where(lengths > 0, lengths, 1)
    similarity = unit @ unit.T
    similarity[groups[:, None] == groups[None, :]] = -numpy.inf
    nearest = numpy.argsort(-similarity, axis=1, kind="stable")[:, :neighbours]
    known = numpy.take_along_axis(similarity, nearest, axis=1) > -numpy.inf
    if not known.any(axis=1).all():
        raise UndefinedEstimate("too_few", "all items are of one group")
    if kind == "regression":
        return pearson_r.value(labels, (labels[nearest] * known).sum(axis=1) / known.sum(axis=1))
    names, index = numpy.unique(labels, return_inverse=True)
    votes = numpy.zeros((len(labels), len(names)))
    # All bonuses together are less than a vote, and the nearest one's is more than all others'.
    weights = (1 + 0.5 ** numpy.arange(2, nearest.shape[1] + 2)) * known
    numpy.add.at(votes, (numpy.arange(len(labels))[:, None], index[nearest]), weights)
    return f1_macro.value(*(comparable(one, list(names)) for one in (labels, names[votes.argmax(axis=1)])))
