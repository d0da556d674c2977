"""The readers on the real files, against the counts and shares that the study printed.

Looks for the files in EMPATHY_RAW_DIR, or in `shared/raw` beside the repository. Without them the tests are skipped,
but not where CI=true: there, a green run must mean that they ran. Reports no line of text.
"""

import csv
import functools
import os
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from empathy_transfer.data.raw_files import check_raw
from empathy_transfer.data.readers.common import text_key
from empathy_transfer.data.splits import assign_splits
from empathy_transfer.data.tasks import task_frame

ROOT = Path(__file__).parents[2]
RAW = Path(os.environ.get("EMPATHY_RAW_DIR") or ROOT.parent / "shared" / "raw")
DATASETS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "config/datasets").glob("*.yaml"))}
OWNERS = {task: name for name, dataset in DATASETS.items() for task in dataset["tasks"]}
WITH_REAL_TEXT = sorted(set(OWNERS) - {"condolence", "empathy_hope"})
# Tasks whose rows are exactly the study's, so that their labels must agree to the printed digit.
EXACT_CLASSES = ["empdial_ei", "epitome_er", "epitome_ex", "epitome_ip"]
EXACT_SCALES = ["conv_emoint", "conv_emopol", "conv_empathy"]


def found_form(name):
    """The first layout of a dataset whose files are there, or None."""
    dataset = DATASETS[name]
    main = {key: dataset.get(key) for key in ("folder", "files", "reader", "columns", "context")}
    for form in [{"form": "main", **main}, *({**main, **other} for other in dataset.get("alternatives", []))]:
        if all((RAW / form["folder"] / file).is_file() for file in form["files"]):
            return form
    return None


def paths_of(form):
    return {file: RAW / form["folder"] / file for file in form["files"]}


@functools.cache
def rows(task_name):
    """The rows of a task; skips, or fails where CI=true, if its files are missing."""
    name = OWNERS[task_name]
    form = found_form(name)
    if form is None:
        message = f"real files of {name} not found in {RAW}: set EMPATHY_RAW_DIR to the folder that has them"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    task = DATASETS[name]["tasks"][task_name]
    reader = import_module(f"empathy_transfer.data.readers.{form['reader']}")
    return task_frame(reader.read(paths_of(form), form, task), task_name, task)


