"""What `empathy-transfer why` says of a result of a finished study, before and after a change of settings or code."""

import contextlib
import os
import re
import shlex

import pytest

from empathy_transfer.cli import main
from empathy_transfer.inspection.plan_query import NoPlan, ask_workflow
from empathy_transfer.records.files import sha256_file
from empathy_transfer.records.provenance import FORMAT, package_versions, write_provenance
from study_copy import StudyCopy

SMALL = ["condolence", "epitome_er"]
ADAPTER = "results/full/transfer/full/seed=1/condolence--epitome_er/adapter.safetensors"


def record_of(job, folder):
    """The provenance that a job would have written, by its plan and the files that are there."""
    settings = dict(job["params"])
    code = settings.pop("code")
    outputs = [folder / path for path in job["output"] if not path.endswith("provenance.json")]
    return {
        "format": FORMAT,
        "rule": job["rule"],
        "wildcards": job["wildcards"],
        "remake": "snakemake --force",
        "settings": settings,
        "inputs": {path: sha256_file(folder / path) for path in job["input"]},
        "outputs": {path.name: {"sha256": sha256_file(path), "bytes": path.stat().st_size} for path in outputs},
        "versions": package_versions(),
        "code": code,
        "created": "2026-11-21T15:51:17+00:00",
        "seconds": 3.7,
    }


@pytest.fixture(scope="module", autouse=True)
def own_raw_files():
    """The study's stand-ins for raw files, wherever real ones are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("EMPATHY_RAW_DIR", raising=False)
        yield


@pytest.fixture(scope="module")
def finished(full_study, tmp_path_factory):
    """A finished study of two tasks, of which one transfer has a whole provenance."""
    study = full_study.clone(tmp_path_factory.mktemp("why") / "study")
    study.configure(tasks=SMALL, seeds=[1], data=["full"])
    study.finish(study.dry_run().jobs)
    with kept_times(study):
        (job,) = ask_workflow(study.folder, "full", [ADAPTER])
        assert not job["runs"]
        path = (study.folder / ADAPTER).with_name("provenance.json")
        path.with_name("run.json").write_text("{}")
        write_provenance(path, record_of(job, study.folder))
    return study


@contextlib.contextmanager
def kept_times(study):
    """Give results that change inside the times that they had."""
    times = {path: path.stat() for path in (study.folder / ADAPTER).parent.iterdir()}
    yield
    for path, stat in times.items():
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def why(study, capsys):
    """Status and words of the command."""
    status = main(["why", str(study.folder / ADAPTER)])
    return status, capsys.readouterr().out


def test_an_unchanged_result_would_stay(finished, capsys):
    status, text = why(finished, capsys)
    assert "made by   rule train_transfer, condolence -> epitome_er full seed 1" in text
    # The record of the fixture is as older versions wrote it.
    words = "  Its config is not on record: this is by the file in config/ that names the study.\n"
    assert text.endswith(f"If it were made now:\n{words}  A run would make nothing anew.\n")
    assert status == 0


def test_changed_settings_are_named_with_what_a_run_would_do(finished, tmp_path, capsys):
    study = finished.clone(tmp_path / "study")
    study.edit_yaml(
        "config/datasets/epitome.yaml",
        lambda content: content["tasks"]["epitome_er"]["training"].update(learning_rate=1.5e-4),
    )
    study.edit_yaml("config/datasets/condolence.yaml", lambda content: content.update(title="Another title"))
    status, text = why(study, capsys)
    assert status == 1
    assert "  setting   training.learning_rate: 0.00041 then, 0.00015 now\n" in text
    assert "  A run would make it anew: changed settings\n" in text
    assert "Before that" not in text  # the source's own settings are as they were
    assert "code      fingerprint" in text
    assert " then, " not in text.partition("learning_rate: 0.00041 then")[2]  # nothing else differs


def test_changed_code_and_a_lost_source_are_named(finished, tmp_path, capsys):
    study = finished.clone(tmp_path / "study")
    study.change("workflow/scripts/train/train_transfer.py", lambda text: f"{text}\n    print(1)\n")
    (study.folder / "results/full/baseline/full/seed=1/condolence/adapter.safetensors").unlink()
    status, text = why(study, capsys)
    assert status == 1
    assert re.search(r"  code +fingerprint \w{16} then, \w{16} now", text)
    assert "condolence/adapter.safetensors: it is missing" in text
    assert re.search(r"Before that, a run would do:\n    train_baseline condolence full seed 1: missing output", text)


def test_a_result_is_planned_with_the_config_that_it_was_made_with(tmp_path, capsys):
    """Two config files, of which the second changes a setting, and the name of the study from the command line."""
    study = StudyCopy.of_repository(tmp_path / "study")
    study.write("config/mine.yaml", "demo: {rows: 60}\n")
    path = "results/layered/raw/truth.json"
    given = ["--configfile", "config/demo.yaml", "config/mine.yaml", "--config", "study=layered"]
    run = study.run(path, *given, "--cores", "1")
    assert run.status == 0, run.text
    made = study.digests("layered")
    assert main(["why", str(study.folder / path)]) == 0
    text = capsys.readouterr().out
    assert text.endswith("If it were made now:\n  A run would make nothing anew.\n")
    # The command that it names makes the same again, and nothing else.
    command = shlex.split(re.search(r"^  again by +(.*)$", text, re.MULTILINE)[1])
    assert command[: command.index("--force")] == ["snakemake", "--cores", "all", *given]
    again = study.run(*command[1:])
    assert again.rules == {"generate_demo": 1}
    assert study.digests("layered") == made
    # Other files, laid over each other, instead of those on record.
    study.write("config/other.yaml", "study: layered\ndemo: {rows: 80}\n")
    files = [str(study.folder / name) for name in ("config/demo.yaml", "config/other.yaml")]
    assert main(["why", str(study.folder / path), "--configfile", files[0], "--configfile", files[1]]) == 1
    assert "  setting   rows: 60 then, 80 now\n" in capsys.readouterr().out
    (study.folder / "config/mine.yaml").unlink()
    assert main(["why", str(study.folder / path)]) == 0
    assert "it was made with config/mine.yaml, which is not there" in capsys.readouterr().out


def test_a_result_that_is_no_longer_planned_is_still_explained(finished, tmp_path, capsys):
    study = finished.clone(tmp_path / "study")
    study.configure(tasks=["epitome_er", "epitome_ex"])
    status, text = why(study, capsys)
    assert "made by   rule train_transfer" in text
    assert "the workflow does not plan it with this config" in text
    assert status == 0
    with pytest.raises(NoPlan):
        ask_workflow(study.folder, "full", [ADAPTER])
