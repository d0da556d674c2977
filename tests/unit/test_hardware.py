"""What a job computes on: a GPU that it holds and can't use is an error, not a reason to train on the processor."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from empathy_transfer.models import hardware
from empathy_transfer.models.hardware import choose_device


@pytest.fixture
def machine(monkeypatch):
    """Set what torch sees and what the job holds."""

    def build(sees, built, held):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: sees)
        monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: built)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if held is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", held)

    return build


@pytest.mark.parametrize(
    ("sees", "built", "held", "expected"),
    [
        (True, True, "3", "cuda"),
        (True, True, None, "cuda"),
        (False, True, None, "cpu"),
        (False, True, "", "cpu"),
        (False, True, "-1", "cpu"),
        (False, False, "0", "cpu"),
    ],
)
def test_device(machine, sees, built, held, expected):
    machine(sees, built, held)
    assert choose_device() == expected


def test_a_gpu_that_torch_can_not_use_stops_the_job(machine):
    machine(sees=False, built=True, held="3")
    with pytest.raises(RuntimeError, match=r"holds GPU 3, which torch .* can't use: .*`nvidia-smi`"):
        choose_device()


# Tensors of 16 MB, made and freed ten times: 4,096 pages each, if every one of them comes from the kernel.
FAULTS = """
import resource
import torch
from empathy_transfer.models.hardware import use_processor
use_processor(1)
for count in range(12):
    if count == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(1 << 22).add(1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, torch.get_num_threads())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")
def test_freed_memory_is_used_again():
    found = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True, env=library_path()
    )
    faults, threads = found.stdout.split()
    assert int(faults) < 4096
    assert threads == "1"


def library_path():
    """An environment in which another process finds the library that is tested."""
    return os.environ | {"PYTHONPATH": str(Path(hardware.__file__).parents[2])}
