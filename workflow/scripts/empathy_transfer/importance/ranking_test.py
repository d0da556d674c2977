"""Whether a predictor ranks sources better than by chance: a permutation test that exchanges tasks.

The targets of a study share their sources. A source that is good for one target is often good for all, so a predictor
that is about the source alone (its size, its rating) is right or wrong for all targets at once, and targets or their
datasets are no independent observations of it. The test therefore asks how well the same numbers would rank if they
belonged to other tasks: rows and columns of the predictor's matrix (sources by targets) are exchanged together, as in a
quadratic assignment test (Hubert and Schultz 1976). Which tasks share a dataset stays as it is.
"""

from math import comb

import numpy

from empathy_transfer.importance.quadratic_assignment import orders_of_tasks

BATCH = 250
# Where so many draws are as extreme as the data, more of them can't make p small (Besag and Clifford 1991).
ENOUGH = 20
SMALL = 1e-9
TOPS = {"regret_1": 1, "regret_3": 3}


def ranking_p_values(predictor, percent, datasets, draws, generator):
    """Two-sided p values of the mean gain over a random order: {measure: p}, missing where there is no gain.

    Args:
        predictor: sources x targets, higher for better; NaN where it has no value.
        percent: improvements, sources x targets; NaN where there is none, as on the diagonal.
        datasets: the dataset of each task. draws: greatest number of permutations. generator: of these.
    """
    observed = mean_gains(predictor, percent, numpy.arange(len(datasets))[None])
    if not observed:  # no target has two sources
        return {}
    known = numpy.isfinite(predictor) & numpy.isfinite(percent)
    alike = list(zip(known.any(axis=0).tolist(), known.any(axis=1).tolist(), strict=True))
    extreme, done = dict.fromkeys(observed, 0), 0
    while done < draws and min(extreme.values()) < ENOUGH:
        orders = orders_of_tasks(datasets, alike, min(BATCH, draws - done), generator)
        for measure, gains in mean_gains(predictor, percent, orders).items():
            # A draw in which no target has a value counts against the predictor.
            extreme[measure] += int((~(numpy.abs(gains) < abs(observed[measure][0]) - SMALL)).sum())
        done += len(orders)
    return {name: (count + 1) / (done + 1) for name, count in extreme.items() if numpy.isfinite(observed[name][0])}


def mean_gains(predictor, percent, orders):
    """Mean gain over targets if tasks were exchanged in each of these orders: {measure: one number per order}."""
    sums, counts = {}, {}
    for target in range(len(percent)):
        sources = numpy.flatnonzero(numpy.isfinite(percent[:, target]))
        if len(sources) < 2:
            continue
        predicted = predictor[orders[:, sources], orders[:, [target]]]
        for measure, values in target_gains(predicted, percent[sources, target]).items():
            there = numpy.isfinite(values)
            sums[measure] = sums.get(measure, 0) + numpy.where(there, values, 0)
            counts[measure] = counts.get(measure, 0) + there
    with numpy.errstate(invalid="ignore"):
        return {measure: sums[measure] / counts[measure] for measure in sums}


def target_gains(predicted, percent):
    """Gain over a random order of many rankings of one target's sources: {measure: one number per ranking}.

    The same numbers as `predictors.measures` gives one by one.

    Args:
        predicted: rankings x sources; NaN leaves a source out. percent: improvement by each source.
    """
    valid = numpy.isfinite(predicted)
    number = valid.sum(axis=1)
    filled = numpy.where(valid, predicted, -numpy.inf)
    ahead, equal = _places(filled, valid)
    all_equal = numpy.where(valid, number[:, None], 1)
    outcome = numpy.where(valid, percent, numpy.nan)
    known = number >= 2
    low = numpy.where(valid, percent, numpy.inf).min(axis=1)
    high = numpy.where(valid, percent, -numpy.inf).max(axis=1)
    known &= high > low
    found = {"ndcg": _ndcg_gain(numpy.where(valid, percent - low[:, None], 0.0), ahead, equal, valid, number)}
    for measure, top in TOPS.items():
        ranked, random = (_best(percent, valid, *places, top) for places in ((ahead, equal), (0 * ahead, all_equal)))
        enough = number > top
        found[measure] = numpy.where(enough, numpy.where(enough, ranked, 0) - numpy.where(enough, random, 0), numpy.nan)
    found["spearman"] = numpy.where(number > 2, _spearman(outcome, ahead, equal, valid), numpy.nan)
    return {measure: numpy.where(known, values, numpy.nan) for measure, values in found.items()}


