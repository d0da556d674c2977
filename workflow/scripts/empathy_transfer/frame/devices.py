"""Which device a job computes on: claimed by a lock on the host before torch is imported."""

import contextlib
import getpass
import glob
import itertools
import os
import re
import stat
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout

from empathy_transfer.records.provenance import package_versions

VARIABLE = "EMPATHY_DEVICE_LOCKS"
POLL_SECONDS = 2.0
# Others may use the GPUs too: who can't open a lock can't wait for it. The files are empty.
LOCK_MODE = 0o666


def visible_devices():
    """Return the GPUs that this job may use, as a list of names; empty on a machine without one.

    A list set by a scheduler (CUDA_VISIBLE_DEVICES) is honoured, an empty one too. Otherwise the driver's device
    files are counted, which needs neither torch nor the driver's tools; not for a torch that is built without GPUs.
    """
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        return [name.strip() for name in listed.split(",") if name.strip() not in {"", "-1", "NoDevFiles"}]
    if (package_versions()["torch"] or "").endswith("+cpu"):
        return []
    # A container that was given one GPU of a machine may see /dev/nvidia3 alone, but CUDA counts what it sees from 0.
    count = sum(bool(re.fullmatch(r"/dev/nvidia\d+", path)) for path in glob.glob("/dev/nvidia*"))
    return [str(number) for number in range(count)]


def lock_folder():
    """Return the folder of this host's device locks; EMPATHY_DEVICE_LOCKS overrides it."""
    default = Path(tempfile.gettempdir()) / f"empathy-transfer-devices-{getpass.getuser()}"
    return Path(os.environ.get(VARIABLE, default))


def slots_per_device():
    """Return how many jobs may share a GPU: EMPATHY_SLOTS_PER_GPU, else 1; always 1 under Slurm, which counts GPUs.

    Raises:
        ValueError: the variable is no whole number above 0.
    """
    if "SLURM_JOB_ID" in os.environ:
        return 1
    text = os.environ.get("EMPATHY_SLOTS_PER_GPU", "1")
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"EMPATHY_SLOTS_PER_GPU is {text!r}; it must be a whole number from 1 on")
    return int(text)


@contextlib.contextmanager
def claim_device(report=print):
    """Hold a slot of a GPU for the length of the `with` block and show it to torch alone; yields its name or None.

    Waits while every slot is taken, and takes the first slots of all devices before any second one. The lock is the
    operating system's, so it is free again when the job dies in any way. Must be entered before torch looks for
    devices, since it reads CUDA_VISIBLE_DEVICES once.
    """
    devices = visible_devices()
    if not devices:
        yield None
        return
    folder = lock_folder()
    _make_shared(folder)
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    device, lock = _wait_for_free(devices, folder, report)
    os.environ["CUDA_VISIBLE_DEVICES"] = device
    try:
        yield device
    finally:
        lock.release()
        if before is None:
            os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        else:
            os.environ["CUDA_VISIBLE_DEVICES"] = before


def _make_shared(folder):
    """Make the folder of locks, if need be: one that was asked for is for all users of the host, as /tmp is."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        if VARIABLE in os.environ:
            with contextlib.suppress(PermissionError):  # another user was first
                folder.chmod(0o1777)


def _try_lock(path):
    """Hold a lock file that all users of the host may lock; None while another process holds it.

    Raises:
        RuntimeError: it belongs to another user and can't be opened, or can't be made here.
    """
    lock = FileLock(path, timeout=0, mode=LOCK_MODE)
    try:
        lock.acquire()
    except Timeout:
        return None
    except PermissionError as error:
        raise RuntimeError(
            f"The device lock {path} can't be opened ({error.strerror}). Users who share these locks must all be able "
            f"to write it: let its owner run `chmod 666 {path}` and `chmod 1777 {path.parent}`, or name another folder "
            f"in {VARIABLE}."
        ) from None
    # What an earlier version left behind, its owner opens to others.
    with contextlib.suppress(PermissionError):
        if stat.S_IMODE(path.stat().st_mode) != LOCK_MODE:
            path.chmod(LOCK_MODE)
    return lock


def _wait_for_free(devices, folder, report):
    """Return (device, held lock) of the first free slot; says so once when it has to wait."""
    slots, told = slots_per_device(), False
    while True:
        for slot, device in itertools.product(range(slots), devices):
            name = re.sub(r"[^A-Za-z0-9-]", "_", device)
            lock = _try_lock(folder / f"{name}.{slot}.lock")
            if lock is not None:
                return device, lock
        if not told:
            report(
                f"Waiting for a free GPU: all {len(devices) * slots} slots of {', '.join(devices)} are taken (locks in "
                f"{folder}). Start the run with --resources gpu={len(devices) * slots}, and jobs wait without a core."
            )
            told = True
        time.sleep(POLL_SECONDS)
