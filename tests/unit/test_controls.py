"""Comparisons with controls: which there are, their numbers, and what is written."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control

from empathy_transfer.controls.control_figure import draw_controls
from empathy_transfer.controls.control_tables import add_control_families, as_html, conclusions
from empathy_transfer.controls.control_tests import (
    COLUMNS,
    compare_with_controls,
    planned_contrasts,
    write_control_tests,
)
from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import write_table
from empathy_transfer.records.runs import TransferRun
from empathy_transfer.statistics.resampling import make_sample
from fake_jobs import fake_snakemake
from finished_runs import RESULTS, finish_run, predictions_of, score_runs

SETTINGS = {"resamples": 200, "alpha": 0.05, "absent_classes": "drop"}
TASKS = {"t": {"title": "Target <t>"}}


def make_runs(cells, n=150, seeds=(1,), worse=0.0):
    """Runs of a regression target from {(source, data): noise}, each seed with `worse` more than the one before:
    (records, sample, predictions)."""
    generator = np.random.default_rng(0)
    labels = generator.normal(size=n)
    records, predictions = {}, {}
    for (source, data), noise in cells.items():
        for seed in seeds:
            answers = labels + (noise + worse * seed) * generator.normal(size=n)
            value = float(np.corrcoef(labels, answers)[0, 1])
            predictions[source, data, seed] = answers
            key = {"source": source, "target": "t", "data": data, "seed": seed, "metric": "pearson_r"}
            found = {"values": {"pearson_r": value}, "validation": value, "floor": 0.0, "floor_validation": 0.0}
            records[source, data, seed] = key | found | {"standard_error": 0.05, "constant_prediction": False}
    return records, make_sample(labels), predictions


@pytest.fixture(scope="module")
def tests():
    """A target whose transfers beat all controls, with one collapsed transfer."""
    noise = {"none": 1.0, "a": 0.3, "b": 0.3, "self": 1.0, "random_full": 2.0, "collapsed": 30.0}
    records, sample, predictions = make_runs({(source, "full"): value for source, value in noise.items()})
    return compare_with_controls(records, sample, predictions, SETTINGS)


def chosen(tests, compared, reference, runs="all"):
    rows = tests[(tests["compared"] == compared) & (tests["reference"] == reference) & (tests["runs"] == runs)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_each_comparison_has_its_seeds_and_no_other_data_condition():
    keys = [(source, "full", seed) for source in ("none", "a", "self") for seed in (1, 2)]
    keys += [("b", "full", 1)]
    found = {(compared, reference): pairs for compared, reference, pairs in planned_contrasts(keys)}
    assert set(found) == {("self", "none"), ("transfers", "none"), ("a", "self"), ("b", "self"), ("transfers", "self")}
    assert found["b", "self"] == [([("b", "full", 1)], [("self", "full", 1)])]
    assert found["transfers", "self"] == found["a", "self"] + found["b", "self"]


def test_the_difference_is_that_of_the_scores(tests):
    row = chosen(tests, "a", "self")
    assert row["difference"] == pytest.approx(row["value"] - row["reference_value"])
    mean = chosen(tests, "transfers", "random_full")
    single = [chosen(tests, source, "random_full")["difference"] for source in ("a", "b", "collapsed")]
    assert mean["difference"] == pytest.approx(np.mean(single))
    assert (mean["sources"], mean["n_test"], mean["seeds"]) == (3, 150, 1)
    assert (mean["covers"], mean["method"]) == ("items", "bootstrap")


def test_collapsed_runs_are_left_out_of_the_second_half(tests):
    assert chosen(tests, "transfers", "self", "without_collapsed")["sources"] == 2
    without = tests[tests["runs"] == "without_collapsed"]
    assert not (without["compared"] == "collapsed").any()
    better = chosen(tests, "transfers", "self", "without_collapsed")["difference"]
    assert better > chosen(tests, "transfers", "self")["difference"]


def test_doubtful_comparisons_are_marked_and_not_counted(tests):
    assert chosen(tests, "collapsed", "self")["reason"] == "collapsed"
    assert chosen(tests, "a", "self")["reason"] == ""
    records, sample, predictions = make_runs({("none", "full"): 30.0, ("a", "full"): 1.0, ("self", "full"): 1.0})
    near_floor = compare_with_controls(records, sample, predictions, SETTINGS)
    assert chosen(near_floor, "transfers", "none")["reason"] == "undefined"
    lines = conclusions(add_control_families(near_floor, 0.05))
    assert "of 0 targets" in lines[0]
    assert lines[0].endswith("Not counted: 1 whose baseline is near constant answers.")


@pytest.mark.parametrize("worse", [0.0, 1.0])
def test_several_seeds_count(worse):
    """With what seeds differ by on other items than these; the part of the items is in the resamples already."""
    cells = {("none", "full"): 1.0, ("a", "full"): 0.5, ("self", "full"): 1.0}
    records, sample, predictions = make_runs(cells, seeds=(1, 2, 3), worse=worse)
    row = chosen(compare_with_controls(records, sample, predictions, SETTINGS), "a", "self")
    values = pd.DataFrame([(key[0], record["values"]["pearson_r"]) for key, record in records.items()])
    pooled = values.groupby(0)[1].var(ddof=1).mean()
    assert row["seed_se"] < np.sqrt(pooled * 2 / 3)
    assert (row["seed_se"] > 0) == (worse > 0)
    assert row["covers"] == "items_and_seeds"


def test_single_transfers_are_a_family_and_means_are_not(tests):
    found = add_control_families(tests, 0.05)
    family = found[(found["reference"] == "self") & (found["runs"] == "all") & found["family"].notna()]
    assert set(family["compared"]) == {"a", "b", "collapsed"}
    assert (family["family"] == 3).all()
    assert family["q"].to_numpy() == pytest.approx(false_discovery_control(family["p"]))
    mean = chosen(found, "transfers", "self", "without_collapsed")
    assert np.isnan(mean["q"])
    # One seed: of these models, not of training.
    assert (mean["effect"], chosen(found, "collapsed", "self")["effect"]) == ("higher", "lower")
    seeds = add_control_families(tests.assign(covers="items_and_seeds"), 0.05)
    assert chosen(seeds, "transfers", "self", "without_collapsed")["effect"] == "improved"
    assert chosen(seeds, "collapsed", "self")["effect"] == "harmed"
    words = " With one seed this is of these trained models alone: another training may turn it."
    assert conclusions(found) == [line + words for line in conclusions(seeds)]


def test_conclusions_count_targets(tests):
    lines = conclusions(add_control_families(tests[tests["runs"] == "all"], 0.05))
    assert len(lines) == 3
    assert "the mean transfer scores" in lines[0]
    assert "of 1 targets" in lines[0]


def test_the_table_escapes_titles_and_shows_gains(tests):
    page = as_html(add_control_families(tests, 0.05), TASKS)
    assert "Target &lt;t&gt;" in page
    row = chosen(tests, "transfers", "self")
    assert f"{row['difference']:+.3f}".replace("-", "−") in page
    assert "random_identity" not in page


def test_a_study_without_controls_says_so():
    records, sample, predictions = make_runs({("none", "full"): 1.0})
    tests = compare_with_controls(records, sample, predictions, SETTINGS)
    assert len(tests) == 0
    assert "No controls in this study" in as_html(add_control_families(tests, 0.05), TASKS)


def test_the_figure_draws_every_mean(tests):
    found = add_control_families(tests, 0.05)
    figure = draw_controls(found[found["runs"] == "all"], TASKS, "full")
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["Target <t>"]
    # The line at 0, an interval and a marker for each mean and control, and a dot for each single transfer.
    assert len(left.lines) == 1 + 2 * 3
    assert len(right.lines) == 1 + 2 * 2 + 3 * 2


def test_baselines_transfers_and_controls_are_compared_from_their_tables_of_scores(tmp_path, monkeypatch):
    """The same comparisons as of the runs themselves, from two tables and from predictions in any order."""
    monkeypatch.chdir(tmp_path)
    records, sample, predictions = make_runs({("none", "full"): 1.0, ("a", "full"): 0.3, ("self", "full"): 1.0})
    ids = [f"n{place:03}" for place in range(150)]  # as sorted as the items of the sample
    test = f"{RESULTS}/data/t/test.parquet"
    with open_job(fake_snakemake("prepare", {"test": test, "provenance": f"{RESULTS}/data/t/provenance.json"})) as job:
        write_table(job.output["test"], pd.DataFrame({"id": ids, "group": ids}))
    paths = {}
    for key, record in records.items():
        table = pd.DataFrame({"id": ids, "label": sample.labels, "prediction": predictions[key]})
        facts = {name: record[name] for name in ("validation", "floor_validation")}
        about = {"kind": "regression", "metric": "pearson_r", "constant_answer": 0.0}
        paths[key[0]] = finish_run(TransferRun.of(record), table, **about, **facts)
    scores = [score_runs([paths["none"], paths["a"]], "transfers"), score_runs([paths["self"]], "controls")]
    predictions_paths = predictions_of(reversed(paths.values()))
    write_control_tests("t", scores, predictions_paths, test, None, SETTINGS, f"{RESULTS}/tests.csv")
    found = pd.read_csv(f"{RESULTS}/tests.csv", keep_default_na=False, na_values=[""])
    expected = compare_with_controls(records, sample, predictions, SETTINGS)
    assert list(found.columns) == COLUMNS
    numbers = ["value", "reference_value", "difference", "p", "low", "high"]
    assert found[numbers].to_numpy() == pytest.approx(expected[numbers].to_numpy(), nan_ok=True)
    words = ["target", "data", "runs", "compared", "reference", "metric"]
    assert found[words].to_numpy().tolist() == expected[words].to_numpy().tolist()
    # Without the only source, which leaks, the control and the baseline are left.
    clean = compare_with_controls(records, sample, predictions, SETTINGS, leaked={"a"})
    clean = clean[clean["runs"] == "without_leaked"]
    assert set(clean["compared"]) == {"self"}
    assert (
        clean["difference"].tolist()
        == expected.loc[(expected["runs"] == "all") & (expected["compared"] == "self"), "difference"].tolist()
    )
