"""How far raters agree, in numbers, of many resamples of the items at once. Each measure is a function of

    values: array (items, raters), NaN where a rater gave nothing, and
    counts: array (resamples, items), how often each item was drawn; a row of ones for the items as they are,

and gives an array (resamples), NaN where it is undefined. Numbers of pairs of raters are means over all pairs in which
both raters differ between the items that both rated.
"""

import itertools
import math

import numpy as np

from empathy_transfer.agreement.krippendorff_alpha import alpha_of_sums, alpha_sums
from empathy_transfer.agreement.scales import fishers_z, intraclass
from empathy_transfer.statistics.ranks import weighted_midranks
from empathy_transfer.statistics.values import CONSTANT_TOLERANCE

# Numbers that a measure holds at once for each resample's item; 4 million are 32 MB.
BLOCK_CELLS = 4_000_000
# Sets of other raters that one is compared with.
MOST_SETS = 40


def interval_alpha(values, counts):
    """Krippendorff's alpha at interval level: 1 is full agreement, 0 that of chance."""
    return alpha_of_sums(np.asarray(counts, dtype=float) @ alpha_sums(values - np.nanmean(values)))


def ordinal_alpha(values, counts):
    """Krippendorff's alpha at ordinal level.

    It is alpha at interval level of the values' middle places among all values that count: the distance of two values
    is the sum of how often those between them were given, and half of how often they were.
    """
    given = ~np.isnan(values)
    number = given.sum(axis=1)
    levels = np.unique(values[given])
    tallies = np.stack([(values == level).sum(axis=1) for level in levels], axis=1).astype(float)
    tallies *= (number >= 2)[:, None]
    weights = np.where(number >= 2, 1 / np.maximum(number - 1, 1), 0.0)
    # Ordered pairs within each item, of the values of two raters: (items, levels x levels).
    pairs = tallies[:, :, None] * tallies[:, None, :] - tallies[:, :, None] * np.eye(len(levels))
    pairs = (pairs * weights[:, None, None]).reshape(len(values), -1)
    found = []
    for block in _blocks(counts, len(levels) ** 2):
        often = block @ tallies
        places = np.cumsum(often, axis=1) - often / 2
        total, squares = often.sum(axis=1), (often * places**2).sum(axis=1)
        products = np.einsum("rij,ri,rj->r", (block @ pairs).reshape(len(block), *[len(levels)] * 2), places, places)
        expected = 2 * (total * squares - (often * places).sum(axis=1) ** 2)
        defined = expected > CONSTANT_TOLERANCE
        observed = 2 * (squares - products)
        found.append(np.where(defined, 1 - (total - 1) * observed / np.where(defined, expected, 1.0), np.nan))
    return np.concatenate(found)


def pearson_r(values, counts):
    """Mean Pearson r of the pairs of raters."""
    return _mean_correlation([(values[:, one], values[:, other]) for one, other in _pairs(values)], counts)


def spearman_r(values, counts):
    """Mean rank correlation of the pairs of raters; ranks are those of each resample's own items."""
    found = []
    complete = not np.isnan(values).any()
    for block in _blocks(counts, values.size):
        ranks = [weighted_midranks(values[:, rater], block) for rater in range(values.shape[1])] if complete else None
        numbers = []
        for one, other in _pairs(values):
            given = ~np.isnan(values[:, [one, other]]).any(axis=1)
            weights = block[:, given]
            pair = (
                (ranks[one], ranks[other])
                if complete
                else [weighted_midranks(values[given, rater], weights) for rater in (one, other)]
            )
            numbers.append(_weighted_correlation(*pair, weights))
        found.append(_mean(numbers, len(block)))
    return np.concatenate(found)


def cohen_kappa(values, counts):
    """Mean Cohen's kappa of the pairs of raters, on ratings rounded to whole numbers.

    Halves are rounded up, 2.5 to 3, as in the released code of the similarity study, whose printed numbers follow
    from that and not from rounding to even numbers.
    """
    rounded = np.floor(values + 0.5)
    levels = np.unique(rounded[~np.isnan(rounded)])
    numbers = []
    for one, other in _pairs(values):
        given = ~np.isnan(rounded[:, [one, other]]).any(axis=1)
        sides = [(rounded[given, rater][:, None] == levels).astype(float) for rater in (one, other)]
        weights = np.asarray(counts, dtype=float)[:, given]
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = [weights @ side / weights.sum(axis=1)[:, None] for side in sides]
            observed = weights @ (sides[0] * sides[1]).sum(axis=1) / weights.sum(axis=1)
            expected = (shares[0] * shares[1]).sum(axis=1)
            kappa = (observed - expected) / (1 - expected)
        numbers.append(np.where(expected < 1 - CONSTANT_TOLERANCE, kappa, np.nan))
    return _mean(numbers, len(counts))


