"""Check a whole study against its provenance, and clear what is damaged so that one plain run restores it.

The workflow engine never looks at a finished file again: a damaged or deleted intermediate result stays unnoticed
behind a finished COMPLETE.json. So repair removes every damaged file together with everything made from it.
"""

import os
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from empathy_transfer.frame.joblock import held, holder
from empathy_transfer.inspection.verify_report import Report
from empathy_transfer.records.files import CHECKPOINT, TEMPORARY_SUFFIX, sha256_file
from empathy_transfer.records.provenance import (
    ArtefactError,
    is_provenance,
    load_provenance,
    mismatch,
    package_versions,
)

# Made by the workflow engine, by the end of a run, and by the first summary of a task; later ones do not list them.
UNLISTED = {CHECKPOINT, "summary.json", "provenance.csv", "released", ".stored"}
COMPLETE = "COMPLETE.json"


def verify_study(results, repair=False):
    """Check all files of a study against the provenance of the jobs that made them.

    Found are: files that differ from what their job wrote or are missing, changed provenance, inputs that changed or
    vanished after they were used, and files without provenance. `repair` removes these and, by the recorded inputs,
    everything made from them up to COMPLETE.json. It removes nothing outside the study's folder, nothing that no job
    made or used, and nothing at all while a job of the study is running.

    Args:
        results: the study's folder, `results/<study>`; it may be a link, but links inside it are not followed.
        repair: whether to remove what is damaged.

    Returns:
        Report
    """
    results = Path(results)
    study = _Study(name=results.name, folder=results.resolve())
    report = Report(study=study.name, repaired=repair)
    bad = {}  # path -> what is wrong
    _read(study, bad)
    _check_outputs(study, bad)
    _check_inputs(study, bad)
    _check_unlisted(study, report, bad)
    report.jobs, report.files = len(study.jobs), len(study.outputs)
    report.running = [
        f"{holder(path)}: {study.shown(path.parent)}" for path in study.files if _is_lock(path) and held(path)
    ]
    report.drift = _drift(study)
    report.problems = [(study.shown(path), reason) for path, reason in sorted(bad.items())]
    if repair:
        _repair(study, report, bad)
    return report


@dataclass
class _Study:
    """A study as read from disk: its files and jobs, and which job made and used which file."""

    name: str
    folder: Path  # without links, for all paths below are compared with it
    files: list = field(default_factory=list)
    jobs: dict = field(default_factory=dict)  # provenance path -> record
    outputs: dict = field(default_factory=dict)  # output path -> (provenance path, its entry there)
    users: dict = field(default_factory=dict)  # input path -> {provenance path: recorded digest}
    digests: dict = field(default_factory=dict)

    def digest(self, path):
        """SHA-256 of a file, computed once; None when it is not there."""
        if path not in self.digests:
            self.digests[path] = sha256_file(path) if path.exists() else None
        return self.digests[path]

    def contains(self, path):
        """Whether a path lies in the study's folder, links on the way followed but not one at the end."""
        return Path(path.parent.resolve(), path.name).is_relative_to(self.folder)

    def input_path(self, name):
        """The place of a recorded input inside the study, wherever its folder is now; None if it is outside."""
        parts = PurePosixPath(name).parts
        inside = parts[:2] == ("results", self.name)
        path = _below(self.folder, Path(*parts[2:])) if inside else Path(os.path.abspath(name))
        return path if path.is_relative_to(self.folder) and self.contains(path) else None

    def shown(self, path):
        """A path as the workflow names it."""
        inside = path.is_relative_to(self.folder)
        return f"results/{self.name}/{path.relative_to(self.folder).as_posix()}" if inside else path.as_posix()


def _read(study, bad):
    """Find all files of the study without following links, and read all provenance."""
    for folder, names, files in os.walk(study.folder, followlinks=False):
        links = [name for name in names if Path(folder, name).is_symlink()]
        study.files += [Path(folder, name) for name in sorted([*files, *links])]
    for path in filter(is_provenance, study.files):
        try:
            record = load_provenance(path)
        except ArtefactError as error:
            bad[path] = str(error).removeprefix(f"{path}: ").partition(". Make it anew")[0]
            continue
        study.jobs[path] = record
        for name, entry in record["outputs"].items():
            study.outputs[_below(path.parent, name)] = path, entry
        for name, digest in record["inputs"].items():
            if (used := study.input_path(name)) is not None:
                study.users.setdefault(used, {})[path] = digest


