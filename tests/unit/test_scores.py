"""Scores, improvement and findings: small studies whose numbers are worked out by hand."""

import itertools
import json

import pandas
import pytest

from empathy_transfer.frame.job import open_job
from empathy_transfer.records.artefacts import ArtefactError, read_json, write_csv
from empathy_transfer.scores.complete import complete_study
from empathy_transfer.scores.findings import findings
from empathy_transfer.scores.improvement import (
    IMPROVEMENT_COLUMNS,
    SCORE_COLUMNS,
    collapsed_runs,
    collect_scores,
    failed_runs,
    percent_improvement,
    planned_runs,
    read_improvement,
    read_scores,
    write_scores,
)
from empathy_transfer.scores.run_scores import COLUMNS
from fake_jobs import fake_snakemake

TASKS = {
    "a": {"title": "Task A", "kind": "classification", "metric": "f1_macro", "theme": "direct", "dataset": "x"},
    "b": {"title": "Task B", "kind": "classification", "metric": "f1_macro", "theme": "abstract", "dataset": "y"},
    "r": {"title": "Task R", "kind": "regression", "metric": "pearson_r", "theme": "adjacent", "dataset": "z"},
}


def make_run(source, target, value, seed=1, data="full", **changes):
    """The record of a run that learnt something."""
    values = {"pearson_r": value, "mae": 1.0} if target == "r" else {"f1_macro": value, "f1_weighted": value + 0.1}
    record = {"source": source, "target": target, "data": data, "seed": seed, "values": values, "n_test": 50}
    record |= {"validation": value, "floor": 0.2, "floor_validation": 0.2, "standard_error": 0.05}
    return record | {"constant_prediction": False} | changes


def cell(frame, **keys):
    """The one row of a frame with the given values."""
    for column, value in keys.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_scores_have_a_row_for_each_planned_run_and_metric():
    scores = collect_scores([make_run("none", "a", 0.5)], TASKS, {}, [1, 2], ["full", "half"])
    assert list(scores.columns) == SCORE_COLUMNS
    # Per seed and condition 3 baselines and 6 transfers; the target that has a run has two metrics.
    assert len(planned_runs(TASKS, [1, 2], ["full", "half"])) == 36
    assert len(scores) == 12 * 2 + 24
    assert not scores.duplicated(["source", "target", "data", "seed", "metric"]).any()
    found = cell(scores, source="none", target="a", data="full", seed=1, metric="f1_weighted")
    assert found["value"] == pytest.approx(0.6)
    assert found["n_test"] == 50
    assert not found["collapsed"]
    assert found["reason"] == ""
    assert (scores.loc[scores["value"].isna(), "reason"] == "not_run").all()


def test_the_row_of_the_main_metric_is_marked_and_there_is_one_without_any_run():
    scores = collect_scores([make_run("none", "r", 0.5)], TASKS, {}, [1], ["full"])
    assert scores.loc[scores["main"], ["source", "target", "data", "seed"]].to_numpy().tolist() == [
        list(key) for key in planned_runs(TASKS, [1], ["full"])
    ]
    # The target's other metrics are those of its runs, also where a run is missing.
    found = {target: dict(zip(rows["metric"], rows["main"], strict=True)) for target, rows in scores.groupby("target")}
    main = {"f1_macro": True}
    assert found == {"a": main, "b": main, "r": {"pearson_r": True, "mae": False}}
    row = cell(scores, source="a", target="b")
    assert (row["metric"], row["main"], row["reason"]) == ("f1_macro", True, "not_run")
    assert row[["value", "n_test", "collapsed"]].isna().all()
    of_task = cell(scores, source="none", target="r", metric="mae")
    assert (of_task["main"], of_task["value"]) == (False, 1.0)


def test_the_main_metric_is_the_one_of_the_task_and_not_the_first_of_a_run():
    tasks = {task: about | {"metric": "f1_weighted"} for task, about in TASKS.items() if task != "r"}
    runs = [make_run("none", "a", 0.5), make_run("b", "a", 0.6)]
    scores = collect_scores(runs, tasks, {}, [1], ["full"])
    assert set(scores.loc[scores["main"], "metric"]) == {"f1_weighted"}
    row = cell(percent_improvement(scores, runs), source="b", target="a")
    assert (row["metric"], row["baseline"], row["transfer"]) == ("f1_weighted", pytest.approx(0.6), pytest.approx(0.7))


