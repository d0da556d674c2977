"""The rules about claims on what predicts transfer: by the sound protocol's importance on held-out pairs."""

import numpy

from empathy_transfer.claims.engine import ALPHA, Finding, nothing
from empathy_transfer.importance.rating_tests import PRIMARY_NULL
from empathy_transfer.statistics.resampling import LEAST_CLUSTERS
from empathy_transfer.statistics.values import number_or_none
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, PREDICTIVE, SUPPORTED, UNDECIDED

RATINGS = ("definition", "link", "conduciveness")


def most_important(evidence, bounds, feature):
    """Whether a rating is more important for unseen pairs of tasks than every feature that is no rating.

    By the sound protocol, on held-out pairs. The number is the least difference to such a feature; its interval draws
    datasets, for both features at once. Supported: the rating is `predictive`, the interval lies above 0, and the
    primary test of the rating has p of at most 5 %. Not supported: a feature that is no rating is `predictive`, and
    the interval, corrected for their number, lies below 0. Undecided with fewer than five datasets: what is drawn from
    so few says nothing of others.
    """
    statistic = "held-out importance less the highest of the features that are no ratings"
    known = _held_out(evidence)
    if known is None or feature not in known.index:
        return nothing(statistic, 0, "no importance analysis of this feature")
    row, rest = known.loc[feature], known.drop(index=[name for name in RATINGS if name in known.index])
    if numpy.isnan(row["margin"]):
        return nothing(statistic, int(row["pairs"]), "there is no feature to compare with")
    nulls = evidence.nulls[(evidence.nulls["feature"] == feature) & (evidence.nulls["null"] == PRIMARY_NULL)]
    p = float(nulls["p"].iloc[0]) if len(nulls) and nulls["p"].notna().all() else None
    low, high = _interval(row, "margin_")
    finding = Finding(statistic, UNDECIDED, "", float(row["margin"]), low, high, p, int(row["pairs"]))
    rival = rest.loc[row["rival"], "name"]
    if few := _too_few(evidence):
        return finding._replace(why=few)
    if (rest["verdict"] == PREDICTIVE).any() and high is not None and high < 0:
        return finding._replace(verdict=NOT_SUPPORTED, why=f"{rival} is more important")
    if row["verdict"] == PREDICTIVE and low is not None and low > 0 and p is not None and p <= ALPHA:
        return finding._replace(verdict=SUPPORTED, why="predictive, and above every feature that is no rating")
    if row["r2_test"] <= 0:
        return finding._replace(why=f"the features predict nothing on held-out pairs (R2 {row['r2_test']:.3f})")
    if row["verdict"] != PREDICTIVE:
        return finding._replace(why="not predictive")
    if low is None or low <= 0:
        return finding._replace(why=f"predictive, but not clearly above {rival}")
    return finding._replace(why="predictive, but the primary test of the rating finds nothing")


def negligible(evidence, bounds, feature):
    """Whether a feature is too small to matter: the interval of its held-out importance lies below a bound.

    The interval draws datasets. A feature that is `predictive` can be negligible all the same. Not supported: it is
    `predictive`, and the interval lies above the bound. Undecided where the interval reaches to both sides, where
    nothing predicts held-out pairs, for then no feature could show, and with fewer than five datasets.
    """
    statistic, limit = "held-out importance", bounds["negligible_importance"]
    known = _held_out(evidence)
    if known is None or feature not in known.index:
        return nothing(statistic, 0, "no importance analysis of this feature")
    row = known.loc[feature]
    low, high = _interval(row)
    finding = Finding(statistic, UNDECIDED, "", float(row["importance"]), low, high, None, int(row["pairs"]))
    predictive = row["verdict"] == PREDICTIVE
    if row["r2_test"] <= 0:
        return finding._replace(why=f"no feature predicts held-out pairs (R2 {row['r2_test']:.3f})")
    if few := _too_few(evidence):
        return finding._replace(why=few)
    if high is not None and high < limit:
        why = f"the interval lies below {limit:g}"
        return finding._replace(verdict=SUPPORTED, why=f"predictive, but negligible: {why}" if predictive else why)
    if predictive and low is not None and low > limit:
        return finding._replace(verdict=NOT_SUPPORTED, why=f"predictive, and the interval lies above {limit:g}")
    if predictive:
        return finding._replace(why=f"predicts, but whether by more than {limit:g} can't be told")
    return finding._replace(why=f"the interval reaches above {limit:g}")


def _too_few(evidence):
    """Why the datasets are too few to draw from them; an empty text where they are enough."""
    number = len({evidence.tasks[task]["dataset"] for task in {*evidence.pairs["source"], *evidence.pairs["target"]}})
    return f"{number} datasets are too few to draw from" if number < LEAST_CLUSTERS else ""


def _held_out(evidence):
    """The held-out rows of the sound protocol that have numbers, by feature; None without an importance analysis."""
    if evidence.importance is None:
        return None
    rows = evidence.importance
    rows = rows[(rows["protocol"] == "sound") & (rows["part"] == "test") & rows["importance"].notna()]
    return rows.set_index("feature")


def _interval(row, name=""):
    """The interval of a row over datasets; None for ends that are not known."""
    return tuple(number_or_none(row[f"{name}{end}_datasets"]) for end in ("low", "high"))
