"""What is said about a job that failed: which one, why, where its log is and how to go on."""

import json
import os
import re
import shutil
import signal
from pathlib import Path

from empathy_transfer.inspection.wording import TRAINING_STAGES, clean, one_line
from empathy_transfer.models.kernel_library import kernel_folder
from snakemake_logger_plugin_empathy.command import go_on_command, partial_command

TAIL_BYTES = 64 * 1024
TAIL_LINES = 8
STATUS = re.compile(r"returned non-zero (exit status -?\d+)|died with <Signals.(\w+)")
# What the executor says of a job that Slurm ended, and what Snakemake writes first into the log that Slurm keeps of it.
SLURM_END = re.compile(r"SLURM-job '(\d+)' failed.*SLURM status is: '(\w+)'", re.DOTALL)
HOST = re.compile(r"^\s*Host: (\S+)", re.MULTILINE | re.IGNORECASE)
MEANING = {
    "TIMEOUT": "it ran over its time",
    "OUT_OF_MEMORY": "its memory was not enough",
    "NODE_FAIL": "its node died",
    "CANCELLED": "it was cancelled",
    "PREEMPTED": "another job took its place",
}
CRASH = (
    "run the same command again; if the job dies again, delete {kernels} (kernels compiled for training, which a run "
    "makes anew) or set EMPATHY_KERNELS=off, and look for faults of the memory or the disk"
)
# What a death by a signal most often means, and what to do then.
DEATHS = {
    "SIGKILL": (
        "killed by the system: most often the memory was not enough",
        "run fewer jobs at a time (a smaller --cores), or give the machine or the job more memory",
    ),
    "SIGTERM": ("it was ended from outside", "run the same command again"),
    "SIGHUP": ("its terminal was closed", "run the same command again, in tmux or with nohup"),
    "SIGXCPU": ("it ran over its time", "raise the limit (`ulimit -t`), and run the same command again"),
    "SIGXFSZ": (
        "it wrote a larger file than is allowed",
        "raise the limit (`ulimit -f`), and run the same command again",
    ),
    **dict.fromkeys(("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"), ("a crash in compiled code", CRASH)),
}
FULL = re.compile(r"No space left on device|Disk quota exceeded")
# With less than this, in bytes, a job can't even write down why it failed.
LEAST_SPACE = 64 * 1024
QUOTED = re.compile(r"'([^']+)'")
MISSING = re.compile(r"Job (\d+)\s+completed successfully, but some output files are missing")


def failure_block(job, exception, with_commands, with_tail, ended=None):
    """The lines of the block about a failed job.

    Args:
        job: the job.
        exception: text of the exception that Snakemake reported for it, or empty.
        with_commands: whether to print the commands to go on; once per run is enough.
        with_tail: whether to quote the end of the log where no record of the failure tells the cause.
        ended: what a scheduler had to do with it, from `scheduler_end`; None on one machine.
    """
    log = str(job.log[0]) if job.log else None
    recorded = recorded_cause(log, job.started)
    tail = log_tail(log)
    missing = missing_output(exception)
    died = None if recorded else death(exception)
    disk = full_disk(recorded or " ".join(tail), log)
    if missing:
        cause = f"it ended well but did not make {', '.join(missing[1])}"
    else:
        cause = (
            recorded
            or (ended or {}).get("cause")
            or (died and f"died by {died}: {DEATHS[died][0]}")
            or last_words(tail)
            or (disk and f"No space left on device{exit_status(exception)}")
            or f"no message in the log{exit_status(exception)}"
        )
    wildcards = dict(job.wildcards)
    fields = {"rule": job.rule}
    if "source" in wildcards and "target" in wildcards:
        fields["pair"] = f"{wildcards.pop('source')} -> {wildcards.pop('target')}"
    fields.update(wildcards)
    fields["cause"] = cause
    if disk:
        fields["disk"] = disk
    elif died:
        fields["mend"] = DEATHS[died][1].format(kernels=kernel_folder())
    fields["log"] = log or "none"
    if ended:
        fields["where"] = ended["where"]
    lines = [f"  {name:<8} {one_line(value, 1000)}" for name, value in fields.items()]
    if with_tail and not recorded and len(tail) > 1:
        lines += ["  end of the log:", *(f"    | {one_line(line, 200)}" for line in tail[-TAIL_LINES:])]
    if with_commands:
        lines.append(f"  go on    {clean(go_on_command())}")
        if job.stage in TRAINING_STAGES:
            lines.append(f"  partial  {clean(partial_command())}")
            lines.append("           (to build scores and maps from what exists)")
    return lines


