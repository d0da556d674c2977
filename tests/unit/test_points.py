"""Changes in points and in percent, by hand and near a baseline of 0."""

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.scores.points import percent_stands, with_points


def test_points_stand_where_percentages_do_not():
    """A baseline of .01 beside one of .79: their mean is .40, of which a quarter is 10 points."""
    pairs = pd.DataFrame(
        {"target": ["a", "a", "a", "b", "b"], "data": "full", "baseline": [0.79, 0.79, 0.79, 0.01, 0.01],
         "difference": [-0.5, 0.02, 0.01, 0.03, 0.01]}
    )  # fmt: skip
    found = with_points(pairs)
    assert found["one_percent"].tolist() == pytest.approx([0.4] * 5)
    # The median is 1 point: a collapsed run counts as -10. Four times next to nothing is a score 3 points better.
    assert found["points"].tolist() == pytest.approx([-10, 2, 1, 3, 1])
    # Where half of the data cost 30 points everywhere, the mean says so.
    half = pairs.assign(data="half", difference=-0.3)
    assert with_points(pd.concat([pairs, half]))["points"].tolist() == pytest.approx([-10, 2, 1, 3, 1] + [-30] * 5)


def test_percentages_of_a_baseline_that_is_hardly_above_its_floor():
    """An r of .07 over 1,118 items, as one of the study's targets might have; transfer changes nothing.

    Errors of baseline and transfer correlate .75. At two standard errors most samples count, and the lucky ones among
    the baselines seem to lose by transfer.
    """
    generator, error = np.random.default_rng(0), (1 - 0.07**2) / np.sqrt(1118)
    noise = generator.multivariate_normal([0, 0], [[1, 0.75], [0.75, 1]], 20_000)
    baseline, transfer = (0.07 + error * noise).T
    percent = 100 * (transfer - baseline) / baseline
    two = baseline > 2 * error
    assert two.mean() == pytest.approx(0.64, abs=0.02)
    assert percent[two].std() == pytest.approx(24, abs=2)
    assert percent[two].mean() == pytest.approx(-4, abs=0.5)
    assert percent_stands(baseline, 0.0, error).mean() < 0.01
    assert percent_stands(0.6, 0.3, 0.05)
    assert not percent_stands(0.5, 0.3, 0.05)  # four standard errors
    assert abs((100 * (transfer - baseline)).mean()) < 0.05  # points stand
