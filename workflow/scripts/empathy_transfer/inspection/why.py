"""How a result was made, and what would change if it were made now.

The first comes from the provenance beside the result, and from what its job wrote about its device and encoder. The
second compares that record with the files, packages and settings of today; what a run would do now is told by the
caller, since this library does not know the workflow engine.
"""

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path

from empathy_transfer.records.files import sha256_file
from empathy_transfer.records.provenance import (
    NAME,
    ArtefactError,
    find_provenance,
    is_provenance,
    load_provenance,
    mismatch,
    package_versions,
    study_of,
)

# What a training says of its own run in run.json, as far as it explains a result.
RUN_FACTS = ("device", "engine", "precision", "encoder_name", "n_train", "best_epoch", "epochs", "trained_parameters")
ENCODER_DIGESTS = ("encoder_sha256", "weights_sha256")


class WhyError(RuntimeError):
    """A question without an answer: the path is in no study, or nothing says what made it."""


@dataclass
class Explanation:
    """How the results of one job were made, and what is different now."""

    provenance: str  # path as the workflow names it
    record: dict  # the provenance itself
    run: dict = field(default_factory=dict)  # what the job wrote of its device and encoder; empty for most
    damage: list = field(default_factory=list)  # (file, what is wrong)
    inputs: list = field(default_factory=list)  # (file, what is different)
    settings: list = field(default_factory=list)  # (setting, then, now)
    code: tuple | None = None  # (fingerprint then, fingerprint now) where they differ
    versions: list = field(default_factory=list)  # (package, then, now)
    guessed: bool = False  # whether the config was taken by the study's name, since the result doesn't say its own
    runs: bool | None = None  # whether a run now would make it anew; None if that is not known
    reasons: list = field(default_factory=list)  # why it would, in the words of a dry run

    @property
    def product(self):
        """The first result of the job, by which the workflow engine can be asked for it."""
        folder = Path(self.provenance).parent
        return next(((folder / name).as_posix() for name in self.record["outputs"]), self.provenance)

    @property
    def differs(self):
        """Whether a run now would give something else, or make it anew; other versions alone don't count."""
        return bool(self.damage or self.inputs or self.settings or self.code or self.runs)


def study_root(path):
    """The folder that holds `results` and the name of the study of a path.

    Raises:
        WhyError: the path does not lie in a study.
    """
    path = Path(path).absolute()
    study = study_of(path / NAME)  # a name below it, so that the study's own folder counts too
    if study is None:
        raise WhyError(f"{path} lies in no study. Name a file or folder below results/<study>/.")
    parts = path.parts
    place = max(number for number, part in enumerate(parts[:-1]) if part == "results")
    return Path(*parts[:place]), study


def explain(path):
    """How a result, or each result below a folder, was made, and what of it differs on disk.

    Args:
        path: a file or folder below `results/<study>`. A file may be missing if a provenance lists it.

    Returns:
        list of Explanation, in the order of their paths; what a run would do is added by `add_plan`.

    Raises:
        WhyError: the path is in no study, or nothing says what made it. ArtefactError: a provenance is damaged.
    """
    root, _ = study_root(path)
    path = Path(path).absolute()
    if path.is_dir():
        found = sorted(file for file in path.rglob("*.json") if is_provenance(file))
        if not found:
            raise WhyError(f"{path} holds no provenance, so nothing says what made it.")
    elif is_provenance(path):
        found = [path]
    else:
        found = [_provenance_of(path)]
    here = package_versions()
    return [_explained(provenance, root, here) for provenance in found]


def add_plan(explanation, job, root="."):
    """Add what a run would do now.

    Args:
        explanation: what `explain` found of a job's results.
        job: the job that makes them now: `params` with the `code`, `input` paths, whether it `runs`, and `reasons`.
        root: the folder that input paths start from.
    """
    record = explanation.record
    settings = dict(job["params"])
    code = settings.pop("code", record["code"])
    explanation.settings = _differences(record["settings"], json.loads(json.dumps(settings)))
    explanation.code = (record["code"], code) if code != record["code"] else None
    explanation.runs, explanation.reasons = job["runs"], job["reasons"]
    now, then = set(job["input"]), set(record["inputs"])
    moved = _moved(root, {name: record["inputs"][name] for name in then - now}, now - then)
    explanation.inputs = [row for row in explanation.inputs if row[0] not in moved]
    now, then = now - set(moved.values()), then - moved.keys()
    known = {name for name, _ in explanation.inputs}
    explanation.inputs += [(name, "it would be read now, but was not then") for name in sorted(now - then - known)]
    explanation.inputs += [(name, "it was read then, but would not be now") for name in sorted(then - now - known)]


