"""The frame of every job: log, lock, leftovers, provenance and failure record around one call of the library."""

import contextlib
import json
import os
import resource
import sys
import time
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import empathy_transfer
from empathy_transfer.frame.joblock import output_lock
from empathy_transfer.records.files import sha256_file, temporary_files
from empathy_transfer.records.provenance import (
    FORMAT,
    package_versions,
    plan_of_run,
    run_command,
    study_of,
    write_provenance,
)


@dataclass
class Job:
    """What a job is asked to do, in plain Python values.

    `input` and `output` map each name of the rule to a path, or to a list of paths where the rule gives several;
    `params` is without `code`, which is the fingerprint of the code that runs.
    """

    rule: str
    wildcards: dict
    input: dict
    output: dict
    params: dict
    threads: int
    log: str
    code: str
    inputs: list = field(repr=False)  # all input paths, the unnamed ones too, but not `after`: it sets the order only
    digests: dict = field(default_factory=dict, repr=False)  # SHA-256 by input path, when the job began
    note: str | None = None  # what the closing words of the run are to say about the result

    @property
    def provenance(self):
        """Path of the job's provenance file."""
        return self.output["provenance"]

    @property
    def products(self):
        """All output paths except for the provenance, in the order of the rule."""
        named = [path for name, path in self.output.items() if name != "provenance"]
        return [path for entry in named for path in (entry if isinstance(entry, list) else [entry])]

    @property
    def files(self):
        """Path of each product by the name that the provenance lists it under."""
        return {_name_in(path, self.provenance.parent): path for path in self.products}

    @property
    def origin(self):
        """What the job's results come from: fingerprint of the `code`, SHA-256 of each of the `inputs` by name."""
        single = {name: path for name, path in self.input.items() if isinstance(path, Path)}
        named = {
            name: self.digests[path.as_posix()] for name, path in single.items() if path.as_posix() in self.digests
        }
        return {"code": self.code, "inputs": named}

    @property
    def label(self):
        """The job in words, such as `train_transfer (source=a, target=b)`."""
        wildcards = ", ".join(f"{name}={value}" for name, value in self.wildcards.items())
        return f"{self.rule} ({wildcards})" if wildcards else self.rule

    def digest_inputs(self):
        """Read all inputs and remember their SHA-256 by path."""
        self.digests.update({path.as_posix(): sha256_file(path) for path in self.inputs})


@contextlib.contextmanager
def open_job(snakemake):
    """Run the body of a script as a job of the workflow, yielding its `Job`.

    Refuses a copy of the library from elsewhere, holds a lock beside the outputs, sends all output to the log, and at
    the end writes the provenance. If the body fails, `<log>.failure.json` tells the cause, and the script ends with
    status 1 and one line on the terminal.

    Args:
        snakemake: the object that Snakemake gives to a script.
    """
    job = describe(snakemake)
    with frame(job, snakemake.scriptdir):
        started = begin()
        # Before the body, so that an input that changes meanwhile shows as different afterwards.
        job.digest_inputs()
        yield job
        finish(job, started)


@contextlib.contextmanager
def frame(job, scriptdir):
    """The outer part of `open_job`: everything but the inputs and the provenance, for a body that sees to these itself.

    Args:
        job: the `Job`. scriptdir: folder of its entry point.
    """
    failure = Path(f"{job.log}.failure.json")
    failure.unlink(missing_ok=True)
    Path(job.log).parent.mkdir(parents=True, exist_ok=True)
    try:
        _refuse_other_library(scriptdir)
        with output_lock(job.provenance):
            # Only now: until the lock is ours, the log and the outputs may belong to a job that is still running.
            Path(job.log).write_bytes(b"")
            with _output_to(job.log):
                _clear(job)
                yield
    except KeyboardInterrupt:
        _append(job.log, "INTERRUPTED")
        raise SystemExit(130) from None
    except BaseException as error:
        _record_failure(job, failure, error)
        # The console of the workflow tells it from the failure record.
        told = os.environ.get("EMPATHY_CONSOLE")
        raise SystemExit(1 if told else f"{job.label} failed: {_cause(error)} (log: {job.log})") from None


def describe(snakemake):
    """Turn Snakemake's object into a `Job`; a rule without the outputs and params that every rule has is refused."""
    output = {name: _paths(entry) for name, entry in snakemake.output.items()}
    params = {name: _plain(value) for name, value in snakemake.params.items()}
    if not isinstance(output.get("provenance"), Path) or "code" not in params or len(snakemake.log) == 0:
        raise SystemExit(f"rule {snakemake.rule} needs an output `provenance`, a param `code` and a log file")
    json.dumps(params)  # fails now, and not when the provenance is written after hours of work
    if len(snakemake.output) != sum(len(entry) if isinstance(entry, list) else 1 for entry in output.values()):
        raise SystemExit(f"rule {snakemake.rule} has an output without a name")
    return Job(
        rule=snakemake.rule,
        wildcards={name: str(value) for name, value in snakemake.wildcards.items()},
        input={name: _paths(entry) for name, entry in snakemake.input.items()},
        output=output,
        params={name: value for name, value in params.items() if name != "code"},
        threads=snakemake.threads,
        log=str(snakemake.log[0]),
        code=params["code"],
        inputs=[Path(path) for path in snakemake.input if path not in _paths_named(snakemake.input, "after")],
    )


