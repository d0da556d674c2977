"""A disk that fills up in the middle of a run: the run says so, and with more space ends in the same bits.

A disk is a small one in memory where this user may mount it; for others its error is raised by the job's own process.
"""

import contextlib
import os
import re
import shutil
import subprocess

import pytest

from empathy_transfer.inspection.verify import verify_study
from study_copy import PYTHONPATH, StudyCopy
from tiny_study import CONFIGS, write_tiny_study

SCORES = "results/tiny/analysis/scores.csv"
RUN = (SCORES, *CONFIGS, "--cores", "2")
# Python imports it at its start. Every file of a result is flushed by fsync before it has its name.
SMALL_DISK = """
import errno, os
flush = os.fsync
def used(folder):
    return sum(size(os.path.join(*place)) for place in files(folder))
def size(path):
    try:
        return os.path.getsize(path)
    except FileNotFoundError:  # another job has renamed it meanwhile
        return 0
def files(folder):
    return [(path, name) for path, _, names in os.walk(folder) for name in names]
def fsync(descriptor):
    if used("results") > int(os.environ["BYTES_OF_DISK"]):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    flush(descriptor)
os.fsync = fsync
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A copy of the repository with nothing computed."""
    study = StudyCopy.of_repository(tmp_path_factory.mktemp("copy") / "study")
    write_tiny_study(study)
    return study


@pytest.fixture(scope="module")
def undisturbed(study, tmp_path_factory):
    """The study as a run makes it that nothing disturbs."""
    whole = study.clone(tmp_path_factory.mktemp("undisturbed") / "study")
    run = whole.run(*RUN, OMP_NUM_THREADS="1")
    assert run.status == 0, run.text
    return whole


@pytest.fixture(scope="module")
def untrained(undisturbed, tmp_path_factory):
    """The study with its data prepared and nothing trained."""
    study = undisturbed.clone(tmp_path_factory.mktemp("untrained") / "study")
    for stage in ("baseline", "transfer", "analysis"):
        shutil.rmtree(study.folder / "results/tiny" / stage)
    return study


@contextlib.contextmanager
def small_disk(folder, size):
    """A disk of some bytes, mounted at a folder; skips the test where that is not allowed."""
    folder.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(["mount", *options], capture_output=True, text=True) if os.geteuid() == 0 else None
    if done is None or done.returncode:
        pytest.skip(f"a small disk can't be mounted here: {done.stderr.strip() if done else 'this needs root'}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def occupied(folder):
    """Bytes that the files below a folder take on a disk with pages of 4 kB."""
    return sum(-(-path.lstat().st_size // 4096) * 4096 for path in folder.rglob("*") if path.is_file())


def fill_up(study, whole, named=True, **environment):
    """Run until the disk is full; check what is said and left, and return when each job's results were made.

    Args:
        study: the study on the disk.
        whole: the same, undisturbed.
        named: whether jobs can still write down which file found no space.
        environment: more variables.
    """
    run = study.run(*RUN, OMP_NUM_THREADS="1", **environment)
    assert run.status != 0
    assert re.search(r"No space left on device" + r": '(results|logs)/tiny/[^']+'" * named, run.text), run.text
    assert re.search(rf"MB are free in {study.folder}/(results|logs)/tiny/\S+; make space there", run.text), run.text
    left = study.digests("tiny")
    assert left.items() <= whole.digests("tiny").items()
    assert SCORES not in left
    assert verify_study(study.folder / "results/tiny").problems == []
    return made(study)


def made(study):
    """When the provenance of each job was written, by its path."""
    return {
        path: (study.folder / path).stat().st_mtime_ns for path in study.files() if path.endswith("provenance.json")
    }


def go_on(study, whole, before):
    """Run again; nothing is made twice, and all is as if nothing had happened."""
    run = study.run(*RUN, OMP_NUM_THREADS="1")
    assert run.status == 0, run.text
    assert study.digests("tiny") == whole.digests("tiny")
    after = made(study)
    assert {path for path in before if after[path] != before[path]} == set()
    assert len(run.jobs) == len(after) - len(before)


def halfway(before, after):
    """A size between those of two folders."""
    return (occupied(before) + occupied(after)) // 2


@pytest.mark.parametrize("stage", ["data", "training"])
def test_jobs_that_find_no_space(study, untrained, undisturbed, tmp_path, stage):
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SMALL_DISK)
    small = (study if stage == "data" else untrained).clone(tmp_path / "study")
    sizes = [sum((whole.folder / path).stat().st_size for path in whole.files()) for whole in (untrained, undisturbed)]
    size = sizes[0] // 2 if stage == "data" else sum(sizes) // 2
    path = os.pathsep.join([str(site), PYTHONPATH])
    before = fill_up(small, undisturbed, PYTHONPATH=path, BYTES_OF_DISK=str(size))
    go_on(small, undisturbed, before)


def test_a_small_disk_for_results(untrained, undisturbed, tmp_path):
    small = untrained.clone(tmp_path / "study")
    results = small.folder / "results"
    shutil.rmtree(results)
    with small_disk(results, halfway(untrained.folder / "results", undisturbed.folder / "results")):
        shutil.copytree(untrained.folder / "results", results, dirs_exist_ok=True)
        before = fill_up(small, undisturbed)
        subprocess.run(["mount", "-o", "remount,size=16m", str(results)], check=True)
        go_on(small, undisturbed, before)


def test_a_disk_that_others_fill_up_with_all_that_snakemake_remembers_on_it(untrained, undisturbed, tmp_path):
    disk = tmp_path / "disk"
    with small_disk(disk, 4 * occupied(undisturbed.folder)):
        small = untrained.clone(disk / "study")
        room = halfway(untrained.folder, undisturbed.folder) - occupied(untrained.folder)
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(disk).free - room))
        before = fill_up(small, undisturbed, named=False)
        ballast.unlink()
        go_on(small, undisturbed, before)
