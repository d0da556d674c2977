"""Which features of a pair of tasks predict transfer: permutation importance, as published and as one could defend it.

Section 6 of the study: a support vector regression predicts the percent improvement of a pair from its features; a
feature's importance is the drop in R2 when its values are permuted among pairs, all of its columns together.

`published` follows the paper: random splits of the pairs, importance on the training part (which is what the printed
numbers look like) and on the held-out part. The paper does not say how features were scaled, which share was held out,
nor C: these are variants. `sound` standardises features and outcome, chooses C and epsilon by cross-validation, and
tests on pairs of two tasks neither of which was trained on in any role.

Importance is never read alone: a wide feature is important for an unscaled kernel even if the scores mean nothing. So
each number comes with its band under shuffled scores, and with the R2 on held-out pairs.
"""

import itertools

import numpy
import pandas

from empathy_transfer.features.pair_features import FEATURE_NAMES, feature_columns
from empathy_transfer.importance.holdouts import folds, training_means
from empathy_transfer.importance.kernel_regression import (
    Kernel,
    Model,
    fit_regressions,
    permutation_errors,
    predict_pairs,
)
from empathy_transfer.importance.pair_outcomes import OUTCOMES, outcome_pairs, outcomes_of, too_few
from empathy_transfer.importance.rivals import MARGIN_COLUMNS, rating_margins
from empathy_transfer.statistics.task_bootstrap import LEVELS, pair_weights, ratio_interval
from empathy_transfer.statistics.verdicts import PREDICTIVE, UNDECIDED

PROTOCOLS = ("published", "sound")
PUBLISHED_C, OTHER_C, EPSILON = 100.0, 1.0, 0.1
VARIANT_COLUMNS = ["variant", "outcome", "C", "epsilon", "scaled", "test_share"]
# From least to most.
VERDICTS = (UNDECIDED, PREDICTIVE)
INTERVALS = [f"{end}_{level}" for level in LEVELS for end in ("low", "high")]
IMPORTANCE_COLUMNS = [
    *"protocol part feature name importance std band_low band_high".split(),
    *INTERVALS,
    *MARGIN_COLUMNS,
    *"variance r2 r2_test r2_test_error verdict reason pairs".split(),
    *VARIANT_COLUMNS,
]


def variants(protocol, test_shares, outcomes=tuple(OUTCOMES)):
    """The variants of a protocol, the main one first: dicts of outcome, C, epsilon, scaled and test_share.

    `outcomes` are those to be analysed, the study's own first.
    The main variant of `published` is the one whose training R2 and importance come nearest to the printed Table 6.
    """
    if protocol == "sound":
        chosen = {"C": None, "epsilon": None, "scaled": True, "test_share": None}
        return [{"outcome": outcome} | chosen for outcome in outcomes]
    main = {"outcome": "percent", "C": PUBLISHED_C, "epsilon": EPSILON, "scaled": False, "test_share": test_shares[0]}
    changes = [{"C": PUBLISHED_C, "scaled": True}, {"C": OTHER_C, "scaled": False}, {"C": OTHER_C, "scaled": True}]
    changes += [{"test_share": share} for share in test_shares[1:]]
    changes += [{"outcome": outcome} for outcome in outcomes[1:]]
    return [main, *(main | change for change in changes)]


def importance_table(improvement, features, protocol, settings):
    """Importance of every feature in every variant of a protocol, on the training part and on held-out pairs.

    Args:
        improvement: frame as from `read_full_improvement`, or `with_units` for the outcome in units of seeds as well.
        features: frame as from `read_pair_features`.
        protocol: `published` or `sound`.
        settings: the study's `analysis: importance:`.

    Returns:
        A frame with `IMPORTANCE_COLUMNS`, a row per variant (0 is the main one), part and feature. Features without
        values have the reason `not_available`; all others have `too_few` or `undefined` where the pairs are too few or
        their outcomes all equal.
    """
    tables = []
    for number, variant in enumerate(variants(protocol, settings["test_shares"], outcomes_of(improvement))):
        pairs, names = outcome_pairs(improvement, features, variant["outcome"])
        model, reason = model_or_reason(pairs, names, protocol, variant, settings)
        if reason:
            rows = [{"part": part, "feature": name} for part in ("train", "test") for name in names]
        else:
            variant = variant | {"C": model.C, "epsilon": model.epsilon}
            measure = _measure_published if protocol == "published" else measure_sound
            rows = measure(pairs, feature_columns(pairs, names), model, variant, settings)
        tables.append(as_table(rows, names, reason).assign(variant=number, **variant, pairs=len(pairs)))
        print(f"{protocol}: {_described(variant)}: {reason or 'done'}", flush=True)
    table = pandas.concat(tables, ignore_index=True).assign(protocol=protocol)
    return table.assign(name=table["feature"].map(FEATURE_NAMES))[IMPORTANCE_COLUMNS]


