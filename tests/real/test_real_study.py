"""The workflow on the real files: its plan, and the table of counts next to the published ones."""

import os
from pathlib import Path

import pandas
import pytest

from study_copy import ROOT, StudyCopy

RAW = Path(os.environ.get("EMPATHY_RAW_DIR") or ROOT.parent / "shared" / "raw").resolve()
LOCAL = ("--configfile", "config/local.yaml")
COUNTS = {"conv_emoint": 11176, "conv_emopol": 11176, "conv_empathy": 11176, "empdial_ei": 53414}
COUNTS |= {"epitome_er": 3023, "epitome_ex": 3023, "epitome_ip": 3023, "news_emotion": 1000, "news_empathy": 1000}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A copy of the repository; without the real files the tests are skipped, but they fail where CI=true."""
    if not RAW.is_dir():
        message = f"the real files are not in {RAW}: set EMPATHY_RAW_DIR to the folder that has them"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return StudyCopy.of_repository(tmp_path_factory.mktemp("real") / "study")


def test_the_local_study_plans_the_16_tasks_with_real_text(study):
    plan = study.dry_run(*LOCAL, EMPATHY_RAW_DIR=str(RAW))
    assert plan.status == 0, plan.text
    assert plan.rules["prepare_task"] == 16
    assert (plan.rules["train_baseline"], plan.rules["train_transfer"]) == (2 * 16, 2 * 16 * 15)
    assert "Left out: condolence:" in plan.text
    assert "Left out: empathy_hope:" in plan.text


def test_counts_and_label_shares_equal_the_published_ones(study):
    tasks = f"tasks=[{','.join(COUNTS)}]"
    run = study.run("data", *LOCAL, "--config", tasks, "--cores", "2", EMPATHY_RAW_DIR=str(RAW))
    assert run.status == 0, run.text
    summary = pandas.read_csv(study.folder / "results/local/data/summary.csv", keep_default_na=False, na_values=[""])
    everything = summary[summary["split"] == "all"]
    counts = everything[everything["statistic"] == "n"].set_index("task")["value"].to_dict()
    assert counts == COUNTS
    compared = everything[everything["difference"].notna() & ~everything["task"].str.startswith("news")]
    shares = compared[compared["statistic"].str.startswith("share:")]
    assert shares["task"].nunique() == 4
    assert shares["difference"].abs().max() <= 0.1
    moments = compared[compared["statistic"].isin(["min", "median", "max", "mean", "std"])]
    assert moments["task"].nunique() == 3
    assert moments["difference"].abs().max() <= 0.01
    shared = summary[summary["statistic"] == "shared_groups"]["value"]
    assert len(shared)
    assert shared.max() == 0
