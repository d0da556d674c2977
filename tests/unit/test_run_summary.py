"""The closing words of a run: counts by stage, failures, findings, and that nothing in them can fail a run."""

import json
import os
import time
from datetime import UTC, datetime

import pytest

from empathy_transfer.inspection.run_summary import counted_tests, main, render, result_state, summarise_run
from empathy_transfer.inspection.wording import about, clean, clock, one_line, span, stage_of, subject
from empathy_transfer.records.files import sha256_file
from empathy_transfer.records.provenance import write_provenance

HOUR = 3600


def provenance_of(path, created, outputs=(), **more):
    """Write a sealed provenance with a time of creation, in seconds since the epoch; files get that time too."""
    entries = {file.name: {"sha256": sha256_file(file), "bytes": file.stat().st_size} for file in outputs}
    stamp = datetime.fromtimestamp(created, UTC).isoformat(timespec="seconds")
    write_provenance(path, {"format": 1, "rule": "r", "inputs": {}, "outputs": entries, "created": stamp} | more)
    for file in (path, *outputs):
        os.utime(file, (created + 1, created + 1))
    return path


@pytest.fixture
def study(tmp_path):
    """A study with one result made now, one reused, one missing, one failure now and one of an earlier run."""
    started = time.time() - 60
    results, logs = tmp_path / "results" / "toy", tmp_path / "logs" / "toy"
    made, reused = results / "transfer" / "a--b" / "provenance.json", results / "baseline" / "a" / "provenance.json"
    for folder in (made.parent, reused.parent, results / "analysis", results / "figures", logs / "old"):
        folder.mkdir(parents=True)
    provenance_of(made, started + 5)
    provenance_of(reused, started - HOUR)
    findings = results / "analysis" / "findings.json"
    findings.write_text(json.dumps([{"text": "Direct tasks help most."}, {"text": "Two.", "n": 3}]))
    provenance_of(results / "analysis" / "provenance.json", started + 6, [findings])
    record = {"rule": "train_transfer", "wildcards": {"source": "b", "target": "a", "data": "full", "seed": "1"}}
    (logs / "b--a.log.failure.json").write_text(json.dumps({**record, "cause": "loss is \x1b[31mnan\nsecond line"}))
    earlier = logs / "old" / "b--c.log.failure.json"
    earlier.write_text(json.dumps({**record, "cause": "disk full"}))
    os.utime(earlier, (started - HOUR, started - HOUR))
    (results / "figures" / "map.png").write_bytes(b"x")
    plan = {
        "study": "toy",
        "results": str(results),
        "logs": str(logs),
        "started": started,
        "command": "snakemake --cores 2",
        "expected": {
            "baseline": [str(reused)],
            "transfer": [str(made), str(results / "transfer" / "b--a" / "provenance.json")],
        },
        "left_out": {"condolence": "no data: put output.csv into raw/condolence"},
        "open": [str(results / "figures" / "map.png"), str(results / "figures" / "none.png")],
    }
    return results, logs, plan


def summary_of(study):
    results, logs, plan = study
    return summarise_run(results, logs, plan, plan["started"])


def test_counts_by_stage(study):
    summary = summary_of(study)
    assert summary["stages"]["baseline"] == {"made": 0, "cached": 0, "reused": 1, "missing": 0, "damaged": 0}
    assert summary["stages"]["transfer"] == {"made": 1, "cached": 0, "reused": 0, "missing": 1, "damaged": 0}
    assert [path.endswith("b--a/provenance.json") for path in summary["missing"]] == [True]
    assert not summary["complete"]
    assert 59 < summary["wall_seconds"] < HOUR


def test_notes_of_this_run_are_told(study):
    results, logs, plan = study
    for name, created in (("mine", plan["started"] + 5), ("earlier", plan["started"] - HOUR)):
        path = results / "relabel" / name / "lamps" / "labels.provenance.json"
        path.parent.mkdir(parents=True)
        note = {"note": f"60 answers of {name}, 12 invalid (20.0 %): 12 x not_json\x1b[31m"}
        provenance_of(path, created, wildcards={"model": name, "set": "lamps"}, **note)
        plan["expected"].setdefault("labels", []).append(str(path))
    summary = summarise_run(results, logs, plan, plan["started"])
    told = "model=mine set=lamps: 60 answers of mine, 12 invalid (20.0 %): 12 x not_json\\x1b[31m"
    assert summary["notes"] == [told]
    assert f"  note      {told}" in render(summary).splitlines()