def _moved(root, then, now):
    """{path then: path now} of raw files, which are known by what they hold wherever they lie.

    ``then`` is {path: SHA-256} of the inputs that would not be read now, ``now`` those that were not read then.
    """
    outside = [name for name in sorted(now) if study_of(name) is None and Path(root, name).is_file()]
    found, lost = {}, {name: digest for name, digest in then.items() if study_of(name) is None}
    for name in outside if lost else []:
        digest = sha256_file(Path(root, name))
        if old := next((old for old in sorted(lost) if lost[old] == digest and old not in found), None):
            found[old] = name
    return found


def tensor_file_metadata(path):
    """What a safetensors file says of itself, by its header alone: {} if it is none.

    The header is a length in 8 bytes (little endian) and JSON; our own metadata is one JSON text in it.
    """
    try:
        with Path(path).open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(min(length, 10_000_000)))
        return json.loads(header.get("__metadata__", {}).get("metadata", "{}"))
    except (OSError, struct.error, ValueError, AttributeError):
        return {}


def _provenance_of(path):
    """The provenance that lists a file."""
    try:
        return find_provenance(path)[0]
    except ArtefactError as error:
        # Without its remedy: a file that no job lists, such as a lock, can't be made anew.
        reason = str(error).removeprefix(f"{path}: ").partition(". Make it anew")[0]
        raise WhyError(f"{path}: {reason}. `empathy-transfer verify` tells whether anything is damaged.") from error


def _explained(provenance, root, here):
    """The explanation of a provenance file, without the plan."""
    record = load_provenance(provenance)
    named = provenance.relative_to(root).as_posix()
    return Explanation(
        provenance=named,
        record=record,
        run=_run_facts(provenance.parent, record),
        damage=_damage(provenance.parent, Path(named).parent, record),
        inputs=_changed_inputs(root, record),
        versions=[
            (package, version or "none", here.get(package) or "none")
            for package, version in record["versions"].items()
            if version != here.get(package)
        ],
    )


def _run_facts(folder, record):
    """What the job wrote of its device and encoder, in files whose digests hold."""
    facts = {}
    for name, entry in record["outputs"].items():
        path = folder / name
        if path.suffix not in (".json", ".safetensors") or _problem(path, entry):
            continue
        if path.name == "run.json":
            run = json.loads(path.read_bytes())
            facts |= {key: run[key] for key in RUN_FACTS if key in run}
        elif path.suffix == ".safetensors":
            metadata = tensor_file_metadata(path)
            digest = next((metadata[key] for key in ENCODER_DIGESTS if key in metadata), None)
            facts |= {"encoder_sha256": digest} if digest else {}
    return facts


def _damage(folder, named, record):
    """Outputs that are missing or differ from what the job wrote."""
    found = ((name, _problem(folder / name, entry)) for name, entry in record["outputs"].items())
    return [((named / name).as_posix(), problem) for name, problem in found if problem]


def _problem(path, entry):
    """What is wrong with an output; None if nothing is."""
    if not path.is_file():
        return "it is missing"
    size = path.stat().st_size
    return mismatch(entry, size, sha256_file(path) if size == entry["bytes"] else "")


def _changed_inputs(root, record):
    """Inputs whose files are gone, or hold something else than what was read."""
    changed = []
    for name, digest in record["inputs"].items():
        path = Path(root, name)
        if not path.exists():
            changed.append((name, "it is missing"))
        elif (now := sha256_file(path)) != digest:
            changed.append((name, f"its content is another (SHA-256 {digest[:12]}... then, {now[:12]}... now)"))
    return changed


def _differences(then, now, place=""):
    """Rows (setting, value then, value now) of two nested dicts that differ; None where one lacks the setting."""
    rows = []
    for key in dict.fromkeys([*then, *now]):
        name, before, after = f"{place}{key}", then.get(key), now.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            rows += _differences(before, after, f"{name}.")
        elif before != after:
            rows.append((name, before, after))
    return rows
