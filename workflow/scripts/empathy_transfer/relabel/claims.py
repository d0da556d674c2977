"""The study's printed claims next to what was found here, with a verdict each, and checks for its known failures.

A verdict on a gain needs two seeds or more, since an interval of one seed covers the choice of test texts alone. A
claim on all of many numbers holds where the interval of each lies on its side, and fails where one lies wholly on the
other; these are wide enough for all of them (Bonferroni).
"""

import re

import numpy as np
import pandas as pd
from scipy import stats

from empathy_transfer.records.artefacts import read_csv, write_csv
from empathy_transfer.relabel.agreement import alpha_interval
from empathy_transfer.relabel.scores import CHOSEN, read_scores
from empathy_transfer.relabel.training_sets import CROWD
from empathy_transfer.statistics.correlation_intervals import correlation_interval, in_words
from empathy_transfer.statistics.mean_interval import mean_interval

HOLDS, FAILS, UNDECIDED, NOT_TESTED = "holds", "fails", "undecided", "not_tested"
CLAIM_COLUMNS = ["encoder", "claim", "metric", "printed", "model", "found", "low", "high", "verdict", "explanation"]
FLAG_COLUMNS = ["encoder", "flag", "model", "setting", "n", "value", "low", "high", "limit", "raised"]
# A gain in concordance below this is none worth labels.
NO_GAIN = 0.02
# What raises a flag: a standard deviation over seeds, and a concordance below this share of Pearson's r.
MOST_SEED_DEVIATION, LEAST_CCC_SHARE = 0.05, 0.7
# A correction of more labels than this leaves controls of equal size next to nothing to train on.
MOST_REPLACED = 0.5
LEAST_THRESHOLD = 3
SEEDS_ONLY = "the study's t-test, which measures the noise of seeds only"


def write_claims(
    scores_path, comparisons_path, agreement_path, slices_path, printed_path, level, claims_path, flags_path
):
    """Write claims.csv and flags.csv from the CSV files of the stage; ``level`` is the error rate of intervals."""
    scores, comparisons = read_scores(scores_path), read_csv(comparisons_path)
    printed = read_csv(printed_path, verify=False).set_index("claim")
    rows = []
    for encoder, part in scores.groupby("encoder", sort=False):
        against = comparisons[comparisons["encoder"] == encoder]
        best = best_result(part, int(against["n_test"].iloc[0]), printed, level)
        found = [best, *thresholds(part, level), *plateau(against), *gains(against, level)]
        rows += [{"encoder": encoder} | row for row in found]
    rows += consistency(read_csv(agreement_path), level) + encoders(scores, level) + prompts()
    frame = pd.DataFrame(rows, columns=CLAIM_COLUMNS)
    frame["metric"] = frame["claim"].map(printed["metric"])
    frame["printed"] = frame["claim"].map(printed["value"])
    write_csv(claims_path, frame)
    write_csv(flags_path, pd.DataFrame(flags(scores, comparisons, read_csv(slices_path)), columns=FLAG_COLUMNS))


def best_result(scores, n_test, printed, level):
    """The best setting by median Pearson r, never its best seed, with what ``n_test`` texts can tell of an r.

    ``printed`` are the printed claims by name, whose conditions say on how many essays the printed value rests.
    """
    medians = scores.groupby(["model", "setting"])["pearson_r"].median()
    (model, setting), value = medians.idxmax(), float(medians.max())
    low, high = correlation_interval(value, n_test, level)
    words = [
        f"{setting}, median over seeds, with the interval of an r of {n_test} texts (Fisher's z), on other test texts: "
        "the printed value is from texts that their owners restrict, and from the best of five seeds, so that the two "
        "can't be compared"
    ]
    name = "best result"
    if name in printed.index and (essays := re.search(r"\((\d+) essays\)", printed.loc[name, "conditions"])):
        words.append("as printed: " + in_words(float(printed.loc[name, "value"]), int(essays[1]), level))
    return {
        "claim": name, "model": model, "found": value, "low": low, "high": high, "verdict": NOT_TESTED,
        "explanation": "; ".join(words),
    }  # fmt: skip