def test_failures_of_this_run_come_first(study):
    first, second = summary_of(study)["failed"]
    assert (first["earlier"], second["earlier"]) == (False, True)
    assert first["log"].endswith("logs/toy/b--a.log")
    assert "\x1b" not in first["cause"]
    assert "\n" not in first["cause"]


def test_words(study):
    summary = summary_of(study)
    text = render(summary)
    assert "Study toy: not complete (2 failed, 1 missing), 1m 00s" in text
    assert "made      1 transfer" in text
    assert "reused    1 baseline" in text
    assert "train_transfer b -> a full seed 1: loss is \\x1b[31mnan second line" in text
    assert "condolence: no data: put output.csv" in text
    assert "1. Direct tasks help most." in text
    assert "map.png" in text
    assert "none.png" not in text
    assert text.endswith("To go on: snakemake --cores 2")


def test_complete_study_says_so(study):
    results, logs, plan = study
    for record in logs.rglob("*.failure.json"):
        record.unlink()
    plan["expected"]["transfer"].pop()
    (results / "COMPLETE.json").write_text("{}")
    summary = summary_of(study)
    assert summary["complete"]
    assert "Study toy: complete" in render(summary)
    assert "go on" not in render(summary)


def asked_for_labels(study, done):
    """The study's plan as of a run that was asked for one stage, whose result is the reused one of the fixture."""
    results, _logs, plan = study
    plan |= {"asked": ["labels"], "done": done, "expected": {"labels": plan["expected"]["baseline"]}, "left_out": {}}
    plan["open"] = [str(results / "figures" / "map.png")]
    return results, plan


def test_a_finished_stage_is_complete_and_says_nothing_of_the_rest_of_the_study(study):
    results, plan = asked_for_labels(study, done=True)
    (results.parents[1] / "logs/toy/b--a.log.failure.json").unlink()  # that of the earlier run stays
    old = plan["started"] - HOUR
    os.utime(results / "analysis" / "findings.json", (old, old))
    summary = summary_of(study)
    assert (summary["complete"], summary["failed"], summary["missing"]) == (True, [], [])
    assert render(summary).splitlines() == [
        "",
        "Study toy, labels: complete, 1m 00s",
        "  reused    1 labels",
        f"Open {results / 'figures' / 'map.png'}",
    ]


def test_a_stage_whose_page_is_not_there_is_not_called_complete(study):
    results, plan = asked_for_labels(study, done=True)
    (results.parents[1] / "logs/toy/b--a.log.failure.json").unlink()
    plan["open"].append(str(results / "none.md"))
    assert "Study toy, labels: as far as asked for" in render(summary_of(study))


def test_a_stage_that_failed_says_so_and_how_to_go_on(study):
    asked_for_labels(study, done=False)
    text = render(summary_of(study))
    assert "Study toy, labels: not complete (1 failed), 1m 00s" in text
    assert text.endswith("To go on: snakemake --cores 2")


def test_a_run_that_was_stopped_is_not_complete(study):
    results, _plan = asked_for_labels(study, done=False)
    (results.parents[1] / "logs/toy/b--a.log.failure.json").unlink()
    text = render(summary_of(study))
    assert "Study toy, labels: not complete, 1m 00s" in text
    assert text.endswith("To go on: snakemake --cores 2")


def test_result_from_a_cache_is_neither_made_nor_reused_from_before(study):
    results, _, plan = study
    path = plan["expected"]["transfer"][0]
    provenance_of(results / "transfer" / "a--b" / "provenance.json", plan["started"] + 5, reused={"key": "k"})
    assert result_state(path, int(plan["started"])) == "cached"
    assert "cached    1 transfer" in render(summary_of(study))
    assert result_state(path, int(plan["started"]) + HOUR) == "reused"


def test_copied_result_counts_as_reused(study):
    _results, _logs, plan = study
    reused = plan["expected"]["baseline"][0]
    os.utime(reused)
    assert result_state(reused, int(plan["started"])) == "reused"