def test_a_blank_score_says_why():
    tasks = TASKS | {"away": {"title": "Away", "kind": "regression", "metric": "pearson_r", "theme": "direct"}}
    left_out = {"away": "put the file essays.csv into raw/essays"}
    scores = collect_scores([], tasks, left_out, [1], ["full"], failed={("a", "r", "full", 1)})
    assert cell(scores, source="a", target="r")["reason"] == "failed"
    assert cell(scores, source="b", target="r")["reason"] == "not_run"
    assert cell(scores, source="none", target="away")["reason"] == "no_data"
    assert cell(scores, source="away", target="r")["reason"] == "no_data"
    named = collect_scores([], tasks, {"away": "not_available"}, [1], ["full"])
    assert cell(named, source="none", target="away")["reason"] == "not_available"


def test_scores_refuse_what_does_not_belong_to_the_study():
    with pytest.raises(ValueError, match="not planned"):
        collect_scores([make_run("a", "b", 0.5, seed=9)], TASKS, {}, [1], ["full"])
    with pytest.raises(ValueError, match="two records"):
        collect_scores([make_run("a", "b", 0.5), make_run("a", "b", 0.6)], TASKS, {}, [1], ["full"])
    with pytest.raises(ValueError, match="gone"):
        collect_scores([], TASKS, {"gone": "no file"}, [1], ["full"])


def test_controls_are_appended():
    scores = collect_scores([make_run("random_full", "a", 0.5)], TASKS, {}, [1], ["full"])
    assert list(scores["source"].tail(2)) == ["random_full", "random_full"]


def test_a_run_far_below_the_median_of_its_target_has_collapsed():
    # Gains over the floor: .4, .4, .09, with median .4 and threshold .1.
    runs = [make_run("none", "a", 0.6), make_run("b", "a", 0.6), make_run("r", "a", 0.29)]
    assert collapsed_runs(runs) == {("r", "a", "full", 1)}
    runs[-1] = make_run("r", "a", 0.31)
    assert collapsed_runs(runs) == set()
    # Another data condition has its own median.
    assert collapsed_runs([*runs, make_run("r", "a", 0.21, data="half")]) == set()


def test_controls_do_not_decide_which_runs_have_collapsed():
    """Controls that learnt little would bring the median gain down from .4 to .11, and the threshold from .1 to .03."""
    runs = [make_run("none", "a", 0.6), make_run("b", "a", 0.6), make_run("r", "a", 0.29)]
    controls = [make_run(control, "a", 0.31) for control in ("self", "random_identity", "random_full", "longer")]
    assert collapsed_runs(runs + controls) == {("r", "a", "full", 1)}
    assert collapsed_runs([make_run("self", "a", 0.3)]) == set()


def test_a_constant_prediction_has_collapsed_and_keeps_its_value():
    runs = [make_run("none", "r", 0.6), make_run("a", "r", 0.0, validation=0.6, constant_prediction=True)]
    scores = collect_scores(runs, TASKS, {}, [1], ["full"])
    row = cell(scores, source="a", target="r", metric="pearson_r")
    assert row["collapsed"]
    assert row["reason"] == "collapsed"
    assert row["value"] == 0
    assert cell(percent_improvement(scores, runs), source="a", target="r")["reason"] == "collapsed"


def test_where_nothing_is_learnt_only_runs_below_the_floor_have_collapsed():
    runs = [make_run("none", "a", 0.2), make_run("b", "a", 0.19), make_run("r", "a", 0.2)]
    assert collapsed_runs(runs) == {("b", "a", "full", 1)}


def test_improvement_by_hand():
    runs = [make_run("none", "a", 0.5), make_run("none", "a", 0.7, seed=2)]
    runs += [make_run("b", "a", 0.6), make_run("b", "a", 0.75, seed=2)]
    scores = collect_scores(runs, TASKS, {}, [1, 2], ["full"])
    improvement = percent_improvement(scores, runs)
    assert list(improvement.columns) == IMPROVEMENT_COLUMNS
    assert len(improvement) == 6
    row = cell(improvement, source="b", target="a")
    assert row["metric"] == "f1_macro"
    assert row["seeds"] == 2
    assert row["baseline"] == pytest.approx(0.6)
    assert row["transfer"] == pytest.approx(0.675)
    assert row["difference"] == pytest.approx(0.075)
    assert row["percent"] == pytest.approx(12.5)
    assert row["scaled"] == pytest.approx(0.075 / 0.8)
    assert row["reason"] == ""
    assert cell(improvement, source="r", target="a")["reason"] == "not_run"
    assert cell(improvement, source="a", target="r")["reason"] == "not_run"


