"""Tests of significance: each number against one worked out by hand or by another implementation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import write_table
from empathy_transfer.records.runs import TransferRun
from empathy_transfer.significance.paired_tests import COVARIANCE_COLUMNS, compare, frame_of_tests, write_tests
from empathy_transfer.statistics.resampling import Scores, bootstrap_counts, make_sample
from empathy_transfer.statistics.seed_variance import (
    SeedVariance,
    beyond_items,
    changes_beyond_items,
    on_fishers_z,
    paired_variance,
    seed_variance,
    spread,
)
from empathy_transfer.statistics.t_tests import degrees_of_freedom, detectable, two_sided_p
from fake_jobs import fake_snakemake
from finished_runs import RESULTS, finish_run, predictions_of, score_runs

SETTINGS = {"resamples": 100, "alpha": 0.05, "margins": [5, 10], "absent_classes": "drop"}


def make_target(n=120, seeds=(1, 2, 3), sources=("a", "b"), kind="regression", groups=None, seed=0):
    """A target with runs of given seeds: (records, sample in groups, items, predictions)."""
    generator = np.random.default_rng(seed)
    labels = generator.normal(size=n) if kind == "regression" else generator.integers(0, 3, n)
    records, predictions = {}, {}
    for data in ("full", "half"):
        for source in ("none", *sources):
            for number in seeds:
                if kind == "regression":
                    answers = labels + (0.4 + 0.5 * number) * generator.normal(size=n)
                else:
                    answers = np.where(generator.random(n) < 0.2 + 0.2 * number, labels, generator.integers(0, 3, n))
                set_run(records, predictions, (source, data, number), labels, answers)
    labels = labels if kind == "regression" else np.eye(3, dtype=bool)[labels]
    return records, make_sample(labels, groups), make_sample(labels), predictions


def set_run(records, predictions, key, labels, answers, **changes):
    """Set the record and the predictions of a run."""
    source, data, number = key
    if labels.dtype.kind == "f":
        value = 0.0 if np.ptp(answers) == 0 else np.corrcoef(labels, answers)[0, 1]
        metric, predictions[key] = "pearson_r", answers
    else:
        metric, value = "f1_macro", f1_score(labels, answers, average="macro")
        predictions[key] = np.eye(3, dtype=bool)[answers]
    record = {
        "source": source,
        "target": "t",
        "data": data,
        "seed": number,
        "metric": metric,
        "values": {metric: value},
    }
    record |= {"floor": 0.0, "standard_error": 0.05, "validation": 0.5, "floor_validation": 0.0}
    records[key] = record | {"constant_prediction": False} | changes


def cell(tests, source, data="full", runs="all"):
    """The row of a cell."""
    chosen = tests[(tests["source"] == source) & (tests["data"] == data) & (tests["runs"] == runs)]
    assert len(chosen) == 1
    return chosen.iloc[0]


def correlation(items, answers, counts):
    """Pearson r of items repeated by their counts, with scipy."""
    return stats.pearsonr(np.repeat(items.labels, counts), np.repeat(answers, counts))[0]


def mean_difference(items, predictions, counts, data="full", share=1.0):
    """How far source a lies above a share of the baseline in Pearson r, mean over three seeds."""
    of_seeds = [
        correlation(items, predictions["a", data, seed], counts)
        - share * correlation(items, predictions["none", "full", seed], counts)
        for seed in (1, 2, 3)
    ]
    return np.mean(of_seeds)


def test_seed_variance_by_hand():
    runs = {("none", "full", 1): [0.5, 0.5, 0.6, 0.4], ("none", "full", 2): [0.7, 0.7, 0.6, 0.8]}
    runs |= {("a", "full", 1): [0.4, 0.1, 0.9, 0.2], ("a", "half", 1): [0.1, 0.3, 0.3, 0.4]}
    runs |= {("b", "full", seed): [value] * 4 for seed, value in zip((1, 2, 3), (0.1, 0.2, 0.3), strict=True)}
    rows = {key: row for row, key in enumerate(runs)}
    values = np.array(list(runs.values()))
    whole, scores = {key: value[0] for key, value in runs.items()}, Scores(values[:, 1:], None)
    found = beyond_items(whole, scores, rows, 31, few=False, absent="drop")
    # Squares .02 and .02, with 1 and 2 degrees of freedom; single runs add none.
    assert (found.between, found.freedom) == (pytest.approx(0.04 / 3), 3)
    # Resampled, the two seeds of the baseline differ by .2, 0 and .4, with a variance of .04: each lies half of that
    # from their mean, so .01 twice. The three of b don't move.
    assert found.items == pytest.approx(0.02 / 3)
    assert found.own == pytest.approx(0.02 / 3)
    assert found.part(2) == pytest.approx((0.04 / 3, 3, 0.08 / 3))
    assert SeedVariance(0.01, 0.03, 2, 10).own == 0
    assert SeedVariance(0.01, 0.03, 2, 10).part(1) == (0, 2, 0.01)
    assert SeedVariance(0.01, 0.03, 2, 10).at_least(0.02).own == pytest.approx(0.02)
    assert found.at_least(0.001) is found
    alone = {("a", "full", 1): 2}
    assert beyond_items({("a", "full", 1): 0.4}, scores, alone, 31, few=False, absent="drop") == (0, 0, 0, 31)
    assert seed_variance({("a", "full", 1): 0.4}) == (0.0, 0)


def test_seed_variance_of_changes_by_hand():
    changes = [np.array([0.0, 0.2]), np.array([0.1, 0.1])]
    replicates = [np.array([[0.0, 0.1, 0.2], [0.2, 0.2, 0.2]]), np.array([[0.1] * 3, [0.1] * 3])]
    found = changes_beyond_items(changes, replicates, 31, few=False)
    # Squares .02 and 0 with one degree of freedom each. Resampled, the seeds of the first change differ by .2, .1 and
    # 0: each lies half of that from their mean, with a variance of .0025, so .005 in all.
    assert (found.between, found.freedom) == (pytest.approx(0.01), 2)
    assert found.items == pytest.approx(0.0025)
    assert found.own == pytest.approx(0.0075)
    alone = changes_beyond_items([np.array([0.3])], [np.array([[0.3, 0.2]])], 31, few=False)
    assert alone == (0, 0, 0, 31)


def test_what_seeds_do_to_all_transfers_and_to_each_by_hand():
    """Two transfers and their baseline on two seeds: differences 0, .4 and .1, .3."""
    differences = [0.0, 0.4, 0.1, 0.3]
    replicates = np.array([[0.0, 0.2, 0.1], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.3, 0.3, 0.3]])
    found = paired_variance(["a", "a", "b", "b"], [1, 2, 1, 2], differences, replicates, 31, few=False)
    # Deviations from the means of the cells: -.2, .2 and -.1, .1. By seed -.15 and .15, twice each: squares .09, one
    # degree of freedom. Left are -.05, .05, .05, -.05: squares .01, one degree.
    assert (found.seeds.between, found.seeds.freedom) == (pytest.approx(0.09), 1)
    assert (found.rest.between, found.rest.freedom) == (pytest.approx(0.01), 1)
    assert found.cells == 2
    # Resampled, the first difference alone moves, with a variance of .01: a quarter of it goes to either.
    assert (found.seeds.items, found.rest.items) == (pytest.approx(0.0025), pytest.approx(0.0025))
    # A difference of one seed has the variance (.0875 + .0075) / 2; of two seeds, half of that.
    parts = found.parts(2)
    assert [part[0] for part in parts] == [pytest.approx(0.0875 / 4), pytest.approx(0.0075 / 4)]
    assert [part[1] for part in parts] == [1, 1]
    assert [part[2] for part in parts] == [pytest.approx(0.09 / 4), pytest.approx(0.01 / 4)]
    assert found.shared == pytest.approx((0.0875 - 0.0075) / 2)
    # One transfer: its own paired differences, and nothing to tell the two parts apart.
    alone = paired_variance(["a", "a"], [1, 2], differences[:2], replicates[:2], 31, few=False)
    assert (alone.seeds.between, alone.cells, alone.rest.freedom) == (pytest.approx(0.08), 1, 0)
    assert alone.parts(2)[1] == (0, 0, 0)
    assert paired_variance(["a", "b"], [1, 1], [0.1, 0.2], replicates[:2], 31, few=False).seeds.freedom == 0


def test_seeds_that_some_transfers_lack():
    """The mean squares are those of a two-way analysis of variance with missing cells, by least squares."""
    cells, seeds = ["a", "a", "a", "b", "b", "c", "c"], [1, 2, 3, 1, 3, 2, 3]
    differences = np.array([0.1, 0.5, 0.2, 0.0, 0.3, 0.4, 0.1])
    found = paired_variance(cells, seeds, differences, np.zeros((7, 2)), 31, few=False)

    def squares(*factors):
        """Sum of squares that is left after least squares on the dummies of factors."""
        dummies = np.hstack([(np.array(factor)[:, None] == np.unique(factor)).astype(float) for factor in factors])
        return np.square(differences - dummies @ np.linalg.lstsq(dummies, differences, rcond=None)[0]).sum()

    assert (found.seeds.freedom, found.rest.freedom) == (2, 2)
    assert found.rest.between == pytest.approx(squares(cells, seeds) / 2)
    assert found.seeds.between == pytest.approx((squares(cells) - squares(cells, seeds)) / 2)
    assert found.cells == 2


def test_the_spread_of_lucky_seeds_on_fishers_z():
    """Where scores are high they lie closer together; z makes up for it, in units of scores at the mean."""
    high, low = np.array([0.85, 0.9, 0.93]), np.array([0.2, 0.35, 0.5])
    places, moves = on_fishers_z(np.concatenate([high, low]))
    mean = np.arctanh(np.concatenate([high, low])).mean()
    assert np.diff(places) == pytest.approx(np.diff(np.arctanh(np.concatenate([high, low]))) * (1 - np.tanh(mean) ** 2))
    assert places[:3].std() > high.std()
    assert places[3:].std() < low.std()
    # The derivative of z is 1 / (1 - r ** 2).
    assert moves == pytest.approx((1 - np.tanh(mean) ** 2) / (1 - np.concatenate([high, low]) ** 2))
    assert np.isfinite(on_fishers_z([1.0, -1.0])).all()


def test_a_collapsed_run_stays_visible_where_scores_are_high():
    """Seeds of the baseline are .95, .95 and 0, transfers .95: z alone would call it a sure loss."""
    cells, seeds, z = ["a"] * 3 + ["b"] * 3, [1, 2, 3] * 2, on_fishers_z([0.95] * 8 + [0.0])[0]
    plain, drawn = [
        paired_variance(cells, seeds, np.array([0, 0, high - low] * 2), np.zeros((6, 2)), 31, few=False)
        for high, low in ((0.95, 0.0), (z[0], z[-1]))
    ]
    mean = 0.95 / 3
    assert mean / np.sqrt(drawn.seeds.part(1 / 2 / 3)[0]) > 2
    assert mean / np.sqrt(drawn.at_least(plain).seeds.part(1 / 2 / 3)[0]) == pytest.approx(np.sqrt(2))


def test_the_jackknife_of_a_mean_is_its_usual_variance():
    values = np.array([1.0, 4.0, 2.0, 7.0])
    left_out = (values.sum() - values) / 3
    assert spread(left_out, few=True) == pytest.approx(values.var(ddof=1) / 4)
    assert spread(values, few=False) == pytest.approx(values.var(ddof=1))


def test_degrees_of_freedom_follow_the_share_of_the_part_with_the_fewest():
    # Two-sided at 5 %: t(2) = 4.3027, t(30) = 2.0423. A share of 1/4 counts as (3 - 2 / 4) / 16 = .15625.
    critical = stats.t.isf(0.025, degrees_of_freedom([(1.0, 2), (3.0, 30)]))
    assert critical == pytest.approx(2.0423 + 0.15625 * (4.3027 - 2.0423), abs=1e-4)
    # Half of the variance counts as half; others by their mean: (t(30) + 2 t(60)) / 3 with t(60) = 2.0003.
    critical = stats.t.isf(0.025, degrees_of_freedom([(1.0, 30), (3.0, 2), (2.0, 60)]))
    assert critical == pytest.approx((4.3027 + (2.0423 + 2 * 2.0003) / 3) / 2, abs=1e-4)
    # Nearly all was taken out of what was measured: the share is half-way, here (.001 + .501) / 2 / 1.001 = .25075.
    little = stats.t.isf(0.025, degrees_of_freedom([(1.0, 100), (0.001, 2, 0.501)]))
    assert little == pytest.approx(1.9840 + 0.25075**2 * (3 - 0.5015) * (4.3027 - 1.9840), abs=1e-4)
    assert degrees_of_freedom([(0.5, 20), (0.0, 0)]) == 20
    assert degrees_of_freedom([(0.0, 20), (0.0, 0)]) == 20
    assert degrees_of_freedom([(0.0, 20), (0.5, 2)]) == 2
    assert degrees_of_freedom([(0.0, 20), (0.5, 2), (0.0, 8, 0.1)]) == 2


def test_detectable_difference():
    assert detectable(1.0, 1e6, 0.05) == pytest.approx(2.80, abs=0.002)
    assert detectable(0.02, 1e6, 0.05 / 306) == pytest.approx(0.02 * (3.7703 + 0.8416), rel=1e-3)
    # With eight degrees of freedom normal quantiles would say 3.99.
    difference, critical = detectable(1.0, 8, 0.05 / 30), stats.t.isf(0.05 / 60, 8)
    assert difference == pytest.approx(5.77, abs=0.005)
    assert stats.nct.sf(critical, 8, difference) == pytest.approx(0.8, abs=1e-4)
    assert detectable(pd.Series([1.0, 2.0]), pd.Series([8.0, 1e6]), 0.05 / 30).iloc[1] == pytest.approx(
        2 * 3.985, abs=0.01
    )


def test_two_sided_p_is_that_of_a_t_test():
    values = np.array([0.3, -0.1, 0.4, 0.2, 0.5])
    expected = stats.ttest_1samp(values, 0)
    assert two_sided_p(values.mean(), values.std(ddof=1) / np.sqrt(5), 4) == pytest.approx(expected.pvalue)
    assert two_sided_p(0.0, 0.0, 10) == 1


def paired_runs(scores, resampled, share=1.0, data="full"):
    """Cells, seeds, differences and resampled differences of transfers a and b less a share of their baseline."""
    keys = [(source, seed) for source in ("a", "b") for seed in (1, 2, 3)]
    if data == "half":
        keys = [("none", seed) for seed in (1, 2, 3)] + keys
    found = [
        [known[source, data, seed] - share * known["none", "full", seed] for source, seed in keys]
        for known in (scores, resampled)
    ]
    return *zip(*keys, strict=True), found[0], np.array(found[1])


def seeds_of(scores, resampled, share=1.0, data="full"):
    """`PairedVariance` of the same on Fisher's z, at least half of it as scores are."""
    used = [key for key in scores if key[1] == data or key == ("none", "full", key[2])]
    places, moves = (dict(zip(used, values, strict=True)) for values in on_fishers_z([scores[key] for key in used]))
    plain = paired_variance(*paired_runs(scores, resampled, share, data), 120, few=False)
    moved = {key: moves[key] * resampled[key] for key in used}
    return paired_variance(*paired_runs(places, moved, share, data), 120, few=False).at_least(plain)


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_the_primary_test_by_loops(kind):
    records, sample, items, predictions = make_target(kind=kind)
    # A loop over sklearn takes milliseconds for each score.
    resamples = 100 if kind == "regression" else 25
    tests, covariance = compare(records, sample, items, predictions, SETTINGS | {"resamples": resamples})
    row = cell(tests, "a")
    scores = {key: next(iter(record["values"].values())) for key, record in records.items()}
    means = {source: np.mean([scores[source, "full", seed] for seed in (1, 2, 3)]) for source in ("none", "a")}
    assert row["difference"] == pytest.approx(means["a"] - means["none"], abs=1e-9)
    assert row["percent"] == pytest.approx(100 * row["difference"] / means["none"])
    assert (row["seeds"], row["clusters"], row["method"], row["covers"]) == (3, 120, "bootstrap", "items_and_seeds")

    def resampled(run, counts):
        """Score of a run in a resample, with scipy or sklearn."""
        answers, labels = np.repeat(predictions[run], counts, axis=0), np.repeat(items.labels, counts, axis=0)
        if kind == "regression":
            return stats.pearsonr(labels, answers)[0]
        return f1_score(labels.argmax(axis=1), answers.argmax(axis=1), average="macro")

    counts = np.concatenate(list(bootstrap_counts(120, resamples, seed=0))).astype(int)
    runs = {key: np.array([resampled(key, line) for line in counts]) for key in records}
    cells = {one: np.stack([runs[*one, seed] for seed in (1, 2, 3)]) for one in {key[:2] for key in records}}
    drawn = {source: cells[source, "full"].mean(axis=0) for source in ("none", "a", "b")}
    deviations = np.stack([drawn["a"] - drawn["none"], drawn["b"] - drawn["none"]])
    assert row["item_se"] == pytest.approx(deviations[0].std(ddof=1), rel=1e-6)
    # Six cells with three seeds each: 12 degrees of freedom.
    between = np.mean([np.var([scores[*one, seed] for seed in (1, 2, 3)], ddof=1) for one in cells])
    assert (row["seed_sd"], row["seed_df"]) == (pytest.approx(np.sqrt(between)), 12)
    by_items = np.mean([(cell - cell.mean(axis=0)).var(axis=1, ddof=1).sum() / 2 for cell in cells.values()])
    assert row["seed_item_sd"] == pytest.approx(np.sqrt(by_items), rel=1e-6)
    # What seeds add: each difference seed by seed, as of two transfers on three seeds.
    paired = seeds_of(scores, runs)
    parts = [(deviations[0].var(ddof=1), 119), *paired.parts(3)]
    se, freedom = np.sqrt(sum(part[0] for part in parts)), degrees_of_freedom(parts)
    assert row["seed_se"] == pytest.approx(np.sqrt(sum(part[0] for part in parts[1:])), rel=1e-5)
    assert (row["se"], row["df"]) == (pytest.approx(se, rel=1e-6), pytest.approx(freedom, rel=1e-6))
    low, high = stats.t.interval(0.95, freedom, loc=row["difference"], scale=se)
    assert (row["low"], row["high"]) == (pytest.approx(low, rel=1e-5), pytest.approx(high, rel=1e-5))
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(row["difference"]) / se, freedom), rel=1e-5)
    assert row["mde_percent"] == pytest.approx(100 * detectable(se, freedom, 0.05) / means["none"], rel=1e-5)
    chosen = covariance[(covariance["data"] == "full") & (covariance["runs"] == "all")]
    pair = chosen[(chosen["source_1"] == "b") & (chosen["source_2"] == "a")].iloc[0]
    assert pair["items"] == pytest.approx(np.cov(deviations)[0, 1], rel=1e-6)
    assert pair["total"] == pytest.approx(np.cov(deviations)[0, 1] + paired.shared / 3, rel=1e-6)
    diagonal = chosen[(chosen["source_1"] == "a") & (chosen["source_2"] == "a")].iloc[0]
    assert diagonal["total"] == pytest.approx(se**2, rel=1e-6)


