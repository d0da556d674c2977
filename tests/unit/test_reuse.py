"""Jobs that take their results from a store, and those that find none, damage, or a store that fails them."""

import json
import os
from pathlib import Path

import pytest

from empathy_transfer.frame import reuse as reuse_module
from empathy_transfer.frame.joblock import held, lock_path
from empathy_transfer.frame.result_key import NotShareableError
from empathy_transfer.frame.result_store import MANIFEST
from empathy_transfer.frame.reuse import VARIABLE, open_shared_job, reuse
from empathy_transfer.records.artefacts import read_json, write_json
from empathy_transfer.records.files import CHECKPOINT
from empathy_transfer.records.provenance import load_provenance
from fake_jobs import fake_snakemake

INPUT = "input.json"


@pytest.fixture(autouse=True)
def shared(tmp_path, monkeypatch):
    """The folder of a store that jobs share, and one input of theirs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "shared"))
    monkeypatch.delenv(reuse_module.SAID, raising=False)
    Path(INPUT).write_text("1")
    return tmp_path / "shared"


def script(study, made, **params):
    """Run an entry point that shares its results; it adds the study to `made` if it computes."""
    output = {name: f"results/{study}/double/{name}.json" for name in ("result", "provenance")}
    snakemake = fake_snakemake("double", output, {"number": INPUT}, {"rate": 0.1} | params, log=f"logs/{study}.log")
    if not reuse(snakemake):
        with open_shared_job(snakemake) as job:
            made.append(study)
            print("computing")
            write_json(job.output["result"], 2 * read_json(job.input["number"], verify=False))
    return Path(output["result"]), Path(output["provenance"]), Path(f"logs/{study}.log").read_text()


def entries(folder):
    """Folders of the entries of a store."""
    return [path.parent for path in folder.glob(f"??/*/{MANIFEST}")]


def test_a_second_study_takes_the_result_of_the_first(shared):
    made = []
    first, first_provenance, log = script("first", made)
    (entry,) = entries(shared)
    assert log == f"computing\nEntry {entry.name}: kept in {shared}\n"
    Path("results/second/double").mkdir(parents=True)
    Path("results/second/double", CHECKPOINT).write_bytes(b"of a training that was stopped")
    second, provenance, log = script("second", made)
    assert made == ["first"]
    assert second.read_bytes() == first.read_bytes()
    assert read_json(second) == 2
    origin, record = load_provenance(first_provenance), load_provenance(provenance)
    assert log == f"Taken from {shared}: entry {entry.name}, computed {origin['created']} in {origin['seconds']} s\n"
    costs = {name: origin[name] for name in ("created", "seconds", "cpu_seconds", "peak_memory_mb")}
    assert record["reused"] == {"key": entry.name, **costs}
    assert "reused" not in origin
    same = ("rule", "settings", "inputs", "outputs", "versions", "code")
    assert [record[name] for name in same] == [origin[name] for name in same]
    assert "second" in record["remake"]
    assert "first" not in provenance.read_text()
    assert not Path("results/second/double", CHECKPOINT).exists()
    assert not held(lock_path(provenance))


def test_without_a_store_nothing_is_looked_for_or_kept(shared, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    made = []
    assert script("first", made)[2] == "computing\n"
    assert script("second", made)[2] == "computing\n"
    assert made == ["first", "second"]
    assert not shared.exists()


def test_another_setting_or_input_is_computed(shared):
    made = []
    script("first", made)
    script("second", made, rate=0.2)
    Path(INPUT).write_text("2")
    assert read_json(script("third", made)[0]) == 4
    assert made == ["first", "second", "third"]
    assert len(entries(shared)) == 3


def test_a_damaged_entry_is_told_computed_anew_and_healed(shared):
    made = []
    first = script("first", made)[0]
    (entry,) = entries(shared)
    (entry / "result.json").chmod(0o600)
    (entry / "result.json").write_text("3\n")
    second, provenance, log = script("second", made)
    assert made == ["first", "second"]
    lines = log.splitlines()
    assert lines[0].startswith(f"The entry {entry.name} of {shared} is damaged: result.json")
    assert lines[0].endswith("Computed anew; it was removed.")
    assert lines[1:] == ["computing", f"Entry {entry.name}: kept in {shared}"]
    assert second.read_bytes() == first.read_bytes()
    assert "reused" not in load_provenance(provenance)
    assert not Path("logs/second.log.failure.json").exists()
    assert read_json(script("third", made)[0]) == 2
    assert made == ["first", "second"]


def test_a_damaged_entry_that_stays_fails_nothing(shared, monkeypatch):
    made = []
    script("first", made)
    (entry,) = entries(shared)
    (entry / MANIFEST).chmod(0o600)
    (entry / MANIFEST).write_text("{")
    monkeypatch.setattr(reuse_module.ResultStore, "discard", lambda *_: False)
    log = script("second", made)[2]
    assert made == ["first", "second"]
    assert "could not be removed, so it stays" in log
    assert log.splitlines()[-1] == f"Entry {entry.name}: already in {shared}"


def test_words_on_damage_reach_the_log_of_a_job_that_goes_on_in_another_process(shared):
    made = []
    script("first", made)
    (entry,) = entries(shared)
    (entry / "result.json").unlink()
    output = {name: f"results/second/double/{name}.json" for name in ("result", "provenance")}
    snakemake = fake_snakemake("double", output, {"number": INPUT}, {"rate": 0.1}, log="logs/second.log")
    assert not reuse(snakemake)
    # The warm process runs the whole entry point again, with this environment.
    assert "is damaged" in os.environ[reuse_module.SAID]
    assert script("second", made)[2].count("is damaged") == 1
    assert reuse_module.SAID not in os.environ


def test_a_store_that_can_not_be_written_fails_nothing(shared):
    shared.write_text("a file where the folder should be")
    made = []
    log = script("first", made)[2]
    assert log.splitlines()[-1].split(": ", 1)[1].startswith(f"not kept in {shared}: ")
    assert made == ["first"]


def test_the_first_store_that_has_it_gives_a_result_and_the_others_get_it(shared, monkeypatch, tmp_path):
    made = []
    script("first", made)
    near = tmp_path / "near"
    monkeypatch.setenv(VARIABLE, f"{near}{os.pathsep}{shared}")
    log = script("second", made)[2]
    (entry,) = entries(near)
    assert log.splitlines()[-1] == f"Entry {entry.name}: kept in {near}"
    (there,) = entries(shared)
    assert json.loads((entry / MANIFEST).read_text())["made"] == json.loads((there / MANIFEST).read_text())["made"]
    assert script("third", made)[2].startswith(f"Taken from {near}")
    assert made == ["first"]


def test_a_machine_that_can_not_be_told_shares_nothing_and_says_so(shared, monkeypatch):
    def refuse():
        raise NotShareableError("the GPUs of this machine are of several models (A, B)")

    monkeypatch.setattr("empathy_transfer.frame.result_key.device_model", refuse)
    made = []
    log = script("first", made)[2]
    assert "Results are not shared: the GPUs of this machine are of several models (A, B)" in log
    assert made == ["first"]
    assert not entries(shared)


def test_what_changes_while_a_job_runs_keeps_its_result_out(shared, monkeypatch):
    devices = iter(["cpu", "cpu", "NVIDIA A"])
    monkeypatch.setattr("empathy_transfer.frame.result_key.device_model", lambda: next(devices))
    log = script("first", [])[2]
    assert "Results are not shared: device changed while the job ran" in log
    assert not entries(shared)


def test_a_job_with_a_gpu_that_torch_can_not_use_keeps_its_result_out(shared, monkeypatch):
    import torch

    monkeypatch.setattr("empathy_transfer.frame.result_key.device_model", lambda: "NVIDIA A")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "torch computes on the processor here" in script("first", [])[2]
    assert not entries(shared)


def test_a_job_that_fails_keeps_nothing(shared):
    Path(INPUT).write_text('["no number"')
    with pytest.raises(SystemExit):
        script("first", [])
    assert not entries(shared)
    assert not Path("results/first/double/provenance.json").exists()


def test_a_missing_input_is_told_by_the_job_itself(shared):
    Path(INPUT).unlink()
    with pytest.raises(SystemExit, match="double failed: FileNotFoundError"):
        script("first", [])


@pytest.mark.parametrize(
    ("config", "weights"),
    [('{"model_type": "gpt2"}', "model.safetensors"), ("{}", "x.bin"), ("{", "model.safetensors")],
)
def test_an_encoder_that_can_not_be_used_is_told_by_the_job_itself(config, weights):
    Path("encoder").mkdir()
    Path("encoder/config.json").write_text(config)
    Path("encoder", weights).write_bytes(b"weights")
    made = []
    log = script("first", made, encoder={"name": "encoder", "revision": None})[2]
    assert made == ["first"]  # which a job that loads the encoder does not reach
    assert "Results are not shared: Encoder 'encoder': " in log
