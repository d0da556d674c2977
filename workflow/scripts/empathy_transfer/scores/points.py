"""The scales of a change: percent of the target's own baseline for reading a cell, points of the score for means.

A mean of percentages says little: near a baseline of 0 a single pair outweighs all others, and where such baselines are
left out, those that came out high by luck stay in. A difference in points (hundredths of the score) exists for every
pair and stands whatever the baseline.

Differences far from both 0 and the median are cut off, so that one collapsed run doesn't make the mean of hundreds.
"""

import numpy

PERCENT_FROM = 5  # standard errors of the baseline above the floor
CUT_OFF_AT = 25  # percent of the mean baseline, beyond no change and the median


def percent_stands(baseline, floor, standard_error):
    """Whether a change can be told in percent of a baseline: it is more than five standard errors above its floor.

    The choice of test items then moves the baseline, and with it all percentages, by less than a fifth. Two standard
    errors, at which a baseline is better than constant answers, are too few: an r of .07 over 1,118 items exceeds them
    in 64 % of samples, and its percentages then vary by 24 about -4 where transfer changes nothing.
    """
    return baseline - floor > PERCENT_FROM * standard_error


def with_points(pairs):
    """The pairs with two more columns.

    Args:
        pairs: frame with target, data, baseline and difference (0 to 1).

    Returns:
        The frame with `one_percent`, what one percent of the mean baseline of the data condition's targets is in
        points, and `points`, the difference in points, cut off where it lies more than 25 percent of that mean baseline
        below (or above) both 0 and the condition's median.
    """
    baselines = pairs.groupby(["data", "target"], sort=False)["baseline"].mean().groupby("data").mean()
    one_percent = pairs["data"].map(baselines).astype("float64")
    points = 100 * pairs["difference"].to_numpy(float)
    for data, mean_baseline in baselines.items():
        rows = (pairs["data"] == data).to_numpy()
        points[rows] = cut_off(points[rows], mean_baseline)
    return pairs.assign(one_percent=one_percent, points=points)


def cut_off(points, one_percent):
    """Changes in points, at most 25 percent of the mean baseline below (or above) both 0 and their median.

    Args:
        points: array (pairs,) of one data condition. one_percent: one percent of its mean baseline, in points.
    """
    middle, reach = numpy.median(points), CUT_OFF_AT * abs(one_percent)
    return numpy.clip(points, min(middle, 0) - reach, max(middle, 0) + reach)
