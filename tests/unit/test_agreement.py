"""Agreement of raters: measures against other packages and by hand, resamples, intervals, groups, equal columns."""

import itertools

import krippendorff
import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import cohen_kappa_score

from empathy_transfer.agreement import measures
from empathy_transfer.agreement.intervals import Measured, difference, measured, measured_twice
from empathy_transfer.agreement.measures import MEASURES, ceiling_of
from empathy_transfer.agreement.scales import fishers_z, intraclass, unchanged
from empathy_transfer.agreement.tables import (
    agreement_table,
    ceiling_by_number,
    compare_groups,
    equal_columns,
    rater_table,
)
from empathy_transfer.statistics.ranks import weighted_midranks

NAN = np.nan
SETTINGS = {"alpha": 0.05, "resamples": 400}


def some_ratings(items=12, raters=4, gaps=0.0, seed=5):
    """Ratings 1 to 4 in halves of raters who agree to some degree (items, raters)."""
    generator = np.random.default_rng(seed)
    values = 2.5 + generator.normal(0, 0.7, (items, 1)) + generator.normal(0, 0.7, (items, raters))
    values = np.clip(np.round(values * 2) / 2, 1, 4)
    values[generator.random(values.shape) < gaps] = NAN
    return values


def long_table(values, form="full", aspect="event"):
    """A long table of values (items, raters)."""
    frame = pd.DataFrame(values, columns=[f"r{number + 1}" for number in range(values.shape[1])])
    frame = frame.rename_axis("item").reset_index().melt("item", var_name="rater", value_name="value").dropna()
    return frame.assign(item=frame["item"].astype(str), form=form, aspect=aspect)


def once(measure, values):
    """A measure of all items."""
    return float(measure(values, np.ones((1, len(values))))[0])


def over_pairs(function, values):
    """Mean of a function of two vectors over all pairs of raters, on the items that both rated."""
    found = []
    for pair in itertools.combinations(values.T, 2):
        both = ~np.isnan(pair).any(axis=0)
        found.append(function(*(side[both] for side in pair)))
    return np.mean(found)


@pytest.mark.parametrize("gaps", [0.0, 0.25])
def test_measures_are_those_of_other_packages(gaps):
    values = some_ratings(30, 4, gaps)
    assert once(measures.pearson_r, values) == pytest.approx(over_pairs(lambda a, b: pearsonr(a, b)[0], values))
    assert once(measures.spearman_r, values) == pytest.approx(over_pairs(lambda a, b: spearmanr(a, b)[0], values))

    def kappa(a, b):
        """Cohen's kappa of ratings rounded with halves up."""
        return cohen_kappa_score(*(np.floor(side + 0.5).astype(int) for side in (a, b)))

    assert once(measures.cohen_kappa, values) == pytest.approx(over_pairs(kappa, values))
    for name, level in (("krippendorff_alpha", "interval"), ("alpha_ordinal", "ordinal")):
        expected = krippendorff.alpha(values.T, level_of_measurement=level)
        assert once(MEASURES[name][0], values) == pytest.approx(expected)


def test_kappa_rounds_halves_up():
    # 1.5 and 2.5 are 2 and 3: of four items three agree. Shares .25 .5 .25 and 0 .75 .25 of 1, 2 and 3: chance
    # gives .375 + .0625 = .4375, so kappa is (.75 - .4375) / (1 - .4375).
    values = np.array([[1, 2], [1.5, 2], [2, 2], [2.5, 3]])
    assert once(measures.cohen_kappa, values) == pytest.approx((0.75 - 0.4375) / (1 - 0.4375))


def test_the_ceiling_by_hand():
    # Rater 1 (1, 2, 3) against means (2, 2, 3.5), of the others; the mean of the three correlations.
    values = np.array([[1.0, 3, 1], [2, 1, 3], [3, 4, 3]])
    pairs = [(values[:, 0], [2, 2, 3.5]), (values[:, 1], [1, 2.5, 3]), (values[:, 2], [2, 1.5, 3.5])]
    expected = np.mean([np.corrcoef(*pair)[0, 1] for pair in pairs])
    assert once(measures.ceiling_r, values) == pytest.approx(expected)
    # With one other it is the mean correlation of pairs, with all others the ceiling.
    values = some_ratings(20, 5)
    assert once(ceiling_of(1), values) == pytest.approx(once(measures.pearson_r, values))
    assert once(ceiling_of(4), values) == pytest.approx(once(measures.ceiling_r, values))
    assert once(measures.pearson_r, values) < once(ceiling_of(2), values) < once(measures.ceiling_r, values)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_a_resample_is_a_table_in_which_items_are_repeated(name, gaps, monkeypatch):
    monkeypatch.setattr(measures, "BLOCK_CELLS", 100)  # several blocks
    values, measure = some_ratings(12, 4, gaps), MEASURES[name][0]
    counts = np.random.default_rng(2).multinomial(12, [1 / 12] * 12, size=6).astype(np.float32)
    found = measure(values, counts)
    for row, number in zip(counts, found, strict=True):
        assert number == pytest.approx(once(measure, np.repeat(values, row.astype(int), axis=0)), abs=1e-9)