def _check_outputs(study, bad):
    """Compare every listed output with its provenance."""
    for path, (_, entry) in study.outputs.items():
        if not study.contains(path):
            bad[path] = "it lies outside of the study"
        elif path.is_symlink():
            bad[path] = "it was replaced by a symbolic link"
        elif not path.is_file():
            bad[path] = "it is missing"
        elif problem := mismatch(entry, path.stat().st_size, study.digest(path)):
            bad[path] = problem


def _check_inputs(study, bad):
    """Find jobs whose inputs inside the study changed or vanished after they were used."""
    for path, users in study.users.items():
        if path in bad:
            continue
        if study.digest(path) is None:
            bad[path] = "it is missing, although results were made from it"
            continue
        for provenance, recorded in users.items():
            if recorded != study.digest(path):
                bad[provenance] = f"its results were made from an earlier version of {study.shown(path)}"


def _check_unlisted(study, report, bad):
    """Sort files that no provenance lists: damage if results were made from them, else only mentioned."""
    for path in study.files:
        if path in study.outputs or is_provenance(path) or _is_lock(path) or path.name.startswith(".snakemake"):
            continue
        if path.name.startswith(".") and path.name.endswith(TEMPORARY_SUFFIX):
            report.leftovers.append(study.shown(path))
        elif path in study.users:
            bad.setdefault(path, "no provenance lists it, although results were made from it")
        elif path == study.folder / COMPLETE:
            bad[path] = "no provenance lists it"
        elif path.name not in UNLISTED:
            report.orphans.append(study.shown(path))


def _repair(study, report, bad):
    """Remove what is damaged, all outputs of the jobs concerned, all that was made from them, and leftovers."""
    leftovers = [path for path in study.files if study.shown(path) in report.leftovers]
    if report.running and (bad or leftovers):
        report.kept = [(job, "it is running; try again when it has ended") for job in report.running]
        return
    # From the end of the study backwards: an interrupted repair then never hides what is still to be removed.
    for path in [*reversed(_closure(study, bad)), *leftovers]:
        if not study.contains(path):
            report.kept.append((study.shown(path), "it lies outside of the study"))
        elif path.is_symlink() or path.exists():
            try:
                path.unlink()
                report.removed.append(study.shown(path))
            except OSError as error:
                report.kept.append((study.shown(path), error.strerror))


def _closure(study, bad):
    """All files to remove, those nearest to the damage first, COMPLETE.json last."""
    products = {}
    for path, (provenance, _) in study.outputs.items():
        products.setdefault(provenance, []).append(path)
    order, queue = {}, deque(sorted(bad))
    complete = study.folder / COMPLETE
    if bad:
        queue.append(complete)  # even if nothing recorded leads to it: without it, the engine looks at every file
    while queue:
        path = queue.popleft()
        if path in order:
            continue
        order[path] = None
        provenance = path if path in study.jobs else study.outputs.get(path, (None,))[0]
        if provenance is not None:
            queue.extend([provenance, *products.get(provenance, [])])
        queue.extend(sorted(study.users.get(path, ())))
    return [path for path in order if path != complete] + [path for path in order if path == complete]


def _drift(study):
    """Rows (package, recorded version, version here, number of jobs) for versions that differ."""
    here = package_versions()
    rows = Counter(
        (package, version or "none")
        for record in study.jobs.values()
        for package, version in record["versions"].items()
        if version != here.get(package)
    )
    return [
        (package, version, here.get(package) or "none", number) for (package, version), number in sorted(rows.items())
    ]


def _is_lock(path):
    """Whether a file is a job's lock."""
    return path.name.endswith(".lock")


def _below(folder, name):
    """A recorded name below a folder as a path without `..`, links not followed."""
    return Path(os.path.normpath(Path(folder, name)))
