"""Means over objects and seeds, both drawn at random."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from empathy_transfer.statistics.crossed_means import complete_table, crossed_interval, shared_variance


def test_a_crossed_interval_by_hand():
    """Means of objects 2, 4 and 9, of seeds 4 and 6; what is left is 1 or -1 in four places and 0 in two."""
    values = np.array([[2.0, 2.0], [3.0, 5.0], [7.0, 11.0]])
    found = crossed_interval(values, 0.05)
    assert (found.mean, found.objects, found.seeds) == (5.0, 3, 2)
    # Squares: objects 2 (9 + 1 + 16) / 2 = 26, seeds 3 (1 + 1) / 1 = 6, rest 4 / 2 = 2; over 6 values.
    variance = (26 + 6 - 2) / 6
    critical = (26 * stats.t.isf(0.025, 2) + 6 * stats.t.isf(0.025, 1)) / 32
    assert found.high - found.mean == pytest.approx(critical * np.sqrt(variance))
    common = crossed_interval(values, 0.05, common=(2.0, 50))
    critical = (26 / 6 * stats.t.isf(0.025, 2) + stats.t.isf(0.025, 1) + 2 * stats.t.isf(0.025, 50)) / (32 / 6 + 2)
    assert common.high - common.mean == pytest.approx(critical * np.sqrt(variance + 2))


def test_one_seed_gives_the_interval_of_a_mean():
    values = np.array([[1.0], [2.0], [6.0]])
    expected = stats.t.interval(0.95, 2, loc=3, scale=stats.sem(values[:, 0]))
    assert crossed_interval(values, 0.05)[1:3] == pytest.approx(expected)


def test_equal_values_have_an_interval_of_no_width():
    assert crossed_interval(np.ones((3, 3)), 0.05)[:3] == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("luck", [0.0, 1.0])
def test_the_interval_keeps_its_level_whatever_the_luck_of_a_seed(seeds, luck):
    generator, missed = np.random.default_rng([seeds, int(luck)]), []
    for _ in range(400):
        table = luck * generator.standard_normal((1, seeds)) + generator.standard_normal((17, seeds))
        _, low, high, *_ = crossed_interval(table, 0.05)
        missed.append(not low <= 0 <= high)
    # A t test over the 17 means misses 60 % with luck.
    assert 0 <= np.mean(missed) <= 0.085


def test_the_variance_that_all_values_share():
    generator = np.random.default_rng(0)
    common, by_object, by_seed = (
        sd * generator.standard_normal((*shape, 40_000)) for sd, shape in ((0.5, (1, 1)), (2.0, (4, 1)), (3.0, (1, 3)))
    )
    replicates = common + by_object + by_seed + generator.standard_normal((4, 3, 40_000))

    def spread(values):
        """Variance over resamples."""
        return values.var(axis=-1, ddof=1)

    assert shared_variance(replicates, spread) == pytest.approx(0.25, abs=0.06)
    # With one seed what the seed brings is shared, too.
    assert shared_variance(replicates[:, :1], spread) == pytest.approx(0.25 + 9, rel=0.05)
    assert shared_variance(by_object - by_object.mean(axis=0), spread) == 0.0


def test_gaps_take_out_objects_or_seeds_whichever_costs_less():
    table = pd.DataFrame(np.arange(12.0).reshape(4, 3), index=list("abcd"), columns=[1, 2, 3])
    one = table.copy()
    one.loc["b", 2] = np.nan
    assert complete_table(one).index.tolist() == ["a", "c", "d"]
    late = table.copy()
    late.loc[["a", "b", "d"], 3] = np.nan
    assert complete_table(late).columns.tolist() == [1, 2]
    assert len(complete_table(late)) == 4
