"""What the tests on Slurm share: the cluster, and a small study whose splits are prepared, with its local results."""

import os
import shutil

import pytest
from slurm_cluster import INSTALL, PATH, PROGRAMS, SlurmCluster
from small_study import SmallStudy, Watch


@pytest.fixture(scope="session")
def cluster():
    """A running cluster; where its programs are missing the tests are skipped, but fail where CI=true."""
    missing = [program for program in PROGRAMS if not shutil.which(program, path=PATH)]
    if missing:
        message = f"Slurm is not installed ({', '.join(missing)} missing). On Debian: {INSTALL}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with SlurmCluster() as running:
        yield running


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """The study with its data prepared and nothing trained; no test may change it."""
    return SmallStudy.prepare(tmp_path_factory.mktemp("prepared") / "study")


@pytest.fixture(scope="session")
def expected(prepared, tmp_path_factory):
    """SHA-256 of each result of a run without Slurm."""
    local = prepared.clone(tmp_path_factory.mktemp("local") / "study")
    with Watch(local.folder) as watch:
        run = local.run_local()
    assert run.status == 0, run.text
    assert watch.warm, "a local run keeps a process warm; if it can't be seen here, nobody would see it on a cluster"
    return local.digests("tiny")


@pytest.fixture
def study(cluster, prepared, expected, tmp_path):
    """A fresh copy of the prepared study, to be run on the cluster."""
    return prepared.clone(tmp_path / "study")