def thresholds(scores, level):
    """Whether the best threshold on validation lies from 3.5 to 4.5: the best of these against the best of the others.

    Against the mean of the others it would always hold, since the smallest thresholds hurt. The interval is over seeds,
    and wide enough for all pairs that the two could have come from (Bonferroni).
    """
    rows, names = [], ("best threshold from", "best threshold to")
    swept = scores[scores["kind"] == "alpha"]
    for model, part in swept.groupby("model"):
        table = part.pivot_table(index="seed", columns="number", values="validation_ccc")
        means = table.mean()
        within = (means.index >= 3.5) & (means.index <= 4.5)
        if within.all() or not within.any():
            why = "this study does not sweep thresholds both from 3.5 to 4.5 and beyond"
            rows += [{"claim": claim, "model": model, "verdict": NOT_TESTED, "explanation": why} for claim in names]
            continue
        inside, outside = means[within].idxmax(), means[~within].idxmax()
        difference = (table[inside] - table[outside]).dropna()
        low, high = mean_interval(difference, level / (within.sum() * (~within).sum()))
        chosen = scores[(scores["model"] == model) & (scores["setting"] == CHOSEN)].sort_values("seed")["number"]
        explanation = (
            f"validation concordance at {inside:g}, the best of 3.5 to 4.5, less that at {outside:g}, the best of the "
            f"others, within seeds; chosen per seed: {', '.join(f'{number:g}' for number in chosen)}"
        )
        found = {"model": model, "found": difference.mean(), "low": low, "high": high}
        found |= {"verdict": verdict(low, high), "explanation": explanation}
        rows += [{"claim": claim} | found for claim in names]
    return rows


def plateau(comparisons):
    """Whether adding all texts gains no more than adding 30 %: from the two gains over the baseline."""
    added = comparisons[(comparisons["comparison"] == "plateau") & (comparisons["metric"] == "ccc")]
    rows = []
    for row in added.itertuples():
        found = HOLDS if row.high < NO_GAIN else FAILS if row.low > 0 else UNDECIDED
        found = found if row.seeds > 1 else NOT_TESTED
        rows.append({
            "claim": "augmentation plateau", "model": row.model, "found": row.difference, "low": row.low,
            "high": row.high, "verdict": found,
            "explanation": f"concordance of {row.setting} less that of {row.other_setting}; holds if surely below "
            f"{NO_GAIN}",
        })  # fmt: skip
    return rows


def gains(comparisons, level):
    """Whether correction (at the threshold chosen on validation) and augmentation (all texts) beat the baseline.

    It holds, or fails, where that also shows at a false discovery rate of ``level`` among the rows of this claim.
    """
    against = comparisons[(comparisons["comparison"] == "baseline") & (comparisons["metric"] == "ccc")]
    wanted = against[(against["setting"].isin([CHOSEN, "added=1", "both=1"])) & (against["model"] != CROWD)]
    wanted = wanted.assign(q=stats.false_discovery_control(wanted["p"]) if len(wanted) else [])
    return [
        {
            "claim": "correction and augmentation beat the baseline", "model": row.model, "found": row.difference,
            "low": row.low, "high": row.high,
            "verdict": NOT_TESTED if row.seeds < 2 else verdict(row.low, row.high) if row.q <= level else UNDECIDED,
            "explanation": f"{row.setting}, mean concordance less the baseline's, over texts and seeds: p {row.p:.2g}, "
            f"q {row.q:.3g} among the {len(wanted)} of this claim"
            + (f"; {SEEDS_ONLY}: p {row.p_published:.2g}" if pd.notna(row.p_published) else ""),
        }
        for row in wanted.itertuples()
    ]  # fmt: skip


def consistency(agreement, level):
    """Agreement between models, and of models with the crowd, in all sets, by its intervals over whole writers."""
    agreement, rows = agreement.dropna(subset=["krippendorff_alpha"]), []
    of_crowd = agreement["first"] == CROWD
    for claim, part, limit, sign, words in [
        ("LLM label consistency", agreement[~of_crowd], 0.8, 1, "between models"),
        ("crowd label consistency", agreement[of_crowd], 0.27, -1, "between a model and the crowd"),
    ]:
        if len(part):
            bounds = [alpha_interval(row, level / len(part)) for row in part.to_dict("records")]
            above = [
                (None, None) if None in pair else sorted(sign * (bound - limit) for bound in pair) for pair in bounds
            ]
            values, found = part["krippendorff_alpha"], [verdict(low, high) for low, high in above]
            rows.append({
                "claim": claim, "found": values.mean(), "low": values.min(), "high": values.max(),
                "verdict": verdict_on_all(found),
                "explanation": f"Krippendorff's alpha {words}: mean, least and most; "
                + _counts(found, "sets and pairs", "whole writers"),
            })  # fmt: skip
    return rows


