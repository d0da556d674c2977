"""How well features predict the transfer of pairs that were held out, beside what can be known without any feature.

R2 out of sample = 1 - squared error / squared error of the training mean, both pooled over folds. It is 0 for whoever
always says the training mean, and below 0 for whoever does worse.
"""

import numpy
import pandas

from empathy_transfer.features.pair_features import feature_columns
from empathy_transfer.importance.holdouts import (
    HOLDOUTS,
    IDENTITIES,
    folds,
    identity_means,
    r_squared,
    rank_correlation,
    training_means,
)
from empathy_transfer.importance.kernel_regression import Kernel, fit_regressions, predict_pairs
from empathy_transfer.importance.pair_outcomes import outcome_pairs, too_few
from empathy_transfer.importance.permutation import variant_model, variants
from empathy_transfer.statistics.task_bootstrap import LEVELS, pair_weights, ratio_interval

INTERVALS = [f"r2_{end}_{level}" for level in LEVELS for end in ("low", "high")]
FIT_COLUMNS = [
    *"protocol holdout baseline r2".split(),
    *INTERVALS,
    *"rank_correlation r2_train pairs folds reason".split(),
]


def fit_table(improvement, features, protocol, settings):
    """Fit of a protocol's main variant under every holdout, and of what it must beat.

    Args:
        improvement: frame as from `read_full_improvement`.
        features: frame as from `read_pair_features`.
        protocol: `published` or `sound`.
        settings: the study's `analysis: importance:`.

    Returns:
        A frame with `FIT_COLUMNS`. `baseline` says what predicts: `model`; `target_identity` (the training pairs' mean
        of the same target) under `random` and `source`, `source_identity` (of the same source) under `target`; `none`,
        the training mean, whose r2 is 0 by definition. `r2_train` is the model's mean R2 on its training parts.
        `rank_correlation` is Spearman's within targets, mean over targets; what says the same of all sources of a
        target has 0. Intervals draw tasks or datasets. A holdout that leaves under five training pairs is `too_few`.
    """
    variant = variants(protocol, settings["test_shares"])[0]
    pairs, names = outcome_pairs(improvement, features, variant["outcome"])
    enough = not too_few(pairs)
    model = variant_model(pairs, names, protocol, variant, settings) if enough else None
    rows = []
    for holdout in HOLDOUTS:
        parts = folds(pairs, holdout, settings["splits"], settings["test_shares"][0], settings["seed"]) if model else []
        guessers = ["model", *([IDENTITIES[holdout]] if holdout in IDENTITIES else []), "none"]
        if parts:
            rows += _holdout_rows(pairs, feature_columns(pairs, names), model, holdout, guessers, parts, settings)
        else:
            rows += [{"holdout": holdout, "baseline": guesser, "reason": "too_few"} for guesser in guessers]
        print(f"{protocol}: {holdout}: {'done' if parts else 'too few pairs'}", flush=True)
    return pandas.DataFrame(rows).assign(protocol=protocol, pairs=len(pairs)).reindex(columns=FIT_COLUMNS)


def _holdout_rows(pairs, columns, model, holdout, guessers, parts, settings):
    """The rows of one holdout."""
    outcome, targets = pairs["outcome"].to_numpy(), pairs["target"].to_numpy()
    identity = pairs[IDENTITIES[holdout].split("_")[0]].to_numpy() if holdout in IDENTITIES else None
    errors = {guesser: numpy.zeros(len(pairs)) for guesser in guessers}
    sums, times, trained = numpy.zeros(len(pairs)), numpy.zeros(len(pairs)), []
    identity_sums = numpy.zeros(len(pairs))
    for train, test in parts:
        kernel = Kernel(columns, train, model.scale_features)
        fitted = fit_regressions(kernel, outcome[None], model)
        guesses = {"model": predict_pairs(kernel, *fitted, test)[0], "none": training_means(outcome, train, test)}
        if identity is not None:
            guesses[IDENTITIES[holdout]] = identity_means(outcome, train, test, identity)
            identity_sums[test] += guesses[IDENTITIES[holdout]]
        for guesser, values in guesses.items():
            errors[guesser][test] += (outcome[test] - values) ** 2
        sums[test] += guesses["model"]
        times[test] += 1
        own = predict_pairs(kernel, *fitted, train)[0]
        trained.append(r_squared((outcome[train] - own) ** 2, (outcome[train] - outcome[train].mean()) ** 2))
    # A pair that several random splits test counts with the mean of its predictions.
    means = {
        name: numpy.divide(total, times, out=numpy.full(len(pairs), numpy.nan), where=times > 0)
        for name, total in (("model", sums), ("source_identity", identity_sums))
    }
    generator = numpy.random.default_rng(settings["seed"])
    weights = [pair_weights(pairs, level, settings["interval_draws"], generator) for level in LEVELS]
    rows = []
    for guesser in guessers:
        r2 = r_squared(errors[guesser], errors["none"])
        row = {"holdout": holdout, "baseline": guesser, "r2": r2, "folds": len(parts), "rank_correlation": 0.0}
        if guesser in means:
            row["rank_correlation"] = rank_correlation(outcome, means[guesser], targets)
        if guesser == "model":
            row["r2_train"] = float(numpy.nanmean(trained)) if not numpy.isnan(trained).all() else numpy.nan
        if guesser != "none":
            lost = errors["none"] - errors[guesser]
            limits = [end for weight in weights for end in ratio_interval(weight, lost, errors["none"])]
            row |= dict(zip(INTERVALS, limits, strict=True))
        rows.append(row | {"reason": "undefined" if numpy.isnan(r2) else ""})
    return rows
