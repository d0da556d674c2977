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
from empathy_transfer.records.files import CHECKPOINT, TEMPORARY_SUFFIX, digest_path, intact, sha256_file
from empathy_transfer.records.provenance import (
    ArtefactError,
    is_provenance,
    load_provenance,
    mismatch,
    misplaced,
    package_versions,
)

# Made by the workflow engine, and by the first summary of a task; later ones do not list them.
UNLISTED = {CHECKPOINT, "released", ".stored"}
# Made by the end of a run, which is no job; their digests lie beside them.
CLOSING_WORDS = ("summary.json", "provenance.csv")
COMPLETE = "COMPLETE.json"


def verify_study(results, repair=False):
    """Check all files of a study against the provenance of the jobs that made them.

    Found are: files that differ from what their job wrote or are missing, changed provenance, folders in another one's
    place, inputs that changed or vanished after they were used, and files without provenance. `repair` removes these
    and, by the recorded inputs, everything made from them up to COMPLETE.json. It removes nothing outside the study's
    folder, nothing that no job made or used, and nothing at all while a job of the study is running.

    Not damaged but unfinished is what a plain run makes anew: results whose inputs a job has made anew since, and, as
    long as the study has not been complete, inputs that are not there.

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
    unfinished = {}  # path -> what is still to be done
    _read(study, bad)
    _check_outputs(study, bad)
    _check_inputs(study, bad, unfinished)
    _check_unlisted(study, report, bad, unfinished)
    _check_closing_words(study, report, bad)
    report.jobs, report.files = len(study.jobs), len(study.outputs)
    report.running = [f"{holder(path)}: {study.shown(path.parent)}" for path in study.locks]
    report.unfinished = [(study.shown(path), unfinished[path]) for path in sorted(unfinished.keys() - bad.keys())]
    report.drift = _drift(study)
    planned = [record for record in study.jobs.values() if record.get("planned_with")]
    report.planned_with = max(planned, key=lambda record: record["created"], default={}).get("planned_with")
    report.problems = [(study.shown(path), reason) for path, reason in sorted(bad.items())]
    if repair:
        # What a killed job left would be taken for a result, and then refused: away with it.
        halves = {path: reason for path, reason in unfinished.items() if study.maker(path) is None and path.is_file()}
        _repair(study, report, bad | {path: halves[path] for path in halves if path not in study.jobs})
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
    locks: list = field(default_factory=list)  # of the jobs that run at this moment

    def digest(self, path):
        """SHA-256 of a file, computed once; None when it is not there."""
        if path not in self.digests:
            self.digests[path] = sha256_file(path) if path.is_file() else None
        return self.digests[path]

    def maker(self, path):
        """The provenance that lists a file; None if none does."""
        return self.outputs.get(path, (None,))[0]

    def in_making(self, path):
        """Whether a job runs that writes to a file's folder, or to one below it."""
        return any(lock.parent in (path.parent, path.parent.parent) for lock in self.locks)

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
    study.locks = [path for path in study.files if _is_lock(path) and held(path)]
    for path in filter(is_provenance, study.files):
        try:
            record = load_provenance(path, anywhere=True)
        except ArtefactError as error:
            bad[path] = str(error).removeprefix(f"{path}: ").partition(". Make it anew")[0]
            continue
        study.jobs[path] = record
        if reason := misplaced(path, record, study.folder):
            bad[path] = reason
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


def _check_inputs(study, bad, unfinished):
    """Find jobs whose inputs inside the study changed or vanished after they were used."""
    for path, users in study.users.items():
        if path in bad or study.maker(path) in bad:
            continue
        if study.digest(path) is None:
            # While the study has never been complete, a run looks at every file, and makes what it needs.
            found = unfinished if study.in_making(path) or not (study.folder / COMPLETE).exists() else bad
            found[path] = "it is missing, although results were made from it"
            continue
        if study.maker(path) is None and path.is_file():
            continue  # see `_check_unlisted`
        for provenance, recorded in users.items():
            if recorded != study.digest(path):
                # What is newer than its users is seen by the workflow engine, which compares times.
                found = unfinished if _newer(path, provenance) else bad
                found[provenance] = f"its results were made from an earlier version of {study.shown(path)}"


def _check_unlisted(study, report, bad, unfinished):
    """Sort files that no provenance lists: damage if results were made from them, else only mentioned."""
    closing_words = {study.folder / name for name in CLOSING_WORDS}
    closing_words |= {digest_path(path) for path in closing_words}
    for path in study.files:
        if path in study.outputs or is_provenance(path) or _is_lock(path) or path.name.startswith(".snakemake"):
            continue
        if path.name.startswith(".") and path.name.endswith(TEMPORARY_SUFFIX):
            report.leftovers.append(study.shown(path))
        elif path in study.users:
            # A job that makes it anew, or was killed when it did, has no provenance yet.
            remade = study.in_making(path) or all(_newer(path, provenance) for provenance in study.users[path])
            # No job makes a link.
            found = unfinished if remade and not path.is_symlink() else bad
            found.setdefault(path, "no provenance lists it, although results were made from it")
        elif path == study.folder / COMPLETE:
            bad[path] = "no provenance lists it"
        elif path.name not in UNLISTED and path not in closing_words:
            report.orphans.append(study.shown(path))


def _check_closing_words(study, report, bad):
    """Check what the end of a run writes, which no provenance lists, by the digests beside the files."""
    for path in (study.folder / name for name in CLOSING_WORDS):
        if not path.is_file():
            if digest_path(path).exists():
                bad[path] = "it is missing"
        elif (whole := intact(path)) is None:
            report.unchecked.append(study.shown(path))
        elif not whole:
            bad[path] = f"it is not what its run wrote, by its digest in {digest_path(path).name}"


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
        provenance = path if path in study.jobs else study.maker(path)
        if provenance is not None:
            queue.extend([provenance, *products.get(provenance, [])])
        queue.extend(sorted(study.users.get(path, ())))
        if path.name in CLOSING_WORDS:
            queue.append(digest_path(path))
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


def _newer(path, other):
    """Whether a file, or a link itself, was written after another one."""
    return path.lstat().st_mtime_ns > other.lstat().st_mtime_ns


def _is_lock(path):
    """Whether a file is a job's lock."""
    return path.name.endswith(".lock")


def _below(folder, name):
    """A recorded name below a folder as a path without `..`, links not followed."""
    return Path(os.path.normpath(Path(folder, name)))