def published(name):
    with (ROOT / "resources/published" / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def published_shares(task_name):
    return {
        row["label"]: float(row["percent"])
        for row in published("tables10_12_label_shares.csv")
        if row["task"] == task_name and row["split"] == "all" and not row["label"].startswith("(")
    }


def shares(task_name):
    return (rows(task_name)["label"].value_counts(normalize=True) * 100).to_dict()


@pytest.mark.parametrize(
    ("task_name", "count"),
    [
        ("conv_empathy", 11_176),
        ("conv_emoint", 11_176),
        ("conv_emopol", 11_176),
        ("empdial_ei", 53_414),
        ("empdial_emo", 82_391),
        ("empdial_role", 82_391),
        ("epitome_er", 3_023),
        ("epitome_ex", 3_023),
        ("epitome_ip", 3_023),
        ("news_empathy", 1_000),
        ("news_distress", 1_000),
        ("news_emotion", 1_000),
    ],
)
def test_counts(task_name, count):
    assert len(rows(task_name)) == count


@pytest.mark.parametrize(
    ("task_name", "form", "count"),
    [
        ("mi_behavior", "gold_test", 1_588),
        ("mi_adherent", "gold_test", 1_588),
        ("empdial_qact", "test_set", 1_500),
        ("empdial_qint", "test_set", 1_500),
    ],
)
def test_counts_of_partial_forms(task_name, form, count):
    frame = rows(task_name)
    if found_form(OWNERS[task_name])["form"] != form:
        pytest.skip(f"the full release is here ({len(frame)} rows)")
    assert len(frame) == count


@pytest.mark.parametrize("task_name", EXACT_CLASSES)
def test_label_shares_are_the_published_ones(task_name):
    measured = shares(task_name)
    printed = published_shares(task_name)
    assert set(measured) == set(printed)
    assert {label: measured[label] for label in printed} == pytest.approx(printed, abs=0.1)


def test_emotion_shares_are_the_published_ones():
    # The study has a part of these turns, so the agreement is not to the digit.
    measured = shares("empdial_emo")
    printed = published_shares("empdial_emo")
    assert {label: measured[label] for label in printed} == pytest.approx(printed, abs=0.15)


def test_role_shares_are_the_published_ones_with_the_names_swapped():
    printed = published_shares("empdial_role")
    swapped = {"listener": printed["speaker"], "speaker": printed["listener"]}
    assert shares("empdial_role") == pytest.approx(swapped, abs=0.1)


@pytest.mark.parametrize("task_name", EXACT_SCALES)
def test_moments_are_the_published_ones(task_name):
    labels = rows(task_name)["label"]
    measured = {
        "min": labels.min(),
        "median": labels.median(),
        "max": labels.max(),
        "mean": labels.mean(),
        "std": labels.std(),
    }
    printed = {
        row["statistic"]: float(row["value"])
        for row in published("table9_regression_splits.csv")
        if row["task"] == task_name and row["split"] == "all" and row["statistic"] in measured
    }
    assert measured == pytest.approx(printed, abs=0.0051)


def test_news_is_what_the_study_calls_validation():
    # The study counts 1,000 essays as 2,700; its validation column is all of them.
    assert rows("news_empathy")["label"].agg(["median", "mean", "std"]).tolist() == pytest.approx(
        [4.33, 4.26, 1.95], abs=0.0051
    )
    printed = {
        row["label"]: float(row["percent"])
        for row in published("tables10_12_label_shares.csv")
        if row["task"] == "news_emotion" and row["split"] == "val" and not row["label"].startswith("(")
    }
    measured = shares("news_emotion")
    assert {label: measured[label] for label in printed} == pytest.approx(printed, abs=0.1)


def test_adherent_is_a_function_of_behavior():
    behavior, adherent = rows("mi_behavior"), rows("mi_adherent")
    assert list(behavior["id"]) == list(adherent["id"])
    assert list(behavior["text"]) == list(adherent["text"])
    mapping = DATASETS["mi"]["tasks"]["mi_adherent"]["label_mapping"]
    assert list(behavior["label"].map(mapping)) == list(adherent["label"])


@pytest.mark.parametrize("task_name", WITH_REAL_TEXT)
def test_digests(task_name, tmp_path):
    rows(task_name)  # skips if the files are missing
    name = OWNERS[task_name]
    form = found_form(name)
    expected = {file: entry["sha256"] for file, entry in form["files"].items()}
    checked = check_raw(name, paths_of(form), expected, tmp_path)
    assert {file: entry["pinned"] for file, entry in checked["files"].items()} == {
        file: digest is not None for file, digest in expected.items()
    }


def test_no_essay_stands_in_two_groups_and_conv_agrees():
    essays = rows("news_empathy")
    groups = essays.groupby(essays["text"].map(text_key))["group"]
    assert groups.nunique().max() == 1
    assert groups.size().max() == 2
    joined = groups.first()[groups.size() == 2].iloc[0]
    conversations = rows("conv_empathy")
    ids = conversations.loc[conversations["group"] == joined, "id"].str.split("-").str[0]
    assert set(ids) == {"443", "449"}


def test_each_seeker_post_is_one_group():
    for task_name in ("epitome_er", "epitome_ex", "epitome_ip"):
        frame = rows(task_name)
        assert frame.groupby(frame["context"].map(text_key))["group"].nunique().max() == 1
        assert frame.groupby("group")["context"].nunique().max() == 1


def test_no_group_is_in_two_splits_over_all_tasks():
    split_of = {}
    for task_name in WITH_REAL_TEXT:
        frame = rows(task_name)
        masks = assign_splits(
            frame["id"].tolist(),
            frame["group"].tolist(),
            dataset=OWNERS[task_name],
            seed=0,
            shares={"train": 0.8, "validation": 0.1, "test": 0.1},
        )
        for split, mask in masks.items():
            for group in set(frame.loc[mask, "group"]):
                assert split_of.setdefault(group, split) == split


def test_questions_belong_to_the_dialogues_of_empdial():
    known = set(rows("empdial_emo")["group"])
    assert set(rows("empdial_qact")["group"]) <= known
    assert set(rows("empdial_qint")["group"]) <= known


def test_contexts_hold_earlier_turns_only():
    frame = rows("conv_empathy")
    turn = frame["id"].str.split("-").str[1].astype(int)
    said = frame["context"].fillna("").str.count("\n") + frame["context"].notna()
    # Each conversation's nth turn has n - 1 earlier ones.
    position = frame.assign(turn=turn).sort_values("turn").groupby(frame["id"].str.split("-").str[0]).cumcount()
    assert (said == position.reindex(frame.index)).all()


def test_source_of_labels():
    assert set(rows("empdial_ei")["label_source"]) == {"model"}
    assert set(rows("conv_empathy")["label_source"]) == {"human"}
