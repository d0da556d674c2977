"""What a result is a function of, and the key that stands for it in a store of results.

Two jobs have one key exactly if they compute the same from the same, bit for bit: rule, wildcards, settings, code,
contents of the inputs by their names and places (never their paths, which name the study), encoders, packages, threads
and hardware. All of it is found without importing torch, so that a job can ask before it has cost anything.
"""

import contextlib
import functools
import json
import os
import platform
import socket
from importlib import metadata
from pathlib import Path

from empathy_transfer.frame.devices import visible_devices
from empathy_transfer.models.kernel_library import kernels_in_use
from empathy_transfer.models.processor import description, instructions
from empathy_transfer.records.encoders import find_encoder
from empathy_transfer.records.files import sha256_bytes, sha256_file
from empathy_transfer.records.provenance import package_versions

FORMAT = 1
# Snakemake starts jobs, but does not compute in them.
IDLE_PACKAGES = ("snakemake",)
FURTHER_PACKAGES = ("cleanlab", "sentence-transformers")  # that compute in some jobs, beside those of every provenance
# Wheels of one version differ in what they were built with; conda has yet others.
BUILDS = ("torch", "numpy")
# Variables by which libraries choose other instructions or roundings.
NUMERIC_VARIABLES = """
    ATEN_CPU_CAPABILITY CUBLAS_WORKSPACE_CONFIG DNNL_MAX_CPU_ISA MKL_CBWR MKL_ENABLE_INSTRUCTIONS
    NVIDIA_TF32_OVERRIDE ONEDNN_MAX_CPU_ISA OPENBLAS_CORETYPE TORCH_ALLOW_TF32_CUBLAS_OVERRIDE
""".split()
INSTRUCTIONS = ("amx", "asimd", "avx", "bf16", "f16c", "fma", "i8mm", "sse", "sve")
ENCODER_FILES = (".json", ".model", ".txt")  # configuration and tokenizer; the weights have a digest of their own
CPU = "cpu"
DRIVER = Path("/proc/driver/nvidia/gpus")  # what the driver tells of each GPU


class NotShareableError(RuntimeError):
    """It can't be told what a result of this machine depends on, so nobody else may have it."""


def facts_of(job):
    """Everything that determines the results of a `Job` whose inputs' digests are known, as plain values.

    Raises:
        NotShareableError: the GPUs of this machine are of several models, or of one that can't be told.
        EncoderNotFoundError: an encoder of the settings is not here. EncoderError: it can't be used.
    """
    return {
        "format": FORMAT,
        "rule": job.rule,
        "wildcards": job.wildcards,
        "settings": job.params,
        "code": job.code,
        "inputs": _input_digests(job),
        "encoders": {
            name: encoder_facts(value["name"], value["revision"])
            for name, value in job.params.items()
            if isinstance(value, dict) and {"name", "revision"} <= value.keys()
        },
        "threads": job.threads,
        "device": device_model(),
        "processor": processor(),
        "kernels": kernels_in_use(),
        "system": f"{platform.system()} {platform.machine()} {' '.join(platform.libc_ver())}".strip(),
        "versions": versions(),
        "variables": {name: os.environ[name] for name in NUMERIC_VARIABLES if name in os.environ},
    }


def key_of(facts):
    """The key of what `facts_of` found: SHA-256 of its canonical JSON."""
    return sha256_bytes(json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


def encoder_facts(name, revision):
    """Digests of an encoder's weights, configuration and tokenizer."""
    encoder = find_encoder(name, revision)
    files = sorted(path for path in Path(encoder.folder).iterdir() if path.suffix in ENCODER_FILES and path.is_file())
    return {"weights": encoder.weights_sha256, "files": {path.name: sha256_file(path) for path in files}}


def device_model():
    """Model of the GPUs that jobs of this machine compute on; `cpu` where there is none or torch has no use for it.

    Raises:
        NotShareableError: there are several models, or the driver does not tell.
    """
    if not visible_devices() or package_versions()["torch"].endswith("+cpu"):
        return CPU
    models = set()
    for path in DRIVER.glob("*/information"):
        lines = dict(line.partition(":")[::2] for line in path.read_text(encoding="utf-8").splitlines())
        models.add(lines.get("Model", "").strip())
    if len(models) != 1 or "" in models:
        found = f"of several models ({', '.join(sorted(models))})" if len(models) > 1 else "of an unknown model"
        raise NotShareableError(f"the GPUs of this machine are {found}")
    # A part of a GPU takes other ways through the same product than the whole one.
    part = any(name.startswith("MIG-") for name in visible_devices())
    return models.pop() + " (part)" * part


@functools.cache
def processor():
    """Model of the processor, and those of its instructions that decide about the last bits of a product.

    Where the system does not tell them, the name of the host stands for them.
    """
    told = description()
    names = [told[name] for name in ("vendor_id", "model name", "CPU implementer", "CPU part") if name in told]
    chosen = sorted(flag for flag in instructions() if flag.startswith(INSTRUCTIONS))
    return " ".join([*names, *chosen]) if names and chosen else socket.gethostname()


@functools.cache
def versions():
    """Versions of Python (without its patch level) and the packages that compute, and how the main ones were built."""
    found = {name: version for name, version in package_versions().items() if name not in IDLE_PACKAGES}
    found["python"] = ".".join(platform.python_version_tuple()[:2])
    for package in FURTHER_PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    for package in BUILDS:
        wheel = metadata.distribution(package).read_text("WHEEL") or "no wheel"
        found[f"{package} build"] = sha256_bytes(wheel.encode())
    return found


def _input_digests(job):
    """SHA-256 of each input by its name in the rule, or a list of them in their order; `after` sets only the order.

    Raises:
        ValueError: an input has no name, so it could not be told apart from others.
    """
    named = {name: entry for name, entry in job.input.items() if name != "after"}
    paths = [path for entry in named.values() for path in (entry if isinstance(entry, list) else [entry])]
    if len(paths) != len(job.inputs):
        raise ValueError(f"rule {job.rule} has an input without a name")
    digest = job.digests
    return {
        name: [digest[path.as_posix()] for path in entry] if isinstance(entry, list) else digest[entry.as_posix()]
        for name, entry in named.items()
    }
