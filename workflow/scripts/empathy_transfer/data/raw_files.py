"""Raw files: their digests, and downloads."""

import hashlib
import json
import sys
from pathlib import Path, PurePosixPath

from empathy_transfer.errors import DataError
from empathy_transfer.records.files import sha256_file, write_text


def check_raw(dataset_name, files, expected, record_folder, generated=()):
    """Verify the SHA-256 of a dataset's raw files.

    A file without a known digest (None) is recorded in `<record_folder>/<dataset>.json` at first use, and from then on
    must stay the same.

    Args:
        dataset_name: id of the dataset. files, expected: path and expected SHA-256 of each file by name.
        record_folder: where recorded digests lie.
        generated: names of files that the workflow makes itself: their digests are reported, but not recorded, since
            another study may rightly make others.

    Returns:
        {"dataset", "files": {name: {"sha256", "bytes", "pinned"}}}; `pinned` says whether the digest was known before.

    Raises:
        DataError: a file is missing or differs. Nothing is recorded then.
    """
    record_path = Path(record_folder) / f"{dataset_name}.json"
    before = _read_record(record_path)
    recorded = dict(before)
    checked = {}
    for name, path in files.items():
        path = Path(path)
        if not path.is_file():
            raise DataError(f"dataset {dataset_name}: the raw file {path} is missing. Put it there.")
        known = expected.get(name)
        actual = sha256_file(path)
        if known is not None and actual != known:
            raise DataError(
                f"dataset {dataset_name}: {path} is not the file that its description names: SHA-256 {actual}, "
                f"expected {known} ({path.stat().st_size} bytes). It may be cut off or changed: fetch it again."
            )
        if known is None and name not in generated and recorded.setdefault(name, actual) != actual:
            raise DataError(
                f"dataset {dataset_name}: {path} has changed since its first use: SHA-256 {actual}, recorded "
                f"{recorded[name]} in {record_path}. Put the old file back; or, if the new one is right, delete that "
                "record, and the dataset's tasks are made anew."
            )
        checked[name] = {"sha256": actual, "bytes": path.stat().st_size, "pinned": known is not None}
    if recorded != before:
        write_text(record_path, json.dumps(recorded, indent=2, sort_keys=True) + "\n")
        print(f"dataset {dataset_name}: digests of files without a known one are recorded in {record_path}")
    return {"dataset": dataset_name, "files": checked}


def download(dataset_name, files, folder, terms, retries=3):
    """Download raw files, after the caller has made sure that the user accepted the terms.

    A file appears in the folder only once its digest is right. Files that are there already and right are not fetched.

    Args:
        dataset_name: id of the dataset.
        files: {name: {"url", "sha256"}}; with None for `sha256`, what comes is taken, and a line says so.
        folder: where the files go; made if needed. terms: printed first. retries: further tries of a failed download.

    Returns:
        The path of each file.

    Raises:
        DataError: a file can't be had or has another digest.
    """
    import pooch

    print(
        f"dataset {dataset_name}: download into {folder} under these terms, which you have accepted:\n{terms.strip()}"
    )
    Path(folder).mkdir(parents=True, exist_ok=True)
    store = pooch.create(
        path=folder,
        base_url="",
        registry={name: f"sha256:{file['sha256']}" if file["sha256"] else None for name, file in files.items()},
        urls={name: file["url"] for name, file in files.items()},
        retry_if_failed=retries,
    )
    pooch.get_logger().setLevel("WARNING")
    # Bars are for people who watch; in a log file each of their updates would be a line.
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=60)
    paths = {}
    for name, file in files.items():
        if not file["sha256"]:
            print(f"dataset {dataset_name}: {name} has no known digest; that of this download will be recorded")
        print(f"dataset {dataset_name}: {name} from {file['url']}")
        try:
            paths[name] = Path(store.fetch(name, downloader=downloader))
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(
                f"dataset {dataset_name}: no download of {name} from {file['url']}: {reason}. Try again later, or put "
                f"the file into {folder} yourself."
            ) from error
    return paths


def _read_record(path):
    """The digests recorded earlier; none if there is no record."""
    if not path.exists():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or not all(
            len(str(digest)) == hashlib.sha256().digest_size * 2 for digest in record.values()
        ):
            raise ValueError("not a table of digests")
    except ValueError as error:
        raise DataError(
            f"{path}: damaged record of digests ({error}). Delete it if you trust the raw files."
        ) from error
    return record


def files_by_name(names, paths):
    """Match the paths of a job's raw files to the names that the dataset's description gives them.

    A name may have folders in it; a path belongs to a name that it ends with. Raises DataError if that is not one path.
    """
    paths = [paths] if isinstance(paths, Path) else list(paths)
    found = {}
    for name in names:
        parts = PurePosixPath(name).parts
        matches = [path for path in paths if path.parts[-len(parts) :] == parts]
        if len(matches) != 1:
            raise DataError(f"raw file {name!r}: {len(matches)} of this job's input files have that name, need one")
        found[name] = matches[0]
    return found


def folders_by_set(sets, paths):
    """Find the folder of each label set among the paths of a job's raw files.

    Args:
        sets: {name: its files and their digests under `sha256`}. paths: the files of all sets, in the order of `sets`.

    Returns:
        {name: folder, below which its files lie}.
    """
    following = iter([paths] if isinstance(paths, Path) else paths)
    names = [(name, file) for name, about in sets.items() for file in about["sha256"]]
    return {name: next(following).parents[len(PurePosixPath(file).parts) - 1] for name, file in names}
