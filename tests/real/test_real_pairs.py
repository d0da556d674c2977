"""Pairs of texts from the real files: numbers only, no line of text. Without the files the tests are skipped."""

import functools
import os
from importlib import import_module

import pandas
import pytest
import yaml
from test_real_data import RAW, ROOT

from empathy_transfer.data.raw_files import check_raw
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.tasks import task_frame
from empathy_transfer.pairs.leaks import COUNTED, leaks_of
from empathy_transfer.pairs.splits import pair_masks

SETTINGS = {"jaccard": 0.8, "containment": 0.33, "chance": 1e-5, "counted": list(COUNTED)}
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def form_of(dataset):
    """A pair dataset and the layout of which all files are here; skips, or fails where CI=true, if there is none."""
    about = yaml.safe_load((ROOT / f"config/pairs/{dataset}.yaml").read_text(encoding="utf-8"))
    main = {key: about.get(key) for key in ("folder", "files", "reader", "columns", "context")}
    for form in [main, *({**main, **other} for other in about.get("alternatives", []))]:
        if all((RAW / form["folder"] / name).is_file() for name in form["files"]):
            return about, form
    message = f"real files of {dataset} not found in {RAW}: set EMPATHY_RAW_DIR to the folder that has them"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
    return None


@functools.cache
def frames(dataset):
    """{pair task: its pairs} of a dataset, with the part of the release."""
    about, form = form_of(dataset)
    reader = import_module(f"empathy_transfer.data.readers.{form['reader']}")
    files = {name: RAW / form["folder"] / name for name in form["files"]}
    found = {}
    for task, entry in about["tasks"].items():
        raw = reader.read(files, form, entry)
        found[task] = task_frame(raw, task, entry).assign(part=raw.get("part"))
    return found


@functools.cache
def masks(dataset, task, scheme):
    """The splits of a pair task under a scheme."""
    splits = {"scheme": scheme, "seed": 0, "shares": SHARES, "folds": 5}
    return pair_masks(frames(dataset)[task], frames(dataset), dataset, splits)


def counts(scheme, split):
    """How many pairs of Epitome have each level."""
    frame = frames("epitome_pairs")["epitome_level"]
    return frame[masks("epitome_pairs", "epitome_level", scheme)[split]]["label"].value_counts().sort_index().tolist()


def leaks(dataset, task, scheme):
    """The audit of a pair task under a scheme: items by (held out, against, kind)."""
    frame, chosen = frames(dataset)[task], masks(dataset, task, scheme)
    rows = pandas.concat([frame[chosen[split]].assign(split=split) for split in SPLITS])
    return leaks_of(rows, SETTINGS).set_index(["held_out", "against", "kind"])["items"].sort_index()


@pytest.mark.parametrize("dataset", ["epitome_pairs", "empathic_stories"])
def test_digests_are_those_of_the_description(dataset, tmp_path):
    _, form = form_of(dataset)
    files = {name: RAW / form["folder"] / name for name in form["files"]}
    check_raw(dataset, files, {name: file["sha256"] for name, file in form["files"].items()}, tmp_path)


def test_sums_and_levels_of_epitome():
    shares = frames("epitome_pairs")["epitome_share"]["label"]
    assert (shares * 6).round().astype(int).value_counts().sort_index().tolist() == [703, 586, 1287, 359, 127, 20, 2]
    assert frames("epitome_pairs")["epitome_level"]["label"].value_counts().sort_index().tolist() == [
        703,
        586,
        1287,
        508,
    ]


def test_the_published_split_of_epitome_has_its_308_test_labels():
    assert counts("published", "test") == [72, 58, 128, 50]
    assert counts("published", "validation") == [69, 56, 130, 54]
    assert counts("published", "train") == [562, 472, 1029, 404]


def test_the_grouped_split_of_epitome():
    assert [sum(counts("grouped", split)) for split in SPLITS] == [2502, 298, 284]
    assert counts("grouped", "test") == [56, 40, 144, 44]


def test_the_published_split_shares_posts_and_pairs_with_its_training_pairs():
    found = leaks("epitome_pairs", "epitome_level", "published")
    trained = found["test", "train"]
    assert trained["group"] == trained["exact_context"] == 13
    assert trained["exact_pair"] == 7
    assert found["test", "validation", "group"] == found["test", "validation", "exact_pair"] == 2


def test_the_grouped_split_shares_no_post():
    found = leaks("epitome_pairs", "epitome_level", "grouped")
    for held_out, against in (("test", "train"), ("test", "validation"), ("validation", "train")):
        assert found[held_out, against, "group"] == 0
        assert found[held_out, against, "exact_context"] == found[held_out, against, "exact_pair"] == 0


def test_stories_in_folds_have_no_text_in_common_on_either_side():
    frame = frames("empathic_stories")["stories_empathy"]
    tested = sum(
        masks("empathic_stories", "stories_empathy", f"fold{number}")["test"].astype(int) for number in range(1, 6)
    )
    assert (tested[(frame["part"] != "train").to_numpy()] == 1).all()
    for number in range(1, 6):
        sizes = {
            split: mask.sum() for split, mask in masks("empathic_stories", "stories_empathy", f"fold{number}").items()
        }
        assert 95 <= sizes["test"] <= 105
        assert sizes["validation"] >= 75
        assert sizes["train"] >= 215
    assert leaks("empathic_stories", "stories_empathy", "fold1").max() == 0


def test_published_stories_are_100_for_development_and_400_for_tests():
    chosen = masks("empathic_stories", "stories_moral", "published")
    assert (chosen["validation"].sum(), chosen["test"].sum()) == (100, 400)
    labels = frames("empathic_stories")["stories_empathy"]["label"]
    assert labels[chosen["validation"]].mean() == pytest.approx(2.48, abs=0.01)
    assert labels[chosen["test"]].mean() == pytest.approx(2.68, abs=0.01)
