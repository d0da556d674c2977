"""What jobs ask a scheduler for: `cluster.smk` is plain Python; and the profiles, which all must start a run."""

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from snakemake.io import expand
from snakemake.iocontainers import Wildcards

from study_copy import ROOT

RULES = ROOT / "workflow/rules/plan/cluster.smk"
PROFILES = sorted(path.name for path in (ROOT / "profiles").iterdir())


@pytest.fixture
def rules(tmp_path, monkeypatch):
    """The names of cluster.smk, for a study of two seeds in an empty folder."""
    monkeypatch.chdir(tmp_path)
    names = {"RESULTS": "results/tiny", "SEEDS": [1, 2], "expand": expand, "os": os, "Path": Path}
    names["workflow"] = SimpleNamespace(non_local_exec=True, remote_exec=False)
    exec(compile(RULES.read_text(encoding="utf-8"), RULES.name, "exec"), names)
    return SimpleNamespace(**names)


def write_cost(task, seed, text, data="full"):
    """Write the provenance of a baseline."""
    path = Path(f"results/tiny/baseline/{data}/seed={seed}/{task}/provenance.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def wildcards(**names):
    """The wildcards of a job."""
    return Wildcards(fromdict=names)


PAIR = wildcards(source="letters", target="notes", data="full", seed="1")


def test_before_any_measurement_a_guess_is_asked_for_and_more_at_each_attempt(rules):
    assert [rules.training_minutes(PAIR, attempt) for attempt in (1, 2, 3)] == [245, 485, 725]  # 5 + 3 x 80 x attempt
    assert [rules.training_memory(PAIR, attempt) for attempt in (1, 2, 3)] == [8000, 16000, 24000]


def test_the_dearest_baseline_of_the_target_decides(rules):
    write_cost("notes", 1, json.dumps({"seconds": 60.0, "peak_memory_mb": 1000.0}))
    write_cost("letters", 1, json.dumps({"seconds": 6000.0, "peak_memory_mb": 9000.0}))
    write_cost("notes", 1, json.dumps({"seconds": 6000.0, "peak_memory_mb": 9000.0}), data="half")
    assert rules.training_minutes(PAIR, 1) == 5 + 3
    assert rules.training_memory(PAIR, 1) == 500 + 1500
    write_cost("notes", 2, json.dumps({"seconds": 100.0, "peak_memory_mb": 800.0}))  # it ended later, in the same run
    assert rules.training_minutes(PAIR, 1) == 5 + 5
    assert rules.training_minutes(PAIR, 2) == 5 + 10
    assert rules.training_memory(PAIR, 2) == 2 * (500 + 1500)
    assert rules.training_minutes(wildcards(task="notes", data="full", seed="2"), 1) == 5 + 5


def test_a_baseline_from_a_cache_tells_what_it_cost_where_it_was_computed(rules):
    cost = {"seconds": 600.0, "peak_memory_mb": 1000.0}
    write_cost("notes", 1, json.dumps({"seconds": 0.2, "peak_memory_mb": 40.0, "reused": cost}))
    assert rules.training_minutes(PAIR, 1) == 5 + 30
    assert rules.training_memory(PAIR, 1) == 500 + 1500


@pytest.mark.parametrize(
    "text", ["", "[]", '{"reused": 1}', '{"seconds": 60}', '{"seconds": "long", "peak_memory_mb": 1}']
)
def test_a_provenance_without_a_cost_counts_as_none(rules, text):
    write_cost("notes", 1, text)
    assert rules.training_minutes(PAIR, 1) == 245


def test_gpu_locks_hold_within_a_job_of_slurm(rules, monkeypatch):
    monkeypatch.delenv("EMPATHY_DEVICE_LOCKS", raising=False)
    monkeypatch.setenv("TMPDIR", "/tmp")
    rules.lock_gpus_within_job("12")
    first = os.environ["EMPATHY_DEVICE_LOCKS"]
    rules.lock_gpus_within_job("13")
    assert first.endswith("-12")
    assert os.environ["EMPATHY_DEVICE_LOCKS"].endswith("-13"), "also where a job was submitted from within another"


def test_jobs_of_a_killed_run_are_named(rules, tmp_path, monkeypatch, capsys):
    queue = tmp_path / "bin/squeue"
    queue.parent.mkdir()
    queue.write_text(f"#!/bin/sh\necho '7 {tmp_path}'\necho '8 /elsewhere'\necho '9 {tmp_path}'\n")
    queue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{queue.parent}{os.pathsep}{os.environ['PATH']}")
    rules.tell_left_over_jobs()
    assert capsys.readouterr().err.endswith("scancel 7 9\n")
    rules.workflow.non_local_exec = False
    rules.tell_left_over_jobs()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("profile", PROFILES)
def test_profiles_say_nothing_that_another_one_overrides(profile):
    policy = yaml.safe_load((ROOT / "profiles/default/profile.v9+.yaml").read_text(encoding="utf-8"))
    content = yaml.safe_load((ROOT / f"profiles/{profile}/profile.v9+.yaml").read_text(encoding="utf-8"))
    assert profile == "default" or not policy.keys() & content.keys()


def test_the_profile_of_slurm_lists_the_rules_that_ask_for_a_gpu():
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow/rules").glob("*/*.smk")))
    blocks = re.split(r"^(?=rule |use rule )", text, flags=re.MULTILINE)
    asking = {block.split(":")[0].removeprefix("rule ") for block in blocks if "        gpu=" in block}
    asking |= {new for old, new in re.findall(r"^use rule (\w+) as (\w+) with", text, re.MULTILINE) if old in asking}
    profile = (ROOT / "profiles/slurm/profile.v9+.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"^  (?:# )?(\w+): .*slurm_partition: gpu", profile, re.MULTILINE)) == asking


@pytest.mark.parametrize("profile", ["gpu", "slurm"])
def test_profiles_plan_the_same_jobs(profile, full_study, full_plan):
    run = full_study.dry_run("--profile", f"profiles/{profile}")
    assert run.status == 0, run.text
    assert run.rules == full_plan.rules
