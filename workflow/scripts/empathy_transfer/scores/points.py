"""The scale of means over pairs: points of the score, cut off.

A percentage of the target's own baseline is for reading one cell. It has no mean worth telling: near a baseline of 0 a
single pair outweighs all others, and where such baselines are left out, those that came out high by luck stay in. A
difference in points (hundredths of the score) exists for every pair and stands whatever the baseline.

Differences far from the median are cut off, so that one collapsed run doesn't make the mean of three hundred.
"""

CUT_OFF_AT = 25  # percent of the mean baseline, away from the median difference


def with_points(pairs):
    """The pairs with two more columns.

    Args:
        pairs: frame with target, data, baseline and difference (0 to 1).

    Returns:
        The frame with `one_percent`, what one percent of the mean baseline of the data condition's targets is in
        points, and `points`, the difference in points, cut off where it lies further from the condition's median than
        25 percent of that mean baseline.
    """
    baselines = pairs.groupby(["data", "target"], sort=False)["baseline"].mean().groupby("data").mean()
    one_percent = pairs["data"].map(baselines).astype("float64")
    points = 100 * pairs["difference"]
    middle, reach = points.groupby(pairs["data"]).transform("median"), CUT_OFF_AT * one_percent.abs()
    return pairs.assign(one_percent=one_percent, points=points.clip(middle - reach, middle + reach))