def model_or_reason(pairs, names, protocol, variant, settings):
    """(`variant_model`, ""), or (None, `too_few` or `undefined`) where pairs are too few or outcomes all equal."""
    if too_few(pairs):
        return None, "too_few"
    if numpy.ptp(pairs["outcome"]) == 0:
        return None, "undefined"
    model = variant_model(pairs, names, protocol, variant, settings)
    return model, "too_few" if model is None else ""


def variant_model(pairs, names, protocol, variant, settings):
    """The regression of a variant; for `sound`, C and epsilon are chosen here, once, and kept under shuffled scores.

    Chosen is what predicts the pairs of two unseen tasks with the smallest squared error. None if there is no training
    part for that.
    """
    if protocol == "published":
        return Model(variant["C"], variant["epsilon"], variant["scaled"], False)
    parts = folds(pairs, "both")
    if not parts:
        return None
    grid = settings["grid"]
    candidates = [Model(C, epsilon, True, True) for C, epsilon in itertools.product(grid["C"], grid["epsilon"])]
    outcomes, errors = pairs["outcome"].to_numpy()[None], dict.fromkeys(candidates, 0.0)
    columns = feature_columns(pairs, names)
    for train, test in parts:
        kernel = Kernel(columns, train, True)
        for model in candidates:
            predicted = predict_pairs(kernel, *fit_regressions(kernel, outcomes, model), test)
            errors[model] += float(((outcomes[:, test] - predicted) ** 2).sum())
    return min(candidates, key=errors.get)


def feature_verdict(row):
    """`predictive` or `undecided`.

    For `predictive`, held-out pairs must be predicted at all (R2 above 0, by two of its standard errors over random
    splits), the importance must be above its band under shuffled scores, and no interval over tasks or datasets may
    reach down to 0.

    The band alone would not do: shuffling scores one by one makes pairs independent, which true ones are not.
    """
    lows = [row[f"low_{level}"] for level in LEVELS if not numpy.isnan(row.get(f"low_{level}", numpy.nan))]
    # With ten splits, the sign of R2 can hang on which of them tests an extreme pair.
    error = row.get("r2_test_error", numpy.nan)
    least = row["r2_test"] - (0 if numpy.isnan(error) else 2 * error)
    sound = least > 0 and row["importance"] > row["band_high"] and all(low > 0 for low in lows)
    return PREDICTIVE if sound else UNDECIDED


def _measure_published(pairs, columns, model, variant, settings):
    """Rows of the published protocol: random splits, the drop in R2 on each part, mean and deviation of all drops."""
    generator = numpy.random.default_rng(settings["seed"])
    outcomes = with_shuffled(pairs["outcome"].to_numpy(), settings["shuffles"], generator)
    drops = {part: {name: [] for name in columns} for part in ("train", "test")}
    fits = {"train": [], "test": []}
    for train, test in folds(pairs, "random", settings["splits"], variant["test_share"], settings["seed"]):
        kernel = Kernel(columns, train, model.scale_features)
        fitted = fit_regressions(kernel, outcomes, model)
        for part, rows in (("train", train), ("test", test)):
            donors = permutations(rows, settings["permutations"], generator)
            errors = permutation_errors(kernel, *fitted, outcomes, rows, donors)
            squares = ((outcomes[:, rows] - errors.plain) ** 2).sum(axis=1)
            centred = outcomes[:, rows] - outcomes[:, rows].mean(axis=1, keepdims=True)
            total = (centred**2).sum(axis=1)
            total = numpy.where(total > 0, total, numpy.nan)  # a part with equal outcomes has no R2
            fits[part].append(1 - squares / total)
            for name, sums in errors.permuted.items():
                drops[part][name].append((sums - squares[:, None]) / total[:, None])
    r2 = {part: float(_mean(numpy.array(values)[:, 0])) for part, values in fits.items()}
    held_out = numpy.array(fits["test"])[:, 0]
    error = float(numpy.nanstd(held_out, ddof=1) / len(held_out) ** 0.5) if len(held_out) > 1 else numpy.nan
    rows = []
    for part, by_feature in drops.items():
        for name, values in by_feature.items():
            values = numpy.array(values)  # splits x draws x permutations
            means = _mean(values, axis=(0, 2))
            row = _row(part, name, means, values[:, 0].ravel(), columns[name], r2)
            rows.append(row | {"r2_test_error": error})
    return rows


