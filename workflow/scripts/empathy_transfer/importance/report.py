"""The importance analysis as files and as one page: both protocols side by side, with what the paper prints."""

import pandas
from scipy.stats import t as student

from empathy_transfer.features.pair_features import FEATURE_NAMES, FEATURES, read_pair_features
from empathy_transfer.features.task_facts import ASPECTS
from empathy_transfer.importance.pair_outcomes import read_all_tests, read_full_improvement, with_units
from empathy_transfer.importance.permutation import PROTOCOLS, importance_table
from empathy_transfer.importance.predictive_fit import fit_table
from empathy_transfer.importance.rating_model import DEVIATION
from empathy_transfer.importance.rating_tests import NULLS, PRIMARY_OUTCOME, null_table
from empathy_transfer.importance.shapley import shapley_table
from empathy_transfer.records.artefacts import read_csv, write_csv, write_text
from empathy_transfer.report.markdown import markdown_table
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.report.templates import render
from empathy_transfer.statistics.verdicts import PREDICTIVE

TEXT_COLUMNS = ("reason", "verdict")
WORTHLESS = (
    "**Held-out pairs are not predicted (R2 of 0 or less), so these importances say nothing about what predicts "
    "transfer, however large they are.**"
)
PART_TITLES = {"train": "training", "test": "held-out"}


def measure_importance(
    improvement_path, features_path, protocol, settings, importance_path, fit_path, shapley_path, tests_paths=()
):
    """Write the importance of all variants, and fit and Shapley values of the main one, under one protocol.

    `tests_paths` are the tests of all targets (`paired_tests.write_tests`), which one outcome takes its units from; the
    printed scores have none, and are analysed without that outcome.
    """
    improvement, features = read_full_improvement(improvement_path), read_pair_features(features_path)
    improvement = with_units(improvement, read_all_tests(tests_paths)) if tests_paths else improvement
    write_csv(importance_path, importance_table(improvement, features, protocol, settings))
    write_csv(fit_path, fit_table(improvement, features, protocol, settings))
    write_csv(shapley_path, shapley_table(improvement, features, protocol, settings))


def permute_ratings(improvement_path, features_path, draws, seed, nulls_path):
    """Write the permutation tests of the construct ratings."""
    improvement, features = read_full_improvement(improvement_path), read_pair_features(features_path)
    write_csv(nulls_path, null_table(improvement, features, draws, seed))


def report_importance(
    measured, nulls_path, model_path, printed_path, importance_path, variants_path, fit_path, shapley_path, text_path
):
    """Write importance.csv (main variants), importance_variants.csv (all), fit.csv, shapley.csv and a page with all.

    `measured` holds the lists of both protocols' files: `importance`, `fit`, `shapley`; `printed_path` is the paper's
    Table 6.
    """
    printed = read_csv(printed_path, verify=False).set_index("feature")
    importance = read_importance(measured["importance"])
    importance["printed"] = importance["feature"].map(printed["importance"])
    importance["printed_std"] = importance["feature"].map(printed["std"])
    main = importance[importance["variant"] == 0]
    fits, shapley = (
        pandas.concat([_read(path) for path in measured[name]], ignore_index=True) for name in ("fit", "shapley")
    )
    write_csv(importance_path, main)
    write_csv(variants_path, importance)
    write_csv(fit_path, fits)
    write_csv(shapley_path, shapley)
    write_text(text_path, as_page(importance, fits, shapley, _read(nulls_path), _read(model_path)))


def read_importance(paths):
    """Read tables of importance as one frame, in the order of protocols, variants, parts and features."""
    frame = pandas.concat([_read(path) for path in paths], ignore_index=True)
    order = {name: place for place, name in enumerate([*PROTOCOLS, "train", "test", *FEATURES])}
    keys = ["protocol", "variant", "part", "feature"]
    return frame.sort_values(keys, key=lambda column: column.map(lambda value: order.get(value, value)), kind="stable")


