"""Which pairs are held out together, what is compared with, and how well held-out pairs are predicted.

Pairs of tasks are not independent: they share sources, targets and datasets. A regression that has seen other pairs
of the same target can do well by knowing the target. So whole targets, sources, tasks or datasets are held out, too.
"""

import itertools

import numpy
from scipy.stats import spearmanr
from sklearn.model_selection import ShuffleSplit

HOLDOUTS = ("random", "target", "source", "dataset", "both")
# What could be known without any feature: the training pairs' means by target, or by source.
IDENTITIES = {"random": "target_identity", "source": "target_identity", "target": "source_identity"}
MINIMUM_TRAINING = 5


def folds(pairs, holdout, splits=10, test_share=0.2, seed=0):
    """Training and test positions of each fold.

    Args:
        pairs: frame with source, target, source_dataset, target_dataset.
        holdout: `random`: `splits` shuffle splits of the pairs; `target`, `source`: all pairs of one target or source
            are tested; `both`: of each two tasks, the pairs between them are tested, and no pair that touches either
            task, in either role, is trained on; `dataset`: the same with each two datasets (the same one twice for
            pairs within it). All but `random` test each pair once.
        splits: number of random splits.
        test_share: share of the pairs that a random split tests.
        seed: of the random splits.

    Returns:
        A list of (training positions, test positions). Empty if some training part would have fewer than five pairs:
        such a holdout is not available.
    """
    if holdout == "random":
        splitter = ShuffleSplit(n_splits=splits, test_size=test_share, random_state=seed)
        found = list(splitter.split(pairs)) if len(pairs) > 1 else []
    elif holdout in ("source", "target"):
        values = pairs[holdout].to_numpy()
        found = [(numpy.flatnonzero(values != value), numpy.flatnonzero(values == value)) for value in _unique(values)]
    elif holdout in ("both", "dataset"):
        ends = ("source", "target") if holdout == "both" else ("source_dataset", "target_dataset")
        found = _unseen_in_both_roles(*(pairs[end].to_numpy() for end in ends))
    else:
        raise ValueError(f"unknown holdout {holdout!r}; known: {', '.join(HOLDOUTS)}")
    return found if all(len(train) >= MINIMUM_TRAINING for train, _ in found) else []


def training_means(outcome, train, test):
    """The mean of the training outcomes as prediction of each test pair."""
    return numpy.full(len(test), outcome[train].mean())


def identity_means(outcome, train, test, identities):
    """The training mean of the same target (or source) as prediction of each test pair.

    `identities` holds the target (or source) of each pair. One without a training pair gets the mean of all.
    """
    overall = outcome[train].mean()
    means = {value: outcome[train][identities[train] == value].mean() for value in _unique(identities[train])}
    return numpy.array([means.get(value, overall) for value in identities[test]])


def r_squared(errors, reference):
    """1 - sum of squared errors / that of a reference; NaN if the reference makes no error, as for constant scores."""
    total = numpy.sum(reference)
    return float(1 - numpy.sum(errors) / total) if total > 0 else float("nan")


def rank_correlation(outcome, predicted, targets):
    """Mean over targets of Spearman's correlation of outcome and prediction over the target's sources.

    Predictions that are all equal rank nothing and count as 0. Targets with fewer than three pairs or constant outcomes
    are left out; NaN if none is left. Pairs without a prediction (NaN) don't count.
    """
    found = []
    for target in _unique(targets):
        chosen = (targets == target) & ~numpy.isnan(predicted)
        if chosen.sum() < 3 or numpy.ptp(outcome[chosen]) == 0:
            continue
        if numpy.ptp(predicted[chosen]) == 0:
            found.append(0.0)
        else:
            found.append(float(spearmanr(outcome[chosen], predicted[chosen]).statistic))
    return float(numpy.mean(found)) if found else float("nan")


def _unseen_in_both_roles(first, second):
    """Folds that test the pairs between two groups and train on pairs that touch neither."""
    found = []
    for one, other in itertools.combinations_with_replacement(_unique(numpy.concatenate([first, second])), 2):
        tested = ((first == one) & (second == other)) | ((first == other) & (second == one))
        touched = numpy.isin(first, [one, other]) | numpy.isin(second, [one, other])
        if tested.any():
            found.append((numpy.flatnonzero(~touched), numpy.flatnonzero(tested)))
    return found


def _unique(values):
    """The different values, in the order of their first occurrence."""
    return list(dict.fromkeys(values.tolist()))