def test_ranks_of_drawn_items():
    # Drawn: 1, 1, 5 and 7; ranks 1.5, 1.5, 3 and 4, less one half. A value of 6 would stand between 5 and 7.
    found = weighted_midranks(np.array([7.0, 1, 5, 6]), np.array([[1.0, 2, 1, 0]]))
    assert found.tolist() == [[3.5, 1, 2.5, 3]]


def test_a_rater_who_gave_one_value_is_left_out_of_means_over_pairs():
    values = np.array([[1, 1, 2.0], [2, 2, 2], [3, 3, 2], [4, 4, 2]])
    assert once(measures.pearson_r, values) == once(measures.spearman_r, values) == pytest.approx(1)
    assert np.isnan(once(measures.pearson_r, values[:, 1:]))
    assert measured(values[:, 1:], measures.pearson_r, unchanged, SETTINGS) == (None, None, None, "constant")


def test_a_missing_number_says_why():
    measure = measures.interval_alpha
    assert measured(np.array([[1, NAN], [NAN, 2.0]]), measure, unchanged, SETTINGS).reason == "no_ratings"
    found = measured(np.array([[1.0, 2], [2, 2], [3, 4]]), measure, unchanged, SETTINGS)
    assert found.number is not None
    assert (found.low, found.reason) == (None, "too_few")
    # Two raters have no interval that covers raters.
    of_items, of_raters = measured_twice(some_ratings(12, 2), measure, unchanged, SETTINGS)
    assert of_items.low < of_items.number < of_items.high
    assert (of_raters.low, of_raters.reason) == (None, "too_few")


def test_scales_lead_back_and_are_finite_at_their_ends():
    numbers = np.array([-0.1, 0.0, 0.3, 0.9])
    for scale in (intraclass(8), intraclass(2), fishers_z(), unchanged()):
        to_scale, from_scale, _ = scale
        assert [float(from_scale(one)) for one in to_scale(numbers)] == pytest.approx(numbers.tolist())
        assert np.isfinite(to_scale(np.array([1.0, -1.0]))).all()
    # Of two raters it is Fisher's z; of more half the logarithm of (1 + 3 x .5) / .5 for .5 and four.
    assert intraclass(2)[0](0.5) == pytest.approx(fishers_z()[0](0.5))
    assert intraclass(4)[0](0.5) == pytest.approx(0.5 * np.log(5))


def test_few_items_have_an_interval_at_least_as_wide_as_that_of_normal_ratings():
    # Ten items, four raters: F quantiles of (9, 30) and (30, 9) at 2.5 % are 2.575 and 3.560.
    assert intraclass(4).least(10, 0.05) == pytest.approx((0.5 * np.log(2.575), 0.5 * np.log(3.560)), abs=5e-4)
    assert fishers_z().least(10, 0.05) == (0, 0)
    # Evenly spaced items, and raters who differ by as much on each: nothing hangs on which items there are.
    alike = np.arange(1.0, 11)[:, None] + np.array([0, 0.1, 0, -0.1])
    found = measured(alike, measures.interval_alpha, intraclass, SETTINGS)
    place, low, high = (float(intraclass(4).to_scale(one)) for one in found[:3])
    assert (place - low, high - place) == (pytest.approx(0.473, abs=1e-3), pytest.approx(0.635, abs=1e-3))


def test_items_of_a_group_are_drawn_together():
    values = some_ratings(60, 3)
    alone = measured(values, *MEASURES["pearson_r"], SETTINGS)
    twice = np.repeat(values, 2, axis=0)
    together = measured(twice, *MEASURES["pearson_r"], SETTINGS, groups=np.repeat(np.arange(60), 2))
    assert together[:3] == pytest.approx(alone[:3])
    assert measured(twice, *MEASURES["pearson_r"], SETTINGS).high < together.high


@pytest.mark.parametrize(("items", "raters"), [(10, 8), (60, 4)])
def test_intervals_cover_what_other_items_would_give(items, raters):
    """Of few items, as of the ten pairs that were rated in English, and of more; with fixed raters who differ."""
    covered = dict.fromkeys(("krippendorff_alpha", "ceiling_r"), 0)
    studies = 120
    for seed in range(studies):
        generator = np.random.default_rng([items, seed])
        bias = generator.normal(0, 0.3, raters)

        def draw(number, generator=generator, bias=bias):
            """Ratings of so many items by the same raters."""
            truth = 2.3 + generator.normal(0, 0.6, (number, 1)) + bias + generator.normal(0, 0.7, (number, raters))
            return np.clip(np.round(truth * 2) / 2, 1, 4)

        sample, many = draw(items), draw(2000)
        for name in covered:
            found = measured(sample, *MEASURES[name], {"alpha": 0.05, "resamples": 200})
            covered[name] += found.low <= once(MEASURES[name][0], many) <= found.high
    # 95 % of 120 is 114; fewer than 105 or so are told from that.
    assert min(covered.values()) >= 105, covered


