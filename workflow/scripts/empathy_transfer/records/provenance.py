"""Provenance: the record beside each result of what made it, and the check of a result against it.

A job writes one provenance file as its last act, so it is also the job's commit record: results without it are not
finished. It holds the SHA-256 of every output and input, the settings, the versions of the packages, the fingerprint
of the code, and a digest of itself.
"""

import functools
import json
import os
import platform
import re
import shlex
from importlib import metadata
from pathlib import Path, PurePosixPath

import empathy_transfer
from empathy_transfer.records.files import sha256_bytes, write_bytes

FORMAT = 1
NAME = "provenance.json"
SUFFIX = ".provenance.json"
PLAN = "EMPATHY_PLAN"  # the variable in which a run tells its jobs what it was planned with
PACKAGES = """
    snakemake torch transformers adapters tokenizers numpy pandas pyarrow scikit-learn scipy safetensors
""".split()


class ArtefactError(RuntimeError):
    """A result is damaged, missing or of unknown origin; the message says which, and what makes it anew."""


def damaged(path, reason, command=None):
    """The error for a result that can't be trusted: file, reason and the command that makes it anew."""
    return ArtefactError(f"{path}: {reason}. Make it anew with: {command or repair_command(path)}")


def study_of(path):
    """The study that a path belongs to, the folder below the innermost `results`; None outside of a study."""
    return _split(Path(path).parts)[0]


def place_of(record):
    """Where a record's job wrote: its study, and the folder of the record below it; (None, None) outside of a study.

    The job's command names its first product as the workflow does, and the record names it below its own folder.
    """
    product = PurePosixPath(shlex.split(record.get("remake", "") or "none")[-1])
    name = PurePosixPath(next(iter(record["outputs"]), product.name))
    study, parts = _split(product.parts)
    return (study, PurePosixPath(*parts[: -len(name.parts)])) if study else (None, None)


def misplaced(path, record, study_folder=None):
    """What is wrong with the place of a record, and so of the files that it lists; None if its job wrote it there.

    Args:
        path: of the provenance file. record: what it holds.
        study_folder: the study's folder, where it is known. Otherwise the study may have been moved or renamed: the
            folder must end as the job's own, and the rest of it must not lie inside another study.
    """
    study, place = place_of(record)
    if study is None:
        return None
    folder = Path(path).absolute().parent
    if study_folder is not None:
        right = folder == Path(study_folder).absolute() / place
    else:
        length = len(folder.parts) - len(place.parts)
        above = folder.parts[:length]
        of_study = above[-1:] == (study,) or above[-2:-1] == ("results",) or "results" not in above[:-1]
        right = length > 0 and folder.parts[length:] == place.parts and of_study
    if right:
        return None
    job = " ".join([record["rule"], *(f"{name}={value}" for name, value in sorted(record["wildcards"].items()))])
    own = PurePosixPath("results", study, place)
    return f"this is the record of {own} ({job}), so the files here are another job's: moved or copied"


def repair_command(path):
    """The command that removes a damaged file and everything made from it, so that a plain run restores it."""
    study = study_of(path) or study_of(Path(path).absolute())
    return f"empathy-transfer verify {study or '<study>'} --repair"


def plan_of_run():
    """What the run that started this job was planned with, as it was given to Snakemake; None outside of a run.

    {"configfiles": paths, "config": texts such as `seeds=[1]`, "raw_dir": EMPATHY_RAW_DIR or None}
    """
    return json.loads(os.environ.get(PLAN, "null"))


def run_command(study, *arguments, plan=None):
    """The snakemake command of a study, with what it was planned with.

    Where that is not known, it names the config file if exactly one file in `config/` has this study.
    """
    if plan is not None:
        files = ["--configfile", *plan["configfiles"]] if plan["configfiles"] else []
        settings = ["--config", *plan["config"]] if plan["config"] else []
        command = shlex.join(["snakemake", "--cores", "all", *files, *settings, *map(str, arguments)])
        return f"EMPATHY_RAW_DIR={shlex.quote(plan['raw_dir'])} {command}" if plan["raw_dir"] else command
    pattern = re.compile(rf"^study:\s*['\"]?{re.escape(str(study))}['\"]?\s*(#.*)?$", re.MULTILINE)
    configs = [file for file in sorted(Path("config").glob("*.yaml")) if pattern.search(file.read_text("utf-8"))]
    chosen = ["--configfile", configs[0].as_posix()] if len(configs) == 1 else []
    return shlex.join(["snakemake", "--cores", "all", *chosen, *map(str, arguments)])