def measure_sound(pairs, columns, model, variant, settings, pool=None):
    """Rows of the sound protocol: one fit to all pairs for the training part; pairs of two unseen tasks for the other.

    Squared errors are pooled over folds. A feature is permuted among all pairs, so that its values keep their spread
    however few pairs a fold tests. Intervals draw tasks or datasets for the held-out errors of the fitted models.
    ``pool`` takes the place of `pooled_errors`.
    """
    generator = numpy.random.default_rng(settings["seed"])
    outcomes = with_shuffled(pairs["outcome"].to_numpy(), settings["shuffles"], generator)
    everything = numpy.arange(len(pairs))
    donors = permutations(everything, settings["permutations"], generator)
    parts = {"train": [(everything, everything)], "test": folds(pairs, "both")}
    pooled = {part: (pool or pooled_errors)(columns, model, outcomes, donors, found) for part, found in parts.items()}
    r2 = {part: float(1 - squares[0].sum() / total[0].sum()) for part, (squares, total, _, _) in pooled.items()}
    weights = {level: pair_weights(pairs, level, settings["interval_draws"], generator) for level in LEVELS}
    rows = []
    for part, (squares, total, permuted, observed) in pooled.items():
        excess = {name: observed[name] - squares[0] for name in columns}
        margins = rating_margins(excess, total[0], weights) if part == "test" else {}
        for name in columns:
            drops = (permuted[name] - squares.sum(axis=1)[:, None]) / total.sum(axis=1)[:, None]
            row = _row(part, name, drops.mean(axis=1), drops[0], columns[name], r2)
            if part == "test":
                limits = [end for weight in weights.values() for end in ratio_interval(weight, excess[name], total[0])]
                row |= dict(zip(INTERVALS, limits, strict=True)) | margins.get(name, {})
            rows.append(row)
    return rows


def pooled_errors(columns, model, outcomes, donors, parts):
    """Squared errors over all folds: of the model and of the training mean (draws x pairs), after permutation (per
    feature draws x permutations), and of the first draw after permutation, mean over permutations (per feature pairs).
    """
    squares, total = numpy.zeros_like(outcomes), numpy.zeros_like(outcomes)
    permuted = {name: numpy.zeros((len(outcomes), len(donors))) for name in columns}
    observed = {name: numpy.zeros(outcomes.shape[1]) for name in columns}
    for number, (train, test) in enumerate(parts, start=1):
        kernel = Kernel(columns, train, model.scale_features)
        fitted = fit_regressions(kernel, outcomes, model)
        errors = permutation_errors(kernel, *fitted, outcomes, test, donors[:, test])
        squares[:, test] = (outcomes[:, test] - errors.plain) ** 2
        means = numpy.array([training_means(outcome, train, test) for outcome in outcomes])
        total[:, test] = (outcomes[:, test] - means) ** 2
        for name in columns:
            permuted[name] += errors.permuted[name]
            observed[name][test] = errors.observed[name][0]
        if number % 25 == 0:
            print(f"  {number} of {len(parts)} folds", flush=True)
    return squares, total, permuted, observed


def with_shuffled(outcome, shuffles, generator):
    """The outcome and, below it, as many shuffled copies: (1 + shuffles) x pairs."""
    return numpy.vstack([outcome, *(generator.permutation(outcome) for _ in range(shuffles))])


def permutations(rows, number, generator):
    """Permutations of positions, one per row."""
    return numpy.stack([generator.permutation(rows) for _ in range(number)])


def _row(part, name, means, drops, values, r2):
    """The row of one feature: `means` of the drops per draw, the first being the true scores; `drops` of that one."""
    shuffled = means[1:][~numpy.isnan(means[1:])]
    band = numpy.quantile(shuffled, [0.025, 0.975]) if len(shuffled) else (numpy.nan, numpy.nan)
    known = drops[~numpy.isnan(drops)]
    row = {"part": part, "feature": name, "importance": float(means[0])}
    row |= {"std": float(numpy.std(known, ddof=1)) if len(known) > 1 else numpy.nan}
    row |= {"band_low": float(band[0]), "band_high": float(band[1]), "variance": float(values.var(axis=0).sum())}
    return row | {"r2": r2[part], "r2_test": r2["test"]}


def as_table(rows, names, reason):
    """Rows as a frame, with a row for each feature that has no values; blank numbers have a reason."""
    absent = [name for name in FEATURE_NAMES if name not in names]
    rows = [row | {"reason": reason} for row in rows]
    if not reason:
        rows = [row | {"verdict": feature_verdict(row)} for row in rows]
        held_out = {row["feature"]: row["verdict"] for row in rows if row["part"] == "test"}
        # What a feature does in pairs that were trained on is no evidence without the others.
        rows = [row | {"verdict": min(row["verdict"], held_out[row["feature"]], key=VERDICTS.index)} for row in rows]
    rows += [
        {"part": part, "feature": name, "reason": "not_available"} for part in ("train", "test") for name in absent
    ]
    frame = pandas.DataFrame(rows).reindex(columns=IMPORTANCE_COLUMNS)
    return frame.assign(verdict=frame["verdict"].where(frame["reason"] == "", frame["reason"]))


def _mean(values, axis=None):
    """Mean of the values that are defined; NaN where none is."""
    return numpy.ma.masked_invalid(values).mean(axis=axis).filled(numpy.nan) if axis else numpy.nanmean(values)


def _described(variant):
    """A variant in words, for the log."""
    return ", ".join(f"{key} {value}" for key, value in variant.items() if value is not None)
