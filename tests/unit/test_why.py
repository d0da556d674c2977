"""How a result was made, and what is different now."""

import json
from pathlib import Path

import pytest
import torch

from empathy_transfer.cli import main
from empathy_transfer.frame.job import open_job
from empathy_transfer.inspection import why
from empathy_transfer.inspection.plan_query import NoPlan, ask_workflow, study_config
from empathy_transfer.inspection.why import WhyError, add_plan, explain, study_root, tensor_file_metadata
from empathy_transfer.inspection.why_report import cost, render
from empathy_transfer.records import provenance
from empathy_transfer.records.artefacts import write_json, write_tensors
from empathy_transfer.records.files import sha256_file
from empathy_transfer.records.provenance import ArtefactError, load_provenance, run_command, write_provenance
from fake_jobs import fake_snakemake, make_study

RUN = "results/tiny/transfer/full/seed=1/a--b"
TOKENS = "results/tiny/tokens/b/tokens.safetensors"
SETTINGS = {"training": {"epochs": 3, "learning_rate": 0.001}, "encoder": {"name": "tiny", "max_length": 32}}


def train():
    """A job that looks like a training, on tokens that a job made."""
    output = {"tokens": TOKENS, "provenance": "results/tiny/tokens/b/provenance.json"}
    with open_job(fake_snakemake("tokenise_task", output, wildcards={"task": "b"})) as job:
        write_tensors(job.output["tokens"], {"ids": torch.arange(3)}, {"weights_sha256": "e" * 64})
    names = ("adapter.safetensors", "run.json", "provenance.json")
    output = {name.partition(".")[0]: f"{RUN}/{name}" for name in names}
    wildcards = {"source": "a", "target": "b", "data": "full", "seed": "1"}
    with open_job(fake_snakemake("train_transfer", output, {"tokens": TOKENS}, SETTINGS, wildcards)) as job:
        write_tensors(job.output["adapter"], {"down": torch.ones(2)}, {"encoder_sha256": "f" * 64})
        write_json(job.output["run"], {"device": "cpu", "engine": "fast", "precision": "bf16", "encoder_name": "tiny"})


@pytest.fixture
def study(tmp_path, monkeypatch):
    """The small study with one training, in the working folder; paths of its results."""
    monkeypatch.chdir(tmp_path)
    results = make_study()
    train()
    return results


def plan_of(record, **changed):
    """The job as a run would do it now, with nothing changed but this."""
    job = {"params": record["settings"] | {"code": record["code"]}, "input": list(record["inputs"])}
    return job | {"runs": False, "reasons": []} | changed


def test_a_result_from_a_cache_says_what_it_cost_where_it_was_computed(study):
    path = f"{RUN}/provenance.json"
    made = {"created": "2026-01-02T03:04:05+00:00", "seconds": 35.5, "cpu_seconds": 60.0, "peak_memory_mb": 900.0}
    write_provenance(path, load_provenance(path) | {"reused": {"key": "k" * 64, **made}})
    text = render(explain(f"{RUN}/run.json"), upstream=[])
    assert f"reused    entry {'k' * 64} of a cache, computed on 2026-01-02 03:04:05+00:00: 35.5s of wall time" in text
    assert "reused    1 from a cache" in render(explain("results/tiny"), upstream=[])
    assert "  reused" not in render(explain("results/tiny/a/result.json"), upstream=[])


def test_a_result_is_explained_by_its_record_its_device_and_its_encoder(study):
    (found,) = explain(f"{RUN}/run.json")
    assert found.provenance == f"{RUN}/provenance.json"
    assert found.record == load_provenance(f"{RUN}/provenance.json")
    assert found.product == f"{RUN}/adapter.safetensors"
    assert found.run["encoder_sha256"] == "f" * 64
    add_plan(found, plan_of(found.record))
    assert not found.differs
    text = render([found], upstream=[])
    for words in [
        "made by   rule train_transfer, a -> b full seed 1",
        f"cost      {cost(found.record)}",
        "device    cpu, fast, bf16",
        "seed      1",
        "encoder   tiny, weights SHA-256 ffffffffffff...",
        f"from      {TOKENS} (SHA-256 {found.record['inputs'][TOKENS][:12]}...)",
        "training.learning_rate: 0.001",
        "encoder.max_length: 32",
        "code      fingerprint fingerprint",
        f"python {found.record['versions']['python']}",
        "A run would make nothing anew.",
    ]:
        assert words in text


def test_the_cost_names_what_is_recorded():
    assert cost({"seconds": 90.0, "cpu_seconds": 61.2, "peak_memory_mb": 1234.5}) == (
        "1m 30s of wall time, 1m 01s of CPU time, 1,234 MB of memory at its peak"
    )
    assert cost({"seconds": 2.0}) == "2.0s of wall time"


