"""The rules about claims on what predicts transfer: by the sound protocol's importance on held-out pairs."""

import numpy

from empathy_transfer.claims.engine import ALPHA, Finding, nothing
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, PREDICTIVE, SUPPORTED, UNDECIDED

RATINGS = ("definition", "link", "conduciveness")


def most_important(evidence, bounds, feature):
    """Whether a rating is more important for unseen pairs of tasks than every feature that is no rating.

    By the sound protocol, on held-out pairs. Supported: the rating is `predictive`, its interval over tasks lies above
    the importance of each other feature, and the primary permutation test of the rating has p of at most 5 %. Not
    supported: a feature that is no rating is `predictive`, and its interval lies above the rating's.
    """
    statistic = "held-out importance less the highest of the features that are no ratings"
    known = _held_out(evidence)
    if known is None or feature not in known.index:
        return nothing(statistic, 0, "no importance analysis of this feature")
    row, rest = known.loc[feature], known.drop(index=[name for name in RATINGS if name in known.index])
    nulls = evidence.nulls[(evidence.nulls["feature"] == feature) & (evidence.nulls["null"] == "semi_partialling")]
    p = float(nulls["p"].iloc[0]) if len(nulls) and nulls["p"].notna().all() else None
    highest = rest["importance"].max() if len(rest) else 0.0
    low, high = (_known(row[name] - highest) for name in ("low_tasks", "high_tasks"))
    finding = Finding(statistic, UNDECIDED, "", float(row["importance"] - highest), low, high, p, int(row["pairs"]))
    better = rest[(rest["verdict"] == PREDICTIVE) & (rest["low_tasks"] > row["high_tasks"])]
    if len(better):
        return finding._replace(verdict=NOT_SUPPORTED, why=f"{better['name'].iloc[0]} is more important")
    if row["verdict"] == PREDICTIVE and low is not None and low > 0 and p is not None and p <= ALPHA:
        return finding._replace(verdict=SUPPORTED, why="predictive, and above every feature that is no rating")
    if row["r2_test"] <= 0:
        return finding._replace(why=f"the features predict nothing on held-out pairs (R2 {row['r2_test']:.3f})")
    return finding._replace(why="not predictive, or not clearly above the others")


def negligible(evidence, bounds, feature):
    """Whether a feature does not predict: the interval of its held-out importance lies below what would matter.

    Not supported: it is `predictive`. Undecided where nothing predicts held-out pairs, for then no feature could show.
    """
    statistic, limit = "held-out importance", bounds["negligible_importance"]
    known = _held_out(evidence)
    if known is None or feature not in known.index:
        return nothing(statistic, 0, "no importance analysis of this feature")
    row = known.loc[feature]
    low, high = _known(row["low_tasks"]), _known(row["high_tasks"])
    finding = Finding(statistic, UNDECIDED, "", float(row["importance"]), low, high, None, int(row["pairs"]))
    if row["verdict"] == PREDICTIVE:
        return finding._replace(verdict=NOT_SUPPORTED, why="it is predictive")
    if row["r2_test"] <= 0:
        return finding._replace(why=f"no feature predicts held-out pairs (R2 {row['r2_test']:.3f})")
    if high is not None and high < limit:
        return finding._replace(verdict=SUPPORTED, why=f"the interval lies below {limit:g}")
    return finding._replace(why=f"the interval reaches above {limit:g}")


def _held_out(evidence):
    """The held-out rows of the sound protocol that have numbers, by feature; None without an importance analysis."""
    if evidence.importance is None:
        return None
    rows = evidence.importance
    rows = rows[(rows["protocol"] == "sound") & (rows["part"] == "test") & rows["importance"].notna()]
    return rows.set_index("feature")


def _known(value):
    """A number, or None for NaN."""
    return None if numpy.isnan(value) else float(value)