def test_half_data_against_the_full_baseline():
    records, sample, items, predictions = make_target()
    tests, _ = compare(records, sample, items, predictions, SETTINGS)
    row = cell(tests, "a", "half")
    assert row["baseline"] == cell(tests, "a")["baseline"]
    assert np.isnan(cell(tests, "a")["p_noninferior_5"])
    # A margin of 10 % is easier to keep than one of 5 %, and that easier than no margin at all.
    assert row["p_noninferior_10"] < row["p_noninferior_5"] < stats.t.sf(row["difference"] / row["se"], row["df"])
    # The half-data baseline is compared as well.
    assert cell(tests, "none", "half")["seeds"] == 3
    # By loops: the standard error of transfer - .95 baseline.
    counts = np.concatenate(list(bootstrap_counts(120, 100, seed=0))).astype(int)
    weighted = [mean_difference(items, predictions, line, "half", 0.95) for line in counts]
    scores = {key: record["values"]["pearson_r"] for key, record in records.items()}
    runs = {key: np.array([correlation(items, predictions[key], line) for line in counts]) for key in records}
    paired = seeds_of(scores, runs, 0.95, "half")
    parts = [(np.var(weighted, ddof=1), 119), *paired.parts(3)]
    se, freedom = np.sqrt(sum(part[0] for part in parts)), degrees_of_freedom(parts)
    expected = stats.t.sf((row["transfer"] - 0.95 * row["baseline"]) / se, freedom)
    assert row["p_noninferior_5"] == pytest.approx(expected, rel=1e-5)
    # The table holds the standard error and degrees of freedom of this very test, for each margin.
    assert (row["se_noninferior_5"], row["df_noninferior_5"]) == pytest.approx((se, freedom), rel=1e-5)
    for margin in (5, 10):
        t = (row["transfer"] - (1 - margin / 100) * row["baseline"]) / row[f"se_noninferior_{margin}"]
        assert row[f"p_noninferior_{margin}"] == pytest.approx(stats.t.sf(t, row[f"df_noninferior_{margin}"]))