@pytest.mark.parametrize("path", ["adapter.safetensors", "provenance.json", "."])
def test_file_folder_and_provenance_lead_to_the_same_job(study, path):
    assert [found.provenance for found in explain(Path(RUN, path))] == [f"{RUN}/provenance.json"]


def test_a_folder_of_many_jobs_is_counted_and_each_difference_names_its_job(study):
    found = explain("results/tiny")
    assert len(found) == 8
    Path(study["a"]).write_text("damage")
    found = explain("results/tiny")
    text = render(found, upstream=[])
    assert "8 finished jobs" in text
    assert "     6  make" in text
    assert f"damaged   {study['a']}: it has 6 bytes" in text
    assert f"input     results/tiny/b: {study['a']}: its content is another" in text
    assert "empathy-transfer verify tiny --repair" in text


def test_a_changed_and_a_missing_input_are_told_apart(study):
    write_tensors(TOKENS, {"ids": torch.arange(4)})
    ((name, difference),) = explain(RUN)[0].inputs
    assert name == TOKENS
    assert difference.startswith("its content is another (SHA-256 ")
    Path(TOKENS).unlink()
    assert explain(RUN)[0].inputs == [(TOKENS, "it is missing")]


def test_a_missing_result_is_still_explained(study):
    Path(RUN, "run.json").unlink()
    (found,) = explain(f"{RUN}/run.json")
    assert found.damage == [(f"{RUN}/run.json", "it is missing")]
    assert "device" not in found.run
    assert found.differs


def test_a_flipped_bit_of_the_same_length_is_found(study):
    path = Path(RUN, "run.json")
    path.write_text(path.read_text().replace("cpu", "gpu"))
    ((name, problem),) = explain(RUN)[0].damage
    assert name == path.as_posix()
    assert problem.startswith("its content changed")


def test_settings_code_and_inputs_are_compared_with_the_plan(study):
    (found,) = explain(RUN)
    settings = {"training": {"epochs": 3, "learning_rate": 0.002, "dropout": 0.1}, "encoder": SETTINGS["encoder"]}
    job = plan_of(found.record, input=["results/tiny/data/b/task.json"], runs=True, reasons=["changed settings"])
    add_plan(found, job | {"params": settings | {"code": "another"}})
    assert found.settings == [("training.learning_rate", 0.001, 0.002), ("training.dropout", None, 0.1)]
    assert found.code == ("fingerprint", "another")
    assert found.inputs == [
        ("results/tiny/data/b/task.json", "it would be read now, but was not then"),
        (TOKENS, "it was read then, but would not be now"),
    ]
    text = render([found], upstream=[("tokenise_task", {"task": "b"}, ["missing output"])])
    for words in [
        "setting   training.learning_rate: 0.001 then, 0.002 now",
        "setting   training.dropout: unset then, 0.1 now",
        "code      fingerprint fingerprint then, another now",
        "A run would make it anew: changed settings",
        "    tokenise_task b: missing output",
    ]:
        assert words in text


def test_a_raw_file_that_has_moved_makes_no_difference_and_another_does(study, tmp_path):
    """Raw files are known by what they hold; what jobs have made is known by its path as well."""
    (found,) = explain(RUN)
    for name, text in {"old": "one", "new": "one", "other": "two"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "raw.csv").write_text(text)
    old, new, other = (str(tmp_path / name / "raw.csv") for name in ("old", "new", "other"))
    copy = "results/tiny/copy/tokens.safetensors"
    Path(copy).parent.mkdir()
    Path(copy).write_bytes(Path(TOKENS).read_bytes())
    found.record["inputs"] |= {old: sha256_file(Path(old))}

    def differences(*inputs, before=()):
        explanation = why.Explanation(found.provenance, found.record, inputs=list(before))
        add_plan(explanation, plan_of(found.record, input=list(inputs)))
        return explanation.inputs

    gone = (old, "it is missing")
    assert differences(TOKENS, old) == []
    assert differences(TOKENS, new) == []
    assert differences(TOKENS, new, before=[gone]) == []
    assert [name for name, _ in differences(TOKENS, other, before=[gone])] == [old, other]
    assert [name for name, _ in differences(TOKENS, other)] == [other, old]
    assert [name for name, _ in differences(copy, old)] == [copy, TOKENS]


def test_a_difference_that_the_engine_does_not_know_comes_with_the_command_that_forces_it(study):
    (found,) = explain(RUN)
    add_plan(found, plan_of(found.record, params=found.record["settings"] | {"code": "another"}))
    text = render([found], upstream=[])
    assert "A run would make nothing anew." in text
    assert f"    {found.record['remake']}" in text


