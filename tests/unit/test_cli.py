"""The command line: its words, its exit status."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import empathy_transfer
from empathy_transfer.cli import main
from fake_jobs import SCRIPTS, make_study


@pytest.fixture
def study(tmp_path, monkeypatch):
    """The small study in the working folder."""
    monkeypatch.chdir(tmp_path)
    return make_study()


def test_verify_ends_with_0_then_1_then_repairs(study, capsys):
    assert main(["verify", "tiny"]) == 0
    assert "6 finished jobs" in capsys.readouterr().out
    Path(study["b"]).write_text("damage")
    assert main(["verify", "tiny"]) == 1
    assert study["b"] in capsys.readouterr().out
    assert main(["verify", "tiny", "--repair"]) == 0
    assert main(["verify", "tiny", "--results", str(Path("results").resolve())]) == 0


@pytest.mark.parametrize("name", ["other", "", ".", "..", "tiny/..", "/etc"])
def test_an_unknown_study_is_answered_with_those_there_are(study, name, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["verify", name, "--repair"])
    assert stop.value.code == 2
    assert "the studies there: tiny" in capsys.readouterr().err


def command(*arguments):
    """The command line in a process of its own, with its environment."""
    return [sys.executable, "-m", "empathy_transfer", *arguments], os.environ | {"PYTHONPATH": str(SCRIPTS)}


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["verify", "tiny"], 1),
        (["verify", "tiny", "--repair"], 0),
        (["why", "results/tiny", "--no-plan"], 1),
        (["provenance", "tiny"], 0),
    ],
)
def test_a_reader_that_stops_early_is_no_error(study, arguments, status):
    """As in `empathy-transfer verify tiny | head -1`."""
    Path(study["b"]).write_text("damage")
    words, environment = command(*arguments)
    end, stream = os.pipe()
    os.close(end)  # the reader is gone before anything is written
    done = subprocess.run(words, env=environment, stdout=stream, stderr=subprocess.PIPE, text=True)
    os.close(stream)
    assert (done.returncode, done.stderr) == (status, "")


@pytest.mark.parametrize(
    "arguments", [["verify", "tiny"], ["provenance", "tiny"], ["why", "results/tiny", "--no-plan"]]
)
def test_control_c_ends_it_in_one_line(study, arguments):
    """The study has a fifo for a file: whoever reads it waits, until the signal comes."""
    fifo = Path("results/tiny/waiting/provenance.json")
    fifo.parent.mkdir()
    os.mkfifo(fifo)
    words, environment = command(*arguments)
    process = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True)
    with process, open(fifo, "wb"):  # opens when the other side does
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert error == "Interrupted. Give the same command again to go on.\n"


@pytest.mark.parametrize("arguments", [[], ["verify"], ["repair", "tiny"], ["verify", "tiny", "--repare"]])
def test_wrong_usage_ends_with_2(study, arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


def test_it_runs_as_a_module_without_heavy_imports(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    command = [sys.executable, "-X", "importtime", "-m", "empathy_transfer", "--version"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"empathy-transfer {empathy_transfer.__version__}\n"
    modules = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert not modules & {"torch", "pandas", "pyarrow", "snakemake", "numpy"}
