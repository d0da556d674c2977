"""Which device a job computes on, with faked devices."""

import os
import subprocess
import sys
import time

import pytest

from empathy_transfer import devices


@pytest.fixture(autouse=True)
def locks(tmp_path, monkeypatch):
    """Own locks for each test, and no device list."""
    monkeypatch.setenv("EMPATHY_DEVICE_LOCKS", str(tmp_path / "locks"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "POLL_SECONDS", 0.05)


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


@pytest.mark.parametrize(
    ("listed", "expected"), [("3,5", ["3", "5"]), ("", []), ("-1", []), ("GPU-ab12", ["GPU-ab12"])]
)
def test_a_scheduler_list_is_honoured(monkeypatch, listed, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    assert devices.visible_devices() == expected


def test_a_device_is_free_again_when_its_job_is_killed(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    holder = subprocess.Popen(
        [sys.executable, "-c", "import time; from empathy_transfer.devices import claim_device as claim\n"
         "with claim(): print('held', flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(devices.__file__))},
    )  # fmt: skip
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
