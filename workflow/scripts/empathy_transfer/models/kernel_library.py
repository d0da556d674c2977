"""
The compiled library of the kernels: made once from the C files in `kernels`, and loaded where it can run.

    python -m empathy_transfer.models.kernel_library    compiles it, or says why it can't

It lies under a digest of its source, so that an edit compiles anew, and is found without importing torch. Its own
digest lies beside it: a damaged library would kill the job that loads it, or compute something else. This module stands
apart from the kernels because every job asks what it would compute with: those that don't train import no kernel, so
that an edit of one is no reason to run them again.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from empathy_transfer.models.processor import instructions
from empathy_transfer.records.files import intact, write_with_digest

SOURCE = Path(__file__).parent / "kernels"
# No fused multiplications that the source doesn't name: results are not to depend on the compiler.
FLAGS = ["-O3", "-march=x86-64-v4", "-mamx-tile", "-mamx-bf16", "-ffp-contract=off", "-fPIC", "-shared"]
COMPILERS = ("cc", "gcc", "clang")
COMPILE_SECONDS = 120
NEEDED = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
TILES = {"amx_tile", "amx_bf16"}
VARIABLE, OFF = "EMPATHY_KERNELS", "off"


class Library:
    """The loaded library: its C functions as attributes, and whether it can use tiles (AMX)."""

    def __init__(self, path):
        """Load a compiled library."""
        self._loaded = ctypes.CDLL(str(path))
        self.has_tiles = instructions() >= TILES and bool(self._loaded.allow_tiles())

    def __getattr__(self, name):
        """Find a C function."""
        return getattr(self._loaded, name)


@functools.cache
def library():
    """Return the `Library`, compiled if need be; None where there is none, which is said once."""
    path, reason = find()
    if path is None:
        print(told(reason), flush=True)
        return None
    return Library(path)


def told(reason):
    """Say that the kernels are missing, and why."""
    return f"Without compiled kernels, so training is slower: {reason}."


def kernels_in_use():
    """Return the digest of the library that jobs on this machine use, or `none`; its results are not torch's bits."""
    path, _ = find()
    return "none" if path is None else path.stem


@functools.cache
def find():
    """Return the path of the compiled library and an empty text, or None and the reason why there is none."""
    if os.environ.get(VARIABLE) == OFF:
        return None, f"{VARIABLE}={OFF}"
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64" or not instructions() >= NEEDED:
        return None, "they are for Linux on processors with AVX-512"
    path = kernel_folder() / f"{_digest()}.so"
    if _whole(path) and _loads(path):
        return path, ""
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CC", ""), *COMPILERS))), None)
    if compiler is None:
        return None, f"no C compiler is found (CC or one of {', '.join(COMPILERS)})"
    return _compile(compiler, path)


def _compile(compiler, path):
    """Compile the library into a file; returns as `find` does."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Put in place when it is whole, since several jobs may compile at a time.
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = Path(folder) / path.name
            command = [compiler, *FLAGS, "-o", str(made), *map(str, sorted(SOURCE.glob("*.c")))]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=COMPILE_SECONDS)
            if not _loads(made):
                return None, f"what {compiler} makes can't be loaded"
            write_with_digest(path, made.read_bytes())
    except subprocess.CalledProcessError as error:
        first = next(iter(error.stderr.splitlines()), f"status {error.returncode}")
        return None, f"{compiler} can't compile them: {first}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"they can't be compiled: {error}"
    return path, ""


def _whole(path):
    """Whether a compiled library is there, and what its digest says."""
    try:
        return bool(intact(path))
    except OSError:
        return False


def _loads(path):
    """Whether a compiled library is of a system like this one."""
    try:
        ctypes.CDLL(str(path))
    except OSError:
        return False
    return True


def kernel_folder():
    """The folder of compiled libraries: a cache of the user's own, since what lies there is run."""
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "empathy-transfer" / "kernels"


def _digest():
    """Digest of the source and of how it is compiled."""
    digest = hashlib.sha256("\0".join(FLAGS).encode())
    for path in sorted(SOURCE.glob("*.[ch]")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


if __name__ == "__main__":
    missing = find()[1]
    # Where torch multiplies floats the kernels are not used, so nobody misses them.
    if missing and instructions() >= NEEDED and "avx512_bf16" in instructions() and os.environ.get(VARIABLE) != OFF:
        sys.exit(told(missing))
