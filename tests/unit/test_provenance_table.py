"""The table of all jobs' provenance."""

import json
from pathlib import Path

import pandas
import pytest

from empathy_transfer.cli import main
from empathy_transfer.frame.job import open_job
from empathy_transfer.inspection.provenance_table import COLUMNS, write_provenance_table
from empathy_transfer.inspection.run_summary import main as summarise
from empathy_transfer.inspection.verify import verify_study
from empathy_transfer.records.artefacts import write_json
from empathy_transfer.records.provenance import load_provenance, write_provenance
from fake_jobs import fake_snakemake, make_study

RUN = "results/tiny/transfer/half/seed=2/a--b"
PAIR = {"source": "a", "target": "b", "data": "half", "seed": "2"}
RECORD = {"device": "cuda:0", "engine": "fast", "precision": "bf16"}


def train(record=RECORD):
    """A job that looks like a training."""
    output = {"run": f"{RUN}/run.json", "provenance": f"{RUN}/provenance.json"}
    with open_job(fake_snakemake("train_transfer", output, wildcards=PAIR)) as job:
        write_json(job.output["run"], record)


@pytest.fixture
def study(tmp_path, monkeypatch):
    """The small study with one training, in the working folder; its table by path of the provenance."""
    monkeypatch.chdir(tmp_path)
    make_study()
    train()


def table():
    frame = pandas.read_csv("results/tiny/provenance.csv", keep_default_na=False, dtype=str)
    return frame.set_index("provenance", drop=False)


def test_each_job_has_a_row_that_says_what_its_provenance_says(study):
    words = write_provenance_table(Path("results/tiny"))
    assert words == "results/tiny/provenance.csv: 7 jobs"
    found = table()
    assert list(found.columns) == COLUMNS
    assert sorted(found.index) == sorted(
        path.relative_to("results/tiny").as_posix() for path in Path("results/tiny").rglob("*provenance.json")
    )
    record = load_provenance(f"{RUN}/provenance.json")
    row = found.loc["transfer/half/seed=2/a--b/provenance.json"]
    assert dict(row) == {
        "rule": "train_transfer",
        "wildcards": "data=half seed=2 source=a target=b",
        "task": "",
        "source": "a",
        "target": "b",
        "data": "half",
        "seed": "2",
        "seconds": str(record["seconds"]),
        "cpu_seconds": str(record["cpu_seconds"]),
        "peak_memory_mb": str(record["peak_memory_mb"]),
        "created": record["created"],
        "code": "fingerprint",
        "python": record["versions"]["python"],
        "torch": record["versions"]["torch"],
        "device": "cuda:0",
        "engine": "fast",
        "precision": "bf16",
        "reused": "",
        "reused_seconds": "",
        "provenance": "transfer/half/seed=2/a--b/provenance.json",
    }
    assert set(found.loc[found["rule"] == "make", "device"]) == {""}


def test_a_result_from_a_cache_names_its_entry_and_what_it_cost_there(study):
    path = Path(f"{RUN}/provenance.json")
    write_provenance(path, load_provenance(path) | {"reused": {"key": "k", "seconds": 35.5}})
    write_provenance_table(Path("results/tiny"))
    row = table().loc["transfer/half/seed=2/a--b/provenance.json"]
    assert (row["reused"], row["reused_seconds"]) == ("k", "35.5")
    assert float(row["seconds"]) < 35.5


def test_a_damaged_record_is_left_out_and_counted(study):
    Path("results/tiny/a/provenance.json").write_text("{}")
    words = write_provenance_table(Path("results/tiny"))
    assert words.startswith("results/tiny/provenance.csv: 6 jobs; not those of 1 damaged records")
    assert "a/provenance.json" not in table().index


def test_a_damaged_record_of_a_run_costs_the_device_only(study):
    Path(f"{RUN}/run.json").write_text("[")
    write_provenance_table(Path("results/tiny"))
    row = table().loc["transfer/half/seed=2/a--b/provenance.json"]
    assert (row["rule"], row["device"]) == ("train_transfer", "")


def test_the_end_of_a_run_writes_it_and_the_command_does_too(study, capsys):
    plan = {"study": "tiny", "results": "results/tiny", "logs": "logs", "started": 0}
    Path("plan.json").write_text(json.dumps(plan))
    assert summarise(["plan.json"]) == 0
    assert "What each job cost: results/tiny/provenance.csv: 7 jobs" in capsys.readouterr().err
    Path("results/tiny/provenance.csv").unlink()
    assert main(["provenance", "tiny"]) == 0
    assert capsys.readouterr().out == "results/tiny/provenance.csv: 7 jobs\n"
    assert len(table()) == 7


def test_it_is_neither_damage_nor_an_orphan(study):
    write_provenance_table(Path("results/tiny"))
    report = verify_study(Path("results/tiny"))
    assert report.ok
    assert report.orphans == []


def test_a_study_that_does_not_exist_is_refused(study, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["provenance", "other"])
    assert stop.value.code == 2
    assert "the studies there: tiny" in capsys.readouterr().err