def begin():
    """When a job begins: by the clock on the wall, and by one that nobody sets."""
    return datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()


def finish(job, started, **more):
    """Write the provenance of a job that began at `started`, with `more` fields; this makes its results finished."""
    created, began = started
    study, plan = study_of(job.provenance) or study_of(job.provenance.absolute()), plan_of_run()
    product = (job.products or [job.provenance])[0].as_posix()
    record = {
        "format": FORMAT,
        "rule": job.rule,
        "wildcards": job.wildcards,
        "remake": run_command(study, "--force", product, plan=plan),
        "planned_with": plan,
        "settings": job.params,
        "inputs": dict(job.digests),
        "outputs": {name: _entry(path) for name, path in job.files.items()},
        "versions": package_versions(),
        "code": job.code,
        "created": created,
        "seconds": round(time.monotonic() - began, 3),
        **({"note": job.note} if job.note else {}),
        **_cost(),
        **more,
    }
    write_provenance(job.provenance, record)


def _cost():
    """What this process has cost since it began: CPU time (s) and the most memory that it held (MB)."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 3),
        "peak_memory_mb": round(used.ru_maxrss * unit / 1e6, 1),
    }


def _entry(path):
    """The provenance entry of an output; the job fails here if its body forgot to make it."""
    if not path.is_file():
        raise FileNotFoundError(f"the job did not make its output {path}")
    return {"sha256": sha256_file(path), "bytes": path.stat().st_size}


def _name_in(path, folder):
    """The name under which a provenance lists an output: its path below the provenance's folder."""
    if not path.is_relative_to(folder):
        raise ValueError(f"the output {path} is not in the folder of its provenance, {folder}")
    return path.relative_to(folder).as_posix()


def _clear(job):
    """Remove what an earlier run of the job left: its provenance, for it is no longer true, and temporary files."""
    job.provenance.unlink(missing_ok=True)
    for path in [job.provenance, *job.products]:
        for leftover in temporary_files(path):
            leftover.unlink(missing_ok=True)


def _refuse_other_library(scriptdir):
    """Refuse to run with a library that is not the one beside the entry point."""
    found, expected = Path(empathy_transfer.__file__).resolve().parent.parent, Path(scriptdir).resolve().parent
    if found != expected:
        raise RuntimeError(
            f"the library was imported from {found} instead of {expected}, so changes there would have no effect. "
            "Mend it with `pip uninstall empathy-transfer` or, in this folder, `pip install --no-deps -e .`"
        )


@contextlib.contextmanager
def _output_to(log):
    """Send standard output and error to the log, also those of native libraries and child processes."""
    sys.stdout.flush()
    sys.stderr.flush()
    terminal = os.dup(1), os.dup(2)
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)
    try:
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        with (
            open(1, "w", encoding="utf-8", buffering=1, closefd=False) as stream,  # by line, since logs are followed
            contextlib.redirect_stdout(stream),
            contextlib.redirect_stderr(stream),
        ):
            yield
    finally:
        os.dup2(terminal[0], 1)
        os.dup2(terminal[1], 2)
        for number in (*terminal, descriptor):
            os.close(number)


def _record_failure(job, failure, error):
    """Write the traceback and a last line to the log, and the failure record beside it."""
    from empathy_transfer.records.artefacts import write_json

    details = "".join(traceback.format_exception(error))
    _append(job.log, f"{details}FAILED: {_cause(error)}")
    write_json(failure, {"rule": job.rule, "wildcards": job.wildcards, "cause": _cause(error), "log": job.log})


def _append(log, text):
    """Append a line to the log."""
    with open(log, "a", encoding="utf-8") as stream:
        stream.write(f"{text}\n")


def _cause(error):
    """An exception in one line: its message, and its type where the message alone would not be understood."""
    message = " ".join(str(error).split())
    plain = isinstance(error, RuntimeError | SystemExit) and message
    return message if plain else f"{type(error).__name__}: {message}" if message else type(error).__name__


def _paths(entry):
    """A path, or a list of paths where the rule gives several under one name."""
    return Path(entry) if isinstance(entry, str) else [Path(path) for path in entry]


def _paths_named(inputs, name):
    """The input paths under a name of the rule; none where the rule has no such name."""
    entry = dict(inputs.items()).get(name, [])
    return [entry] if isinstance(entry, str) else list(entry)


def _plain(value):
    """Params as plain values: Snakemake's lists and strings become Python's own."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, str) else value