def as_page(importance, fits, shapley, nulls, model):
    """The page, as Markdown that also reads well on a terminal."""
    main = importance[importance["variant"] == 0]
    return render(
        __file__,
        protocols=_settings_lines(main),
        importance=_importance_table(main),
        shapley=_shapley_table(shapley),
        fits=_fit_table(fits),
        nulls=_null_table(nulls),
        model=_model_table(model),
        seeds=int(model["seeds"].iloc[0]),
        variants=_variant_table(importance),
        reasons=sorted({*main["reason"], *fits["reason"], *nulls["reason"], *model["reason"]} - {""}),
        REASONS=REASONS,
    )


def _settings_lines(main):
    """What the two protocols are, and their fit."""
    lines = []
    for protocol, rows in main.groupby("protocol", sort=False):
        known = rows[rows["reason"] == ""]
        if known.empty:
            lines.append(f"- `{protocol}`: {REASONS[rows['reason'].iloc[0]][1]} ({rows['pairs'].iloc[0]} pairs).")
            continue
        first = known.iloc[0]
        trained = known.loc[known["part"] == "train", "r2"].iloc[0]
        how = "standardised" if first["scaled"] else "unscaled"
        held_out = "pairs of two unseen tasks" if protocol == "sound" else f"{first['test_share']:.0%} of the pairs"
        worthless = f" {WORTHLESS}" if says_nothing(known) else ""
        lines.append(
            f"- `{protocol}`: {first['pairs']} pairs, C = {first['C']:g}, epsilon = {first['epsilon']:g}, {how}; held "
            f"out are {held_out}; R2 {_number(trained)} in training, {_number(first['r2_test'])} on held-out pairs"
            + (f" (± {_number(first['r2_test_error'])} over splits)." if protocol == "published" else ".")
            + worthless
        )
    return lines


def _importance_table(main):
    """Table 6 as computed: per feature the paper's number and, for each protocol and part, importance and band."""
    groups = [(protocol, part) for protocol in PROTOCOLS for part in PART_TITLES]
    heads = [f"{protocol}, {PART_TITLES[part]}" for protocol, part in groups]
    cells = {(row.protocol, row.part, row.feature): row for row in main.itertuples()}
    table = []
    for feature in FEATURES:
        first = cells["published", "train", feature]
        line = [FEATURE_NAMES[feature], f"{_number(first.printed)} ± {_number(first.printed_std)}"]
        for group in groups:
            row = cells[*group, feature]
            shown = (
                f"{_number(row.importance)} ± {_number(row.std)} [{_number(row.band_low)}, {_number(row.band_high)}]"
            )
            line.append(row.reason or shown)
        row = cells["sound", "test", feature]
        line.append("" if row.reason else _interval(row.low_tasks, row.high_tasks))
        table.append([*line, _number(first.variance), *(cells[name, "test", feature].verdict for name in PROTOCOLS)])
    mute = {name for name, rows in main[main["reason"] == ""].groupby("protocol") if says_nothing(rows)}
    heads = [f"{head} (says nothing)" if group[0] in mute else head for head, group in zip(heads, groups, strict=True)]
    heads = ["feature", "paper", *heads, "sound, 95 % over tasks", "variance"]
    heads += [f"{name}: verdict" for name in PROTOCOLS]
    return _table(heads, table)


def _shapley_table(shapley):
    """Shapley values of the ratings, and R2 without and with all three."""
    table = []
    for row in shapley.itertuples(index=False):
        value, interval = _number(row.shapley), _interval(row.low_tasks, row.high_tasks)
        fits = _number(row.r2_without), _number(row.r2)
        table.append([row.protocol, PART_TITLES[row.part], row.name, value, interval, *fits, row.reason])
    heads = ["protocol", "part", "feature", "Shapley value", "95 % over tasks", "R2 without ratings", "R2 with all", ""]
    return _table(heads, table)


