"""Jobs under the real workflow engine: provenance, log, failure record, lock, and a copied library."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from empathy_transfer.frame.job import open_job
from empathy_transfer.frame.joblock import held, lock_path
from empathy_transfer.records.artefacts import ArtefactError, read_json
from fake_jobs import SCRIPTS, fake_snakemake

SNAKEFILE = """
rule all:
    input: "results/tiny/double/4/out.json", "results/tiny/double/bad/out.json"

rule double:
    input: numbers=["{n}.json"], extra="extra.json"
    output:
        result="results/tiny/double/{n}/out.json",
        provenance="results/tiny/double/{n}/provenance.json",
    log: "logs/tiny/double/{n}.log"
    params:
        settings={"rate": 0.1, "names": ["a", "b"]},
        code="abc",
    threads: 2
    script: "SCRIPTS/part/double.py"
"""
SCRIPT = '''
"""Entry point of rule double."""

import os

from empathy_transfer.records.artefacts import read_json, write_json
from empathy_transfer.frame.job import open_job

if __name__ == "__main__":
    with open_job(snakemake) as job:
        print("hello from the job")
        os.system("echo hello from a child")
        numbers = read_json(job.input["numbers"][0], verify=False)
        if "fail" in numbers:
            raise ValueError("the numbers\\nare bad")
        write_json(job.output["result"], [2 * number for number in numbers])
'''


LOG = "logs/tiny/double/{}.log"


def snakemake(folder, library):
    environment = os.environ | {"PYTHONPATH": str(library), "EMPATHY_LOCK_WAIT": "0.2"}
    command = [sys.executable, "-m", "snakemake", "--cores", "4", "--keep-going", "--quiet", "rules"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def workflow(tmp_path_factory):
    """A workflow of one rule, with the library beside its script as in the repository; one of its jobs can't work."""
    folder = tmp_path_factory.mktemp("workflow")
    scripts = folder / "scripts"
    (scripts / "part").mkdir(parents=True)
    shutil.copytree(SCRIPTS / "empathy_transfer", scripts / "empathy_transfer", ignore=shutil.ignore_patterns("__py*"))
    (scripts / "part/double.py").write_text(SCRIPT)
    (folder / "Snakefile").write_text(SNAKEFILE.replace("SCRIPTS", "scripts"))
    (folder / "4.json").write_text("[1, 2]")
    (folder / "bad.json").write_text('["fail"]')
    (folder / "extra.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def run(workflow):
    """What snakemake said about this workflow."""
    return snakemake(workflow, workflow / "scripts")


def test_a_job_writes_its_provenance_and_all_output_to_its_log(workflow, run, monkeypatch):
    monkeypatch.chdir(workflow)
    folder = Path("results/tiny/double/4")
    assert (folder / "provenance.json").exists(), run.stderr
    record = json.loads((folder / "provenance.json").read_text())
    assert record["rule"] == "double"
    assert record["wildcards"] == {"n": "4"}
    assert record["settings"] == {"settings": {"rate": 0.1, "names": ["a", "b"]}}
    assert record["code"] == "abc"
    assert set(record["inputs"]) == {"4.json", "extra.json"}
    assert set(record["outputs"]) == {"out.json"}
    assert record["versions"]["torch"].startswith("2.")
    assert record["remake"] == "snakemake --cores all --force results/tiny/double/4/out.json"
    assert read_json(folder / "out.json") == [2, 4]
    assert Path(LOG.format(4)).read_text() == "hello from the job\nhello from a child\n"
    assert not held(lock_path(folder / "provenance.json"))


def test_a_failed_job_says_why_in_three_places(workflow, run, monkeypatch):
    monkeypatch.chdir(workflow)
    log, cause = LOG.format("bad"), "ValueError: the numbers are bad"
    assert run.returncode == 1
    assert f"double (n=bad) failed: {cause} (log: {log})" in run.stderr
    assert "Traceback" in Path(log).read_text()
    assert Path(log).read_text().splitlines()[-1] == f"FAILED: {cause}"
    failure = json.loads(Path(f"{log}.failure.json").read_text())
    assert failure == {"rule": "double", "wildcards": {"n": "bad"}, "cause": cause, "log": log}
    assert not Path("results/tiny/double/bad/provenance.json").exists()


def test_a_library_from_elsewhere_is_refused(workflow, run):
    shutil.copytree(workflow / "scripts" / "empathy_transfer", workflow / "installed" / "empathy_transfer")
    done = snakemake(workflow, workflow / "installed")
    assert done.returncode == 1
    assert f"imported from {workflow}/installed instead of {workflow}/scripts" in done.stderr
    assert "pip uninstall empathy-transfer" in done.stderr


HOLDER = """
import sys
sys.path.insert(0, sys.argv[1])
from fake_jobs import fake_snakemake
from empathy_transfer.frame.job import open_job

names = {"result": "results/tiny/x/out.json", "provenance": "results/tiny/x/provenance.json"}
with open_job(fake_snakemake("double", names, log="logs/holder.log")) as job:
    job.output["result"].write_text("1")
    open("ready", "w").close()
    sys.stdin.read()
"""


def test_a_successor_waits_then_names_the_holder_and_goes_on_once_it_is_dead(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMPATHY_LOCK_WAIT", "0.3")
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    command = [sys.executable, "-c", HOLDER, str(Path(__file__).parent.parent)]
    orphan = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
    try:
        end = time.monotonic() + 600
        while not Path("ready").exists():
            assert orphan.poll() is None, "the holder ended"
            assert time.monotonic() < end, "the holder did not start"
            time.sleep(0.05)
        names = {"result": "results/tiny/x/out.json", "provenance": "results/tiny/x/provenance.json"}
        successor = fake_snakemake("double", names, log="logs/successor.log")
        with pytest.raises(SystemExit) as stop, open_job(successor):
            pytest.fail("two jobs write the same files")
        assert f"process {orphan.pid} on host {socket.gethostname()} (since 20" in str(stop.value)
        assert "waited 0.3 s" in str(stop.value)
        assert Path("results/tiny/x/out.json").read_text() == "1"
        assert Path("logs/successor.log.failure.json").exists()
    finally:
        orphan.send_signal(signal.SIGKILL)
        orphan.communicate()

    Path("results/tiny/x/.out.json.1-ab.tmp").write_text("half")
    with pytest.raises(ArtefactError):
        read_json("results/tiny/x/out.json")
    with open_job(successor) as job:
        assert not Path("logs/successor.log.failure.json").exists()
        job.output["result"].write_text("2")
    assert read_json("results/tiny/x/out.json") == 2
    assert sorted(path.name for path in Path("results/tiny/x").iterdir()) == [
        ".provenance.lock",
        "out.json",
        "provenance.json",
    ]


def test_a_job_that_forgets_an_output_fails_without_provenance(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"result": "results/tiny/x/out.json", "provenance": "results/tiny/x/provenance.json"}
    with (
        pytest.raises(SystemExit, match=r"did not make its output results/tiny/x/out\.json"),
        open_job(fake_snakemake("double", names)),
    ):
        pass
    assert not Path(names["provenance"]).exists()


def test_an_interrupted_job_is_no_failure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = fake_snakemake("double", {"provenance": "results/tiny/x/provenance.json"}, log="logs/x.log")
    with pytest.raises(SystemExit) as stop, open_job(asked):
        raise KeyboardInterrupt
    assert stop.value.code == 130
    assert Path("logs/x.log").read_text() == "INTERRUPTED\n"
    assert not Path("logs/x.log.failure.json").exists()


@pytest.mark.parametrize("missing", ["provenance", "code", "log"])
def test_a_rule_without_what_every_rule_has_is_refused(tmp_path, monkeypatch, missing):
    monkeypatch.chdir(tmp_path)
    asked = fake_snakemake("double", {"result": "r.json", "provenance": "provenance.json"})
    if missing == "log":
        asked.log = []
    else:
        (asked.output if missing == "provenance" else asked.params).entries.pop(missing)
    with (
        pytest.raises(SystemExit, match="needs an output `provenance`, a param `code` and a log file"),
        open_job(asked),
    ):
        pass