def scheduler_end(words, logs):
    """How a scheduler ended a job: {"cause": in words or None, "where": job of Slurm, node and Slurm's own log}.

    Args:
        words: what the executor said.
        logs: the logs of the job; the scheduler's own is the last.
    """
    found = SLURM_END.search(words)
    if not found:
        return {"cause": one_line(words), "where": "refused by the scheduler"}
    number, state = found.groups()
    own = str(logs[-1]).removeprefix(f"{os.getcwd()}/") if logs else "none"
    try:
        host = HOST.search(Path(own).read_text("utf-8", "replace"))
    except OSError:
        host = None
    node = f" on {host.group(1)}" if host else ""
    return {
        "cause": f"{MEANING[state]} ({state})" if state in MEANING else None,
        "where": f"job {number} of Slurm{node}, {state}, log {own}",
    }


def full_disk(cause, log=None):
    """Where a disk is full and how to mend it, in words; None if neither the cause nor the disk of the log says so."""
    named = QUOTED.findall(cause) if FULL.search(cause) else []
    place = Path(named[-1] if named else log or "here")
    folder = next(parent for parent in place.absolute().parents if parent.is_dir())
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return None
    if not FULL.search(cause) and free >= LEAST_SPACE:
        return None
    return (
        f"{free / 1e6:.1f} MB are free in {folder}; make space there (or ask for a larger quota) and run the same "
        "command: finished results are kept, and nothing is half written"
    )


def recorded_cause(log, since):
    """The cause that a job recorded in `<log>.failure.json` after `since`, in one line; None if there is none."""
    if log is None:
        return None
    path = Path(f"{log}.failure.json")
    try:
        # A job that was killed leaves no record, but an earlier attempt may have. Two seconds: coarse file times.
        if path.stat().st_mtime < since - 2:
            return None
        cause = json.loads(path.read_text("utf-8"))["cause"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return one_line(cause) or None


def log_tail(log):
    """The last lines of a log that are not empty."""
    if log is None:
        return []
    try:
        with open(log, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()]


def last_words(tail):
    """The last line of a log as a cause."""
    return one_line(tail[-1].removeprefix("FAILED:")) if tail else None


def exit_status(exception):
    """The exit status or the signal in an exception's text, in brackets; empty if it has none."""
    found = STATUS.search(exception)
    return f" ({found.group(1) or found.group(2)})" if found else ""


def death(exception):
    """Name of the signal that a job died by, as far as `DEATHS` knows it; None if it ended by itself.

    A shell tells the signal of what it started as a status above 128.
    """
    found = STATUS.search(exception)
    if not found:
        return None
    name = found.group(2)
    if name is None:
        status = int(found.group(1).rpartition(" ")[2])
        number = -status if status < 0 else status - 128
        name = signal.Signals(number).name if number in set(signal.Signals) else None
    return name if name in DEATHS else None


def missing_output(exception):
    """Job id and missing files of a job that did not make its output; None if the exception is about something else."""
    found = MISSING.search(exception)
    if not found:
        return None
    files = [
        line.split(" (missing")[0].strip() for line in exception[found.end() :].splitlines() if " (missing" in line
    ]
    return int(found.group(1)), files
