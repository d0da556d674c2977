"""What is counted of prepared pairs: sums, labels, leaks, and words."""

import pandas
import pytest

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.pairs import counts, leaks, text_figure
from empathy_transfer.records.artefacts import read_csv, write_json, write_table
from empathy_transfer.records.files import sha256_file
from empathy_transfer.records.provenance import write_provenance

SETTINGS = {"jaccard": 0.8, "containment": 0.33, "chance": 1e-5, "counted": list(leaks.COUNTED)}
LEVELS = {"kind": "classification", "labels": ["none", "some", "much"], "ordered": True, "title": "Level"}


def write_task(folder, labels, description):
    """Tables of a task from the labels of each split, and their description; gives the paths."""
    paths = {split: folder / f"{split}.parquet" for split in SPLITS}
    for split, path in paths.items():
        size = len(labels[split])
        frame = {
            "id": [f"{split}{place}" for place in range(size)],
            "group": [f"g{place // 2}" for place in range(size)],
        }
        frame |= {"context": ["a post"] * size, "text": ["a b c"] * size, "label": labels[split]}
        write_table(path, pandas.DataFrame(frame))
    write_json(folder / "task.json", description)
    outputs = {
        path.name: {"sha256": sha256_file(path), "bytes": path.stat().st_size}
        for path in [*paths.values(), folder / "task.json"]
    }
    write_provenance(folder / "provenance.json", {"format": 1, "remake": "", "outputs": outputs})
    return list(paths.values())


def test_labels_and_items_are_counted_by_scheme_and_split(tmp_path):
    labels = {"train": ["none", "none", "much"], "validation": ["some"], "test": ["much", "much"]}
    folder = tmp_path / "fold2/own_level"
    tables = write_task(folder, labels, LEVELS | {"left_out": 4})
    paths = tmp_path / "splits.csv", tmp_path / "items.csv"
    counts.count_pairs(tables, [folder / "task.json"], *paths)
    found = read_csv(paths[0], verify=False)
    assert list(found.columns) == ["scheme", "split", "label", "count", "pairs"]
    assert found[["split", "label", "count"]].to_numpy().tolist() == [
        ["train", "none", 2],
        ["train", "some", 0],
        ["train", "much", 1],
        ["validation", "none", 0],
        ["validation", "some", 1],
        ["validation", "much", 0],
        ["test", "none", 0],
        ["test", "some", 0],
        ["test", "much", 2],
    ]
    assert set(found["scheme"]) == {"fold2"}
    items = read_csv(paths[1], verify=False)
    assert items["items"].tolist() == [3, 1, 2, 4]
    assert items["groups"].dropna().tolist() == [2, 1, 1]
    assert items["split"].tolist()[3] == "left_out"


def test_sums_come_back_from_shares_with_those_that_never_occur(tmp_path):
    labels = {"train": [0.0, 1 / 6, 2 / 6], "validation": [2 / 6], "test": [1.0]}
    tables = write_task(tmp_path / "grouped/epitome_share", labels, {"kind": "regression"})
    counts.count_sums(tables, 6, tmp_path / "sums.csv")
    found = read_csv(tmp_path / "sums.csv", verify=False)
    assert found.to_numpy().tolist() == [[0, 1], [1, 1], [2, 2], [3, 0], [4, 0], [5, 0], [6, 1]]


# Texts of words that no two have in common, so that each tells its own.
TEXTS = [" ".join(f"w{number}x{place}" for place in range(15)) for number in range(12)]


def pair_frame(rows):
    """A frame of (split, group, first text, second text), texts by number."""
    frame = pandas.DataFrame(rows, columns=["split", "group", "context", "text"])
    return frame.assign(
        id=[f"i{place}" for place in range(len(rows))],
        context=[TEXTS[number] for number in frame["context"]],
        text=[TEXTS[number] for number in frame["text"]],
    )


def test_leaks_of_pairs_are_counted_by_text_and_also_where_they_stand_on_the_other_side():
    frame = pair_frame(
        [
            ("train", "g0", 0, 1),
            ("train", "g1", 2, 3),
            ("validation", "g2", 4, 5),
            ("test", "g0", 0, 6),  # the same first text and group as a training pair
            ("test", "g3", 7, 2),  # its second text is the first one of a training pair
            ("test", "g4", 4, 5),  # the pair that chooses the epoch
            ("test", "g5", 8, 9),
        ]
    )
    found = leaks.leaks_of(frame, SETTINGS).set_index(["held_out", "against", "kind"])["items"].sort_index()
    train, watched = found["test", "train"], found["test", "validation"]
    assert train["exact_context"] == train["group"] == 1
    assert train["exact_text"] == train["exact_pair"] == 0
    assert train["swapped_exact_text"] == 1
    assert train["swapped_exact_context"] == 0
    assert watched["exact_context"] == watched["exact_text"] == watched["exact_pair"] == 1
    assert train["counted"] == 1
    assert found["test", "train or validation", "counted"] == 2
    assert found["validation", "train"].max() == 0


def test_words_are_counted_by_label_and_correlated_with_ordered_levels():
    frame = pandas.DataFrame(
        {
            "context": ["a", "a b", "a b c", "a b c d"],
            "text": ["a b c d", "a b c", "a b", "a"],
            "label": ["none", "some", "some", "much"],
        }
    )
    rows = pandas.DataFrame(text_figure.text_rows("own", frame, LEVELS), columns=text_figure.COLUMNS)
    first = rows[rows["text"] == "first"].set_index("label")
    assert list(first.index) == ["none", "some", "much", "all"]
    assert first["items"].tolist() == [1, 2, 1, 4]
    assert first.loc["some", ["words_median", "words_mean"]].tolist() == [2.5, 2.5]
    # Ranks of words 1, 2, 3, 4 against 1, 2.5, 2.5, 4: 4.5 / sqrt(5 * 4.5).
    assert first.loc["all", "rank_correlation"] == pytest.approx(4.5 / 22.5**0.5)
    assert rows.iloc[-1]["rank_correlation"] == pytest.approx(-(4.5 / 22.5**0.5))
    unordered = text_figure.text_rows("own", frame, LEVELS | {"ordered": False})
    assert pandas.DataFrame(unordered)[10].isna().all()


def test_many_numbers_are_shown_in_bins_that_hold_all_of_them():
    labels = pandas.Series([place / 20 for place in range(21)])
    shown = text_figure.shown_labels(labels)
    assert shown.nunique() == text_figure.BINS
    assert shown.iloc[0] == "0 to 0.167"
    assert shown.iloc[-1] == "0.833 to 1"
    assert text_figure.shown_labels(pandas.Series([1.0, 1.5])).tolist() == ["1", "1.5"]


def test_the_figure_has_a_row_of_panels_for_each_task():
    frame = pandas.DataFrame({"context": ["a", "a b"], "text": ["b", "b"], "label": ["none", "much"]})
    tasks = {"one": LEVELS, "two": LEVELS | {"title": "Other"}}
    rows = [row for task in tasks for row in text_figure.text_rows(task, frame, tasks[task])]
    figure = text_figure.draw_pair_texts(pandas.DataFrame(rows, columns=text_figure.COLUMNS), tasks)
    assert len(figure.axes) == 4
    assert [axes.get_title(loc="left") for axes in figure.axes[::2]] == ["Level", "Other"]
    # The second text has the same length everywhere: nothing can be said of it.
    assert figure.axes[1].get_title(loc="right") == "rank correlation of words and label: first +1.00"
