"""The rules of the claims on labels from language models. Findings are by encoder and model, or on all of them.

A gain needs two seeds or more, since an interval of one seed covers the choice of test texts alone. A claim on all of
many numbers is supported where the interval of each lies on its side, and not where one lies wholly on the other; these
are wide enough for all of them (Bonferroni), but for encoders, where that holds of the latter.
"""

from typing import NamedTuple

import pandas
from scipy import stats

from empathy_transfer.agreement.intervals import alpha_interval
from empathy_transfer.claims.engine import Finding, nothing
from empathy_transfer.relabel.scores import CHOSEN
from empathy_transfer.relabel.training_sets import CROWD
from empathy_transfer.statistics.intervals import correlation_in_words, correlation_interval
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, NOT_TESTABLE, SUPPORTED, UNDECIDED, side_of_zero

BOUNDS = {"no_gain"}
SEEDS_ONLY = "the study's t-test, which measures the noise of seeds only"


class LabelEvidence(NamedTuple):
    """Frames of the stage's scores.csv, comparisons.csv and agreement.csv, and the error rate of intervals."""

    scores: pandas.DataFrame
    comparisons: pandas.DataFrame
    agreement: pandas.DataFrame
    level: float


def best_result(evidence, bounds, printed_r, essays):
    """The best setting by median Pearson r, never its best seed, with what the number of test texts can tell of an r.

    Never testable: the printed r is of `essays` essays that their owners restrict, and of the best of five seeds.
    """
    printed = correlation_in_words(printed_r, essays, evidence.level)
    for encoder, scores, comparisons in _by_encoder(evidence):
        medians, n_test = scores.groupby(["model", "setting"])["pearson_r"].median(), int(comparisons["n_test"].iloc[0])
        (model, setting), value = medians.idxmax(), float(medians.max())
        why = (
            f"{setting}, median over seeds, with the interval of an r of {n_test} texts (Fisher's z), on other test "
            "texts: the printed value is from texts that their owners restrict, and from the best of five seeds, so "
            f"that the two can't be compared; as printed: {printed}"
        )
        interval = correlation_interval(value, n_test, evidence.level)
        keys = {"encoder": encoder, "model": model}
        yield Finding("median Pearson r of the best setting", NOT_TESTABLE, why, value, *interval, keys=keys)


def best_threshold(evidence, bounds, least, most):
    """Whether the best threshold lies in a range: the best of these against the best of the others.

    Against the mean of the others it would always hold, since the smallest thresholds hurt. Both are chosen by their
    mean concordance on validation texts, and compared on test texts, over these and over seeds. So the choice takes
    nothing from the interval.
    """
    statistic = f"concordance at the best of {least:g} to {most:g} less that at the best of the others"
    compared = _compared(evidence, "thresholds")
    for encoder, scores, _ in _by_encoder(evidence):
        for model, part in scores[scores["kind"] == "alpha"].groupby("model"):
            keys = {"encoder": encoder, "model": model}
            means = part.groupby("number")["validation_ccc"].mean()
            within = (means.index >= least) & (means.index <= most)
            if within.all() or not within.any():
                why = f"this study does not sweep thresholds both from {least:g} to {most:g} and beyond"
                yield nothing(statistic, 0, why)._replace(keys=keys)
                continue
            inside, outside = means[within].idxmax(), means[~within].idxmax()
            row, sign = _between(
                compared[compared["model"] == model], encoder, f"alpha={inside:g}", f"alpha={outside:g}"
            )
            chosen = scores[(scores["model"] == model) & (scores["setting"] == CHOSEN)].sort_values("seed")["number"]
            why = (
                f"test concordance at {inside:g}, on validation the best of {least:g} to {most:g}, less that at "
                f"{outside:g}, the best of the others, over texts and seeds; chosen per seed: "
                f"{', '.join(f'{one:g}' for one in chosen)}"
            )
            if row is None:
                yield nothing(statistic, 0, "these two thresholds are not compared")._replace(keys=keys)
                continue
            low, high = sorted((sign * row.low, sign * row.high))
            verdict = side_of_zero(low, high) if row.seeds > 1 else NOT_TESTABLE
            yield Finding(statistic, verdict, why, sign * row.difference, low, high, keys=keys)


def plateau(evidence, bounds):
    """Whether adding all texts gains no more than adding 30 %: from the two gains over the baseline."""
    limit = bounds["no_gain"]
    for row in _compared(evidence, "plateau").itertuples():
        verdict = SUPPORTED if row.high < limit else NOT_SUPPORTED if row.low > 0 else UNDECIDED
        why = f"concordance of {row.setting} less that of {row.other_setting}; supported if surely below {limit:g}"
        yield _of_comparison(row, verdict if row.seeds > 1 else NOT_TESTABLE, why)


def beat_the_baseline(evidence, bounds, settings):
    """Whether settings beat the crowd's labels alone, also at a false discovery rate among the rows of an encoder."""
    against = _compared(evidence, "baseline")
    wanted = against[against["setting"].isin(settings) & (against["model"] != CROWD)]
    for _, part in wanted.groupby("encoder", sort=False):
        for row in part.assign(q=stats.false_discovery_control(part["p"])).itertuples():
            verdict = side_of_zero(row.low, row.high) if row.q <= evidence.level else UNDECIDED
            why = (
                f"{row.setting}, mean concordance less the baseline's, over texts and seeds: p {row.p:.2g}, "
                f"q {row.q:.3g} among the {len(part)} of this claim"
            )
            why += f"; {SEEDS_ONLY}: p {row.p_published:.2g}" if pandas.notna(row.p_published) else ""
            yield _of_comparison(row, NOT_TESTABLE if row.seeds < 2 else verdict, why)


