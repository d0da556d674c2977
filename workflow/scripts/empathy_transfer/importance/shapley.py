"""How much of R2 each construct rating deserves, since the three ratings correlate and permuting one leaves the others.

Shapley values: the gain in R2 when a rating is added to the other features and to some of the ratings, averaged over
all orders in which the ratings can be added. They sum to what the ratings gain together. Every set of ratings gets a
regression of its own (Lindeman, Merenda and Gold's decomposition, here with a support vector regression).
"""

import itertools
import math

import numpy
import pandas

from empathy_transfer.features.pair_features import FEATURE_NAMES, feature_columns
from empathy_transfer.features.task_facts import ASPECTS
from empathy_transfer.importance.holdouts import folds, training_means
from empathy_transfer.importance.kernel_regression import Kernel, fit_regressions, predict_pairs
from empathy_transfer.importance.pair_outcomes import outcome_pairs
from empathy_transfer.importance.permutation import INTERVALS, model_or_reason, variants
from empathy_transfer.statistics.task_bootstrap import LEVELS, pair_weights, ratio_interval

SHAPLEY_COLUMNS = ["protocol", "part", "feature", "name", "shapley", *INTERVALS, "r2_without", "r2", "pairs", "reason"]


def shapley_weights(players):
    """How much each gain counts: {(player, coalition that it joins): weight}, coalitions as frozen sets.

    The weight of a coalition of s among n players is s! (n - s - 1)! / n!; those of a player sum to 1.
    """
    weights = {}
    for player in players:
        others = [other for other in players if other != player]
        for size in range(len(players)):
            share = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(players))
            weights |= {(player, frozenset(chosen)): share for chosen in itertools.combinations(others, size)}
    return weights


def shapley_table(improvement, features, protocol, settings):
    """Shapley values of the construct ratings in a protocol's main variant, on the training part and on held-out pairs.

    Args:
        improvement: frame as from `read_full_improvement`.
        features: frame as from `read_pair_features`.
        protocol: `published` or `sound`.
        settings: the study's `analysis: importance:`.

    Returns:
        A frame with `SHAPLEY_COLUMNS`, a row per part and rating. `r2_without` is R2 with no rating, `r2` with all;
        squared errors are pooled over folds. Intervals draw tasks or datasets for the held-out errors of the fitted
        models, under `sound` alone, whose folds test each pair once. `reason` is `too_few` or `undefined` (constant
        outcomes) where nothing can be fitted, and `not_available` for a rating without values.
    """
    variant = variants(protocol, settings["test_shares"])[0]
    pairs, names = outcome_pairs(improvement, features, variant["outcome"])
    ratings = [name for name in ASPECTS if name in names]
    model, reason = model_or_reason(pairs, names, protocol, variant, settings)
    rows = [] if reason else _rows(pairs, feature_columns(pairs, names), ratings, model, protocol, variant, settings)
    known = {row["feature"] for row in rows}
    for part, name in itertools.product(("train", "test"), ASPECTS):
        if name not in known:
            rows.append({"part": part, "feature": name, "reason": reason or "not_available"})
    frame = pandas.DataFrame(rows).reindex(columns=SHAPLEY_COLUMNS)
    return frame.assign(protocol=protocol, name=frame["feature"].map(FEATURE_NAMES), pairs=len(pairs))


def _rows(pairs, columns, ratings, model, protocol, variant, settings):
    """The rows of the ratings that have values."""
    coalitions = [
        frozenset(chosen) for size in range(len(ratings) + 1) for chosen in itertools.combinations(ratings, size)
    ]
    if protocol == "published":
        random = folds(pairs, "random", settings["splits"], variant["test_share"], settings["seed"])
        parts = {"train": [(train, train) for train, _ in random], "test": random}
    else:
        everything = numpy.arange(len(pairs))
        parts = {"train": [(everything, everything)], "test": folds(pairs, "both")}
    generator = numpy.random.default_rng(settings["seed"])
    draws = [pair_weights(pairs, level, settings["interval_draws"], generator) for level in LEVELS]
    rows = []
    for part, found in parts.items():
        errors, total = {}, None
        for chosen in coalitions:
            some = {name: values for name, values in columns.items() if name not in ratings or name in chosen}
            errors[chosen], total = _pooled(some, pairs["outcome"].to_numpy(), model, found)
        gains = {
            name: sum(
                share * (errors[coalition] - errors[coalition | {name}])
                for (player, coalition), share in shapley_weights(ratings).items()
                if player == name
            )
            for name in ratings
        }
        fits = {
            "r2_without": 1 - errors[frozenset()].sum() / total.sum(),
            "r2": 1 - errors[coalitions[-1]].sum() / total.sum(),
        }
        for name in ratings:
            row = {"part": part, "feature": name, "shapley": gains[name].sum() / total.sum(), **fits, "reason": ""}
            if (protocol, part) == ("sound", "test"):
                limits = [end for weights in draws for end in ratio_interval(weights, gains[name], total)]
                row |= dict(zip(INTERVALS, limits, strict=True))
            rows.append(row)
    return rows


def _pooled(columns, outcome, model, parts):
    """Squared errors of the model and of the training mean, summed over the folds that test a pair: two arrays."""
    squares, total = numpy.zeros(len(outcome)), numpy.zeros(len(outcome))
    for train, test in parts:
        kernel = Kernel(columns, train, model.scale_features)
        predicted = predict_pairs(kernel, *fit_regressions(kernel, outcome[None], model), test)[0]
        squares[test] += (outcome[test] - predicted) ** 2
        total[test] += (outcome[test] - training_means(outcome, train, test)) ** 2
    return squares, total
