"""The rule about claims on variants of tasks: whether other training labels make a better source or target."""

from empathy_transfer.claims.engine import ALPHA, Finding, nothing
from empathy_transfer.statistics.intervals import mean_interval
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, SUPPORTED, UNDECIDED, side_of_zero


def variants_gain(evidence, bounds, data, role, variants):
    """Whether variants of tasks transfer better than the tasks that they are made from.

    As a source: the score of a transfer from the variant, less that of the transfer from its task to the same target.
    As a target: what transfer adds to the variant's baseline, less what the same source adds to its task's. The number
    is the mean over the other tasks, in points of the score times 100, each the mean of the variants that the study
    has; its interval is that of a paired t test over the other tasks. Supported: it lies above 0; not supported: below.
    With one seed it is undecided, since all transfers from a variant share one training of its adapter.
    """
    statistic = f"mean difference of scores to the task itself as a {role}, times 100"
    known = evidence.variants
    if known is None:
        return nothing(statistic, 0, "the study has no variants")
    chosen = known[(known["data"] == data) & (known["role"] == role) & known["variant"].isin(variants)]
    gains = 100 * chosen.groupby("other")["gain"].mean()
    # An interval needs two of them, whatever the bound says.
    if len(gains) < max(bounds["least_tasks"], 2):
        return nothing(statistic, len(chosen), f"too few transfers of {' or '.join(variants)} as a {role}")
    low, high = mean_interval(gains, ALPHA)
    verdict = side_of_zero(low, high)
    why = {SUPPORTED: "the interval lies above 0", NOT_SUPPORTED: "the interval lies below 0"}
    why = why.get(verdict, "the interval holds 0")
    if verdict != UNDECIDED and chosen["seeds"].min() < 2:
        verdict, why = UNDECIDED, f"one seed, so another training might turn it; otherwise {verdict}: {why}"
    return Finding(statistic, verdict, why, float(gains.mean()), low, high, None, len(chosen))
