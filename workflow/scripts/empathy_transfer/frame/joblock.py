"""The lock that a job holds beside its outputs for its life.

An orphan of a killed run and the job that a new run starts in its place must never write the same files. The kernel
frees the lock when its process ends, however it ends; so nobody ever has to remove one by hand.
"""

import contextlib
import fcntl
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

WAIT_SECONDS = 30.0


class LockedError(RuntimeError):
    """Another process is making the same outputs."""


def lock_path(provenance):
    """The lock file of the job that writes this provenance."""
    provenance = Path(provenance)
    return provenance.with_name(f".{provenance.stem}.lock")


@contextlib.contextmanager
def output_lock(provenance):
    """Hold the lock of a job's outputs; wait for another holder at first (EMPATHY_LOCK_WAIT seconds, or 30).

    Raises:
        LockedError: the other process still holds the lock; names its host, process and start.
    """
    import filelock

    path = lock_path(provenance)
    path.parent.mkdir(parents=True, exist_ok=True)
    wait = float(os.environ.get("EMPATHY_LOCK_WAIT", WAIT_SECONDS))
    lock = filelock.FileLock(path, timeout=wait, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise LockedError(
            f"{holder(path)} is still making the files in {path.parent} (waited {wait:g} s). "
            "Let it end, or end it, and run the same command again"
        ) from None
    # On file systems without kernel locks, filelock uses the file itself as the lock: its content is not ours then.
    ours = not isinstance(lock, filelock.SoftFileLock)
    try:
        if ours:
            _write_holder(path)
        yield path
    finally:
        if ours:
            _write_holder(path, empty=True)
        lock.release()


def holder(path):
    """Who holds, or last held, a lock: host, process and start, in words."""
    try:
        content = json.loads(Path(path).read_text("utf-8"))
        return f"process {content['pid']} on host {content['host']} (since {content['started']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def held(path):
    """Whether any process holds a lock file at this moment."""
    import filelock

    lock = filelock.FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        return True
    except PermissionError:
        return _held_by_other_user(path)
    lock.release()
    return False


def _held_by_other_user(path):
    """Whether any process holds a lock file that this user may read at most."""
    try:
        with open(path, "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _write_holder(path, empty=False):
    """Write this process into its lock file, in place: a renamed file would be another lock."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    content = {"host": socket.gethostname(), "pid": os.getpid(), "started": started}
    with open(path, "r+", encoding="utf-8") as stream:
        stream.truncate()
        stream.write("" if empty else json.dumps(content))
