"""A small study from generated data to COMPLETE.json, and what happens when files are damaged or runs are killed.

Two generated tasks and a tiny random encoder, in a copy of the repository; the tests of the module run in order and go
on from each other's results, as a user would.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pandas
import pytest

from study_copy import StudyCopy
from tiny_study import CONFIGS, write_tiny_study

TINY = (*CONFIGS, "--cores", "2")
RUN = "transfer/full/seed=1/letters_hope--notes_care"
# All runs and their scores, without the figures and pages that the first and the last test make.
SCORED = ("results/tiny/COMPLETE.json", *TINY)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A copy of the repository with a config for the small study and its encoder."""
    study = StudyCopy.of_repository(tmp_path_factory.mktemp("copy") / "study")
    write_tiny_study(study)
    return study


@pytest.fixture(scope="module")
def folder(study):
    """The folder of the copy."""
    return study.folder


def verify(folder, *arguments):
    """Run `empathy-transfer verify tiny`."""
    path = os.environ | {"PYTHONPATH": str(folder / "workflow/scripts")}
    command = [sys.executable, "-m", "empathy_transfer", "verify", "tiny", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run(command, cwd=folder, env=path, **pipes)


def created(folder):
    """When each training run was made, by its folder."""
    files = sorted((folder / "results/tiny").glob("*/full/seed=1/*/provenance.json"))
    return {file.parent.name: json.loads(file.read_text())["created"] for file in files}


def flip(path):
    """Flip one bit in the middle of a file, and leave its time as it was."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_one_command_makes_the_whole_study(study, folder):
    result = study.run(*TINY)
    assert result.status == 0, result.text
    results = folder / "results/tiny"
    complete = json.loads((results / "COMPLETE.json").read_text())
    assert (complete["expected"], complete["found"]) == (4, 4)
    scores = pandas.read_csv(results / "analysis/scores.csv", keep_default_na=False)
    assert list(scores.columns) == [
        "source",
        "target",
        "data",
        "seed",
        "metric",
        "main",
        "value",
        "n_test",
        "collapsed",
        "reason",
    ]
    assert set(scores["source"]) == {"none", "letters_hope", "notes_care"}
    assert (results / "figures/improvement_classification_full.png").stat().st_size > 10_000
    assert (results / "tables/scores_classification_full.html").is_file()
    assert "COMPLETE" in result.text or "complete" in result.text
    assert json.loads((results / "summary.json").read_text())["study"] == "tiny"
    jobs = pandas.read_csv(results / "provenance.csv")
    records = [path.relative_to(results).as_posix() for path in results.rglob("*provenance.json")]
    assert sorted(jobs["provenance"]) == sorted(records)
    trainings = jobs[jobs["rule"].str.startswith("train_")]
    assert len(trainings) == 4
    assert trainings[["cpu_seconds", "peak_memory_mb", "device"]].notna().all(axis=None)


def test_a_second_run_finds_nothing_to_do(study, folder):
    before = created(folder)
    assert study.run(*TINY).status == 0
    assert created(folder) == before


def test_a_damaged_adapter_is_found_removed_with_what_was_made_from_it_and_restored(study, folder):
    before = created(folder)
    assert verify(folder).returncode == 0
    flip(folder / "results/tiny/baseline/full/seed=1/letters_hope/adapter.safetensors")
    found = verify(folder)
    assert found.returncode == 1
    assert "letters_hope/adapter.safetensors" in found.stdout
    assert verify(folder, "--repair").returncode == 0
    assert not (folder / "results/tiny/COMPLETE.json").exists()
    time.sleep(1.1)  # the times of provenance files are whole seconds
    assert study.run(*SCORED).status == 0
    assert (folder / "results/tiny/COMPLETE.json").exists()
    after = created(folder)
    assert {name for name in after if after[name] != before[name]} == {"letters_hope", "letters_hope--notes_care"}
    assert verify(folder).returncode == 0


def test_a_failed_pair_is_told_and_the_rest_stays_usable(study, folder):
    shutil.rmtree(folder / "results/tiny" / RUN)
    flip(folder / "results/tiny/baseline/full/seed=1/letters_hope/adapter.safetensors")
    result = study.run(f"results/tiny/{RUN}/run.json", *TINY)
    assert result.status != 0
    assert "letters_hope -> notes_care" in result.text
    assert "adapter.safetensors" in result.text
    assert "snakemake partial" in result.text
    assert not (folder / "results/tiny" / RUN / "run.json").exists()
    before = created(folder)
    result = study.run("partial", *TINY)
    assert result.status == 0, result.text
    assert created(folder) == before
    scores = pandas.read_csv(folder / "results/tiny/partial/analysis/scores.csv", keep_default_na=False)
    cell = scores[(scores["source"] == "letters_hope") & (scores["target"] == "notes_care")]
    assert set(cell["reason"]) == {"failed"}
    assert verify(folder, "--repair").returncode == 0


def test_a_killed_run_goes_on_by_the_same_command(study, folder):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    log, started = folder / "logs/tiny/baseline/full/seed=1/letters_hope.log", time.time()
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", *SCORED],
        cwd=folder,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        start_new_session=True,
        **quiet,
    )
    while not (log.exists() and log.stat().st_mtime > started):
        assert time.time() < started + 600, "the job did not start"
        time.sleep(0.1)
    os.kill(run.pid, signal.SIGKILL)  # the jobs live on, as after a crash of the main process alone
    run.wait()
    result = study.run(*SCORED)
    assert result.status == 0, result.text
    assert (folder / "results/tiny/COMPLETE.json").exists()
    assert verify(folder).returncode == 0


def test_two_runs_of_one_study_at_a_time_are_refused(study, folder):
    from filelock import FileLock

    with FileLock(folder / "results/tiny/.study.lock"):
        result = study.run("--forceall", *TINY)
    assert result.status != 0
    assert "Another run works on the study 'tiny'" in result.text


def test_a_variant_with_other_labels_joins_the_study_and_its_claims(study, folder):
    claims = folder / "results/tiny/analysis/claims.csv"
    assert set(pandas.read_csv(claims).query("rule == 'variants_gain'")["why"]) == {"the study has no variants"}
    rows = pandas.read_parquet(folder / "results/tiny/data/notes_care/train.parquet")
    study.write("labels.csv", rows[["id"]].assign(label="yes").iloc[:10].to_csv(index=False))
    entry = {"title": "Notes Care (other labels)", "variant_of": "notes_care", "training_labels": "labels.csv"}
    study.edit_yaml(
        "config/datasets_demo/demo_notes.yaml", lambda content: content.update(variants={"notes_care_other": entry})
    )
    before = created(folder)
    study.edit_yaml("config/tiny.yaml", lambda content: content.update(variants={"notes_care_other": ["target"]}))
    result = study.run(*TINY)
    assert result.status == 0, result.text
    after = created(folder)
    assert {run: after[run] for run in before} == before
    assert set(after) - set(before) == {"notes_care_other", "letters_hope--notes_care_other"}
    table = pandas.read_csv(folder / "results/tiny/analysis/variants.csv")
    assert set(table["role"]) == {"baseline", "target"}
    whys = pandas.read_csv(claims).query("rule == 'variants_gain'")["why"]
    assert whys.str.startswith("too few transfers of ").all()
