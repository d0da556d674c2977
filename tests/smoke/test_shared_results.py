"""Studies that share results through a folder: nothing is computed twice, and nothing is taken that is another.

Each study is a copy of the repository of its own, as that of another person would be.
"""

import json

import pandas
import pytest

from empathy_transfer.frame.result_store import MANIFEST
from empathy_transfer.records.provenance import load_provenance
from study_copy import TIMES, StudyCopy
from tiny_study import CONFIGS, write_tiny_study

EMBEDDING = "analysis: {features: {embedding: {name: encoder, max_length: 16}}}\n"
BASELINE, TRANSFER = "baseline/full/seed=1/letters_hope", "transfer/full/seed=1/letters_hope--notes_care"
EMBEDDINGS = ["features/dataset_embeddings/notes_care", "features/task_embeddings/seed=1/letters_hope"]
SHARED = {"prepare_task": 2, "tokenise_task": 2, "train_baseline": 1, "train_transfer": 1}
EMBEDDED = {"embed_dataset": 1, "embed_task": 1}


class Person:
    """Somebody with a study of two tasks."""

    def __init__(self, folder, study):
        """Copy the repository, and make the study's config and encoder."""
        self.study, self.results = StudyCopy.of_repository(folder), folder / "results" / study
        self.name = study
        write_tiny_study(self.study, study, more=EMBEDDING)

    def run(self, store, files=(f"{TRANSFER}/run.json",)):
        """Make results, shared through a folder; None is a run by itself."""
        targets = [f"results/{self.name}/{file}" for file in files]
        shared = {"SNAKEMAKE_OUTPUT_CACHE": str(store)} if store else {}
        options = [*CONFIGS, "--cores", "2", *["--cache"] * bool(store)]
        run = self.study.run(*targets, *options, OMP_NUM_THREADS="1", **shared)
        assert run.status == 0, run.text
        return run

    def origins(self):
        """Key of each shared result in the store, by the place of its provenance; None for what was computed here."""
        records = {path: load_provenance(path) for path in sorted(self.results.rglob("*provenance.json"))}
        return {
            path.relative_to(self.results).as_posix(): record.get("reused", {}).get("key")
            for path, record in records.items()
            if record["rule"] in SHARED | EMBEDDED
        }

    def content(self):
        """Bytes of all shared results; of records and epochs without how long they took."""
        found = {}
        for place in self.origins():
            folder = (self.results / place).parent
            for name in load_provenance(self.results / place)["outputs"]:
                data = (folder / name).read_bytes()
                if name in ("run.json", "epochs.jsonl"):
                    records = [json.loads(data)] if name == "run.json" else map(json.loads, data.splitlines())
                    data = [{key: value for key, value in one.items() if key not in TIMES} for one in records]
                found[f"{place}: {name}"] = data
        return found


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The folder that all share."""
    return tmp_path_factory.mktemp("shared") / "results"


@pytest.fixture(scope="module")
def first(tmp_path_factory, store):
    """A study that came first."""
    person = Person(tmp_path_factory.mktemp("first") / "copy", "pilot")
    person.run(store, files=[f"{TRANSFER}/run.json", *(f"{name}.safetensors" for name in EMBEDDINGS)])
    return person


@pytest.fixture
def second(tmp_path):
    """A study of somebody else, of which nothing is made yet."""
    return Person(tmp_path / "elsewhere", "main")


def manifest(entry):
    """What an entry says of itself."""
    return json.loads((entry / MANIFEST).read_text())


def entries(store):
    """The rule of each entry, by its folder."""
    return {path.parent: manifest(path.parent)["facts"]["rule"] for path in store.glob(f"??/*/{MANIFEST}")}


def test_the_first_study_computes_all_and_keeps_it(first, store):
    assert set(first.origins().values()) == {None}
    rules = list(entries(store).values())
    assert {rule: rules.count(rule) for rule in rules} == SHARED | EMBEDDED
    for folder, rule in entries(store).items():
        assert bool(manifest(folder)["facts"]["encoders"]) == (rule != "prepare_task")
        for path in folder.rglob("*"):
            assert b"pilot" not in path.read_bytes(), f"{path} names the study"


def test_the_second_study_computes_nothing_again_and_has_the_same_bytes(first, second, store, tmp_path):
    run = second.run(store, files=[f"{TRANSFER}/run.json", *(f"{name}.safetensors" for name in EMBEDDINGS)])
    origins = second.origins()
    assert len(origins) == sum((SHARED | EMBEDDED).values())
    assert None not in origins.values(), run.text
    assert len(entries(store)) == len(origins)
    assert second.content() == first.content()
    record = second.results / TRANSFER / "run.json"
    assert not record.is_symlink()
    assert record.read_bytes() == (first.results / TRANSFER / "run.json").read_bytes()
    jobs = pandas.read_csv(second.results / "provenance.csv").set_index("provenance")
    kept = jobs.loc[f"{TRANSFER}/provenance.json"]
    assert kept["reused"] == origins[f"{TRANSFER}/provenance.json"]
    assert kept["reused_seconds"] == load_provenance(first.results / TRANSFER / "provenance.json")["seconds"]
    assert "cached    2 data, 1 baseline, 1 transfer" in run.text
    assert second.run(store).rules == {}  # and it is finished like any other
    alone = Person(tmp_path / "alone", "alone")
    alone.run(None)
    assert set(alone.origins().values()) == {None}
    assert alone.content().items() <= first.content().items()


def test_another_setting_is_computed(first, second, store):
    before = entries(store)
    second.study.change("config/tiny.yaml", lambda text: text.replace("learning_rate: 1.0e-3", "learning_rate: 2.0e-3"))
    second.run(store)
    origins = second.origins()
    computed = {place for place, key in origins.items() if key is None}
    assert computed == {f"{BASELINE}/provenance.json", f"{TRANSFER}/provenance.json"}
    assert sorted(entries(store)[entry] for entry in entries(store).keys() - before.keys()) == [
        "train_baseline",
        "train_transfer",
    ]


def test_a_damaged_entry_is_healed_and_another_seed_is_another_result(first, second, store):
    shared = load_provenance(first.results / BASELINE / "provenance.json")["outputs"]
    (entry,) = [folder for folder in entries(store) if manifest(folder)["files"] == shared]
    adapter, seed = entry / "adapter.safetensors", BASELINE.replace("seed=1", "seed=2")
    before = adapter.read_bytes()
    adapter.chmod(0o600)
    adapter.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    second.study.change("config/tiny.yaml", lambda text: text.replace("seeds: [1]", "seeds: [1, 2]"))
    second.run(store, files=[f"{run}/run.json" for run in (BASELINE, seed)])
    computed = {place for place, key in second.origins().items() if key is None}
    assert computed == {f"{BASELINE}/provenance.json", f"{seed}/provenance.json"}
    log = (second.study.folder / f"logs/main/{BASELINE}.log").read_text()
    assert f"The entry {entry.name} of {store} is damaged: adapter.safetensors" in log
    assert adapter.read_bytes() == before
    content = second.content()
    place = f"{BASELINE}/provenance.json: adapter.safetensors"
    assert content[place] == first.content()[place]
    assert content[place.replace("seed=1", "seed=2")] != content[place]
