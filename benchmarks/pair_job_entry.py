"""The entry point of rule train_transfer with a clock in it, for `pair_job.py`: writes one line of CPU times per job.

The parts don't overlap: what one of them calls counts for the innermost part only.
"""

import time

ENTERED = time.process_time()

import contextlib
import functools
import json
import os
import runpy
from collections import Counter
from pathlib import Path

from empathy_transfer.frame.warm_start import continue_warm

PARTS, OPEN = Counter(), []


def parent_seconds():
    """CPU time that the process which started this one, Snakemake, has used so far."""
    fields = Path(f"/proc/{os.getppid()}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def part(name):
    """Count the seconds of a block under a name, without those of blocks within it."""
    started = time.process_time()
    OPEN.append(0.0)
    try:
        yield
    finally:
        seconds = time.process_time() - started
        PARTS[name] += seconds - OPEN.pop()
        if OPEN:
            OPEN[-1] += seconds


def clocked(owner, attribute, name):
    """Let every call of a function count as a part."""
    function = getattr(owner, attribute)

    @functools.wraps(function)
    def wrapped(*arguments, **keywords):
        with part(name):
            return function(*arguments, **keywords)

    setattr(owner, attribute, wrapped)


def clock_library():
    """Put the clock around the library's functions; imports what a training job imports."""
    with part("imports"):
        import filelock  # noqa: F401
        import pandas  # noqa: F401 - by pyarrow, when it makes a table
        import pyarrow.parquet  # noqa: F401

        from empathy_transfer.frame import job
        from empathy_transfer.models.engines import packed
        from empathy_transfer.training import loop, run
        from empathy_transfer.training.recipes import transfer
    named = {
        "finding the encoder": [(run, "find_encoder")],
        "tokens, choice of items": [(transfer, "transfer_recipe")],
        "encoder, source adapter, new weights": [(packed.Model, "__init__")],
        "first layer": [(packed.Model, "keep_first_layer")],
        "training": [(loop, "train_epoch")],
        "validation and test": [(loop, "predict"), (run, "predict")],
        "validation scores": [(run, "score")],
        "writing": [
            (run, name)
            for name in (
                "save_adapter",
                "save_head",
                "write_table",
                "prediction_table",
                "write_json_lines",
                "write_json",
            )
        ],
        "optimizer, rest of the loop": [(run, "fit")],
        "digests of inputs and outputs": [(job, "sha256_file")],
        "provenance": [(job, "write_provenance"), (job, "package_versions"), (job, "run_command")],
    }
    for name, places in named.items():
        for owner, attribute in places:
            clocked(owner, attribute, name)


if __name__ == "__main__":
    first = "PAIR_JOB_START" not in os.environ  # in the warm process, this file runs once more
    begun = json.loads(os.environ.setdefault("PAIR_JOB_START", json.dumps([parent_seconds(), ENTERED])))
    continue_warm()
    PARTS["hand-over to the warm process"] = 0.0 if first else ENTERED
    PARTS["Python, and Snakemake's preamble"] = begun[1]
    clock_library()
    with part("lock, log, rest"):
        runpy.run_path(
            Path(snakemake.scriptdir) / "timed_transfer.py", init_globals={"snakemake": snakemake}, run_name="__main__"
        )
    with open(os.environ["PAIR_JOB_NOTES"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"snakemake": begun[0], "parts": PARTS}) + "\n")
