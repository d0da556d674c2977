"""The rules of the claims on empathic similarity.

A claim on all of some numbers is supported where the interval of each lies on its side: if it is wrong, one of them
must miss its number. It is not supported where one lies wholly on the other side, by intervals that are wide enough for
all (Bonferroni). Findings are by group of raters or by model.
"""

from typing import NamedTuple

import pandas
from scipy import stats

from empathy_transfer.agreement.measures import MEASURES
from empathy_transfer.claims.engine import Finding, nothing
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, NOT_TESTABLE, SUPPORTED, UNDECIDED, side_of_zero

BOUNDS = {"low_agreement", "limited_impact"}
TOO_FEW = "no interval: too few items or raters"


class SimilarityEvidence(NamedTuple):
    """Frames of the stage's agreement.csv, cultures.csv and beside_ceiling.csv, and the error rate of intervals.

    ``comparisons`` is comparisons.csv of the models that are trained here, None without them.
    """

    agreement: pandas.DataFrame
    cultures: pandas.DataFrame
    beside: pandas.DataFrame
    comparisons: pandas.DataFrame | None
    level: float


def agreement_is_low(evidence, bounds):
    """Whether Krippendorff's alpha is below a limit for all aspects and forms of a group, by intervals over items."""
    limit = bounds["low_agreement"]
    for group, part in evidence.agreement.groupby("group", sort=False):
        part = part.dropna(subset=["alpha_low", "alpha_high"]).reset_index(drop=True)
        statistic, keys = "largest Krippendorff's alpha", {"group": group}
        if part.empty:
            yield nothing(statistic, 0, TOO_FEW)._replace(keys=keys)
            continue
        top = part.loc[part["krippendorff_alpha"].idxmax()]
        rows = part.assign(level=evidence.level).to_dict("records")
        above = any(_surely_above(row, limit, evidence.level / len(part)) for row in rows)
        below = (part["alpha_high"] < limit).all()
        why = (
            f"the largest of {len(part)} alphas, {top['form']} {top['aspect']}, over {top['items']:.0f} items; "
            f"supported if the upper ends of all are below {limit:g} (the highest is {part['alpha_high'].max():.2f}). "
            "The intervals don't cover the choice of raters"
        )
        numbers = (top["krippendorff_alpha"], top["alpha_low"], top["alpha_high"])
        yield Finding(statistic, _verdict(below, above), why, *numbers, pairs=len(part), keys=keys)


def same_agreement(evidence, bounds, measure, form):
    """Whether agreement of two groups differs by less than a bound in all aspects, over items and raters."""
    bound = bounds["limited_impact"]
    known = evidence.cultures[evidence.cultures["measure"] == measure]
    known = known[(known["form"] == form) & (known["other_form"] == form)]
    statistic = f"largest difference in {measure}"
    if known.empty:
        yield nothing(statistic, 0, "no two groups of raters are compared on this form")
    for (group, other), part in known.groupby(["group", "other_group"], sort=False):
        keys = {"group": f"{group} less {other}"}
        if part["low"].isna().any():
            yield nothing(statistic, len(part), TOO_FEW)._replace(keys=keys)
            continue
        top = part.loc[part["difference"].abs().idxmax()]
        inside = ((part["low"] > -bound) & (part["high"] < bound)).all()
        # Each end stretched by the ratio of normal quantiles: wide enough for all aspects, in either direction.
        share = stats.norm.isf(evidence.level / 2 / len(part)) / stats.norm.isf(evidence.level / 2)
        low = part["difference"] - share * (part["difference"] - part["low"])
        high = part["difference"] + share * (part["high"] - part["difference"])
        outside = ((low > bound) | (high < -bound)).any()
        why = (
            f"the largest of {len(part)} aspects, {top['aspect']}; {top['raters']:.0f} raters of {top['items']:.0f} "
            f"items beside {top['other_raters']:.0f} of {top['other_items']:.0f}; supported if each interval, over "
            f"items and raters, lies between {-bound:g} and {bound:g}"
        )
        numbers = (top["difference"], top["low"], top["high"])
        yield Finding(statistic, _verdict(inside, outside), why, *numbers, pairs=len(part), keys=keys)