def ceiling_r(values, counts):
    """The human ceiling: mean over raters of the Pearson r of a rater's values with the mean of the others'."""
    return _mean_correlation(
        [(values[:, rater], others_mean(values, rater)) for rater in range(values.shape[1])], counts
    )


def ceiling_of(others):
    """The human ceiling where a rater is compared with the mean of so many others: a measure.

    It is the mean over raters and over sets of others; of more than `MOST_SETS` sets of a rater, so many are drawn.
    """

    def measure(values, counts):
        """Mean Pearson r."""
        generator, pairs = np.random.default_rng(0), []
        for rater in range(values.shape[1]):
            rest = np.delete(np.arange(values.shape[1]), rater)
            if math.comb(len(rest), others) <= MOST_SETS:
                chosen = itertools.combinations(rest, others)
            else:
                chosen = (generator.choice(rest, others, replace=False) for _ in range(MOST_SETS))
            pairs += [(values[:, rater], _row_means(values[:, list(those)])) for those in chosen]
        return _mean_correlation(pairs, counts)

    return measure


def others_mean(values, rater):
    """The mean of all raters but one of each item; NaN where no other rated it."""
    return _row_means(np.delete(values, rater, axis=1))


def pair_r(values, counts):
    """Pearson r of two columns of values."""
    return _mean_correlation([(values[:, 0], values[:, 1])], counts)


# Each measure with the scale on which its error depends little on its size.
MEASURES = {
    "krippendorff_alpha": (interval_alpha, intraclass),
    "alpha_ordinal": (ordinal_alpha, intraclass),
    "pearson_r": (pearson_r, intraclass),
    "spearman_r": (spearman_r, intraclass),
    "cohen_kappa": (cohen_kappa, intraclass),
    "ceiling_r": (ceiling_r, fishers_z),
}


def _row_means(values):
    """The mean of each row's numbers; NaN where it has none."""
    number = (~np.isnan(values)).sum(axis=1)
    return np.where(number > 0, np.nansum(values, axis=1) / np.maximum(number, 1), np.nan)


def _pairs(values):
    """All pairs of columns."""
    return itertools.combinations(range(values.shape[1]), 2)


def _mean_correlation(pairs, counts):
    """Mean Pearson r of pairs of vectors (items), over those where neither side is constant."""
    columns = []
    for one, other in pairs:
        given = ~(np.isnan(one) | np.isnan(other))
        sides = [_standard(side, given) for side in (one, other)]
        columns += [given.astype(float), *sides, sides[0] ** 2, sides[1] ** 2, sides[0] * sides[1]]
    if not columns:
        return np.full(len(counts), np.nan)
    found = []
    for block in _blocks(counts, len(columns)):
        sums = np.moveaxis((block @ np.column_stack(columns)).reshape(len(block), -1, 6), 2, 0)
        found.append(_mean(_correlation(*sums).T, len(block)))
    return np.concatenate(found)


def _weighted_correlation(x, y, weights):
    """Correlation of ranks (resamples, items) in each resample."""
    number = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = (side - ((side * weights).sum(axis=1) / number)[:, None] for side in (x, y))
    sums = [(part * weights).sum(axis=1) for part in (x, y, x * x, y * y, x * y)]
    return _correlation(number, *sums)


def _correlation(number, x, y, xx, yy, xy):
    """Pearson r from sums; NaN with fewer than three items, or where a side is constant."""
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y, xx, yy, xy = (part / number for part in (x, y, xx, yy, xy))
        of_x, of_y = xx - x**2, yy - y**2
        r = (xy - x * y) / np.sqrt(of_x * of_y)
    defined = (number > 2) & (of_x > CONSTANT_TOLERANCE**2) & (of_y > CONSTANT_TOLERANCE**2)
    return np.where(defined, r, np.nan).clip(-1, 1)


def _standard(values, given):
    """Values around 0 with a spread of 1, which keeps sums of squares free of cancellation; 0 where none is given."""
    if not given.any():
        return np.zeros(len(values))
    centred = np.where(given, values - values[given].mean(), 0.0)
    size = np.sqrt((centred[given] ** 2).mean())
    return centred / size if size > CONSTANT_TOLERANCE * max(np.abs(values[given]).max(), 1.0) else centred * 0.0


def _mean(numbers, length):
    """Mean over pairs (pairs, resamples) of what is defined."""
    numbers = np.asarray(list(numbers), dtype=float).reshape(-1, length)
    known = ~np.isnan(numbers)
    return np.where(
        known.any(axis=0), np.where(known, numbers, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan
    )


def _blocks(counts, width):
    """Blocks of rows of the counts, in which so many numbers per resample fit into memory."""
    rows = max(1, BLOCK_CELLS // max(width, 1))
    for start in range(0, len(counts), rows):
        yield np.asarray(counts[start : start + rows], dtype=float)
