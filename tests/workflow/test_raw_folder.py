"""Raw files are known by what they hold, wherever they lie; and what `snakemake data` makes with other tasks."""

import json
import os
import shutil

import pytest

from empathy_transfer.records.files import sha256_file
from study_copy import StudyCopy, in_parallel

TASKS = ["essays_concern", "essays_emotion"]
RAW, OTHER = "resources/raw", "elsewhere/my data"
LONG_AGO = 1_000_000_000


def essays_study(folder, worked_example, **config):
    """A study of the manual's worked example."""
    table, description = worked_example
    settings = {"tasks": TASKS, "seeds": [1], "data": ["full"], "controls": []}
    study = StudyCopy.of_repository(folder, **settings | config)
    study.write(f"{RAW}/essays/essays.csv", table)
    study.write("config/datasets/essays.yaml", description)
    return study


@pytest.fixture(scope="module")
def finished(tmp_path_factory, worked_example):
    """A finished study of two tasks; no test may change it."""
    study = essays_study(tmp_path_factory.mktemp("raw") / "study", worked_example)
    study.finish(study.dry_run().jobs)
    return study


def copied(study):
    """As a download of the same files does it: all are new."""
    shutil.copytree(study.folder / RAW, study.folder / OTHER, copy_function=shutil.copyfile)


def linked(study):
    """As `mv` and a link to the new place do it: the times stay, and the old place is empty."""
    (study.folder / RAW).rename(study.folder / "real")
    (study.folder / OTHER).parent.mkdir()
    (study.folder / OTHER).symlink_to(study.folder / "real")


def other_content(study):
    """Another file behind an old time, which alone would not show."""
    linked(study)
    path = study.folder / OTHER / "essays/essays.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("clock", "bell"), encoding="utf-8")
    os.utime(path, (LONG_AGO, LONG_AGO))


def a_third_task(study):
    def add(content):
        content["tasks"]["essays_worry"] = content["tasks"]["essays_concern"] | {"title": "Worry"}

    study.edit_yaml("config/datasets/essays.yaml", add)
    study.configure(tasks=[*TASKS, "essays_worry"])


def another_task(study):
    """One for another, so that there are as many as before."""
    a_third_task(study)
    study.configure(tasks=[TASKS[0], "essays_worry"])


@pytest.fixture(scope="module")
def changed(finished, tmp_path_factory):
    """Dry runs after changes of the finished study, by the name of the change."""
    folder = tmp_path_factory.mktemp("changed")

    def after(change, *arguments, config=None, **environment):
        study = finished.clone(folder / change.__name__)
        change(study)
        study.configure(**config or {})
        run = study.dry_run(*arguments, **environment)
        assert run.status == 0, run.text
        return run

    return in_parallel(
        {
            "copied": lambda: after(copied, EMPATHY_RAW_DIR=str(folder / "copied" / OTHER)),
            "linked": lambda: after(linked, config={"raw_dir": OTHER}),
            "other_content": lambda: after(other_content, EMPATHY_RAW_DIR=OTHER),
            "a_third_task": lambda: after(a_third_task, "data"),
            "another_task": lambda: after(another_task, "data"),
        }
    )


@pytest.mark.parametrize("change", ["copied", "linked"])
def test_the_same_files_in_another_folder_make_nothing_run(change, changed):
    assert changed[change].jobs == ()


def test_another_content_makes_all_anew_behind_an_old_time_too(changed):
    rules = changed["other_content"].rules
    assert rules["check_raw"] == 1
    assert rules["prepare_task"] == rules["train_baseline"] == rules["train_transfer"] == 2


@pytest.mark.parametrize("change", ["a_third_task", "another_task"])
def test_the_data_of_a_task_that_is_new_are_made(change, changed):
    assert changed[change].rules == {"prepare_task": 1, "summarise_data": 1, "data": 1}
    assert [job.wildcards for job in changed[change].jobs if job.rule == "prepare_task"] == ["task=essays_worry"]


def test_digests_recorded_at_first_use_belong_to_a_study(tmp_path, worked_example):
    """Two studies of a checkout may have a dataset of one name in different folders, with different files."""
    study = essays_study(tmp_path / "study", worked_example)
    # The files of another study, and those of a version that kept one record for all studies.
    for place in ("one/essays", "essays"):
        study.write(f"resources/recorded_digests/{place}.json", json.dumps({"essays.csv": "0" * 64}))
    runs = {
        name: study.run(f"results/{name}/raw/essays.json", "--cores", "1", "--config", f"study={name}")
        for name in ("two", "one")
    }
    assert runs["two"].status == 0, runs["two"].text
    recorded = json.loads((study.folder / "resources/recorded_digests/two/essays.json").read_text(encoding="utf-8"))
    assert recorded == {"essays.csv": sha256_file(study.folder / RAW / "essays/essays.csv")}
    # Within a study, another file is still an error that names the record.
    assert runs["one"].status != 0
    assert "resources/recorded_digests/one/essays.json" in runs["one"].text