def below_ceiling(evidence, bounds):
    """Whether a model's Pearson r is below the human ceiling on all labels."""
    statistic, known = "smallest distance of the ceiling above the model's Pearson r", evidence.beside
    models = known.groupby(["family", "model", "form", "group"], sort=False, dropna=False)
    if known.empty:
        yield nothing(statistic, 0, "no model stands beside a ceiling of its labels")
    for (family, model, form, group), part in models:
        keys = {"family": family, "model": model}
        if part["difference_low"].isna().any():
            yield nothing(statistic, len(part), TOO_FEW)._replace(keys=keys)
            continue
        # Several models are judged, and each of them can be the wrong one.
        wide = stats.norm.isf(evidence.level / 2 / models.ngroups) / stats.norm.isf(evidence.level / 2)
        all_wide = stats.norm.isf(evidence.level / 2 / len(known)) / stats.norm.isf(evidence.level / 2)
        low = part["difference"] - wide * (part["difference"] - part["difference_low"])
        high = part["difference"] + all_wide * (part["difference_high"] - part["difference"])
        least = part["difference"].idxmin()
        own = "the same pairs" if part["same_pairs"].astype(str).eq("True").all() else "other pairs than the model's"
        why = (
            f"least of {len(part)} labels ({part.loc[least, 'label']}, {form} stories): ceiling "
            f"{part.loc[least, 'ceiling_r']:.2f} of {part.loc[least, 'raters']:.0f} raters in group {group} on "
            f"{part.loc[least, 'items']:.0f} pairs, {own}, model {part.loc[least, 'value']:.2f}; interval wide enough "
            f"for {models.ngroups} models, supported if above 0 on all labels"
        )
        numbers = (part.loc[least, "difference"], low[least], part.loc[least, "difference_high"])
        yield Finding(statistic, _verdict((low > 0).all(), (high < 0).any()), why, *numbers, pairs=len(part), keys=keys)


def improves_on(evidence, bounds, family, over):
    """Whether models of a family have a higher Pearson r than those of another, trained and tested on the same label.

    At a false discovery rate among all rows of the claim; with one seed a comparison is about that training alone.
    """
    statistic, found = "difference in Pearson r", evidence.comparisons
    if found is None or found.empty:
        yield nothing(statistic, 0, "no models are trained and compared here")
        return
    rows = found[(found["family"] == family) & (found["other_family"] == over) & (found["metric"] == "pearson_r")]
    rows = rows[(rows["trained_on"] == rows["label"]) & rows[["low", "high", "p"]].notna().all(axis=1)]
    if rows.empty:
        yield nothing(statistic, 0, f"no model of the family {family} is compared with one of {over}")
        return
    for row in rows.assign(q=stats.false_discovery_control(rows["p"])).itertuples():
        verdict = side_of_zero(row.low, row.high) if row.q <= evidence.level else UNDECIDED
        why = (
            f"{row.model} less {row.other_model} on {row.label} ({row.form} stories), {row.n:.0f} pairs, "
            f"{row.seeds:.0f} seeds: p {row.p:.2g}, q {row.q:.3g} among the {len(rows)} of this claim"
        )
        if row.seeds < 2:
            verdict, why = NOT_TESTABLE, f"{why}; one seed says nothing of other trainings"
        keys = {"family": family, "model": row.model}
        yield Finding(statistic, verdict, why, row.difference, row.low, row.high, row.p, pairs=int(row.n), keys=keys)


RULES = {rule.__name__: rule for rule in (agreement_is_low, same_agreement, below_ceiling, improves_on)}


def _verdict(holds, fails):
    """The word for a claim that surely holds, surely fails, or neither."""
    return SUPPORTED if holds else NOT_SUPPORTED if fails else UNDECIDED


def _surely_above(row, limit, level):
    """Whether alpha lies above a limit by its interval, made as wide as one of another error rate (`level`)."""
    to_scale = MEASURES["krippendorff_alpha"][1](row["raters"])[0]
    number, low, least = (float(to_scale(one)) for one in (row["krippendorff_alpha"], row["alpha_low"], limit))
    share = stats.t.isf(level / 2, row["items"] - 1) / stats.t.isf(row["level"] / 2, row["items"] - 1)
    return number - share * (number - low) > least