def test_only_seeds_of_both_are_compared():
    runs = [make_run("none", "a", 0.5), make_run("none", "a", 0.9, seed=2), make_run("b", "a", 0.6)]
    row = cell(percent_improvement(collect_scores(runs, TASKS, {}, [1, 2], ["full"]), runs), source="b", target="a")
    assert row["seeds"] == 1
    assert row["percent"] == pytest.approx(20)
    runs = [make_run("none", "a", 0.5), make_run("b", "a", 0.6, seed=2)]
    row = cell(percent_improvement(collect_scores(runs, TASKS, {}, [1, 2], ["full"]), runs), source="b", target="a")
    assert row["reason"] == "not_run"


def test_half_data_is_compared_with_the_full_baseline_and_its_own_as_control():
    runs = [make_run("none", "a", 0.5), make_run("none", "a", 0.4, data="half")]
    runs = [run | {"standard_error": 0.03} for run in [*runs, make_run("b", "a", 0.5, data="half")]]
    improvement = percent_improvement(collect_scores(runs, TASKS, {}, [1], ["full", "half"]), runs)
    row = cell(improvement, source="b", target="a", data="half")
    assert row["percent"] == pytest.approx(0)
    assert row["percent_vs_half_baseline"] == pytest.approx(25)
    assert improvement.loc[improvement["data"] == "full", "percent_vs_half_baseline"].isna().all()


def test_percent_is_undefined_near_the_floor():
    # The baseline is .1 above the floor: not more than five standard errors of .02.
    runs = [make_run("none", "a", 0.3, standard_error=0.0201), make_run("b", "a", 0.5)]
    row = cell(percent_improvement(collect_scores(runs, TASKS, {}, [1], ["full"]), runs), source="b", target="a")
    assert row["reason"] == "undefined"
    assert row["percent"] != row["percent"]
    assert row["difference"] == pytest.approx(0.2)
    runs[0]["standard_error"] = 0.0199
    row = cell(percent_improvement(collect_scores(runs, TASKS, {}, [1], ["full"]), runs), source="b", target="a")
    assert row["percent"] == pytest.approx(100 * 0.2 / 0.3)


def test_a_missing_baseline_gives_its_reason():
    runs = [make_run("b", "a", 0.5)]
    scores = collect_scores(runs, TASKS, {}, [1], ["full"], failed={("none", "a", "full", 1)})
    row = cell(percent_improvement(scores, runs), source="b", target="a")
    assert row["reason"] == "failed"
    assert row["floor"] == 0.2


def test_failure_records_name_the_runs(tmp_path):
    def fail(name, wildcards):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"rule": "x", "wildcards": wildcards, "cause": "y", "log": "z"}))

    fail("baseline/full/seed=1/a.log.failure.json", {"data": "full", "seed": "1", "task": "a"})
    fail("transfer/b.log.failure.json", {"data": "half", "seed": "2", "source": "a", "target": "b"})
    fail("tokens/a.log.failure.json", {"task": "a"})
    assert failed_runs(tmp_path) == {("none", "a", "full", 1), ("a", "b", "half", 2)}
    assert failed_runs(tmp_path / "nothing") == set()


def write_run_tables(folder, runs):
    """Write the tables of the scores of runs, one for each target; returns their paths."""
    paths = []
    for target in dict.fromkeys(run["target"] for run in runs):
        rows = [
            run | {"metric": metric, "main": metric == TASKS[target]["metric"], "value": value}
            for run in runs
            if run["target"] == target
            for metric, value in run["values"].items()
        ]
        paths.append(folder / f"{target}.csv")
        output = {"scores": str(paths[-1]), "provenance": str(folder / f"{target}.provenance.json")}
        with open_job(fake_snakemake("score_target", output, log=str(folder / f"{target}.log"))) as job:
            write_csv(job.output["scores"], pandas.DataFrame(rows, columns=COLUMNS))
    return paths


def write_study(folder, runs):
    """Write what comes from runs of one seed; returns the paths by name."""
    tables = write_run_tables(folder, runs)
    names = {"scores": "scores.csv", "improvement": "improvement.csv", "findings": "findings.json"}
    paths = {name: folder / file for name, file in names.items()}
    output = {name: str(path) for name, path in paths.items()} | {"provenance": str(folder / "provenance.json")}
    with open_job(fake_snakemake("collect_scores", output, log=str(folder / "scores.log"))) as job:
        write_scores(tables, TASKS, {}, [1], ["full"], folder / "logs", *(job.output[name] for name in names))
    return paths


