"""
A warm process for training jobs: it imports torch once and forks for every job that asks, which saves each its imports.

    python -m empathy_transfer.frame.warm_start    prints the address of its socket; ends when its standard input does

The run of the workflow starts it on this machine and names the address in EMPATHY_WARM_START. The entry point of a job
calls `continue_warm` first; where nobody listens, or another Python or copy of the library would answer, the job goes
on by itself. A fork runs the job's own script with the job's own environment, folder and standard streams, so that
logs, locks, exit status and results are those of a process of its own.
"""

import contextlib
import ctypes
import json
import os
import runpy
import selectors
import signal
import socket
import struct
import sys
import tempfile
import traceback
from pathlib import Path

VARIABLE = "EMPATHY_WARM_START"
OFF = "off"
LIBRARY = str(Path(__file__).resolve().parents[1])
STREAMS = (0, 1, 2)
INTERRUPTED = 130  # the status of what ctrl-C has ended
DEATH_SIGNAL = 1  # Linux: PR_SET_PDEATHSIG


def continue_warm():
    """Let the warm process do this job and exit with its status; return where none is offered or it can't."""
    address = os.environ.pop(VARIABLE, OFF)
    if address == OFF:
        return
    request = {"prefix": sys.prefix, "library": LIBRARY, "script": sys.argv[0], "folder": os.getcwd()}
    request |= {"path": sys.path, "environment": dict(os.environ)}
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address)
            _send(connection, request, STREAMS)
            answer = _receive(connection)[0]
    except OSError:
        return
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None  # ctrl-C has reached the fork as well
    if answer is None:
        raise SystemExit("the warm process died; run the same command again, or set EMPATHY_WARM_START=off")
    if "status" in answer:
        sys.stdout.flush()
        os._exit(answer["status"])


def _send(connection, message, descriptors=()):
    """Send a message as JSON behind its length, with open files."""
    text = json.dumps(message).encode()
    socket.send_fds(connection, [struct.pack("!Q", len(text))], descriptors)
    connection.sendall(text)


def _receive(connection, descriptors=0):
    """Receive a message and open files; the message is None if the other side has closed."""
    header, files, _, _ = socket.recv_fds(connection, 8, descriptors)
    text = bytearray()
    while header and len(text) < struct.unpack("!Q", header)[0]:
        part = connection.recv(1 << 16)
        if not part:
            return None, files
        text += part
    return (json.loads(text) if header else None), files


class Server:
    """The warm process: accepts jobs, forks for each, tells each its status, and ends with the run that started it."""

    def __init__(self, listener):
        """Serve on a listening socket until standard input ends."""
        self.listener, self.jobs, self.open = listener, {}, True
        self.selector = selectors.DefaultSelector()
        wake_up, self.woken = socket.socketpair()
        for stream in (wake_up, self.woken):
            stream.setblocking(False)
        self.wake_up = wake_up
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_up.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C reaches the jobs by themselves
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        self.selector.register(self.woken, selectors.EVENT_READ, self.reap)
        self.selector.register(0, selectors.EVENT_READ, self.end)

    def serve(self):
        """Work until the run has ended and the last job with it."""
        while self.open or self.jobs:
            for key, _ in self.selector.select():
                key.data(key.fileobj)

    def accept(self, listener):
        """Take a job's request and fork for it, or decline."""
        connection, _ = listener.accept()
        files = []
        try:
            connection.settimeout(10)
            request, files = _receive(connection, len(STREAMS))
            if request is None or (request["prefix"], request["library"]) != (sys.prefix, LIBRARY):
                _send(connection, {"declined": f"this process is of {sys.prefix} and {LIBRARY}"})
                connection.close()
                return
            _preload()
            pid = os.fork()
            if pid == 0:
                self.leave()
                _run(request, files)
            self.jobs[pid] = connection
            self.selector.register(connection, selectors.EVENT_READ, self.abandon)
        except OSError:
            connection.close()
        finally:
            for number in files:
                os.close(number)

    def leave(self):
        """Drop, in a fork, what is the server's alone."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.selector.close()
        for stream in (self.listener, self.wake_up, self.woken, *self.jobs.values()):
            stream.close()

    def abandon(self, connection):
        """Stop the job of a process that is gone."""
        self.selector.unregister(connection)
        for pid, other in self.jobs.items():
            if other is connection:
                os.kill(pid, signal.SIGTERM)

    def reap(self, woken):
        """Tell the processes whose jobs have ended."""
        with contextlib.suppress(BlockingIOError):
            woken.recv(1 << 12)
        for pid in list(self.jobs):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                connection = self.jobs.pop(pid)
                with contextlib.suppress(KeyError):
                    self.selector.unregister(connection)
                code = os.waitstatus_to_exitcode(status)
                with contextlib.suppress(OSError):
                    _send(connection, {"status": code if code >= 0 else 128 - code})
                connection.close()

    def end(self, stream):
        """Take no more jobs, since the run has ended."""
        self.open = False
        self.selector.unregister(stream)
        self.selector.unregister(self.listener)
        address = Path(self.listener.getsockname())
        self.listener.close()
        address.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            address.parent.rmdir()


def _preload():
    """Import what training jobs import: nothing that looks for devices or starts threads."""
    # Arrow's allocator would start one.
    os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"
    import filelock  # noqa: F401
    import pandas  # noqa: F401 - by pyarrow, when it makes a table
    import pyarrow.parquet  # noqa: F401
    import safetensors.torch  # noqa: F401
    import snakemake.script  # noqa: F401
    import torch  # noqa: F401

    import empathy_transfer.frame.reuse
    import empathy_transfer.models.engines.packed
    import empathy_transfer.training.recipes.transfer
    import empathy_transfer.training.run  # noqa: F401


def _run(request, files):
    """Be the job: its streams, folder, environment and script; ends this process with its status."""
    status = 1
    try:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGTERM)
        for number, stream in zip(files, STREAMS, strict=True):
            os.dup2(number, stream)
            os.close(number)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.path[:], sys.argv = request["path"], [request["script"]]
        runpy.run_path(request["script"], run_name="__main__")
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def main():
    """Listen on a new socket, say where, and serve."""
    address = f"{tempfile.mkdtemp(prefix='empathy-transfer-')}/socket"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    print(address, flush=True)
    Server(listener).serve()


if __name__ == "__main__":
    main()
