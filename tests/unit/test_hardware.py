"""What a job computes on: a GPU that it holds and can't use is an error, not a reason to train on the processor."""

import pytest
import torch

from empathy_transfer.training.hardware import choose_device


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