def _places(values, valid):
    """For each entry of a row how many valid ones are greater, and how many are equal, itself included."""
    greater = (values[:, None, :] > values[:, :, None]) & valid[:, None, :]
    equal = (values[:, None, :] == values[:, :, None]) & valid[:, None, :]
    return greater.sum(axis=2), numpy.maximum(equal.sum(axis=2), 1)


def _ndcg_gain(gain, ahead, equal, valid, number):
    """NDCG minus that of a random order; items that are tied share the discounts of their places."""
    discounts = numpy.concatenate([[0], numpy.cumsum(1 / numpy.log2(numpy.arange(gain.shape[1]) + 2))])
    last = gain.shape[1]

    def discounted(ahead, equal):
        """Sum of the gains, each with the mean discount of the places that its tied items have."""
        shares = discounts[numpy.minimum(ahead + equal, last)] - discounts[numpy.minimum(ahead, last)]
        return (gain * shares / equal).sum(axis=1)

    gained = discounted(ahead, equal)
    ideal = discounted(*_places(numpy.where(valid, gain, -numpy.inf), valid))
    random = gain.sum(axis=1) / numpy.maximum(number, 1) * discounts[number]
    return (gained - random) / numpy.where(ideal > 0, ideal, numpy.nan)


def _best(percent, valid, ahead, equal, top):
    """Expected best improvement among the first `top` sources, over all orders of tied ones."""
    order = numpy.argsort(percent, kind="stable")
    valid, ahead, equal, percent = valid[:, order], ahead[:, order], equal[:, order], percent[order]
    sure = valid & (ahead + equal <= top)
    limit = valid & (ahead < top) & (ahead + equal > top)
    best = numpy.where(sure, percent, -numpy.inf).max(axis=1)
    tied, drawn = limit.sum(axis=1), top - sure.sum(axis=1)
    size = valid.shape[1] + 1
    ways = numpy.array([[comb(many, few) for few in range(top + 1)] for many in range(size)], dtype=float)
    place = numpy.cumsum(limit, axis=1) - 1
    # The place-th smallest of the tied is the greatest drawn in this many of the ways to draw.
    chance = ways[numpy.maximum(place, 0), numpy.clip(drawn - 1, 0, top)[:, None]]
    chance = chance / numpy.maximum(ways[tied, numpy.clip(drawn, 0, top)], 1)[:, None]
    greatest = numpy.where(limit, numpy.maximum(percent, best[:, None]), 0.0)
    mean = (greatest * chance).sum(axis=1)
    return numpy.where((tied > 0) & (drawn > 0), mean, best)


def _spearman(outcome, ahead, equal, valid):
    """Rank correlation of each row; 0 where nothing is told apart."""
    own = _centred(-(ahead + (equal - 1) / 2), valid)
    ranks = _places(numpy.where(valid, outcome, -numpy.inf), valid)
    other = _centred(-(ranks[0] + (ranks[1] - 1) / 2), valid)
    size = numpy.sqrt((own**2).sum(axis=1) * (other**2).sum(axis=1))
    return numpy.where(size > SMALL, (own * other).sum(axis=1) / numpy.where(size > SMALL, size, 1), 0.0)


def _centred(values, valid):
    """Rows minus their means over valid entries; 0 elsewhere."""
    means = numpy.where(valid, values, 0).sum(axis=1) / numpy.maximum(valid.sum(axis=1), 1)
    return numpy.where(valid, values - means[:, None], 0.0)
