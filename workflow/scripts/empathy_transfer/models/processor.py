"""What the system tells of its processor, found without importing torch."""

import functools
from pathlib import Path


@functools.cache
def description():
    """Return the system's words on its first processor by their names; empty where it tells none (Linux alone does)."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first.splitlines())}


def instructions():
    """Return the names of the instruction sets that the processor and the system offer, as a set."""
    told = description()
    return set((told.get("flags") or told.get("Features") or "").split())
