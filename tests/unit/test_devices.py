"""Which device a job computes on, with faked devices."""

import contextlib
import os
import stat
import subprocess
import sys
import time

import pytest

from empathy_transfer.frame import devices
from other_users import as_other_user, as_root, folder_for_all


@pytest.fixture(autouse=True)
def locks(tmp_path, monkeypatch):
    """Own locks for each test, no device list, and a torch that knows GPUs."""
    monkeypatch.setenv("EMPATHY_DEVICE_LOCKS", str(tmp_path / "locks"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setattr(devices, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(devices, "package_versions", lambda: {"torch": "2.13.0"})


def test_without_a_gpu_a_job_gets_no_device(monkeypatch):
    monkeypatch.setattr(devices.glob, "glob", lambda pattern: ["/dev/nvidiactl", "/dev/nvidia-uvm"])
    with devices.claim_device() as device:
        assert device is None
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_two_jobs_get_two_devices(monkeypatch):
    monkeypatch.setattr(devices.glob, "glob", lambda pattern: ["/dev/nvidia1", "/dev/nvidia0", "/dev/nvidiactl"])
    with devices.claim_device() as first:
        assert os.environ["CUDA_VISIBLE_DEVICES"] == first == "0"
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")  # the other job is another process
        with devices.claim_device() as second:
            assert second == "1"
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_devices_are_numbered_as_cuda_counts_them(monkeypatch):
    """A container that was given GPUs 3 and 5 of a machine has their files, but to CUDA they are 0 and 1."""
    monkeypatch.setattr(devices.glob, "glob", lambda pattern: ["/dev/nvidia5", "/dev/nvidia3", "/dev/nvidia-caps"])
    assert devices.visible_devices() == ["0", "1"]


def test_a_torch_without_gpus_leaves_those_of_the_machine_alone(monkeypatch):
    """Its jobs would wait for each other, although none uses the GPU."""
    monkeypatch.setattr(devices.glob, "glob", lambda pattern: ["/dev/nvidia0"])
    assert devices.visible_devices() == ["0"]
    monkeypatch.setattr(devices, "package_versions", lambda: {"torch": "2.13.0+cpu"})
    assert devices.visible_devices() == []


def test_slots_fill_all_devices_before_any_is_shared(monkeypatch):
    monkeypatch.setenv("EMPATHY_SLOTS_PER_GPU", "2")
    found = []
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")  # each job is a process of its own
            found.append(stack.enter_context(devices.claim_device()))
    assert found == ["0", "1", "0", "1"]


@pytest.fixture
def umask(request):
    """The umask of a user, until the test ends."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def shared(monkeypatch):
    """A folder that all users of the host reach and may write to, in which the locks lie."""
    with folder_for_all() as folder:
        monkeypatch.setenv("EMPATHY_DEVICE_LOCKS", str(folder / "locks"))
        yield folder / "locks"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def claim(number, said=print):
    """Claim several of the devices 0 and 1 at a time; their names."""
    found = []
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            os.environ["CUDA_VISIBLE_DEVICES"] = "0,1"  # each job is a process of its own
            found.append(stack.enter_context(devices.claim_device(said)))
    del os.environ["CUDA_VISIBLE_DEVICES"]
    return found


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002], indirect=True, ids=oct)
def test_locks_in_a_shared_folder_are_for_all_users(shared, umask):
    assert claim(2) == ["0", "1"]
    assert mode(shared) == 0o1777
    assert {path.name: mode(path) for path in shared.iterdir()} == {"0.0.lock": 0o666, "1.0.lock": 0o666}
    # Those of an earlier version are opened by who owns them.
    (shared / "1.0.lock").chmod(0o644)
    assert claim(2) == ["0", "1"]
    assert mode(shared / "1.0.lock") == 0o666


def test_a_folder_that_was_there_keeps_its_mode(shared):
    shared.mkdir(mode=0o750)
    claim(1)
    assert mode(shared) == 0o750


@as_root
@pytest.mark.parametrize("umask", [0o022, 0o077], indirect=True, ids=oct)
@pytest.mark.parametrize("first", ["root", "the other"])
def test_users_share_the_devices(shared, umask, first):
    if first == "the other":
        assert as_other_user(lambda: claim(2)) == ["0", "1"]
    os.environ["CUDA_VISIBLE_DEVICES"] = "0,1"
    with devices.claim_device() as device:
        assert device == "0"
        assert as_other_user(lambda: claim(1)) == ["1"]
    assert as_other_user(lambda: claim(2)) == ["0", "1"]
    assert claim(2) == ["0", "1"]


@as_root
@pytest.mark.parametrize("closed", ["file", "folder"])
def test_a_lock_that_is_closed_to_a_user_is_named_with_what_to_do(shared, closed):
    shared.mkdir(mode=0o755)
    if closed == "file":
        (shared / "0.0.lock").touch(0o644)
    told = as_other_user(lambda: claim(1))
    assert told.startswith(f"RuntimeError: The device lock {shared}/0.0.lock can't be opened (Permission denied). ")
    assert f"`chmod 666 {shared}/0.0.lock` and `chmod 1777 {shared}`" in told
    assert "EMPATHY_DEVICE_LOCKS" in told


@pytest.mark.parametrize("text", ["0", "-1", "two", ""])
def test_a_wrong_number_of_slots_is_named(monkeypatch, text):
    monkeypatch.setenv("EMPATHY_SLOTS_PER_GPU", text)
    with pytest.raises(ValueError, match="EMPATHY_SLOTS_PER_GPU"):
        devices.slots_per_device()


def test_under_slurm_a_device_has_one_slot(monkeypatch):
    monkeypatch.setenv("EMPATHY_SLOTS_PER_GPU", "4")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    assert devices.slots_per_device() == 1


JOB = """
import pathlib, sys, time
from empathy_transfer.frame import devices
devices.POLL_SECONDS = 0.02
folder = pathlib.Path(sys.argv[1])
with devices.claim_device(report=lambda text: None) as device:
    mark = folder / f"{device}.{sys.argv[2]}"
    mark.touch()
    print(sum(path.name.startswith(f"{device}.") for path in folder.iterdir()), flush=True)
    time.sleep(600 if sys.argv[3] == "killed" else 0.05)
    mark.unlink()
"""


def test_forty_jobs_never_exceed_the_slots_also_when_a_third_is_killed(monkeypatch, tmp_path):
    """Each job counts the marks of jobs on its device; a killed one's mark is taken away before it dies."""
    monkeypatch.setenv("EMPATHY_SLOTS_PER_GPU", "2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    path = os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(devices.__file__))}
    marks = tmp_path / "marks"
    marks.mkdir()
    jobs = {}
    for number in range(40):
        command = [sys.executable, "-c", JOB, marks, str(number), "killed" if number % 3 == 0 else "ended"]
        jobs[number] = subprocess.Popen(command, stdout=subprocess.PIPE, env=path, text=True)
    most = 0
    waiting = {number for number in jobs if number % 3 == 0}
    end = time.monotonic() + 120
    while waiting and time.monotonic() < end:
        assert not any(jobs[number].poll() for number in waiting), "a job has failed"
        held = [entry.name for entry in marks.iterdir()]
        for number in [number for number in waiting if any(name.endswith(f".{number}") for name in held)]:
            for mark in marks.glob(f"*.{number}"):
                mark.unlink()
            jobs[number].kill()
            waiting.remove(number)
        time.sleep(0.02)
    for job in jobs.values():
        said = job.communicate(timeout=600)[0].split()
        most = max(most, *(int(count) for count in said), 0)
    assert not waiting
    assert most == 2
    assert all(job.returncode == (-9 if number % 3 == 0 else 0) for number, job in jobs.items())


@pytest.mark.parametrize(
    ("listed", "expected"), [("3,5", ["3", "5"]), ("", []), ("-1", []), ("GPU-ab12", ["GPU-ab12"])]
)
def test_a_scheduler_list_is_honoured(monkeypatch, listed, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    assert devices.visible_devices() == expected


def test_a_device_is_free_again_when_its_job_is_killed(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    held = "import time; from empathy_transfer.frame.devices import claim_device as claim\n"
    held += "with claim(): print('held', flush=True); time.sleep(600)"
    path = os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(devices.__file__))}
    holder = subprocess.Popen([sys.executable, "-c", held], stdout=subprocess.PIPE, env=path)
    assert holder.stdout.readline() == b"held\n"
    said = []
    holder_killed = []

    def report(message):
        said.append(message)
        holder.kill()
        holder_killed.append(time.monotonic())

    with devices.claim_device(report) as device:
        assert device == "0"
    holder.wait()
    holder.stdout.close()
    assert "Waiting for a free GPU" in said[0]
    assert time.monotonic() - holder_killed[0] < 10
