"""The rules of the claims on raters of pairs. Findings are by task, under the first scheme of splits of each.

A difference needs two seeds or more, since an interval of one seed covers the choice of test pairs alone. The intervals
of a finding on several comparisons are wide enough for all of them (Bonferroni): then what is wrong in it is wrong at
most as often as the level says.
"""

from typing import NamedTuple

import pandas
from scipy import stats

from empathy_transfer.claims.engine import Finding, nothing
from empathy_transfer.raters.words import MAIN, PLAIN
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, SUPPORTED, UNDECIDED

BOUNDS = {"negligible"}


class RaterEvidence(NamedTuple):
    """The frame of the stage's comparisons.csv, and the error rate of intervals."""

    comparisons: pandas.DataFrame
    level: float


def architecture_above(evidence, bounds, kind, better, losses):
    """Whether one architecture scores above the other with each of these losses.

    Supported where all differences surely are above 0, not supported where one surely is below.
    """
    statistic, sign = f"least difference in {MAIN[kind]}", 1 if better == "bi" else -1
    for pairs, rows in _compared(evidence, "architecture", kind):
        chosen = rows[(rows["variant"] == PLAIN) & rows["loss"].isin(losses)]
        yield _on_all(statistic, pairs, chosen, sign, len(losses), evidence.level)


def loss_best(evidence, bounds, kind, best, others):
    """Whether a loss is above all others, in each architecture that has them.

    With several `best` ones, the better of them by its mean counts; intervals are wide enough for each choice.
    Supported where it surely is above all others, not supported where another one surely is above all of the best ones.
    """
    metric = MAIN[kind]
    for pairs, rows in _compared(evidence, "loss", kind):
        plain = rows[rows["variant"] == PLAIN]
        for architecture, part in plain.groupby("architecture", sort=False):
            wanted = {(one, other): _between(part, one, other) for one in best for other in others}
            found = {pair: row for pair, row in wanted.items() if row is not None}
            keys, statistic = {"task": pairs, "model": architecture}, f"least difference in {metric}"
            present = sorted({other for _, other in found})
            if not found:
                yield nothing(statistic, 0, "these losses are not compared")._replace(keys=keys)
                continue
            ends = {pair: _ends(row, evidence.level / len(found)) for pair, row in found.items()}
            if any(end is None for end in ends.values()):
                yield nothing(statistic, 0, "with one seed, an interval covers the choice of pairs alone")._replace(
                    keys=keys
                )
                continue
            # A table of comparisons has all of them, so each of the best ones is compared with each of the others.
            mine = list(dict.fromkeys(one for one, _ in found))
            chosen = max(mine, key=lambda one: min(found[one, other][0] for other in present))
            above = all(ends[chosen, other][0] > 0 for other in present)
            below = any(all(ends[one, other][1] < 0 for one in mine) for other in present)
            verdict = SUPPORTED if above else NOT_SUPPORTED if below else UNDECIDED
            least = min(present, key=lambda other: found[chosen, other][0])
            why = (
                f"{chosen} less {least}, the nearest of {len(present)} others, by intervals wide enough for all of them"
            )
            number = found[chosen, least][0]
            yield Finding(statistic, verdict, why, number, *ends[chosen, least], pairs=len(found), keys=keys)


def losses_differ(evidence, bounds, kind, one, other):
    """Whether two losses differ: surely not 0, and by more than the bound; not supported where surely within it."""
    limit, metric = bounds["negligible"], MAIN[kind]
    for pairs, rows in _compared(evidence, "loss", kind):
        plain = rows[rows["variant"] == PLAIN]
        for architecture, part in plain.groupby("architecture", sort=False):
            row, keys = _between(part, one, other), {"task": pairs, "model": architecture}
            # Either architecture can show a difference, so they share the error.
            ends = None if row is None else _ends(row, evidence.level / plain["architecture"].nunique())
            if ends is None:
                yield nothing(f"difference in {metric}", 0, "these losses are not compared over seeds")._replace(
                    keys=keys
                )
                continue
            low, high = ends
            verdict = (
                SUPPORTED if low > 0 or high < 0 else NOT_SUPPORTED if -limit < low and high < limit else UNDECIDED
            )
            why = f"{one} less {other}; not supported if surely within {limit:g} of 0"
            yield Finding(f"difference in {metric}", verdict, why, row[0], low, high, keys=keys)


RULES = {rule.__name__: rule for rule in (architecture_above, loss_best, losses_differ)}


def _compared(evidence, comparison, kind):
    """(task, its comparisons of a kind in the main metric under its first scheme) of each task of a kind."""
    frame = evidence.comparisons
    frame = frame[(frame["comparison"] == comparison) & (frame["metric"] == MAIN[kind])]
    for pairs, rows in frame.groupby("pairs", sort=False):
        yield pairs, rows[rows["scheme"] == rows["scheme"].iloc[0]]


def _between(rows, one, other):
    """(difference, standard error, degrees of freedom, seeds) of one loss less another; None without a comparison."""
    for pair, sign in (((one, other), 1), ((other, one), -1)):
        found = rows[(rows["loss"] == pair[0]) & (rows["other_loss"] == pair[1])]
        if len(found):
            row = found.iloc[0]
            return sign * row["difference"], row["se"], row["df"], row["seeds"]
    return None


def _ends(row, level):
    """The interval of a difference of `_between` at an error rate; None with one seed."""
    difference, se, df, seeds = row
    half = stats.t.isf(level / 2, df) * se
    return None if seeds < 2 else (difference - half, difference + half)


def _on_all(statistic, pairs, rows, sign, wanted, level):
    """The finding on several differences that must all be above 0: the least one, with its interval."""
    keys = {"task": pairs}
    if rows.empty or (rows["seeds"] < 2).any():
        return nothing(statistic, 0, "these raters are not compared over seeds")._replace(keys=keys)
    share, found = level / len(rows), []
    for row in rows.itertuples():
        difference = sign * row.difference
        found.append((difference, *_ends((difference, row.se, row.df, row.seeds), share)))
    above, below = sum(low > 0 for _, low, _ in found), sum(high < 0 for _, _, high in found)
    verdict = SUPPORTED if above == len(found) else NOT_SUPPORTED if below else UNDECIDED
    number, low, high = min(found)
    why = f"of {len(found)} losses {above} surely above, {below} surely below, by intervals wide enough for all"
    why += "" if len(found) == wanted else f"; {wanted - len(found)} losses of the claim are not trained"
    return Finding(statistic, verdict, why, number, low, high, pairs=len(found), keys=keys)