def test_files_read_back_as_written(tmp_path):
    runs = [make_run("none", "a", 0.5), make_run("none", "r", 0.5), make_run("b", "a", 0.6)]
    paths = write_study(tmp_path, runs)
    assert "3 of 9 planned runs found" in (tmp_path / "scores.log").read_text()
    scores = collect_scores(runs, TASKS, {}, [1], ["full"])
    back = read_scores(paths["scores"])
    assert back.to_csv() == scores.to_csv()
    assert (back["reason"] == scores["reason"]).all()
    assert back["main"].dtype == bool
    assert back["collapsed"].isna().equals(scores["collapsed"].isna())
    assert read_improvement(paths["improvement"]).to_csv() == percent_improvement(scores, runs).to_csv()
    assert len(read_json(paths["findings"])) == 3


EVERY = [make_run(source, target, 0.5) for source in ("none", *TASKS) for target in TASKS if source != target]


def complete(folder, scores, expected, left_out=None):
    """Check that a study with these scores is complete; returns its last record."""
    output = {"scores": str(folder / "scores.csv"), "provenance": str(folder / "provenance.json")}
    with open_job(fake_snakemake("collect_scores", output, log=str(folder / "scores.log"))) as job:
        write_csv(job.output["scores"], scores)
    complete_study("tiny", folder / "scores.csv", expected, left_out or {}, folder / "COMPLETE.json")
    return read_json(folder / "COMPLETE.json", verify=False)


def test_a_study_is_complete_with_a_score_of_each_planned_run(tmp_path):
    found = complete(tmp_path, collect_scores(EVERY, TASKS, {}, [1], ["full"]), expected=9)
    assert found == {"study": "tiny", "expected": 9, "found": 9, "left_out": {}}


def test_runs_of_tasks_that_were_left_out_are_not_expected(tmp_path):
    runs, left_out = [run for run in EVERY if "r" not in (run["source"], run["target"])], {"r": "no_data"}
    found = complete(tmp_path, collect_scores(runs, TASKS, left_out, [1], ["full"]), 4, left_out)
    assert found == {"study": "tiny", "expected": 4, "found": 4, "left_out": left_out}


@pytest.mark.parametrize("runs", [EVERY[:-1], EVERY[1:], []], ids=["a transfer", "a baseline", "all"])
def test_a_study_that_lacks_a_run_is_not_complete(tmp_path, runs):
    with pytest.raises(RuntimeError, match=rf"{len(runs)} runs have a score in .*scores\.csv, but 9 were expected"):
        complete(tmp_path, collect_scores(runs, TASKS, {}, [1], ["full"]), expected=9)
    assert not (tmp_path / "COMPLETE.json").exists()


def test_a_run_without_a_score_of_its_main_metric_is_missing(tmp_path):
    """Whether its row is blank, or only other metrics have one."""
    scores = collect_scores(EVERY, TASKS, {}, [1], ["full"])
    of_run = (scores["source"] == "none") & (scores["target"] == "a") & scores["main"]
    for changed in (scores.assign(value=scores["value"].mask(of_run)), scores[~of_run]):
        with pytest.raises(RuntimeError, match=r"8 runs have a score in .*scores\.csv, but 9 were expected"):
            complete(tmp_path, changed, expected=9)


def test_a_damaged_table_makes_no_study_complete(tmp_path):
    scores = write_study(tmp_path, EVERY)["scores"]
    scores.write_text(scores.read_text().replace("0.5", "0.6"))
    with pytest.raises(ArtefactError, match=r"scores\.csv"):
        complete_study("tiny", scores, 9, {}, tmp_path / "COMPLETE.json")


def make_findings(runs, tasks=TASKS, seeds=(1,)):
    scores = collect_scores(runs, tasks, {}, seeds, ["full"])
    return findings(percent_improvement(scores, runs), scores, tasks)