def encoders(scores, level):
    """Whether DeBERTa is above RoBERTa in all settings, where a study has both: by its intervals over seeds."""
    names = {
        kind: next((key for key in scores["encoder"].unique() if key.startswith(kind)), None)
        for kind in ("deberta", "roberta")
    }
    row = {"claim": "DeBERTa-v3-base above RoBERTa-base", "verdict": NOT_TESTED}
    if None in names.values():
        return [row | {"explanation": "this study does not train both encoders"}]
    trained = scores[scores["trained_as"] == scores["setting"]]
    by_seed = trained.pivot_table(index=["model", "setting", "seed"], columns="encoder", values="ccc")
    above = (by_seed[names["deberta"]] - by_seed[names["roberta"]]).dropna().groupby(["model", "setting"])
    means, found = above.mean(), [verdict(*mean_interval(part, level / len(above))) for _, part in above]
    words = f"difference in concordance: mean, least and most; {_counts(found, 'settings', 'seeds only')}"
    numbers = {"found": means.mean(), "low": means.min(), "high": means.max()}
    return [row | numbers | {"verdict": verdict_on_all(found), "explanation": words}]


def prompts():
    """The claims on prompts, which published labels can't test."""
    why = (
        "`snakemake validate_prompts` measures it with a model of your own, in relabel/prompts.csv; the printed value "
        "is of another model and other texts, so that the two can't be compared"
    )
    return [
        {"claim": claim, "verdict": NOT_TESTED, "explanation": why} for claim in ("plain prompt", "scale-aware prompt")
    ]


def flags(scores, comparisons, slices):
    """Signatures of failure that the study reports: rows as dicts, each with its value and the limit that raises it.

    A setting that stands for another run is not counted again. Values of test texts have their number and interval.
    """
    rows = []
    against = comparisons[(comparisons["comparison"] == "baseline") & (comparisons["metric"] == "ccc")]
    for row in against.itertuples():
        if row.setting.startswith("alpha=") and row.setting != CHOSEN and float(row.setting[6:]) < LEAST_THRESHOLD:
            rows.append({
                "encoder": row.encoder, "flag": "threshold below 3 hurts", "model": row.model, "setting": row.setting,
                "n": row.n_test, "value": row.difference, "low": row.low, "high": row.high, "limit": 0,
                "raised": row.high < 0,
            })  # fmt: skip
    chosen = scores[scores["setting"] == CHOSEN].groupby(["encoder", "model"], sort=False)["share_concerned"].max()
    for (encoder, model), share in chosen.items():
        rows.append({
            "encoder": encoder, "flag": "controls have little left", "model": model, "setting": CHOSEN, "value": share,
            "limit": MOST_REPLACED, "raised": share > MOST_REPLACED,
        })  # fmt: skip
    trained = scores[scores["trained_as"] == scores["setting"]]
    for (encoder, model, setting), part in trained.groupby(["encoder", "model", "setting"], sort=False):
        names = {"encoder": encoder, "model": model, "setting": setting}
        deviation = part["ccc"].std() if len(part) > 1 else np.nan
        share = (part["ccc"] / part["pearson_r"].where(part["pearson_r"] > 0)).mean()
        rows.append(names | {
            "flag": "high variance over seeds", "value": deviation, "limit": MOST_SEED_DEVIATION,
            "raised": deviation > MOST_SEED_DEVIATION,
        })  # fmt: skip
        rows.append(names | {
            "flag": "concordance far below Pearson r", "value": share, "limit": LEAST_CCC_SHARE,
            "raised": share < LEAST_CCC_SHARE,
        })  # fmt: skip
    for row in slices[slices["ccc"].notna()].itertuples():
        rows.append({
            "encoder": row.encoder, "flag": f"negative concordance in {row.attribute} {row.group}", "model": row.system,
            "n": row.n, "value": row.ccc, "low": row.ccc_low, "high": row.ccc_high, "limit": 0, "raised": row.ccc < 0,
        })  # fmt: skip
    return rows


def verdict(low, high):
    """Verdict on a claim that a difference is above 0, from its interval."""
    if low is None or high is None:
        return NOT_TESTED
    return HOLDS if low > 0 else FAILS if high < 0 else UNDECIDED


def verdict_on_all(verdicts):
    """Verdict on a claim on all of some numbers, from those on each."""
    if FAILS in verdicts:
        return FAILS
    return next((found for found in (NOT_TESTED, HOLDS) if set(verdicts) == {found}), UNDECIDED)


def _counts(verdicts, words, drawn):
    """How many of some numbers are as printed, and how many are not, by intervals over what is ``drawn``."""
    held, failed = verdicts.count(HOLDS), verdicts.count(FAILS)
    return (
        f"of {len(verdicts)} {words} {held} surely as printed, {failed} surely not, by intervals over {drawn} that are "
        "wide enough for all"
    )
