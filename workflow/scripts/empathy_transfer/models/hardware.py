"""What a job computes on, and in which numbers."""

import ctypes
import os
import sys

import torch

# Options of glibc's `mallopt`, and the advice of `madvise` for huge pages, as in their header files.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
HUGE_PAGES, PAGE_BYTES = 14, 1 << 21
# The largest threshold that `mallopt` takes, and the address space that is asked for: 1.5 GB, so much less that it and
# what is free already stay below the threshold. It is no memory yet: pages are taken when they are first written.
LARGEST = (1 << 31) - 1
RESERVED_BYTES = 3 << 29


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


def use_processor(threads):
    """Let this process compute on a number of threads, and keep the memory that it frees."""
    torch.set_num_threads(threads)
    _keep_memory()


def _keep_memory():
    """Let this process keep the memory that it frees, in huge pages where the kernel gives them on request.

    A step of training frees and allocates the same large tensors again and again. By default each of them would come
    from the kernel, page by page: that costs up to a tenth of a training, most of it in the matrix products, whose
    results are written first. Without glibc nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return
    for threshold in (MMAP_THRESHOLD, TRIM_THRESHOLD):
        library.mallopt(threshold, LARGEST)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    library.free.argtypes = [ctypes.c_void_p]
    heap = library.malloc(RESERVED_BYTES)
    if heap:
        start = -(-heap // PAGE_BYTES) * PAGE_BYTES
        library.madvise(start, RESERVED_BYTES - PAGE_BYTES, HUGE_PAGES)
        library.free(heap)