def _fit_table(fits):
    """R2 and rank correlation of model and baselines under each holdout."""
    table = []
    for row in fits[fits["baseline"] != "none"].itertuples():
        r2, interval = _number(row.r2), _interval(row.r2_low_tasks, row.r2_high_tasks)
        correlation = _number(row.rank_correlation)
        table.append([row.protocol, row.holdout, row.baseline, r2, interval, correlation, row.reason])
    heads = ["protocol", "held out", "predicted by", "R2", "95 % over tasks", "rank correlation", ""]
    return _table(heads, table)


def says_nothing(rows):
    """Whether the importances of a protocol say nothing of unseen pairs, since held-out pairs are not predicted."""
    return bool((rows["r2_test"] <= 0).any())


def _null_table(nulls):
    """Slopes and p values of the three ratings by each test, for improvements that are cut off at 25 percent."""
    own = nulls[nulls["outcome"] == PRIMARY_OUTCOME]
    cells = {(row.feature, row.null): row for row in own.itertuples()}
    table = []
    for aspect in ASPECTS:
        rows = [cells[aspect, null] for null in NULLS]
        half = student.ppf(0.975, rows[0].freedom) * rows[0].standard_error
        slope = (
            f"{_number(rows[0].slope, 2)} ({_number(rows[0].slope - half, 2)} to {_number(rows[0].slope + half, 2)})"
        )
        found = ["-" if rows[0].reason else slope, *(row.reason or f"p = {row.p:.3f}" for row in rows)]
        table.append([FEATURE_NAMES[aspect], *found])
    heads = ["feature", "slope, percent per point (95 %)", *(f"{null} ({role})" for null, role in NULLS.items())]
    return _table(heads, table)


def _model_table(model):
    """Standard deviations of the mixed model's random effects, with their shares of the variance."""
    table = []
    for row in model[model["kind"] == DEVIATION].itertuples():
        numbers = _number(row.estimate, 2), "-" if pandas.isna(row.low) else f"{row.low:.2f} to {row.high:.2f}"
        share = "-" if pandas.isna(row.share) else f"{row.share:.0%}"
        table.append([row.title, *numbers, share, "-" if pandas.isna(row.groups) else int(row.groups), row.reason])
    return _table(["what differs", "standard deviation, percent", "95 %", "share of variance", "number", ""], table)


def _variant_table(importance):
    """R2 and the most important feature of each variant."""
    table = []
    for (protocol, _), rows in importance.groupby(["protocol", "variant"], sort=False):
        first, known = rows.iloc[0], rows[rows["reason"] == ""]
        line = [protocol, first["outcome"], _number(first["C"], 1), "yes" if first["scaled"] else "no"]
        line.append("" if pandas.isna(first["test_share"]) else f"{first['test_share']:.0%}")
        for part in PART_TITLES:
            some = known[known["part"] == part]
            best = "" if some.empty else some.loc[some["importance"].idxmax(), "name"]
            line += [_number(some["r2"].iloc[0]) if len(some) else "", best]
        predictive = known[(known["part"] == "test") & (known["verdict"] == PREDICTIVE)]["name"]
        table.append([*line, ", ".join(predictive)])
    heads = ["protocol", "outcome", "C", "scaled", "held out", "R2 training", "first", "R2 held-out", "first"]
    return _table([*heads, PREDICTIVE], table)


def _table(heads, rows):
    """A table whose columns line up."""
    return "\n".join(markdown_table(heads, rows, aligned=True))


def _number(value, decimals=3):
    """A number with three decimals; a rounded zero has no sign, and what is undefined is a dash."""
    return "-" if pandas.isna(value) else f"{round(value, decimals) + 0.0:.{decimals}f}"


def _interval(low, high):
    """An interval, or a dash where it is undefined."""
    return "-" if pandas.isna(low) else f"{_number(low)} to {_number(high)}"


def _read(path):
    """Read one of the tables of this analysis; blank reasons and verdicts are empty strings."""
    frame = read_csv(path)
    return frame.astype(dict.fromkeys(frame.columns.intersection(TEXT_COLUMNS), "object")).fillna(
        {name: "" for name in TEXT_COLUMNS if name in frame.columns}
    )
