"""Bytes on disk: digests, and writes that are either whole or not there."""

import hashlib
import os
import secrets
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"
DIGEST_SUFFIX = ".sha256"
CHECKPOINT = "checkpoint.safetensors"  # state of an unfinished training: no result


def sha256_bytes(data):
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path):
    """SHA-256 of a file, in hexadecimal; of a folder, over the sorted names and digests of all files in it."""
    path = Path(path)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        listing = "".join(f"{sha256_file(file)}  {file.relative_to(path).as_posix()}\n" for file in files)
        return sha256_bytes(listing.encode())
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_bytes(path, data):
    """Write bytes so that a reader sees the old file or the new one, never a part of it.

    The bytes go to a hidden file with a unique name in the same folder, which is flushed to disk and then renamed;
    the folder is flushed too, so that the rename outlives a power cut. Missing parent folders are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(6)}{TEMPORARY_SUFFIX}")
    try:
        # Mode "x" respects the user's umask, which `tempfile` does not, and never opens another writer's file.
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # the system names no file where a disk is full
        raise
    _flush_folder(path.parent)


def write_text(path, text):
    """Write text as UTF-8, in the same way as `write_bytes`."""
    write_bytes(path, text.encode("utf-8"))


def write_with_digest(path, data):
    """Write bytes, and their digest to `<name>.sha256` beside them, as `sha256sum --check` reads it.

    For files that no job makes, so that no provenance lists them. A writer that dies leaves no digest of other bytes.
    """
    path = Path(path)
    digest_path(path).unlink(missing_ok=True)
    write_bytes(path, data)
    write_text(digest_path(path), _digest_line(path, data))


def digest_path(path):
    """The file that holds the digest of a file of `write_with_digest`."""
    path = Path(path)
    return path.with_name(f"{path.name}{DIGEST_SUFFIX}")


def intact(path):
    """Whether a file is what `write_with_digest` wrote; None if no digest lies beside it.

    Raises:
        OSError: it can't be read.
    """
    try:
        expected = digest_path(path).read_bytes()
    except FileNotFoundError:
        return None
    return expected == _digest_line(path, Path(path).read_bytes()).encode()


def temporary_files(path):
    """Temporary files that killed writers of this path left behind; safe to remove by whoever holds its lock."""
    path = Path(path)
    if not path.parent.is_dir():
        return []
    start = f".{path.name}."
    return sorted(
        file for file in path.parent.iterdir() if file.name.startswith(start) and file.name.endswith(TEMPORARY_SUFFIX)
    )


def _digest_line(path, data):
    """The content of a file's digest."""
    return f"{sha256_bytes(data)}  {Path(path).name}\n"


def _flush_folder(folder):
    """Flush a folder's entries to disk, where the file system knows how."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some network file systems refuse to sync a folder; the rename itself has been done
    finally:
        os.close(descriptor)
