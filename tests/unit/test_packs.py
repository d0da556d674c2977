"""Packs: pairs that one process trains, and the jobs of the pairs, which take them."""

import json
import os
import re
from pathlib import Path

import pytest

from empathy_transfer.frame import packs
from empathy_transfer.frame.job import open_job
from empathy_transfer.frame.packs import OUTPUTS, train_pack, unpack
from empathy_transfer.records.artefacts import write_json
from empathy_transfer.records.provenance import load_provenance
from fake_jobs import SCRIPTS, fake_snakemake

SOURCES = ["anna", "bert", "carl"]
NAMES = {"data": "full", "seed": "1"}
FOLDER = Path(".cache/packed/tiny")


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    """The inputs of three pairs in an empty folder, and a training that only writes who was trained."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMPATHY_RESULT_CACHE", raising=False)
    monkeypatch.delenv("EMPATHY_CONSOLE", raising=False)
    for name in [*SOURCES, "tokens", "task"]:
        Path(name).write_text(name)
    monkeypatch.setattr(packs, "encoder_facts", lambda name, revision: {"weights": name})
    monkeypatch.setattr(packs, "train_pair", trained)


def trained(job):
    """Stand in for a training."""
    print(f"training {job.wildcards['source']}")
    for path in job.products:
        path.write_text(f"{job.wildcards['source']} {job.params['training']['epochs']} {path.name}")


def pack(wanted=SOURCES, epochs=1):
    """Run a pack of all sources, of which these are wanted; returns its report."""
    write_json("wanted.json", [[source, "dora", "full", "1"] for source in wanted])
    folder = "results/tiny/packs/full/seed=1/dora/0"
    snakemake = fake_snakemake(
        "train_pack",
        {"report": f"{folder}/pack.json", "provenance": f"{folder}/provenance.json"},
        inputs={"adapters": SOURCES, "tokens": "tokens", "task_json": "task"},
        params=settings(epochs) | {"sources": SOURCES, "pair_code": "pair code", "wanted": "wanted.json"},
        wildcards=NAMES | {"target": "dora", "part": "0"},
        log="logs/pack.log",
    )
    with open_job(snakemake) as job:
        train_pack(job, str(SCRIPTS / "train"))
    return json.loads(Path(f"{folder}/pack.json").read_text())["pairs"]


def settings(epochs):
    """The params that a pair has, without its code."""
    return {"training": {"epochs": epochs}, "encoder": {"name": "tiny", "revision": None}}


def pair(source, epochs=1):
    """The object that the job of a pair gets."""
    folder = f"results/tiny/transfer/full/seed=1/{source}--dora"
    snakemake = fake_snakemake(
        "unpack_transfer",
        {name: f"{folder}/{file}" for name, file in OUTPUTS.items()},
        inputs={"adapter": source, "tokens": "tokens", "task_json": "task", "after": "pack.json"},
        params=settings(epochs),
        wildcards=NAMES | {"source": source, "target": "dora"},
        log=f"logs/{source}.log",
    )
    snakemake.params.entries["code"] = "pair code"
    return snakemake


def result(source, name="metrics.json"):
    """A result of a pair."""
    return Path(f"results/tiny/transfer/full/seed=1/{source}--dora/{name}")


def test_each_pair_takes_its_own_results_record_and_log():
    assert pack() == dict.fromkeys(SOURCES, "trained")
    assert unpack(pair("bert"))
    assert result("bert").read_text() == "bert 1 metrics.json"
    record = load_provenance(result("bert", "provenance.json"))
    assert (record["rule"], record["code"], record["wildcards"]["source"]) == ("train_transfer", "pair code", "bert")
    assert record["settings"] == settings(1)
    assert sorted(record["inputs"]) == ["bert", "task", "tokens"]
    assert set(record["outputs"]) == {name for name in OUTPUTS.values() if name != "provenance.json"}
    assert record["remake"].endswith("--force results/tiny/transfer/full/seed=1/bert--dora/adapter.safetensors")
    assert Path("logs/bert.log").read_text() == "training bert\n"
    assert "2/3 bert -> dora: trained" in Path("logs/pack.log").read_text()


def test_a_pair_is_taken_once():
    pack()
    assert unpack(pair("anna"))
    assert not unpack(pair("anna"))


def test_only_pairs_of_this_run_are_trained():
    assert pack(["carl"]) == {"carl": "trained"}
    assert not unpack(pair("anna"))


def test_a_pair_with_other_settings_or_inputs_is_another_one():
    pack()
    assert not unpack(pair("anna", epochs=2))
    Path("bert").write_text("another adapter")
    assert not unpack(pair("bert"))
    assert pack(epochs=2) == dict.fromkeys(SOURCES, "trained")
    assert unpack(pair("anna", epochs=2))


def test_a_failed_pair_leaves_the_others_and_tells_its_cause_once(monkeypatch):
    def failing(job):
        trained(job)
        if job.wildcards["source"] == "anna":
            raise ValueError("the loss is not finite")

    monkeypatch.setattr(packs, "train_pair", failing)
    cause = "ValueError: the loss is not finite"
    assert pack() == {"anna": f"failed: {cause}", "bert": "trained", "carl": "trained"}
    with pytest.raises(SystemExit, match=r"train_transfer .*source=anna.* failed: ValueError: the loss is not finite"):
        unpack(pair("anna"))
    assert Path("logs/anna.log").read_text().startswith("training anna\n")
    assert json.loads(Path("logs/anna.log.failure.json").read_text())["cause"] == cause
    assert not result("anna").exists()
    assert unpack(pair("bert"))
    # A second attempt trains it.
    assert not unpack(pair("anna"))


def test_the_cause_is_known_where_the_console_tells_it(monkeypatch):
    def failing(job):
        raise ValueError("no")

    monkeypatch.setenv("EMPATHY_CONSOLE", "1")
    monkeypatch.setattr(packs, "train_pair", failing)
    assert pack(["anna"]) == {"anna": "failed: ValueError: no"}


def test_a_killed_pack_goes_on_with_the_others_and_the_killed_pair_last(monkeypatch):
    def dying(job):
        if job.wildcards["source"] == "bert":
            os._exit(9)
        trained(job)

    monkeypatch.setattr(packs, "train_pair", dying)
    child = os.fork()
    if child == 0:
        pack()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    order = []
    monkeypatch.setattr(packs, "train_pair", lambda job: (order.append(job.wildcards["source"]), trained(job)))
    assert pack() == {"anna": "there already", "carl": "trained", "bert": "trained"}
    assert order == ["carl", "bert"]


def test_a_pack_that_was_killed_while_it_tidied_up_has_finished_that_pair(monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr(packs.shutil, "rmtree", lambda *arguments, **options: None)
        assert pack(["anna"]) == {"anna": "trained"}
    assert len(list(FOLDER.glob("work/*"))) == 1
    report = pack(["anna", "bert"])
    assert list(report.items()) == [("anna", "there already"), ("bert", "trained")]
    assert not list(FOLDER.glob("work/*"))


def test_an_interrupted_pack_stops(monkeypatch):
    def interrupted(job):
        raise KeyboardInterrupt

    monkeypatch.setattr(packs, "train_pair", interrupted)
    with pytest.raises(SystemExit) as raised:
        pack()
    assert raised.value.code == 130
    assert not list(FOLDER.glob("failed/*"))


def test_a_damaged_result_is_trained_anew():
    pack()
    (path,) = [path for path in FOLDER.glob("finished/*/*/metrics.json") if path.read_text().startswith("carl")]
    path.chmod(0o644)
    path.write_text("carl 2 metrics.json")
    assert not unpack(pair("carl"))
    assert not result("carl").exists()


def test_a_machine_that_is_not_to_train_says_so():
    pack(["anna"])
    with pytest.raises(SystemExit, match="has left no result; run the same command again"):
        unpack(pair("bert"), alone=False)
    assert unpack(pair("anna"), alone=False)


def test_cost_of_a_pair_is_its_own(monkeypatch):
    def costly(job):
        trained(job)
        begun = packs.cpu_seconds()
        while packs.cpu_seconds() - begun < 1 and job.wildcards["source"] == "anna":
            pass

    monkeypatch.setattr(packs, "train_pair", costly)
    pack()
    for source in SOURCES:
        unpack(pair(source))
    costs = {source: load_provenance(result(source, "provenance.json"))["cpu_seconds"] for source in SOURCES}
    assert costs["anna"] > 0.9
    assert costs["bert"] < 0.9


def test_files_of_a_pair_are_those_of_its_rule():
    for rule in ("transfer", "packs"):
        text = (SCRIPTS.parent / f"rules/train/{rule}.smk").read_text()
        found = re.findall(r'(\w+)="<results>/transfer/\{data\}/seed=\{seed\}/\{source\}--\{target\}/(.*?)"', text)
        assert dict(found) == OUTPUTS