def test_other_versions_are_told_and_change_nothing(study, monkeypatch):
    monkeypatch.setattr(why, "package_versions", lambda: provenance.package_versions() | {"torch": "9.9"})
    (found,) = explain(RUN)
    assert found.versions == [("torch", found.record["versions"]["torch"], "9.9")]
    assert not found.differs
    assert "torch " in render([found], upstream=[])


@pytest.mark.parametrize("path", ["elsewhere.json", "results", "."])
def test_a_path_outside_of_any_study_is_refused(study, path):
    with pytest.raises(WhyError, match="lies in no study"):
        explain(path)


def test_a_path_without_provenance_is_refused(study):
    Path("results/tiny/empty").mkdir()
    with pytest.raises(WhyError, match="holds no provenance"):
        explain("results/tiny/empty")
    with pytest.raises(WhyError, match="nothing says what made it"):
        explain("results/tiny/nowhere/file.csv")
    Path("results/tiny/summary.json").touch()
    with pytest.raises(WhyError, match=r"does not list it\. `empathy-transfer verify` tells"):
        explain("results/tiny/summary.json")
    Path(RUN, "provenance.json").write_text("{}")
    with pytest.raises(ArtefactError, match="was changed after its job wrote it"):
        explain(RUN)


def test_the_study_of_a_path_is_the_innermost(tmp_path):
    inner = tmp_path / "results/old/results/tiny/tables"
    assert study_root(inner / "c.json") == (tmp_path / "results/old", "tiny")
    assert study_root(inner.parent) == (tmp_path / "results/old", "tiny")


def test_the_header_of_a_foreign_file_is_empty(tmp_path):
    (tmp_path / "file").write_bytes(b"\xff" * 30)
    assert tensor_file_metadata(tmp_path / "file") == {}
    assert tensor_file_metadata(tmp_path / "none") == {}


def test_the_command_ends_with_0_1_or_2(study, capsys):
    assert main(["why", RUN, "--no-plan"]) == 0
    assert "is not known: it was not asked for" in capsys.readouterr().out
    assert main(["why", RUN]) == 0  # no Snakefile here, so the plan is not known
    assert "there is no Snakefile" in capsys.readouterr().out
    Path(RUN, "run.json").unlink()
    assert main(["why", RUN, "--no-plan"]) == 1
    for arguments in (["results/tiny/nowhere.csv"], ["elsewhere.csv"], [RUN, "--configfile", "none.yaml"]):
        with pytest.raises(SystemExit) as stop:
            main(["why", *arguments])
        assert stop.value.code == 2


def test_the_config_of_a_study_is_the_one_that_names_it(tmp_path):
    (tmp_path / "config").mkdir()
    for name, text in {"a": "study: tiny", "b": "study: other # tiny", "c": "[", "d": "- tiny"}.items():
        (tmp_path / f"config/{name}.yaml").write_text(text)
    assert study_config(tmp_path, "tiny").name == "a.yaml"
    with pytest.raises(NoPlan, match="no file in config/ has `study: none`"):
        study_config(tmp_path, "none")
    (tmp_path / "config/e.yaml").write_text(json.dumps({"study": "tiny"}))
    with pytest.raises(NoPlan, match=r"a\.yaml, e\.yaml in config/"):
        study_config(tmp_path, "tiny")


def test_the_command_of_a_study_has_all_that_it_was_planned_with(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = {"configfiles": [], "config": [], "raw_dir": None}
    assert run_command("tiny", "--force", "a b", plan=plan) == "snakemake --cores all --force 'a b'"
    plan = {"configfiles": ["config/a.yaml", "b c.yaml"], "config": ["seeds=[1, 2]", "study=x"], "raw_dir": "/my data"}
    assert run_command("tiny", "-n", plan=plan) == (
        "EMPATHY_RAW_DIR='/my data' snakemake --cores all --configfile config/a.yaml 'b c.yaml' "
        "--config 'seeds=[1, 2]' study=x -n"
    )
    # Unknown: by the name of the study.
    (tmp_path / "config").mkdir()
    (tmp_path / "config/a.yaml").write_text("study: tiny")
    assert run_command("tiny") == "snakemake --cores all --configfile config/a.yaml"


def test_a_workflow_that_fails_is_quoted(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/a.yaml").write_text("study: tiny")
    (tmp_path / "Snakefile").write_text('raise ValueError("no such data")')
    with pytest.raises(NoPlan, match="no such data"):
        ask_workflow(tmp_path, "tiny", ["results/tiny/x"])