def test_a_difference_has_the_uncertainty_of_both():
    first, second = Measured(0.5, 0.3, 0.6, ""), Measured(0.2, 0.1, 0.4, "")
    found = difference(first, second)
    assert found[:3] == pytest.approx((0.3, 0.3 - np.hypot(0.2, 0.2), 0.3 + np.hypot(0.1, 0.1)))
    assert difference(first, Measured(0.2, None, None, "too_few")) == (pytest.approx(0.3), None, None, "too_few")
    assert difference(Measured(None, None, None, "constant"), second) == (None, None, None, "constant")


def test_the_table_of_agreement():
    values = some_ratings(12, 4, gaps=0.1)
    values[0, 1:] = NAN  # one rating alone says nothing of agreement
    both = pd.concat([long_table(values), long_table(some_ratings(8, 3, seed=1), aspect="moral")])
    found = agreement_table(both, SETTINGS).set_index(["form", "aspect"])
    assert found["raters"].tolist() == [4, 3]
    assert found["items"].tolist() == [11, 8]
    row = found.loc["full", "event"]
    assert row["krippendorff_alpha"] == pytest.approx(krippendorff.alpha(values.T, level_of_measurement="interval"))
    for name, ends in (("krippendorff_alpha", "alpha"), ("ceiling_r", "ceiling"), ("cohen_kappa", "kappa")):
        assert row[f"{ends}_low"] < row[name] < row[f"{ends}_high"]


def test_raters_and_numbers_of_others():
    values = some_ratings(15, 4)
    raters = rater_table(long_table(values), SETTINGS)
    own = raters[raters["rater"] == "r2"].iloc[0]
    rest = values[:, [0, 2, 3]].mean(axis=1)
    assert own["ceiling_r"] == pytest.approx(np.corrcoef(values[:, 1], rest)[0, 1])
    assert (own["items"], own["mean"]) == (15, pytest.approx(values[:, 1].mean()))
    assert raters["ceiling_r"].mean() == pytest.approx(once(measures.ceiling_r, values))
    numbers = ceiling_by_number(long_table(values), SETTINGS)
    assert numbers["others"].tolist() == [1, 2, 3]
    assert numbers["ceiling_r"].iloc[-1] == pytest.approx(once(measures.ceiling_r, values))


def test_equal_columns_are_found_across_aspects_and_forms():
    event, emotion = some_ratings(10, 3, seed=1), some_ratings(10, 3, seed=2)
    emotion[:, 1] = event[:, 0]
    summary = some_ratings(10, 3, seed=3)
    summary[:, 2] = event[:, 2]
    summary[4, 2] = NAN  # equal on all nine that both have
    constant = np.full((10, 2), 2.0)  # says nothing
    tables = [long_table(event), long_table(emotion, aspect="emotion"), long_table(summary, form="summary")]
    found = equal_columns(pd.concat([*tables, long_table(constant, aspect="moral")]))
    assert {tuple(row) for row in found.to_numpy()} == {
        ("full", "event", "r1", "full", "emotion", "r2", 10),
        ("full", "event", "r3", "summary", "event", "r3", 9),
    }
    emotion[3, 1] += 0.5
    assert equal_columns(pd.concat([long_table(event), long_table(emotion, aspect="emotion")])).empty


def test_groups_are_compared_aspect_by_aspect():
    first = pd.concat([long_table(some_ratings(60, 4)), long_table(some_ratings(60, 4, seed=2), aspect="moral")])
    second = pd.concat([long_table(some_ratings(10, 8, seed=3), form=form) for form in ("full", "summary")])
    found = compare_groups(first, second, {"alpha": 0.05, "resamples": 100})
    assert set(zip(found["form"], found["other_form"], found["aspect"], strict=True)) == {
        ("full", "full", "event"),
        ("full", "summary", "event"),
    }
    row = found[(found["measure"] == "krippendorff_alpha") & (found["other_form"] == "full")].iloc[0]
    assert row[["raters", "other_raters", "items", "other_items"]].tolist() == [4, 8, 60, 10]
    assert row["difference"] == pytest.approx(row["value"] - row["other_value"])
    # The choice of raters makes it less certain.
    assert row["low"] < row["items_low"] < row["difference"] < row["items_high"] < row["high"]
