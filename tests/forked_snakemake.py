"""Snakemake in a process of its own, without the second that its imports take.

A server process imports Snakemake once and forks for each run. A run has a folder, an environment and an output of its
own, as if a user had started it.
"""

import atexit
import fcntl
import multiprocessing
import os
import pkgutil
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

SERVER = multiprocessing.get_context("forkserver")
# What every run imports: all plugins, too, for the options of the command line.
PLUGINS = [module.name for module in pkgutil.iter_modules() if re.match("snakemake_.*_plugin_", module.name)]
SERVER.set_forkserver_preload(["snakemake.cli", "snakemake.executors.touch", "jsonschema", *PLUGINS])


class Ended(NamedTuple):
    """A process that has ended: its status and all that it said."""

    status: int
    text: str


def run_snakemake(arguments, folder, environment, timeout=900):
    """Run Snakemake and wait, also for what it leaves behind, such as the process that starts jobs.

    Args:
        arguments: of its command line. folder: where it runs. environment: all variables. timeout: seconds.

    Raises:
        TimeoutError: it did not end in time; it is stopped.
    """
    with tempfile.TemporaryDirectory() as kept:
        streams = [Path(kept) / name for name in ("stdout", "stderr")]
        process = SERVER.Process(target=_main, args=(arguments, folder, environment, streams))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"snakemake {' '.join(arguments)}: no end after {timeout} seconds")
        return Ended(process.exitcode, "".join(map(_all_of, streams)))


def _all_of(stream):
    """What was written, once all processes that may write have ended: a lock lasts as long as the file is open."""
    with stream.open(encoding="utf-8") as said:
        fcntl.flock(said, fcntl.LOCK_SH)
        return said.read()


def _main(arguments, folder, environment, streams):
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    for number, stream in enumerate(streams, start=1):
        said = os.open(stream, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(said, fcntl.LOCK_EX)
        os.dup2(said, number)
    sys.argv = ["snakemake", *arguments]
    from snakemake.cli import main
    from snakemake.executors.touch import Executor

    Executor.SLEEPING_TIME = 0  # a tenth of a second per job
    try:
        sys.exit(main())
    finally:
        atexit._run_exitfuncs()  # a forked process leaves them out
