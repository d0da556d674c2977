"""The switch of the cache: `snakemake --cache` with the folder in SNAKEMAKE_OUTPUT_CACHE."""

import os
from types import SimpleNamespace

import pytest
from snakemake.exceptions import WorkflowError

from study_copy import ROOT

RULES = ROOT / "workflow/rules/plan/result_cache.smk"


def switched(cache, monkeypatch, folder="somewhere"):
    """What jobs are told where `--cache` is given these rules (None: it is not given) and the folder is this."""
    monkeypatch.setenv("EMPATHY_RESULT_CACHE", "")
    monkeypatch.delenv("SNAKEMAKE_OUTPUT_CACHE", raising=False)
    if folder is not None:
        monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", folder)
    settings = SimpleNamespace(cache=cache)
    workflow = SimpleNamespace(enable_cache=cache is not None, workflow_settings=settings)
    names = {"os": os, "workflow": workflow, "WorkflowError": WorkflowError}
    exec(compile(RULES.read_text(encoding="utf-8"), RULES.name, "exec"), names)
    return os.environ["EMPATHY_RESULT_CACHE"]


def test_jobs_are_told_the_folder_if_the_run_was_started_with_the_option(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert switched([], monkeypatch) == str(tmp_path / "somewhere")
    monkeypatch.setenv("HOME", "/here")
    assert switched([], monkeypatch, "~/shared") == "/here/shared"


def test_without_the_option_or_the_folder_nothing_is_shared(monkeypatch):
    assert switched(None, monkeypatch) == ""
    assert switched([], monkeypatch, None) == ""


def test_words_behind_the_option_are_refused_with_the_remedy(monkeypatch):
    with pytest.raises(WorkflowError, match=r"--cache took baseline, transfer for rules.*snakemake --cache --cores"):
        switched(["baseline", "transfer"], monkeypatch)


def test_object_storage_is_refused(monkeypatch):
    with pytest.raises(WorkflowError, match="must be a folder"):
        switched([], monkeypatch, "s3://bucket/shared")


def test_no_rule_uses_the_cache_of_snakemake_itself():
    assert [path.name for path in RULES.parents[1].glob("*/*.smk") if "\n    cache:" in path.read_text("utf-8")] == []


def test_the_option_changes_no_plan_also_on_a_cluster(full_study, full_plan, tmp_path):
    shared = {"SNAKEMAKE_OUTPUT_CACHE": str(tmp_path / "shared")}
    run = full_study.dry_run("baseline", "--profile", "profiles/slurm", "--cache", **shared)
    assert run.status == 0, run.text
    assert run.rules["train_baseline"] == full_plan.rules["train_baseline"]
    assert not (tmp_path / "shared").exists()
