"""The console, seen from outside: Snakemake runs toy workflows with the logger plugin."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from forked_snakemake import run_snakemake
from snakemake_logger_plugin_empathy.command import go_on_command, partial_command
from snakemake_logger_plugin_empathy.failure import failure_block, missing_output, scheduler_end
from snakemake_logger_plugin_empathy.state import Job, Run

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow" / "scripts"
OPTIONS = ["--logger", "empathy", "--cores", "1"]
SNAKEFILE = """
rule all:
    input: "out/a--b.txt", "out/b--a.txt", "scores.csv"
rule prepare_task:
    output: "data/{task}.txt"
    log: "logs/{task}.log"
    message: "preparing {wildcards.task}"
    shell: "touch {output}"
rule train_transfer:
    input: "data/{source}.txt", "data/{target}.txt"
    output: "out/{source}--{target}.txt"
    log: "logs/{source}--{target}.log"
    shell: "echo start > {log}; FAILING touch {output}"
rule collect_scores:
    input: "data/a.txt"
    output: "scores.csv"
    shell: "touch {output}"
"""
# Text of a log may hold anything: terminal escapes, markup of rich.
LOGGED = r"Traceback\\n[bold]nan[/] in \\033[2J the loss\\n\\n"
FAILURE = f"if [ {{wildcards.source}} = b ]; then printf '{LOGGED}' >> {{log}}; exit 1; fi;"


def snakefile(folder, failing=""):
    """Write the toy workflow, with a shell line that fails for the pair b -> a."""
    (folder / "Snakefile").write_text(SNAKEFILE.replace("FAILING", failing))


def environment():
    """The environment of a run: the plugin is importable and no variable of the outer session interferes."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "EMPATHY_RAW_DIR")}
    return kept | {"PYTHONPATH": str(SCRIPTS), "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}


def command(*arguments):
    """The command line of Snakemake with the plugin."""
    return [sys.executable, "-m", "snakemake", *OPTIONS, *arguments]


def run(folder, *arguments):
    """Run Snakemake without a terminal: status and everything it said."""
    return run_snakemake([*OPTIONS, *arguments], folder, environment())


def run_in_terminal(folder, *arguments):
    """Run Snakemake in a pseudo-terminal: status and all bytes it wrote, as text."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command(*arguments), cwd=folder, env=environment(), stdin=slave, stdout=slave, stderr=slave, close_fds=True
    )
    os.close(slave)
    pieces = []
    try:
        while piece := os.read(master, 65536):
            pieces.append(piece)
    except OSError:  # how Linux reports that the other side was closed
        pass
    os.close(master)
    return process.wait(600), b"".join(pieces).decode("utf-8", "replace")


@pytest.fixture(scope="module")
def failed_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("failed")
    snakefile(folder, FAILURE)
    return run(folder, "--keep-going", "--show-failed-logs", "--config", "note=it's all")


def test_plain_lines_without_terminal(failed_run):
    _status, text = failed_run
    assert re.search(r"^\[\d/6\] \d\d:\d\d train_transfer a -> b started$", text, re.MULTILINE)
    assert re.search(
        r"^\[\d/6\] \d\d:\d\d train_transfer a -> b done in \d[\dms. ]*s( \(left about \w+\))?$", text, re.MULTILINE
    )
    assert re.search(r"^\[\d/6\] \d\d:\d\d prepare_task a done in ", text, re.MULTILINE)
    assert "\x1b" not in text


def test_chatter_stays_hidden(failed_run):
    _status, text = failed_run
    for words in (
        "Building DAG",
        "Provided cores",
        "Select jobs",
        "jobid",
        "Reason",
        "Finished job",
        "resources:",
        "Exiting",
    ):
        assert words not in text


def test_failure_block(failed_run):
    status, text = failed_run
    assert status == 1
    assert re.search(r"^\[\d/6\] \d\d:\d\d train_transfer b -> a FAILED after ", text, re.MULTILINE)
    assert re.search(r"^  pair +b -> a$", text, re.MULTILINE)
    assert re.search(r"^  cause +\[bold\]nan\[/\] in \\x1b\[2J the loss$", text, re.MULTILINE)
    assert re.search(r"^  log +logs/b--a.log$", text, re.MULTILINE)
    assert re.search(r"^    \| start$", text, re.MULTILINE)
    go_on = re.search(r"^  go on +(.*)$", text, re.MULTILINE).group(1)
    arguments = "--logger empathy --cores 1 --keep-going --show-failed-logs --config 'note=it'\"'\"'s all'"
    assert go_on == f"snakemake {arguments}"
    assert f"  partial  snakemake partial {arguments}\n" in text
    assert text.rstrip().endswith("1 of 6 jobs failed, 4 done, 1 not run.")


def job_of(log):
    """A training job that began a second ago."""
    wildcards = {"source": "b", "target": "a", "data": "full", "seed": "1"}
    return Job(1, "train_transfer", wildcards, "", [str(log)], "", time.time() - 1)


def test_recorded_cause_wins_over_the_log(tmp_path):
    log = tmp_path / "job.log"
    log.write_text("FAILED: last words\n\n")
    record = tmp_path / "job.log.failure.json"
    record.write_text('{"cause": "the data \\u001b changed"}')
    block = failure_block(job_of(log), "", with_commands=False, with_tail=True)
    assert "  cause    the data \\x1b changed" in block
    assert "  seed     1" in block
    os.utime(record, (0, 0))  # of an earlier attempt
    assert "  cause    last words" in failure_block(job_of(log), "", with_commands=False, with_tail=True)


def disk_with(free):
    """A stand-in for `shutil.disk_usage`."""
    return lambda folder: SimpleNamespace(free=free, folder=folder)


def test_a_full_disk_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", disk_with(free=1_500_000))
    log, results = tmp_path / "job.log", tmp_path / "results"
    results.mkdir()
    assert not any("make space" in line for line in failure_block(job_of(log), "", False, False))
    for words in ("[Errno 28] No space left on device", "[Errno 122] Disk quota exceeded"):
        cause = f"OSError: {words}: '{results}/seed=1/adapter.safetensors'"
        (tmp_path / "job.log.failure.json").write_text(json.dumps({"cause": cause}))
        block = failure_block(job_of(log), "", with_commands=False, with_tail=False)
        assert f"  cause    {cause}" in block
        (line,) = [line for line in block if line.startswith("  disk ")]
        assert f"1.5 MB are free in {results}; make space there" in line


def test_a_disk_too_full_to_write_down_why_a_job_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", disk_with(free=4096))
    block = failure_block(job_of(tmp_path / "none.log"), "returned non-zero exit status 1.", False, True)
    assert "  cause    No space left on device (exit status 1)" in block
    assert any(f"0.0 MB are free in {tmp_path}; make space" in line for line in block)


@pytest.mark.parametrize("log", ["none.log", "job.log"])
@pytest.mark.parametrize(
    "way", ["died with <Signals.{0.name}: {0.value}>.", "exit status {1}.", "exit status -{0.value}."]
)
@pytest.mark.parametrize(
    ("name", "cause", "remedy"),
    [
        ("SIGKILL", "killed by the system: most often the memory was not enough", "run fewer jobs at a time"),
        ("SIGSEGV", "a crash in compiled code", "/kernels (kernels compiled for training"),
        ("SIGBUS", "a crash in compiled code", "or set EMPATHY_KERNELS=off"),
        ("SIGILL", "a crash in compiled code", "run the same command again; if the job dies again"),
        ("SIGTERM", "it was ended from outside", "run the same command again"),
    ],
)
def test_a_job_that_died_by_a_signal_says_so_and_what_to_do(tmp_path, log, way, name, cause, remedy):
    (tmp_path / "job.log").write_text("epoch 3: loss .2\n")  # its last words are no cause
    number = signal.Signals[name]
    words = way if way.startswith("died") else f"returned non-zero {way}"
    block = failure_block(job_of(tmp_path / log), words.format(number, 128 + number), False, False)
    assert f"  cause    died by {name}: {cause}" in block
    (line,) = [line for line in block if line.startswith("  mend ")]
    assert remedy in line


@pytest.mark.parametrize("status", [0, 1, 2, 127, 130, 128, 200, 255])
def test_other_statuses_are_no_death(tmp_path, status):
    block = failure_block(job_of(tmp_path / "none.log"), f"returned non-zero exit status {status}.", False, True)
    assert f"  cause    no message in the log (exit status {status})" in block
    assert not any(line.startswith("  mend ") for line in block)


def test_a_job_that_slurm_ended_says_why_and_where(tmp_path):
    own, log = tmp_path / "12.log", tmp_path / "job.log"
    own.write_text("  Date: 2026\n  Host: gpu07\n  User: me\n  Host: other\n")
    log.write_text("epoch 3\n")
    ended = scheduler_end("SLURM-job '12' failed, SLURM status is: 'TIMEOUT'. Detailed reason", [str(log), str(own)])
    block = failure_block(job_of(log), "", with_commands=False, with_tail=False, ended=ended)
    assert "  cause    it ran over its time (TIMEOUT)" in block
    assert f"  where    job 12 of Slurm on gpu07, TIMEOUT, log {own}" in block
    # What the job itself recorded says more than that it failed.
    (tmp_path / "job.log.failure.json").write_text('{"cause": "nan in the loss"}')
    ended = scheduler_end("SLURM-job '13' failed, SLURM status is: 'FAILED'.", [str(log), str(tmp_path / "none.log")])
    block = failure_block(job_of(log), "", with_commands=False, with_tail=False, ended=ended)
    assert "  cause    nan in the loss" in block
    assert f"  where    job 13 of Slurm, FAILED, log {tmp_path}/none.log" in block


def test_a_job_that_slurm_refused_says_so(tmp_path):
    ended = scheduler_end("SLURM sbatch failed. The error message was 'Invalid partition'.", [])
    block = failure_block(job_of(tmp_path / "none.log"), "", with_commands=False, with_tail=False, ended=ended)
    assert "  cause    SLURM sbatch failed. The error message was 'Invalid partition'." in block
    assert "  where    refused by the scheduler" in block


def test_missing_output_is_a_failure(tmp_path):
    text = "Job 7  completed successfully, but some output files are missing. Wait:\nout/b--a.txt (missing locally)"
    assert missing_output(text) == (7, ["out/b--a.txt"])
    assert missing_output("RuleException: Job 7 failed") is None
    block = failure_block(job_of(tmp_path / "none.log"), text, with_commands=False, with_tail=False)
    assert "  cause    it ended well but did not make out/b--a.txt" in block


def test_commands_to_go_on(monkeypatch):
    monkeypatch.delenv("EMPATHY_RAW_DIR", raising=False)
    argv = [
        "/elsewhere/snakemake",
        "--configfile",
        "config/local.yaml",
        "--config",
        "note=a b",
        "--cores",
        "2",
        "-F",
        "all",
    ]
    assert (
        go_on_command(argv) == "/elsewhere/snakemake --configfile config/local.yaml --config 'note=a b' --cores 2 all"
    )
    assert go_on_command(["/elsewhere/snakemake/__main__.py", "all"]) == "python -m snakemake all"
    monkeypatch.setenv("EMPATHY_RAW_DIR", "/my data")
    start = "EMPATHY_RAW_DIR='/my data' /elsewhere/snakemake partial --configfile config/local.yaml"
    assert partial_command(argv) == f"{start} --config 'note=a b' --cores 2"


def test_time_left():
    state = Run(started=0)
    state.plan({"train_baseline": 2, "train_transfer": 4, "all": 1, "total": 7})
    job = {"wildcards": {}, "message": "", "log": [], "reason": ""}
    state.start(Job(1, "train_baseline", started=0, **job))
    assert state.left(5) is None
    state.finish(1, 10)
    state.start(Job(2, "train_baseline", started=10, **job))
    # 5 s of the second baseline, four transfers that are taken to last as long, 2 s for the rest.
    assert state.left(15) == 5 + 40 + 2
    assert state.left(15, "baseline") == 5
    state.fail(2, 20)
    assert state.counts("baseline") == (1, 1, 2)
    assert state.left(20, "baseline") == 0


def test_dry_run_lists_jobs(tmp_path):
    snakefile(tmp_path)
    status, text = run(tmp_path, "--dry-run")
    assert status == 0
    assert re.search(r"^data +prepare_task +2 +missing output \(2\)$", text, re.MULTILINE)
    assert re.search(r"^transfer +train_transfer +2 +missing output \(2\)\n +a -> b; b -> a$", text, re.MULTILINE)
    assert re.search(r"^ +total +6$", text, re.MULTILINE)
    assert not (tmp_path / "out").exists()


def test_errors_of_the_workflow_are_shown_whole(tmp_path):
    (tmp_path / "Snakefile").write_text('raise WorkflowError("first line\\nsecond [line]")\n')
    status, text = run(tmp_path)
    assert status == 1
    assert "first line" in text
    assert "second [line]" in text


def test_bars_in_a_terminal(tmp_path):
    snakefile(tmp_path, f"sleep 1; {FAILURE}")
    status, text = run_in_terminal(tmp_path, "--keep-going")
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    last = plain[plain.rindex("data  ") :]
    assert status == 1
    assert re.search(r"^data +[━╸╺]+ +2/2 +\d\d:\d\d +done", last, re.MULTILINE)
    assert re.search(r"^transfer +[━╸╺]+ +1/2 +\d\d:\d\d +1 failed", last, re.MULTILINE)
    assert re.search(r"^scores +[━╸╺]+ +1/2 +\d\d:\d\d +1 not run", last, re.MULTILINE)
    assert re.search(r"4 of 6 jobs done, 1 failed, \d\d:\d\d", last)
    assert "running: " in plain
    assert "FAILED after" in plain
    assert "\x1b[2J" not in text
    assert "started" not in plain
