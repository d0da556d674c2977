"""What a job computes on, and in which numbers."""

import os

import torch


def choose_device():
    """Return `cuda` where torch sees a GPU, else `cpu`.

    Raises:
        RuntimeError: the job holds a GPU (CUDA_VISIBLE_DEVICES) that a torch for GPUs does not see. On the processor it
            would train for days while the GPU stands idle.
    """
    if torch.cuda.is_available():
        return "cuda"
    held = os.environ.get("CUDA_VISIBLE_DEVICES", "").strip()
    if held not in ("", "-1", "NoDevFiles") and torch.backends.cuda.is_built():
        raise RuntimeError(
            f"this job holds GPU {held}, which torch {torch.__version__} can't use: look whether `nvidia-smi` lists it "
            f"and whether its driver is new enough for CUDA {torch.version.cuda}. To compute on the processor instead, "
            'set CUDA_VISIBLE_DEVICES="" for the run.'
        )
    return "cpu"


def choose_precision(setting, device):
    """Return `bf16` or `fp32` for a setting and a device.

    `auto` takes bf16 where the hardware multiplies it: on a GPU that supports it, and on a CPU with AMX or the bf16
    instructions of AVX-512 (about twice the speed of fp32). Elsewhere bf16 is emulated and several times slower.
    """
    if setting != "auto":
        return setting
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    able = torch.cpu.get_capabilities()
    return "bf16" if able.get("amx_bf16") or able.get("avx512_bf16") else "fp32"