def test_findings_state_what_the_numbers_say():
    runs = [make_run("none", task, 0.5) for task in TASKS]
    runs += [make_run("a", "b", 0.6), make_run("b", "a", 0.45), make_run("r", "a", 0.5)]
    themes, targets, counts = make_findings(runs)
    assert themes["themes"] == pytest.approx({"direct": 10, "abstract": -5, "adjacent": 0})
    assert (
        "direct +10.0 in 1 pair, abstract −5.0 in 1 pair, adjacent +0.0 in 1 pair; 1 seed, so another" in themes["text"]
    )
    # One task a theme: each theme is one dataset, so that no interval tells them apart.
    assert themes["intervals"] == dict.fromkeys(("direct", "abstract", "adjacent"))
    assert themes["text"].endswith(
        "Themes with 1 source can't be compared. Settings were chosen for runs without transfer, which favours the "
        "baseline."
    )
    assert (targets["most"], targets["least"]) == ("b", "a")
    assert "between −2.5 points (Task A, n = 2 sources) and +10.0 points (Task B, n = 1 source)" in targets["text"]
    assert (counts["above_baseline"], counts["compared"], counts["planned"]) == (1, 3, 6)
    above = "With all data 1 of 3 pairs score above their baseline, by chance or not (median change +0.0 "
    assert counts["text"].startswith(above)
    assert counts["text"].endswith("; 0 of 6 runs collapsed, 0 failed, and 3 pairs can't be compared (not run).")


def test_findings_compare_themes_by_intervals_over_datasets():
    """Three tasks a theme in nine datasets. Direct sources give 4 points more than others, or one of them gives 12."""
    themes = {f"{theme}{number}": theme for theme in ("direct", "abstract", "adjacent") for number in (1, 2, 3)}
    tasks = {task: {"title": task, "theme": theme, "kind": "classification", "metric": "f1_macro", "dataset": task}
             for task, theme in themes.items()}  # fmt: skip
    found = {}
    for name, gains in (("both", {"direct1": 0.04, "direct2": 0.041, "direct3": 0.04}), ("one", {"direct1": 0.12})):
        runs = [make_run("none", task, 0.5) for task in tasks]
        for number, (source, target) in enumerate(itertools.permutations(tasks, 2)):
            runs.append(make_run(source, target, 0.49 + gains.get(source, 0.0) + 0.0001 * (number % 3)))
        found[name] = make_findings(runs, tasks)[0]
    assert found["both"]["ahead"] == [["direct", "abstract"], ["direct", "adjacent"]]
    assert "Clearly ahead: direct of abstract, direct of adjacent." in found["both"]["text"]
    assert found["one"]["ahead"] == []
    assert found["one"]["themes"]["direct"] == pytest.approx(3, abs=0.1)
    low, high = found["one"]["intervals"]["direct"]
    assert low < -1
    assert high > 7


def test_findings_stand_once_more_without_leaked_pairs():
    runs = [make_run("none", task, 0.5) for task in TASKS]
    runs += [make_run("a", "b", 0.6), make_run("b", "a", 0.45), make_run("r", "a", 0.5)]
    scores = collect_scores(runs, TASKS, {}, [1], ["full"])
    # That the training data of b leak into its own test items leaves no pair out.
    improvement = percent_improvement(scores, runs, leaked={("a", "b"), ("b", "b")})
    assert improvement.loc[improvement["leaked"], ["source", "target"]].values.tolist() == [["a", "b"]]
    themes = findings(improvement, scores, TASKS)[0]
    assert themes["themes_without_leaked"] == pytest.approx({"abstract": -5, "adjacent": 0})
    assert "Without 1 pair whose test items leak: abstract −5.0, adjacent +0.0." in themes["text"]
    assert "leak" not in make_findings(runs)[0]["text"]


def test_findings_tell_why_pairs_cannot_be_compared():
    runs = [make_run("none", task, 0.5) for task in TASKS if task != "r"] + [make_run("a", "b", 0.6)]
    scores = collect_scores(runs, TASKS, {"r": "no_data"}, [1], ["full"])
    _, _, counts = findings(percent_improvement(scores, runs), scores, TASKS)
    assert counts["text"].endswith(
        "and 5 pairs can't be compared (4 × no data for one of the tasks, which was left out; 1 × not run)."
    )


def test_findings_of_a_study_without_results():
    for record in make_findings([]):
        assert record["text"].endswith(".")
    assert make_findings([])[2]["text"].startswith("0 of 6 planned pairs")


def test_findings_of_one_pair_and_of_a_collapsed_run():
    runs = [make_run("none", "a", 0.6), make_run("b", "a", 0.7)]
    themes, targets, _ = make_findings(runs)
    text = "Mean change in points of the score with all data (extreme changes are limited) by theme of source: "
    assert themes["text"].startswith(f"{text}abstract +10.0 in 1 pair;")
    assert "ahead" not in themes["text"]
    assert targets["text"] == "The only target with results changes by +10.0 points (Task A, n = 1 source) on average."
    themes, _, counts = make_findings([*runs, make_run("r", "a", 0.2, constant_prediction=True)])
    assert "Without 1 pair with a collapsed run: abstract +10.0." in themes["text"]
    assert counts["collapsed"] == 1
