"""The numbers that a job computes in."""

import torch


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
