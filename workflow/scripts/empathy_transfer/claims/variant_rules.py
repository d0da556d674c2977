"""The rule about claims on variants of tasks: whether other training labels make a better source or target."""

import numpy

from empathy_transfer.claims.engine import ALPHA, Finding, nothing
from empathy_transfer.statistics.crossed_means import complete_table, crossed_interval
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, SUPPORTED, UNDECIDED, side_of_zero

LEAST_SEEDS = 3


def variants_gain(evidence, bounds, data, role, variants):
    """Whether variants of tasks transfer better than the tasks that they are made from.

    As a source: the score of a transfer from the variant, less that of the transfer from its task to the same target.
    As a target: what transfer adds to the variant's baseline, less what the same source adds to its task's. The number
    is the mean over the other tasks, in points of the score times 100, each the mean of the variants that the study
    has. Its interval covers other tasks and other seeds: all gains of a seed share one training of the variant's
    adapter, or of its baseline. As a target it covers the choice of test items, too, which all gains share. Supported:
    it lies above 0; not supported: below. With fewer than three seeds it is undecided.
    """
    statistic = f"mean difference of scores to the task itself as a {role}, times 100"
    known = evidence.variants
    if known is None:
        return nothing(statistic, 0, "the study has no variants")
    chosen = known[(known["data"] == data) & (known["role"] == role) & known["variant"].isin(variants)]
    # Other tasks x seeds that all variants have.
    table = chosen.set_index(["other", "variant", "seed"])["gain"].unstack(["variant", "seed"])
    gains = complete_table(table).T.groupby(level="seed").mean().T if len(table) else table
    pairs = len(gains) * chosen["variant"].nunique()
    # An interval needs two of them, whatever the bound says.
    if len(gains) < max(bounds["least_tasks"], 2):
        return nothing(statistic, pairs, f"too few transfers of {' or '.join(variants)} as a {role}")
    found = crossed_interval(100 * gains.to_numpy(), ALPHA, _common(chosen))
    verdict = side_of_zero(found.low, found.high)
    why = {SUPPORTED: "the interval lies above 0", NOT_SUPPORTED: "the interval lies below 0"}
    why = why.get(verdict, "the interval holds 0")
    if verdict != UNDECIDED and found.seeds < LEAST_SEEDS:
        seeds = "one seed" if found.seeds == 1 else f"{found.seeds} seeds"
        verdict, why = UNDECIDED, f"{seeds}, so another training might turn it; otherwise {verdict}: {why}"
    return Finding(statistic, verdict, why, found.mean, found.low, found.high, None, pairs)


def _common(chosen):
    """The variance that all gains share by their test items, times 100 squared, and its degrees of freedom.

    Variants may share their items. So errors are averaged as if they went together: it is never less than that.
    """
    shared = chosen.dropna(subset=["clusters"]).groupby("variant")[["shared_variance", "clusters"]].first()
    if shared.empty:
        return 0.0, 1
    error = float(numpy.sqrt(shared["shared_variance"].fillna(0.0)).mean())
    return (100 * error) ** 2, int(shared["clusters"].min()) - 1