@functools.cache
def package_versions():
    """Versions of Python, this library and the main packages, by metadata look-up only: nothing is imported."""
    versions = {"python": platform.python_version(), "empathy_transfer": empathy_transfer.__version__}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def is_provenance(path):
    """Whether a path has the name of a provenance file."""
    name = Path(path).name
    return name == NAME or (name.endswith(SUFFIX) and not name.startswith("."))


def write_provenance(path, record):
    """Seal a provenance record with its own digest and write it."""
    write_bytes(path, _render(record))


def load_provenance(path, anywhere=False):
    """Read a provenance file and check it against its own digest and its place.

    Args:
        path: the file. anywhere: whether to read it also where its job did not write it.

    Raises:
        ArtefactError: it is missing, not JSON, of another format, differs by a single byte from what was written, or
            tells of another folder: of another task, source or seed.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise damaged(path, f"the provenance can't be read ({error.strerror})") from error
    record = _parse(path, data)
    if not anywhere and (reason := misplaced(path, record)):
        raise damaged(path, reason)
    return record


def find_provenance(path):
    """Find the provenance that lists a result: returns its path, its record and the result's entry in it.

    Looked for, in this order: `<stem>.provenance.json` beside the result, `provenance.json` in its folder, the other
    `*.provenance.json` there, `provenance.json` one folder up.

    Raises:
        ArtefactError: there is none, none lists the result, or one on the way is damaged.
    """
    path = Path(path)
    own = path.with_name(path.stem + SUFFIX)
    others = sorted(other for other in path.parent.glob(f"*{SUFFIX}") if other != own and is_provenance(other))
    candidates = [own, path.parent / NAME, *others, path.parent.parent / NAME]
    present = [candidate for candidate in candidates if candidate.is_file()]
    for candidate in present:
        record = load_provenance(candidate)
        entry = record["outputs"].get(path.relative_to(candidate.parent).as_posix())
        if entry is not None:
            return candidate, record, entry
    state = "" if path.is_file() else "the file is missing and "
    if present:
        raise damaged(path, f"{state}{present[0].name} does not list it")
    raise damaged(path, f"{state}no provenance lies beside it, so nothing says what made it")


def read_verified(path):
    """Read a result after checking it against its provenance (or, for a provenance file, against itself).

    Returns:
        tuple: its bytes, and the record of the job that made it.

    Raises:
        ArtefactError: anything is missing or differs from what the job wrote.
    """
    path = Path(path)
    if is_provenance(path):
        record = load_provenance(path)
        return _render(record), record
    _, record, entry = find_provenance(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise damaged(path, f"the file can't be read ({error.strerror})", record["remake"]) from error
    problem = mismatch(entry, len(data), sha256_bytes(data))
    if problem:
        raise damaged(path, problem, record["remake"])
    return data, record


def mismatch(entry, size, digest):
    """What is wrong with a file of this size and digest, by its provenance entry; None if nothing is."""
    if size != entry["bytes"]:
        return f"it has {size} bytes, but its job wrote {entry['bytes']}"
    if digest != entry["sha256"]:
        return f"its content changed after its job wrote it (SHA-256 {digest[:12]}..., not {entry['sha256'][:12]}...)"
    return None


def _split(parts):
    """The study in the parts of a path, and the parts below its folder; (None, ()) outside of a study."""
    places = [place for place, part in enumerate(parts[:-1]) if part == "results"]
    inside = places and places[-1] + 2 < len(parts)
    return (parts[places[-1] + 1], parts[places[-1] + 2 :]) if inside else (None, ())


def _digest(record):
    """SHA-256 over the canonical JSON of a record without its own digest."""
    rest = {key: value for key, value in record.items() if key != "digest"}
    return sha256_bytes(json.dumps(rest, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


def _render(record):
    """The bytes of a provenance file: one record has exactly one rendering."""
    sealed = {key: value for key, value in record.items() if key != "digest"} | {"digest": _digest(record)}
    return (json.dumps(sealed, indent=2, ensure_ascii=False) + "\n").encode()


def _parse(path, data):
    """Parse and check the bytes of a provenance file."""
    try:
        record = json.loads(data)
        # Comparing the rendering too finds changes that parse to the same values, such as 1e5 for 1E5.
        whole = isinstance(record, dict) and record.get("digest") == _digest(record) and _render(record) == data
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"the provenance is damaged ({error})") from error
    if not whole:
        raise damaged(path, "the provenance was changed after its job wrote it")
    if record.get("format") != FORMAT:
        raise damaged(path, f"the provenance has format {record.get('format')!r}, but this version reads {FORMAT}")
    return record