def test_damage_is_named_with_its_remedy(study):
    _results, _logs, plan = study
    path = plan["expected"]["transfer"][0]
    with open(path, "w", encoding="utf-8") as file:
        file.write("{")
    text = render(summary_of(study))
    assert path in text
    assert "empathy-transfer verify toy --repair" in text


def test_altered_findings_are_not_shown(study):
    results, _logs, _plan = study
    (results / "analysis" / "findings.json").write_text('[{"text": "Something else."}]')
    summary = summary_of(study)
    assert summary["findings"] == []
    assert "not shown" in render(summary)


def test_tests_of_transfers_are_counted_and_controls_are_not(tmp_path):
    rows = ["source,target,data,runs,q,effect", "a,b,full,all,0.01,improved", "b,a,full,all,0.6,undecided"]
    more = ["self,a,full,all,0.01,improved", "a,b,half,all,0.01,harmed", "a,b,full,without_collapsed,0.01,improved"]
    path = tmp_path / "significance.csv"
    assert counted_tests(path) == []
    path.write_text("\n".join(rows + more))
    words = "transfers with all data score above their baseline and"
    assert counted_tests(path) == [f"By tests at a false discovery rate of 5 %, 1 of 2 {words} 0 below it."]
    path.write_text("\n".join([rows[0], "a,b,full,all,0.01,lower", "b,a,full,all,,"]))
    (text,) = counted_tests(path)
    assert "0 of 1 transfers with all data score above their baseline and 1 below it" in text
    assert text.endswith("; one seed, so this covers the choice of test items alone.")


def test_main_writes_the_summary(study, tmp_path, capsys):
    results, _logs, plan = study
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    assert main([str(tmp_path / "plan.json")]) == 0
    summary = json.loads((results / "summary.json").read_text())
    assert summary["left_out"] == plan["left_out"]
    assert "Study toy: not complete" in capsys.readouterr().err


@pytest.mark.parametrize("plan", [None, "{", "[]", '{"results": "r"}', '{"results": 1, "logs": 2, "started": "x"}'])
def test_main_never_fails(plan, tmp_path, capsys):
    path = tmp_path / "plan.json"
    if plan is not None:
        path.write_text(plan)
    assert main([str(path)]) == 0
    assert main([]) == 0
    assert all(line.startswith("The run could not be summarised") for line in capsys.readouterr().err.splitlines())


def test_thousands_of_results_take_little_time(study, tmp_path):
    _results, _logs, plan = study
    paths = [tmp_path / "many" / f"{number}" / "provenance.json" for number in range(3240)]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_text('{"created": "2000-01-01T00:00:00+00:00"}')
    plan["expected"]["transfer"] = [str(path) for path in paths]
    begin = time.process_time()
    assert summary_of(study)["stages"]["transfer"]["reused"] == 3240
    assert time.process_time() - begin < 10


def test_names():
    assert subject({"seed": 1, "target": "b", "data": "half", "source": "a"}) == "a -> b half seed 1"
    assert subject({"task": "a", "fold": "2"}) == "a fold=2"
    assert [stage_of(rule) for rule in ("prepare_task", "train_baseline", "train_transfer", "all", "data")] == [
        "data",
        "baseline",
        "transfer",
        "scores",
        "data",
    ]
    rules = ("ask_model", "ask_sample", "parse_labels", "report_prompts", "validate_prompts", "audit_labels", "labels")
    assert {stage_of(rule) for rule in rules} == {"labels"}
    assert stage_of("train_relabelled") == "relabel"


def test_times():
    assert (clock(221), clock(7421)) == ("03:41", "2:03:41")
    assert (span(12.34), span(320), span(7800)) == ("12.3s", "5m 20s", "2h 10m")
    assert (about(1), about(38), about(1080), about(7800)) == ("5s", "40s", "18m", "2h 10m")


def test_text_from_elsewhere_is_made_safe():
    assert clean("a\x1b]0;title\x07b\u202ec\nd") == "a\\x1b]0;title\\x07b\\u202ec\nd"
    assert one_line("x\n y" * 1000, 20) == ("x y" * 10)[:17] + "..."