def agree_in_all_sets(evidence, bounds, of, limit, side):
    """Whether Krippendorff's alpha lies above (or below) a limit in all sets, by its intervals over whole writers.

    `of` is `models`, for alpha between two models, or `crowd`, for alpha of a model with the crowd.
    """
    words = {"models": "between models", "crowd": "between a model and the crowd"}[of]
    known = evidence.agreement.dropna(subset=["krippendorff_alpha"])
    part = known[(known["first"] == CROWD) == (of == "crowd")]
    if part.empty:
        return
    intervals = [alpha_interval(row, evidence.level / len(part)) for row in part.to_dict("records")]
    sign = 1 if side == "above" else -1
    beyond = [pair if None in pair else sorted(sign * (end - limit) for end in pair) for pair in intervals]
    verdicts, values = [side_of_zero(low, high) for low, high in beyond], part["krippendorff_alpha"]
    why = f"Krippendorff's alpha {words}: mean, least and most; " + _counts(verdicts, "sets and pairs", "whole writers")
    yield _on_all(f"Krippendorff's alpha {words}", verdicts, why, values)


def encoder_above(evidence, bounds, better, other):
    """Whether one encoder is above another in all settings, where a study has both: by intervals over texts and seeds.

    Intervals over seeds alone would not do: on a few hundred texts, one encoder stands above another that is as good.
    """
    statistic, compared = "difference in concordance", _compared(evidence, "encoders")
    names = [
        next((key for key in evidence.scores["encoder"].unique() if key.startswith(kind)), None)
        for kind in (better, other)
    ]
    if None in names:
        return nothing(statistic, 0, "this study does not train both encoders")
    signs = compared["encoder"].map({names[0]: 1, names[1]: -1})
    rows = compared[signs.notna() & compared["other_encoder"].isin(names) & (compared["seeds"] > 1)]
    if rows.empty:
        return nothing(statistic, 0, "no setting has two seeds of both encoders")
    differences = signs[rows.index] * rows["difference"]
    # Where all must be above 0, each may have the whole error; where one below 0 is enough, they share it.
    plain, shared = (rows["se"] * stats.t.isf(evidence.level / n / 2, rows["df"]) for n in (1, len(rows)))
    ends = zip(differences - plain, differences + shared, strict=True)
    verdicts = [side_of_zero(low, high) for low, high in ends]
    counted = f"{verdicts.count(SUPPORTED)} surely as printed, {verdicts.count(NOT_SUPPORTED)} surely not"
    why = f"mean, least and most of {len(rows)} settings; {counted}, by intervals over texts and seeds"
    return _on_all(statistic, verdicts, why, differences)


def measured_elsewhere(evidence, bounds, why):
    """What this stage can't test, and why."""
    return nothing("none", 0, why)


BY_ENCODER = (best_result, best_threshold, plateau, beat_the_baseline)
RULES = {rule.__name__: rule for rule in (*BY_ENCODER, agree_in_all_sets, encoder_above, measured_elsewhere)}


def _by_encoder(evidence):
    """(encoder, its scores, its comparisons) of each encoder."""
    for encoder, scores in evidence.scores.groupby("encoder", sort=False):
        yield encoder, scores, evidence.comparisons[evidence.comparisons["encoder"] == encoder]


def _compared(evidence, comparison):
    """The comparisons of a kind in concordance."""
    frame = evidence.comparisons
    return frame[(frame["comparison"] == comparison) & (frame["metric"] == "ccc")]


def _between(compared, encoder, setting, other):
    """(The comparison of two settings of an encoder, its sign), whichever of them stands first; (None, 1) for none."""
    rows = compared[compared["encoder"] == encoder].set_index(["setting", "other_setting"])
    for pair, sign in (((setting, other), 1), ((other, setting), -1)):
        if pair in rows.index:
            return rows.loc[pair], sign
    return None, 1


def _of_comparison(row, verdict, why):
    """The finding on a row of the comparisons."""
    keys = {"encoder": row.encoder, "model": row.model}
    return Finding("difference in concordance", verdict, why, row.difference, row.low, row.high, keys=keys)


def _on_all(statistic, verdicts, why, values):
    """The finding on all of some numbers: their mean, least and most, and a verdict from those on each."""
    agreed = next((one for one in (NOT_TESTABLE, SUPPORTED) if set(verdicts) == {one}), UNDECIDED)
    verdict = NOT_SUPPORTED if NOT_SUPPORTED in verdicts else agreed
    return Finding(statistic, verdict, why, values.mean(), values.min(), values.max(), pairs=len(verdicts))


def _counts(verdicts, words, drawn):
    """How many of some numbers are as printed, and how many are not, by intervals over what is ``drawn``."""
    held, failed = verdicts.count(SUPPORTED), verdicts.count(NOT_SUPPORTED)
    return (
        f"of {len(verdicts)} {words} {held} surely as printed, {failed} surely not, by intervals over {drawn} that are "
        "wide enough for all"
    )
