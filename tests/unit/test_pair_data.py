"""Pairs of texts: their readers, splits and tables, on generated files."""

import csv
import functools
from pathlib import Path

import numpy as np
import pandas
import pytest
import yaml
from test_dataset_schema import errors, load

from empathy_transfer.data.neighbourhoods import neighbourhoods
from empathy_transfer.data.readers import empathic_stories, empathic_stories_plus, epitome_pairs
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.errors import DataError
from empathy_transfer.pairs.folds import deal_folds, texts_of_items
from empathy_transfer.pairs.prepare import prepare_pairs
from empathy_transfer.pairs.splits import drawn_masks, fold_masks, published_masks
from empathy_transfer.records.artefacts import read_json, read_table

ROOT = Path(__file__).parents[2]
PATHS = sorted((ROOT / "config/pairs").glob("*.yaml"))
FORM = {"form": "main", "context": "paired", "columns": None}
SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}


def write_csv(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def epitome_files(folder, levels, pairs=None):
    """The three files, from three levels per row; a pair of post and reply for each, if none are given."""
    pairs = pairs or [(f"p{row}", f"r{row}") for row in range(len(levels))]
    header = ["sp_id", "rp_id", "seeker_post", "response_post", "level", "rationales"]
    return {
        name: write_csv(
            folder / name,
            header,
            [
                (post, reply, f"post of\n{post}", f"reply {reply}", level[place], "")
                for (post, reply), level in zip(pairs, levels, strict=True)
            ],
        )
        for place, name in enumerate(epitome_pairs.FILES.values())
    }


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_files_of_pair_datasets_obey_the_schema(path):
    assert errors(load(path)) == []


def test_the_schema_tells_levels_and_pairs_from_other_tasks():
    pairs = load(ROOT / "config/pairs/epitome_pairs.yaml")
    share = pairs["tasks"]["epitome_share"]
    assert any(
        "ordered" in line or "kind" in line for line in errors(pairs | {"tasks": {"a": share | {"ordered": True}}})
    )
    assert any("theme" in line for line in errors({key: pairs[key] for key in pairs if key != "pairs"}))
    assert any("paired" in line for line in errors(pairs | {"context": "none"}))
    assert any("halves" in line for line in errors(pairs | {"pairs": {"schemes": ["halves"]}}))


def test_epitome_adds_the_three_levels_up_and_keeps_every_rating(tmp_path):
    # The second pair is rated twice.
    pairs = [("p0", "r0"), ("p1", "r1"), ("p1", "r1"), ("p1", "r2")]
    files = epitome_files(tmp_path, ["000", "102", "111", "222"], pairs)
    frame = epitome_pairs.read(files, FORM, {})
    assert frame["sum"].tolist() == [0, 3, 3, 6]
    assert frame["level"].tolist() == ["0", "3", "3", "3"]
    assert frame["share"].tolist() == [0, 0.5, 0.5, 1]
    assert frame["id"].tolist() == ["p0-r0", "p1-r1", "p1-r1-2", "p1-r2"]
    assert frame["group"].tolist() == ["epitome:p0", "epitome:p1", "epitome:p1", "epitome:p1"]
    assert frame.loc[0, ["context", "text"]].tolist() == ["post of p0", "reply r0"]


def test_epitome_refuses_files_whose_rows_are_not_about_the_same_pairs(tmp_path):
    files = epitome_files(tmp_path / "one", ["000", "111"])
    other = epitome_files(tmp_path / "two", ["000", "111"], [("p1", "r1"), ("p0", "r0")])
    longer = epitome_files(tmp_path / "three", ["000", "111", "222"])
    name = epitome_pairs.FILES["ip"]
    with pytest.raises(DataError, match=r"interpretations.*: their rows 1 are about different pairs"):
        epitome_pairs.read(files | {name: other[name]}, FORM, {})
    with pytest.raises(DataError, match=r"interpretations-reddit.csv has 3 rows, but emotional.* has 2"):
        epitome_pairs.read(files | {name: longer[name]}, FORM, {})
    wrong = epitome_files(tmp_path / "four", ["003"])
    with pytest.raises(DataError, match=r"interpretations-reddit.csv, row 1, column 'level': '3' is none of 0, 1, 2"):
        epitome_pairs.read(wrong, FORM, {})


def story_files(folder, pairs, rating="2.5", parts=("dev", "test")):
    """Files of pairs of stories by name; of each pair the two numbers of its stories."""
    header = [
        *(f"story_{side}{form}" for form in ("", "_summary") for side in "AB"),
        *(f"similarity_{label}_human_AGG" for label in empathic_stories.LABELS),
    ]
    files = {}
    for part in parts:
        rows = [
            [
                f"{part}\nstory {a}",
                f"{part} story {b}",
                *(f"{part} in short {one}" for one in (a, b)),
                "1",
                "1.5",
                rating,
                "4.0",
            ]
            for a, b in pairs
        ]
        files[f"PAIRS ({part}).txt"] = write_csv(folder / f"PAIRS ({part}).txt", header, rows)
    return files


def test_stories_have_four_labels_their_part_and_full_texts_or_summaries(tmp_path):
    files = story_files(tmp_path, [(0, 1), (2, 3)])
    frame = empathic_stories.read(files, FORM, {"texts": "full"})
    assert frame["id"].tolist() == ["validation-0001", "validation-0002", "test-0001", "test-0002"]
    assert frame["part"].tolist() == ["validation", "validation", "test", "test"]
    assert frame.loc[0, list(empathic_stories.LABELS)].tolist() == [1, 1.5, 2.5, 4]
    assert frame.loc[3, ["context", "text"]].tolist() == ["test story 2", "test story 3"]
    summaries = empathic_stories.read(files, FORM, {"texts": "summary"})
    assert summaries.loc[3, ["context", "text"]].tolist() == ["test in short 2", "test in short 3"]
    assert summaries["group"].tolist() == frame["group"].tolist()


@pytest.mark.parametrize("rating", ["2.25", "0.5", "4.5", "", "high"])
def test_stories_refuse_ratings_that_are_no_halves_from_1_to_4(tmp_path, rating):
    with pytest.raises(DataError, match=r"PAIRS \(dev\).txt, row 1, column 'similarity_emotion_human_AGG'"):
        empathic_stories.read(story_files(tmp_path, [(0, 1)], rating), FORM, {})


def test_stories_refuse_a_file_whose_name_tells_no_part(tmp_path):
    path = story_files(tmp_path, [(0, 1)])["PAIRS (dev).txt"].rename(tmp_path / "pairs.txt")
    with pytest.raises(DataError, match=r"pairs.txt: its name has none of"):
        empathic_stories.read({"pairs.txt": path}, FORM, {})


def shared_stories(folder, rates):
    rows = [[f"Shared  {place // 3}", f"response {place}", rate] for place, rate in enumerate(rates)]
    return {"pairs.csv": write_csv(folder / "pairs.csv", ["Shared_stories", "Response_stories", "Rate"], rows)}


def test_shared_stories_are_scaled_by_the_ends_of_their_scale_and_grouped(tmp_path):
    frame = empathic_stories_plus.read(shared_stories(tmp_path, "123455"), FORM, {})
    assert frame["share"].tolist() == [0, 0.25, 0.5, 0.75, 1, 1]
    assert frame["rate"].tolist() == [1, 2, 3, 4, 5, 5]
    assert frame["group"].nunique() == 2
    assert frame["context"].tolist()[2:4] == ["Shared 0", "Shared 1"]
    frame = empathic_stories_plus.read(shared_stories(tmp_path, "123"), FORM, {})
    assert frame["share"].tolist() == [0, 0.5, 1]


@pytest.mark.parametrize(("rates", "said"), [("2345", "from 2 to 5"), ("14", "from 1 to 4"), ("16", "row 2.*'6'")])
def test_shared_stories_refuse_rates_of_another_scale(tmp_path, rates, said):
    with pytest.raises(DataError, match=said):
        empathic_stories_plus.read(shared_stories(tmp_path, rates), FORM, {})


def test_neighbourhoods_grow_from_the_rim_until_they_are_full():
    # A star around h, a bridge h-k, and a star around k.
    links = [("h", "a"), ("h", "b"), ("h", "k"), ("k", "c"), ("k", "d"), ("x", "y")]
    # With three links a group, both stars are whole, and the bridge goes to one of them: h and k have three links each.
    assert neighbourhoods(links, 3) == ["0000", "0000", "0000", "0003", "0003", "0005"]
    assert neighbourhoods(links, 5) == ["0000"] * 5 + ["0005"]
    # A further link of k pulls the bridge over.
    assert neighbourhoods([*links, ("k", "e")], 3)[2] == neighbourhoods([*links, ("k", "e")], 3)[3]


@functools.cache
def chain():
    """Pairs of 60 stories in a ring, each with the next one and every third with one further on; groups of five."""
    links = [(story, (story + 1) % 60) for story in range(60)] + [
        (story, (story + 2) % 60) for story in range(0, 60, 3)
    ]
    frame = pandas.DataFrame({"id": [f"i{place:02d}" for place in range(80)]})
    frame["group"] = neighbourhoods(links, 5)
    frame["context"] = [f"Story {first}" for first, _ in links]
    frame["text"] = [f"story  {second}" for _, second in links]
    frame["label"] = [float(place % 4) for place in range(80)]
    return frame.assign(part=None)


def test_folds_test_each_pair_once_and_train_on_no_text_of_a_held_out_pair():
    frame = chain()
    tested = np.zeros(80, dtype=int)
    for number in range(1, 6):
        masks = fold_masks(frame, {"a": frame, "b": frame}, number, 5, seed=0)
        tested += masks["test"]
        stories = {
            split: {
                text.casefold().replace("  ", " ") for column in ("context", "text") for text in frame.loc[mask, column]
            }
            for split, mask in masks.items()
        }
        assert not stories["test"] & (stories["train"] | stories["validation"])
        assert not stories["validation"] & stories["train"]
        assert 12 <= masks["test"].sum() <= 20
        assert masks["train"].sum() >= 25
        assert not (masks["train"] & masks["test"]).any()
        # Groups are never divided.
        assert frame[masks["test"]]["group"].isin(frame[~masks["test"]]["group"]).sum() == 0
    assert (tested == 1).all()


def test_folds_are_alike_in_labels_and_do_not_depend_on_the_order_of_rows():
    frame = chain()
    folds = deal_folds({"a": frame}, texts_of_items({"a": frame}), 5, seed=0)
    means = frame.groupby(frame["group"].map(folds))["label"].mean()
    assert means.between(1.2, 1.8).all()
    mixed = frame.sample(frac=1, random_state=1)
    assert deal_folds({"a": mixed}, texts_of_items({"a": mixed}), 5, seed=0) == folds


def test_pairs_released_for_training_are_never_held_out():
    frame = chain().assign(part=["train"] * 20 + ["validation"] * 30 + ["test"] * 30)
    held_out = np.zeros(80, dtype=bool)
    for number in range(1, 6):
        masks = fold_masks(frame, {"a": frame}, number, 5, seed=0)
        held_out |= masks["validation"] | masks["test"]
    assert not held_out[:20].any()
    assert held_out[20:].all()


def test_too_few_groups_for_folds_are_told():
    frame = chain().head(10)
    with pytest.raises(DataError, match=r"groups are too few for 5 folds"):
        fold_masks(frame.assign(group="one"), {"a": frame.assign(group="one")}, 1, 5, seed=0)


@pytest.mark.parametrize("count", [11, 3084])
def test_the_published_draw_is_that_of_the_package_datasets(count):
    import datasets

    first = datasets.Dataset.from_dict({"place": range(count)}).train_test_split(test_size=0.2, seed=42)
    second = first["test"].train_test_split(test_size=0.5, seed=42)
    expected = {"train": first["train"], "test": second["train"], "validation": second["test"]}
    masks = drawn_masks(count)
    assert {split: np.flatnonzero(masks[split]).tolist() for split in SPLITS} == {
        split: sorted(expected[split]["place"]) for split in SPLITS
    }


def test_a_column_names_the_published_split():
    masks = published_masks(pandas.Series(["test", "train", "test"]))
    assert masks["test"].tolist() == [True, False, True]
    with pytest.raises(
        DataError, match=r"`split_column`: a row has a value of 3 characters. Each must be one of train"
    ):
        published_masks(pandas.Series(["test", "dev"]))


def prepared(folder, files, dataset, task, **splits):
    """Prepare a task of config/pairs; gives its tables and its description."""
    about = yaml.safe_load((ROOT / f"config/pairs/{dataset}.yaml").read_text(encoding="utf-8"))
    form = FORM | {"reader": about["reader"], "files": files}
    outputs = {split: folder / f"{split}.parquet" for split in SPLITS}
    splits = {"seed": 0, "split_column": about["pairs"].get("split_column"), "tasks": about["tasks"]} | splits
    prepare_pairs(files, form, task, about["tasks"][task], dataset, splits, outputs, folder / "task.json")
    return {split: read_table(path, verify=False) for split, path in outputs.items()}, read_json(
        folder / "task.json", verify=False
    )


def test_prepared_levels_have_both_texts_and_say_that_they_are_ordered(tmp_path):
    levels = ["".join(map(str, row)) for row in np.random.default_rng(0).integers(0, 2, (120, 3))]
    tables, about = prepared(
        tmp_path, epitome_files(tmp_path, levels), "epitome_pairs", "epitome_level", scheme="grouped", shares=SHARES
    )
    assert {split: len(table) for split, table in tables.items()} == about["n"]
    assert sum(about["n"].values()) == 120
    assert about["ordered"] is True
    assert about["left_out"] == 0
    assert list(tables["test"].columns) == ["id", "group", "context", "text", "label", "label_source"]
    assert set(tables["train"]["label"]) == {"0", "1", "2", "3"}
    assert not set(tables["test"]["group"]) & {*tables["train"]["group"], *tables["validation"]["group"]}


def test_a_release_without_training_pairs_can_be_tested_on(tmp_path, capsys):
    files = story_files(tmp_path, [(story, story + 1) for story in range(8)])
    tables, about = prepared(tmp_path, files, "empathic_stories", "stories_moral", scheme="published")
    assert about["n"] == {"train": 0, "validation": 8, "test": 8}
    assert list(tables["train"].columns) == list(tables["test"].columns)
    assert tables["test"]["label"].dtype == tables["train"]["label"].dtype == "float64"
    assert "no training pairs under the scheme published" in capsys.readouterr().out


def test_a_pair_without_its_first_text_is_refused(tmp_path):
    files = story_files(tmp_path, [(0, 1)], parts=("dev",))
    path = files["PAIRS (dev).txt"]
    path.write_text(path.read_text().replace('"dev\nstory 0"', '" "'))
    with pytest.raises(DataError, match=r"PAIRS \(dev\).txt, row 1: task stories_moral: a pair without its first text"):
        prepared(tmp_path, files, "empathic_stories", "stories_moral", scheme="published")


def test_shared_stories_are_split_whole_or_by_rows(tmp_path):
    rates = "".join(str(1 + place % 5) for place in range(270))
    files = shared_stories(tmp_path, rates)
    shares = {"train": 0.8, "validation": 0.1, "test": 0.1}
    tables, _ = prepared(
        tmp_path / "a", files, "empathic_stories_plus", "stories_plus", scheme="grouped", shares=shares
    )
    groups = {split: set(table["group"]) for split, table in tables.items()}
    assert not groups["train"] & (groups["validation"] | groups["test"])
    assert all(len(table) == 3 * len(groups[split]) for split, table in tables.items())
    tables, about = prepared(tmp_path / "b", files, "empathic_stories_plus", "stories_plus", scheme="published")
    assert about["n"] == {"train": 216, "validation": 27, "test": 27}
    assert set(tables["test"]["group"]) & set(tables["train"]["group"])
    assert tables["test"]["label"].between(0, 1).all()
