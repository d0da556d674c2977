"""How much the luck of a source's trained adapter moves its transfers to all targets at once.

An adapter is trained once for each seed, and all transfers from it start there. If it came out well, a whole row of the
matrix of transfers does. The tests of a target can't see that: within one target each source has an adapter of its own,
and its luck is part of how the source's seeds differ. It shows between targets: what a seed of a source is better by at
one target, it is better by at the others.
"""

import numpy as np
import pandas as pd

from empathy_transfer.records.runs import BASELINE, CONTROLS


def adapter_luck(scores, collapsed=True):
    """Variance that the luck of sources' adapters gives the mean difference of a transfer: {data: {target: variance}}.

    A transfer's score less the baseline's of the same seed, less the means of its source and of its seed at the target,
    is what the source's seed is better by there. These numbers, in units of their spread at the target, are correlated
    between targets (`luck_correlation`). So much of the variance between seeds is the adapter's, at each target.

    Args:
        scores: frame of scores.csv. collapsed: whether collapsed runs count.
    """
    known = scores[scores["main"].astype(bool) & scores["value"].notna() & ~scores["source"].isin(CONTROLS)]
    known = known if collapsed else known[~known["collapsed"].isin([True])]
    full = known[(known["source"] == BASELINE) & (known["data"] == "full")].set_index(["target", "seed"])["value"]
    luck = {}
    for data, runs in known[known["source"] != BASELINE].groupby("data"):
        places = pd.MultiIndex.from_frame(runs[["target", "seed"]])
        differences = runs["value"].to_numpy() - full.reindex(places).to_numpy()
        table = runs.assign(difference=differences).pivot_table(
            index=["source", "seed"], columns="target", values="difference"
        )
        rest = table - table.groupby("source").transform("mean")
        rest = rest - rest.groupby("seed").transform("mean")
        # One seed of a source leaves nothing.
        seeds = table.groupby("source").count()
        seeds = seeds.where(seeds > 1)
        freedom = (seeds - 1).sum() * (1 - 1 / seeds.notna().sum())
        squares = (rest**2).sum() / freedom.where(freedom > 0)
        correlation = luck_correlation(rest / np.sqrt(squares.where(squares > 0)), seeds)
        luck[data] = (correlation * squares / seeds.mean()).dropna().to_dict()
    return luck


def luck_correlation(rest, seeds):
    """Correlation, between two targets, of what a seed of a source is better by; never below 0.

    Args:
        rest: frame (sources and seeds x targets) in units of the targets' spreads. seeds: how many seeds of a source
            there are at a target (sources x targets), blank below two.
    """
    products = (rest.sum(axis=1) ** 2 - (rest**2).sum(axis=1)).sum()
    # Each pair of targets has, of each source, one degree of freedom less than seeds; centring takes out one source.
    shares = np.sqrt((seeds - 1) * (1 - 1 / seeds.notna().sum()))
    pairs = (shares.sum(axis=1) ** 2 - (shares**2).sum(axis=1)).sum()
    return max(float(products / pairs), 0.0) if pairs > 0 else 0.0
