"""A store of finished results in a folder, each under the key of what determines it (see `result_key`).

Several studies, people and machines may use one folder at once. An entry is a folder `<key[:2]>/<key>` with the files
of one job and `manifest.json`, which holds their digests, what the key stands for, and what the job cost. It appears by
one rename, so it is whole or not there, and is never written to again; of two writers the first one wins. Whatever is
taken out is a copy that was checked on the way, never a link: nobody else's process can change it afterwards.

A store is a help and no more: a folder that is full, read-only or gone never fails a job, and it may be deleted at any
time.
"""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import socket
import stat
import time
from pathlib import Path

from empathy_transfer.frame.result_key import key_of
from empathy_transfer.records.files import TEMPORARY_SUFFIX, sha256_bytes

FORMAT = 1
MANIFEST = "manifest.json"
INCOMING = ".incoming-"
COSTS = ("created", "seconds", "cpu_seconds", "peak_memory_mb")
CHUNK = 1 << 20
ABANDONED_SECONDS = 24 * 3600


class DamagedEntryError(RuntimeError):
    """An entry is not what its job has put there."""


class UnreadableEntryError(RuntimeError):
    """An entry may not be read by this user."""


class ResultStore:
    """The store in a folder, which need not exist yet."""

    def __init__(self, folder):
        """Use a folder."""
        self.folder = Path(folder)

    def entry(self, key):
        """Folder of a key's entry."""
        return self.folder / key[:2] / key

    def holds(self, key):
        """Whether there is an entry, whole or not."""
        return os.path.isdir(self.entry(key))

    def fetch(self, key, outputs):
        """Copy an entry's files to `outputs` ({name: path}) and return what they cost their job; None without entry.

        Every byte is checked against the manifest before the first of the outputs appears.

        Raises:
            DamagedEntryError: a file or the manifest is missing or damaged; nothing was put into place.
            UnreadableEntryError: this user may not read it.
            OSError: the outputs can't be written.
        """
        if not self.holds(key):
            return None
        manifest = self._manifest(key)
        if set(manifest["files"]) != set(outputs):
            raise DamagedEntryError(f"it has the files {', '.join(manifest['files'])}, not {', '.join(outputs)}")
        copies = {}
        try:
            for name, path in outputs.items():
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                copies[path] = Path(path).with_name(f".{Path(path).name}.{_unique()}{TEMPORARY_SUFFIX}")
                found = _copy(self.entry(key) / name, copies[path], lasting=True)
                if found != manifest["files"][name]:
                    raise DamagedEntryError(f"{name} has another SHA-256 or size than its job wrote")
            for path, copy in copies.items():
                os.replace(copy, path)
        finally:
            for copy in copies.values():
                copy.unlink(missing_ok=True)
        return manifest["made"]

    def keep(self, key, facts, outputs, record):
        """Put the files of a finished job into the store, and say in words what came of it.

        Args:
            key: the key of `facts`.
            facts: what determines the files.
            outputs: path of each file by its name.
            record: the job's provenance: `outputs` {name: {"sha256", "bytes"}}, when it was made and what it cost.
        """
        if self.holds(key):
            return f"already in {self.folder}"
        incoming = self.folder / f"{INCOMING}{_unique()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._clear_abandoned()
            incoming.mkdir()
            files = {}
            for name, path in outputs.items():
                (incoming / name).parent.mkdir(parents=True, exist_ok=True)
                files[name] = _copy(path, incoming / name)
            if files != record["outputs"]:
                return "not kept: its files changed after its job wrote them"
            made = {cost: record.get("reused", record).get(cost) for cost in COSTS}
            manifest = {"format": FORMAT, "key": key, "facts": facts, "files": files, "made": made}
            (incoming / MANIFEST).write_bytes(_render(manifest))
            self._open_to_readers(incoming)
            parent = self.entry(key).parent
            if not parent.is_dir():
                parent.mkdir(exist_ok=True)
                self._open_to_readers(parent)
            os.rename(incoming, self.entry(key))  # fails where another writer was first
        except (OSError, DamagedEntryError, UnreadableEntryError) as error:
            if self.holds(key):
                return f"already in {self.folder}"
            return f"not kept in {self.folder}: {getattr(error, 'strerror', None) or error}"
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
        return f"kept in {self.folder}"

    def discard(self, key):
        """Take an entry out, in one step for all that look for it; returns whether it is gone."""
        aside = self.folder / f"{INCOMING}{_unique()}"
        try:
            os.rename(self.entry(key), aside)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        shutil.rmtree(aside, ignore_errors=True)
        return True

    def _manifest(self, key):
        """The manifest of an entry, checked against itself and its key."""
        with _open(self.entry(key) / MANIFEST) as stream:
            data = b"".join(iter(lambda: _read(stream), b""))
        try:
            manifest = json.loads(data)
            whole = isinstance(manifest, dict) and _render(manifest) == data and manifest["format"] == FORMAT
            whole = whole and manifest["key"] == key == key_of(manifest["facts"])
        except (ValueError, KeyError, RecursionError):
            whole = False
        if not whole:
            raise DamagedEntryError(f"{MANIFEST} is damaged")
        return manifest

    def _open_to_readers(self, path):
        """Give a folder the mode of the store, and its files that for reading: who may read it may read them."""
        mode = stat.S_IMODE(self.folder.stat().st_mode)
        for folder, _, files in os.walk(path):
            for name in files:
                os.chmod(Path(folder, name), mode & 0o444)
            os.chmod(folder, mode)

    def _clear_abandoned(self):
        """Remove what killed writers left behind."""
        for path in self.folder.glob(f"{INCOMING}*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                    shutil.rmtree(path)


def _copy(source, target, lasting=False):
    """Copy a file to a new one; returns the entry of what was read: its SHA-256 and size.

    With `lasting`, the copy is flushed to disk, as results of a study are; a store's entry is checked when it is read.

    Raises:
        DamagedEntryError: the source can't be read. UnreadableEntryError: this user may not read it.
        OSError: the target can't be written.
    """
    digest, size = hashlib.sha256(), 0
    with _open(source) as stream, open(target, "xb") as copy:
        while chunk := _read(stream):
            copy.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        if lasting:
            copy.flush()
            os.fsync(copy.fileno())
    return {"sha256": digest.hexdigest(), "bytes": size}


def _open(path):
    """A file that others look after, for reading."""
    try:
        return open(path, "rb")
    except PermissionError as error:
        raise UnreadableEntryError(f"{path}: {error.strerror}") from error
    except OSError as error:
        raise DamagedEntryError(f"{Path(path).name}: {error.strerror}") from error


def _read(stream):
    """The next bytes of a file that others look after."""
    try:
        return stream.read(CHUNK)
    except OSError as error:
        raise DamagedEntryError(f"{Path(stream.name).name}: {error.strerror}") from error


def _render(manifest):
    """The bytes of a manifest, sealed with its own digest."""
    rest = {name: value for name, value in manifest.items() if name != "digest"}
    digest = sha256_bytes(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode())
    return (json.dumps(rest | {"digest": digest}, indent=2, ensure_ascii=False) + "\n").encode()


def _unique():
    """A name that no other process on any host has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(6)}"
