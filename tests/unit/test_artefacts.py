"""Artefacts are written whole, come back as they were, and no damage to them goes unnoticed."""

import errno
import os
import random
import shutil
from pathlib import Path

import numpy
import pandas
import pytest
import torch

from empathy_transfer.frame.job import open_job
from empathy_transfer.records import artefacts
from empathy_transfer.records.artefacts import ArtefactError
from fake_jobs import fake_snakemake, make

FLIPS = 150  # per format; 600 in all
FOLDER = "results/tiny/data/news"
FRAME = pandas.DataFrame(
    {
        "id": ["1", "2", "3"],
        "context": [None, None, None],
        "text": ["NA", 'so sorry, "friend"', "line\nbreak – ünï"],
        "label": [0.1 + 0.2, 1e-17, 3.0],
        "marks": [["joy", "fear"], [], ["none"]],
    }
)
TENSORS = {"up.weight": torch.arange(12.0).reshape(3, 4).T, "down": torch.ones(5, dtype=torch.bfloat16)}
READERS = {
    "table.parquet": artefacts.read_table,
    "adapter.safetensors": artefacts.read_tensors,
    "scores.csv": artefacts.read_csv,
    "run.json": artefacts.read_json,
}


def write_all(output):
    artefacts.write_table(output["table"], FRAME)
    artefacts.write_tensors(output["adapter"], TENSORS, {"source": "none", "seed": 1})
    artefacts.write_csv(output["scores"], FRAME.drop(columns="marks"))
    artefacts.write_json(output["run"], {"value": numpy.float32(0.5), "n": numpy.int64(3), "reason": None})


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A finished job with one file of each format; returns their folder."""
    monkeypatch.chdir(tmp_path)
    names = {Path(name).stem: f"{FOLDER}/{name}" for name in READERS} | {"provenance": f"{FOLDER}/provenance.json"}
    with open_job(fake_snakemake("prepare", names)) as job:
        write_all(job.output)
    return Path(FOLDER)


def test_everything_comes_back_as_it_was(results):
    frame = artefacts.read_table(results / "table.parquet")
    assert frame["text"].tolist() == FRAME["text"].tolist()
    assert frame["label"].tolist() == FRAME["label"].tolist()
    assert frame["marks"].tolist() == FRAME["marks"].tolist()
    assert frame["context"].isna().all()
    assert list(artefacts.read_table(results / "table.parquet", columns=["label", "id"])) == ["label", "id"]

    tensors, metadata = artefacts.read_tensors(results / "adapter.safetensors")
    assert metadata == {"source": "none", "seed": 1}
    assert list(tensors) == sorted(TENSORS)
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert tensors["down"].dtype == torch.bfloat16

    scores = artefacts.read_csv(results / "scores.csv", dtype={"id": str})
    assert scores["text"].tolist() == FRAME["text"].tolist()
    assert scores["label"].tolist() == FRAME["label"].tolist()
    assert artefacts.read_json(results / "run.json") == {"value": 0.5, "n": 3, "reason": None}


def test_text_columns_are_strings_even_without_a_single_value(results):
    import pyarrow.parquet

    schema = pyarrow.parquet.read_schema(results / "table.parquet")
    assert [str(field.type) for field in schema] == ["string", "string", "string", "double", "list<element: string>"]


@pytest.mark.parametrize("name", READERS)
def test_every_flipped_bit_is_found(results, name):
    path = results / name
    whole = path.read_bytes()
    chance = random.Random(f"flips in {name}")
    for _ in range(FLIPS):
        bit = chance.randrange(len(whole) * 8)
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(ArtefactError, match="content changed"):
            READERS[name](path)


def test_every_flipped_bit_of_a_provenance_is_found(results):
    path = results / "provenance.json"
    whole = path.read_bytes()
    chance = random.Random("flips in the provenance")
    for _ in range(FLIPS):
        bit = chance.randrange(len(whole) * 8)
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(ArtefactError, match=r"provenance\.json: the provenance .* verify tiny --repair"):
            artefacts.read_json(results / "run.json")


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("length", [0, 0.5, -1], ids=["emptied", "halved", "last byte lost"])
def test_truncation_is_found(results, name, length):
    path = results / name
    whole = path.read_bytes()
    path.write_bytes(whole[: int(length * len(whole)) if 0 <= length < 1 else -1])
    with pytest.raises(ArtefactError, match="bytes, but its job wrote"):
        READERS[name](path)


@pytest.mark.parametrize("name", READERS)
def test_the_message_names_the_file_and_the_command_that_makes_it_anew(results, name):
    Path("config").mkdir()
    Path("config/small.yaml").write_text("study: tiny  # for this test\n")
    with open_job(
        fake_snakemake("prepare", {"it": f"{FOLDER}/{name}", "provenance": f"{FOLDER}/provenance.json"})
    ) as job:
        job.output["it"].write_bytes(job.output["it"].read_bytes())
    (results / name).unlink()
    command = f"snakemake --cores all --configfile config/small.yaml --force {FOLDER}/{name}"
    with pytest.raises(ArtefactError, match=f"{FOLDER}/{name}: .*can't be read.*{command}"):
        READERS[name](results / name)


def test_a_file_without_provenance_is_refused(results):
    (results / "provenance.json").unlink()
    with pytest.raises(ArtefactError, match=r"run\.json: no provenance .* empathy-transfer verify tiny --repair"):
        artefacts.read_json(results / "run.json")
    assert artefacts.read_json(results / "run.json", verify=False)["n"] == 3


def test_a_file_that_the_provenance_does_not_list_is_refused(results):
    artefacts.write_json(results / "other.json", {})
    with pytest.raises(ArtefactError, match=r"other\.json: provenance\.json does not list it"):
        artefacts.read_json(results / "other.json")


BASELINE = "results/tiny/baseline/full/seed=1"
PLACES = {
    "another task's": (f"{BASELINE}/anger", f"{BASELINE}/joy", "result.json"),
    "another seed's": (f"{BASELINE}/anger", f"{BASELINE.replace('1', '2')}/anger", "result.json"),
    "another data condition's": (f"{BASELINE}/anger", f"{BASELINE.replace('full', 'half')}/anger", "result.json"),
    "another stage's": (f"{BASELINE}/anger", "results/tiny/longer/full/seed=1/anger", "result.json"),
    "the opposite pair's": ("results/tiny/transfer/a--b", "results/tiny/transfer/b--a", "result.json"),
    "that of the partial results": ("results/tiny/analysis", "results/tiny/partial/analysis", "result.json"),
    "one deeper": ("results/tiny", "results/tiny/analysis", "result.json"),
    "one above": ("results/tiny/analysis", "results/tiny", "result.json"),
    "one of a job with subfolders": ("results/tiny/raw", "results/tiny/tables", "deep/result.json"),
}


@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
@pytest.mark.parametrize("way", [shutil.copytree, os.renames], ids=["copied", "moved"])
@pytest.mark.parametrize("place", PLACES)
def test_a_folder_in_the_place_of_another_one_is_refused(tmp_path, monkeypatch, place, way, absolute):
    monkeypatch.chdir(tmp_path)
    own, other, name = PLACES[place]
    make(own, 1, name=name, wildcards={"task": "anger", "seed": "1"})
    assert artefacts.read_json(Path(own, name))["value"] == 1
    Path(own).rename("aside")
    shutil.rmtree("results")
    way("aside", other)
    path = Path(other, name).absolute() if absolute else Path(other, name)
    provenance = Path(other, "provenance.json")
    message = f"{provenance}: this is the record of {own} .make seed=1 task=anger.*verify tiny --repair"
    for read in (lambda: artefacts.read_json(path), lambda: artefacts.read_json(provenance)):
        with pytest.raises(ArtefactError, match=message):
            read()


@pytest.mark.parametrize("study", ["results/tiny", "results/renamed", "disk/tiny", "disk/renamed", "results/old/tiny"])
def test_a_whole_study_may_be_moved_and_renamed(tmp_path, monkeypatch, study):
    monkeypatch.chdir(tmp_path)
    for folder in ("results/tiny", "results/tiny/analysis", "results/tiny/partial/analysis"):
        make(folder, 1)
    os.renames("results/tiny", "aside")
    os.renames("aside", study)
    for folder in (study, f"{study}/analysis", f"{study}/partial/analysis"):
        assert artefacts.read_json(f"{folder}/result.json")["value"] == 1
        assert artefacts.read_json(Path(folder).absolute() / "result.json")["value"] == 1
    monkeypatch.chdir(Path(study, "analysis"))
    assert artefacts.read_json("result.json")["value"] == 1


@pytest.mark.parametrize(
    ("wildcards", "wrong"),
    [
        ({"task": "anger", "seed": "1"}, {"task": "joy", "seed": 1}),
        ({"task": "anger", "seed": "1"}, {"task": "anger", "seed": 2}),
        ({"source": "joy", "target": "anger", "seed": "1"}, {"task": "joy", "seed": 1}),
        ({"control": "random_full", "seed": "1"}, {"task": "random_identity", "seed": 1}),
    ],
)
def test_tensors_that_say_they_are_of_another_task_or_seed_are_refused(tmp_path, monkeypatch, wildcards, wrong):
    monkeypatch.chdir(tmp_path)
    output = {"adapter": f"{FOLDER}/adapter.safetensors", "provenance": f"{FOLDER}/provenance.json"}
    right = {"task": wildcards.get("control", "anger"), "seed": 1}
    for metadata in ({}, right, wrong):
        with open_job(fake_snakemake("train", output, wildcards=wildcards)) as job:
            artefacts.write_tensors(job.output["adapter"], TENSORS, metadata)
        if metadata != wrong:
            assert artefacts.read_tensors(output["adapter"])[1] == metadata
    ((key, said),) = wrong.items() - right.items()
    message = (
        rf"adapter.safetensors: it says that its {key} is {said!r}, but its job made '{right[key]}'\. Make it anew"
    )
    with pytest.raises(ArtefactError, match=message):
        artefacts.read_tensors(output["adapter"])


def test_jobs_may_share_a_folder_and_use_subfolders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = make("results/tiny/tables", 1, name="one.json", provenance="one.provenance.json")
    two = make("results/tiny/tables", 2, name="another.json", provenance="two.provenance.json")
    three = make("results/tiny/tables", 3, name="deep/three.json")
    assert [artefacts.read_json(path)["value"] for path in (one, two, three)] == [1, 2, 3]
    Path(two).write_text("{}")
    with pytest.raises(ArtefactError, match=r"another\.json"):
        artefacts.read_json(two)


@pytest.mark.parametrize("name", READERS)
def test_bytes_of_another_format_are_refused_even_unverified(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"\x00\xff{not this")
    with pytest.raises(ArtefactError, match=f"{name}: "):
        READERS[name](path, verify=False)


def test_the_same_content_gives_the_same_bytes(results, tmp_path):
    again = {Path(name).stem: tmp_path / "again" / name for name in READERS}
    write_all(again)
    reversed_tensors = dict(reversed(TENSORS.items()))
    artefacts.write_tensors(again["adapter"], reversed_tensors, {"seed": 1, "source": "none"})
    for path in again.values():
        assert path.read_bytes() == (results / path.name).read_bytes()


def test_figures_are_the_same_on_every_run(tmp_path):
    from matplotlib.figure import Figure

    for run in ("first", "second"):
        figure = Figure()
        figure.subplots().plot([1, 2], [3, 4], marker="o")
        artefacts.write_figure([tmp_path / run / f"gain.{form}" for form in ("png", "svg", "pdf")], figure)
    for form in ("png", "svg", "pdf"):
        assert (tmp_path / "first" / f"gain.{form}").read_bytes() == (tmp_path / f"second/gain.{form}").read_bytes()


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "scores.csv"
    artefacts.write_csv(path, FRAME)
    old = path.read_bytes()
    for broken in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, broken, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                artefacts.write_csv(path, FRAME.head(1))
    assert path.read_bytes() == old
    assert [file.name for file in tmp_path.iterdir()] == ["scores.csv"]


def test_a_full_disk_leaves_the_old_file_and_names_it(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "scores.csv"
    artefacts.write_text(path, "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=rf"No space left on device: '{path}'"):
        artefacts.write_text(path, "new")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["scores.csv"]


def test_values_that_json_can_not_hold_are_refused(tmp_path):
    for value in (float("nan"), {1, 2}, object()):
        with pytest.raises(ValueError, match=r"run\.json: this can't be written as JSON"):
            artefacts.write_json(tmp_path / "run.json", {"value": value})
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_column_is_named(results):
    with pytest.raises(KeyError, match="no column labl; it has id, context"):
        artefacts.read_table(results / "table.parquet", columns=["labl"])
