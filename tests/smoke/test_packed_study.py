"""A small study with packs, beside the same study without: equal results, also after a failure and a kill.

The tests of the module run in order and go on from each other's results, as a user would.
"""

import json
import os
import shutil

import pytest

from study_copy import StudyCopy
from tiny_study import CONFIGS, write_tiny_study

TINY = (*CONFIGS, "--cores", "2")
PACKS = ("--config", "pack=2")
PAIRS, RUNS = "results/tiny/transfer/full/seed=1", "results/tiny/baseline/full/seed=1"
TARGET = "notes_care"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The small study, made without packs."""
    study = StudyCopy.of_repository(tmp_path_factory.mktemp("packs") / "study")
    write_tiny_study(study, tasks=["letters_hope", "notes_care", "notes_spirit"])
    for target in ("baseline", "transfer"):
        run = study.run(target, *TINY)
        assert run.status == 0, run.text
    return study


def weights(study):
    """The bytes of all adapters, heads and predictions of pairs, by their path."""
    folder = study.folder / PAIRS
    names = ("adapter.safetensors", "head.safetensors", "predictions.parquet")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for name in names for path in folder.glob(f"*/{name}")
    }


@pytest.fixture(scope="module")
def expected(study):
    """What the pairs must be."""
    found = weights(study)
    assert len(found) == 6 * 3
    return found


@pytest.fixture(scope="module")
def packed(study, expected):
    """The study with all pairs removed."""
    clone = study.clone(study.folder.with_name("packed"))
    shutil.rmtree(clone.folder / PAIRS)
    return clone


def test_a_failed_pair_fails_alone_with_its_own_cause(packed, expected):
    adapter = packed.folder / RUNS / "letters_hope/adapter.safetensors"
    whole, times = adapter.read_bytes(), adapter.stat()
    adapter.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    os.utime(adapter, ns=(times.st_atime_ns, times.st_mtime_ns))
    run = packed.run("transfer", *TINY, *PACKS)
    adapter.write_bytes(whole)
    os.utime(adapter, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert run.status != 0
    assert run.rules["train_pack"] == 3
    failures = sorted((packed.folder / "logs/tiny").rglob("*.failure.json"))
    assert {path.name.removesuffix(".log.failure.json") for path in failures} == {
        "letters_hope--notes_care",
        "letters_hope--notes_spirit",
    }
    assert "its content changed after its job wrote it" in json.loads(failures[0].read_text())["cause"]
    assert weights(packed) == {path: data for path, data in expected.items() if not path.startswith("letters_hope--")}


def test_the_same_command_makes_the_rest_and_all_is_as_without_packs(packed, expected):
    run = packed.run("transfer", *TINY, *PACKS)
    assert run.status == 0, run.text
    assert run.rules["unpack_transfer"] == 2
    assert weights(packed) == expected
    assert not (packed.folder / "results/tiny/packs").exists()
    assert not (packed.folder / ".cache/packed/tiny").exists()
    record = json.loads((packed.folder / PAIRS / f"letters_hope--{TARGET}/provenance.json").read_text())
    assert record["rule"] == "train_transfer"
    log = packed.folder / f"logs/tiny/transfer/full/seed=1/letters_hope--{TARGET}.log"
    assert "epoch 1/1" in log.read_text()


@pytest.mark.parametrize("arguments", [PACKS, (), ("--config", "pack=5")], ids=["as before", "none", "larger"])
def test_nothing_runs_again_whatever_the_size_of_packs(packed, expected, arguments):
    run = packed.dry_run("transfer", *TINY, *arguments)
    assert run.status == 0, run.text
    assert run.jobs == ()


DYING = """\
from empathy_transfer.frame import packs

train, trained = packs.train_pair, []


def die_at_the_second_pair(job):
    if trained:
        os.kill(os.getpid(), signal.SIGKILL)
    trained.append(job)
    train(job)


packs.train_pair = die_at_the_second_pair

if __name__"""


def test_a_killed_pack_keeps_what_was_finished(packed):
    expected = weights(packed)
    for source in ("letters_hope", "notes_spirit"):
        shutil.rmtree(packed.folder / PAIRS / f"{source}--{TARGET}")
    script = "workflow/scripts/train/train_pack.py"
    whole = (packed.folder / script).read_text(encoding="utf-8")
    packed.write(script, "import os\nimport signal\n" + whole.replace("if __name__", DYING))
    killed = packed.run("transfer", *TINY, *PACKS)
    assert killed.status != 0
    assert len(list((packed.folder / ".cache/packed/tiny/finished").glob("??/*"))) == 1
    packed.write(script, whole)
    again = packed.run("transfer", *TINY, *PACKS)
    assert again.status == 0, again.text
    assert weights(packed) == expected
    log = packed.folder / "logs/tiny/packs/full/seed=1/notes_care/0.log"
    assert "1/2 letters_hope -> notes_care: there already" in log.read_text()