def test_the_test_of_the_study_by_hand():
    records, sample, items, predictions = make_target(groups=np.arange(120) // 3)
    tests, _ = compare(records, sample, items, predictions, SETTINGS)
    row = cell(tests, "b")
    # Items one by one although the primary test draws groups, and the first seed only.
    counts = np.concatenate(list(bootstrap_counts(120, 100, seed=1))).astype(int)
    systems = predictions["b", "full", 1], predictions["none", "full", 1]
    drawn = np.array([correlation(items, systems[0], line) - correlation(items, systems[1], line) for line in counts])
    tail = min((drawn <= 0).sum(), (drawn >= 0).sum()) + 1
    assert row["p_published"] == pytest.approx(min(1, 2 * tail / 101))
    assert row["se_published"] == pytest.approx(drawn.std(ddof=1), rel=1e-6)
    assert row["seed_published"] == 1
    assert (row["clusters"], row["n_test"]) == (40, 120)


def test_one_seed_leaves_out_what_another_would_give_and_says_so():
    tests, _ = compare(*make_target(seeds=(4,)), SETTINGS)
    row = cell(tests, "a")
    assert row["covers"] == "items"
    assert np.isnan(row["seed_sd"])
    assert row["se"] == row["item_se"]
    assert row["df"] == pytest.approx(119)


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_baselines_without_any_transfer_have_nothing_to_compare(kind):
    """As in a study that has just begun, or one of a single task."""
    records, sample, items, predictions = make_target(kind=kind, sources=())
    records, predictions = ({key: known[key] for key in known if key[1] == "full"} for known in (records, predictions))
    tests, covariance = compare(records, sample, items, predictions, SETTINGS)
    assert (len(tests), len(covariance)) == (0, 0)


def test_few_groups_are_jackknifed():
    records, sample, items, predictions = make_target(groups=np.arange(120) // 12)
    tests, covariance = compare(records, sample, items, predictions, SETTINGS)
    row = cell(tests, "a")
    assert (row["method"], row["clusters"]) == ("cluster_t", 10)
    kept = [(np.arange(120) // 12 != group).astype(int) for group in range(10)]
    left_out = [mean_difference(items, predictions, some) for some in kept]
    assert row["item_se"] == pytest.approx(np.sqrt(9 * np.var(left_out)), rel=1e-6)
    assert row["df"] < 9 + 12
    own = covariance[(covariance["source_1"] == "a") & (covariance["source_2"] == "a") & (covariance["data"] == "full")]
    assert own["total"].iloc[0] == pytest.approx(row["se"] ** 2)


def test_equal_predictions_differ_by_nothing():
    records, sample, items, predictions = make_target(kind="classification", seeds=(1,), sources=("a",))
    predictions["a", "full", 1] = predictions["none", "full", 1]
    records["a", "full", 1]["values"] = records["none", "full", 1]["values"]
    row = cell(compare(records, sample, items, predictions, SETTINGS)[0], "a")
    assert (row["difference"], row["p"], row["p_published"]) == (0, 1, 1)
    assert (row["low"], row["high"]) == (0, 0)


def test_constant_predictions_are_tested_with_an_r_of_zero():
    records, sample, items, predictions = make_target(sources=("a", "b", "c"))
    for seed in (1, 2, 3):
        set_run(records, predictions, ("a", "full", seed), items.labels, np.full(120, 0.5), constant_prediction=True)
    tests, _ = compare(records, sample, items, predictions, SETTINGS)
    row = cell(tests, "a")
    assert row["transfer"] == 0
    assert row["p"] < 0.001
    assert row["reason"] == "collapsed"
    gone = cell(tests, "a", runs="without_collapsed")
    assert (gone["reason"], gone["seeds"]) == ("collapsed", 0)
    assert np.isnan(gone["p"])
    # The seed variance of the others is pooled over two degrees of freedom less.
    assert cell(tests, "b", runs="without_collapsed")["seed_df"] == cell(tests, "b")["seed_df"] - 2


def test_a_collapsed_seed_is_left_out_with_its_partner():
    records, sample, items, predictions = make_target()
    set_run(records, predictions, ("a", "full", 2), items.labels, np.full(120, 0.5), constant_prediction=True)
    tests, _ = compare(records, sample, items, predictions, SETTINGS)
    assert cell(tests, "a")["seeds"] == 3
    sound = cell(tests, "a", runs="without_collapsed")
    assert (sound["seeds"], sound["reason"]) == (2, "")
    values = [records["none", "full", seed]["values"]["pearson_r"] for seed in (1, 3)]
    assert sound["baseline"] == pytest.approx(np.mean(values))


def test_two_items_are_too_few():
    tests, covariance = compare(*make_target(n=2), SETTINGS)
    assert set(tests["reason"]) <= {"too_few"}
    assert tests[["p", "se", "p_published"]].isna().all(axis=None)
    assert tests["difference"].notna().all()
    assert len(covariance) == 0


def test_a_difference_without_variance_has_no_test():
    records, sample, items, predictions = make_target(seeds=(1,), sources=("a",))
    set_run(records, predictions, ("none", "full", 1), items.labels, -items.labels)
    set_run(records, predictions, ("a", "full", 1), items.labels, items.labels)
    row = cell(compare(records, sample, items, predictions, SETTINGS)[0], "a")
    assert row["difference"] == pytest.approx(2)
    assert row["reason"] == "no_variance"
    assert np.isnan(row["p"])


def test_a_baseline_near_the_floor_has_no_percentages():
    records, sample, items, predictions = make_target()
    for record in records.values():
        record["floor"] = 0.69
    row = cell(compare(records, sample, items, predictions, SETTINGS)[0], "a", "half")
    assert row["reason"] == "undefined"
    assert np.isnan(row["percent"])
    assert np.isnan(row["p_noninferior_5"])
    assert row["p"] > 0


def test_only_seeds_of_both_are_compared():
    records, sample, items, predictions = make_target()
    del records["a", "full", 3], records["none", "full", 1]
    set_run(records, predictions, ("b", "full", 3), items.labels, items.labels.copy())
    row = cell(compare(records, sample, items, predictions, SETTINGS)[0], "a")
    assert (row["seeds"], row["seed_published"]) == (1, 2)
    assert row["covers"] == "items_and_seeds"
    # What seeds do is known of the other transfer, which has two of them.
    differences = [
        records["b", "full", seed]["values"]["pearson_r"] - records["none", "full", seed]["values"]["pearson_r"]
        for seed in (2, 3)
    ]
    assert 0.5 * np.std(differences, ddof=1) < row["seed_se"] < 2 * np.std(differences, ddof=1)
    assert row["se"] == pytest.approx(np.hypot(row["item_se"], row["seed_se"]))


def test_predictions_that_do_not_give_the_score_of_the_table_are_refused():
    records, sample, items, predictions = make_target()
    records["a", "full", 1]["values"] = {"pearson_r": 0.1}
    with pytest.raises(ValueError, match=r"run \('a', 'full', 1\): its predictions give .*, but its scores say 0\.1"):
        compare(records, sample, items, predictions, SETTINGS)


# Through files -------------------------------------------------------------------------------------------------------

LABELS, ANSWERS = ["x", "y", "x", "y", "y", "x"], ["x", "y", "y", "y", "y", "x"]
TEST = f"{RESULTS}/data/t/test.parquet"


def finish(source, answers=ANSWERS, target="t", ids="abcdef", labels=LABELS):
    """Write a run on six items; returns the path of its record."""
    table = pd.DataFrame({"id": list(ids), "label": labels, "prediction": answers}).assign(p_x=0.5, p_y=0.5)
    about = {"kind": "classification", "metric": "f1_macro", "constant_answer": "x"}
    return finish_run(TransferRun(source, target, "full", 1), table, **about)


def write_split(ids="abcdefg"):
    """Write the test split of the target, in groups of two items."""
    with open_job(fake_snakemake("prepare", {"test": TEST, "provenance": f"{RESULTS}/data/t/provenance.json"})) as job:
        write_table(job.output["test"], pd.DataFrame({"id": list(ids), "group": list("ppqqrrs")[: len(ids)]}))


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """The records of a baseline that is right and of a transfer with one error, in the working folder."""
    monkeypatch.chdir(tmp_path)
    write_split()
    return [finish("none", LABELS), finish("s")]


def run(paths, predictions=None):
    """Write the tests of a target from its runs; returns the frame as read back."""
    written = f"{RESULTS}/tests.csv", f"{RESULTS}/covariance.csv"
    write_tests(score_runs(paths), predictions or predictions_of(paths), TEST, SETTINGS, *written)
    assert list(pd.read_csv(written[1]).columns) == COVARIANCE_COLUMNS
    return pd.read_csv(written[0], keep_default_na=False, na_values=[""])


def test_files(paths):
    tests = run(paths)
    assert list(tests.columns) == list(frame_of_tests([], SETTINGS).columns)
    row = cell(tests, "s")
    # Three groups of two items are too few to test.
    assert (row["n_test"], row["clusters"], row["reason"]) == (6, 3, "too_few")
    assert row["difference"] == pytest.approx(f1_score(LABELS, ANSWERS, average="macro") - 1)
    assert (row["target"], row["metric"], row["baseline"], row["seed_published"]) == ("t", "f1_macro", 1, 1)


def test_a_target_without_runs_has_tables_without_rows(paths):
    tests = run([])
    assert list(tests.columns) == list(frame_of_tests([], SETTINGS).columns)
    assert len(tests) == 0


def test_predictions_of_other_runs_are_not_read(paths):
    others = [finish("s", target="other"), finish("none", LABELS, target="other")]
    with open(predictions_of(others)[0], "wb") as damaged:
        damaged.write(b"damaged")
    # Predictions are found by their run, in whatever order they are named.
    assert run(paths, predictions_of([*others, *reversed(paths)])).equals(run(paths))


def test_runs_with_other_items_are_refused(paths):
    finish("s", ANSWERS[::-1], ids="fedcba", labels=LABELS[::-1])
    with pytest.raises(ValueError, match="run s full 1: other test items"):
        run(paths)


def test_runs_with_other_labels_are_refused(paths):
    finish("s", labels=["x", "y", "x", "y", "x", "x"])
    with pytest.raises(ValueError, match="run s full 1: other test items or labels"):
        run(paths)


def test_items_that_the_test_split_lacks_are_refused(paths):
    write_split("abcd")
    with pytest.raises(ValueError, match="2 items of the predictions"):
        run(paths)
