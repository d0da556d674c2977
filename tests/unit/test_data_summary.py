"""Summary of the data next to the printed numbers, and the check for leaks."""

from pathlib import Path

import pandas
import pytest

from empathy_transfer.data.summary import collect_tasks, leak_audit, published_numbers, summarise
from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import write_json, write_table
from empathy_transfer.records.files import sha256_file
from empathy_transfer.records.provenance import write_provenance

PUBLISHED = Path(__file__).parents[2] / "resources" / "published"
LONG = "This sentence has more than forty characters in it."


def make_task(folder, rows, **description):
    """Write the splits of a task from rows (split, id, group, context, text, label); gives its description."""
    frame = pandas.DataFrame(rows, columns=["split", "id", "group", "context", "text", "label"])
    paths = {}
    for split in ("train", "validation", "test"):
        paths[split] = folder / f"{split}.parquet"
        table = frame[frame["split"] == split].drop(columns="split")
        write_table(paths[split], table.astype({"context": "str"}).assign(label_source="human"))
    outputs = {path.name: {"sha256": sha256_file(path), "bytes": path.stat().st_size} for path in paths.values()}
    write_provenance(folder / "provenance.json", {"format": 1, "remake": "", "outputs": outputs})
    return {"title": "A task", "splits": paths, **description}


@pytest.fixture
def published(tmp_path):
    """A folder with three small tables like those of the paper."""
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "table1_datasets.csv").write_text("dataset,samples,vocabulary,tokens\nposts,6,5,12\n")
    (folder / "table9_regression_splits.csv").write_text(
        "task,statistic,split,value\nworry,mean,all,2.5\nworry,mean,val,4.0\nworry,share_percent,train,70.0\n"
    )
    (folder / "tables10_12_label_shares.csv").write_text(
        "task,label,split,percent\nreply,0,all,40.0\nreply,(split share),val,20.0\n"
    )
    return folder


@pytest.fixture
def worry(tmp_path):
    """A regression task of five rows: labels 1, 2, 3 / 4 / 5."""
    rows = [
        ("train", "1", "p:1", "A b", "c!", 1.0),
        ("train", "2", "p:1", None, "it's C", 2.0),
        ("train", "3", "p:2", None, LONG, 3.0),
        ("validation", "4", "p:3", None, "d", 4.0),
        ("test", "5", "p:4", None, LONG, 5.0),
    ]
    return make_task(tmp_path / "worry", rows, dataset="posts", kind="regression", range=[1, 5])


@pytest.fixture
def reply(tmp_path):
    """A classification task of four rows, of which two are "0", one "1" and none "2"."""
    rows = [
        ("train", "1", "p:1", None, "yes", "0"),
        ("train", "2", "p:2", None, "yes", "1"),
        ("validation", "3", "p:3", None, "no", "0"),
        ("test", "4", "p:4", None, "no", "1"),
    ]
    return make_task(tmp_path / "reply", rows, dataset="posts", kind="classification", labels=["0", "1", "2"])


def value(summary, task, split, statistic, column="value"):
    """One number of a summary."""
    rows = summary[(summary["task"] == task) & (summary["split"] == split) & (summary["statistic"] == statistic)]
    assert len(rows) == 1
    return rows[column].item()


def test_numbers_of_a_regression_task(worry, published):
    summary = summarise({"worry": worry}, published)
    columns = ["task", "dataset", "split", "statistic", "value", "published", "difference", "note"]
    assert summary.columns.tolist() == columns
    found = {
        statistic: value(summary, "worry", "all", statistic)
        for statistic in ("n", "share_percent", "min", "median", "max", "mean", "std")
    }
    # variance of 1..5 with n - 1: 10 / 4
    assert found.pop("std") == pytest.approx(2.5**0.5)
    assert found == {"n": 5, "share_percent": 100, "min": 1, "median": 3, "max": 5, "mean": 3}
    assert value(summary, "worry", "train", "share_percent") == 60
    assert value(summary, "worry", "train", "mean") == 2
    # words: a b c it s c = 6, and twice the nine of the long sentence, and d
    assert value(summary, "worry", "all", "tokens") == 6 + 18 + 1
    # a b c it s d + this sentence has more than forty characters in (it is there already)
    assert value(summary, "worry", "all", "vocabulary") == 6 + 8
    assert value(summary, "worry", "validation", "tokens") == 1
    assert value(summary, "worry", "test", "repeated_texts") == 1
    assert value(summary, "worry", "all", "shared_groups") == 0


def test_printed_numbers_stand_beside_ours(worry, reply, published):
    summary = summarise({"worry": worry, "reply": reply}, published)
    assert value(summary, "worry", "all", "mean", "difference") == pytest.approx(0.5)
    assert value(summary, "worry", "validation", "mean", "published") == 4
    assert value(summary, "worry", "train", "share_percent", "difference") == pytest.approx(-10)
    assert value(summary, "worry", "all", "n", "published") == 6
    assert value(summary, "worry", "all", "tokens", "difference") == 25 - 12
    assert pandas.isna(value(summary, "worry", "train", "tokens", "published"))
    assert value(summary, "reply", "validation", "share_percent", "difference") == pytest.approx(5)


def test_label_shares_list_every_declared_label(reply, published):
    summary = summarise({"reply": reply}, published)
    assert value(summary, "reply", "all", "share:0") == 50
    assert value(summary, "reply", "all", "share:0", "difference") == pytest.approx(10)
    assert value(summary, "reply", "train", "share:1") == 50
    assert value(summary, "reply", "all", "share:2") == 0


def test_multilabel_shares_count_rows_with_the_label(tmp_path, published):
    rows = [
        ("train", "1", "p:1", None, "a", ["x", "y"]),
        ("train", "2", "p:2", None, "b", ["y"]),
        ("validation", "3", "p:3", None, "c", []),
        ("test", "4", "p:4", None, "d", ["x"]),
    ]
    task = make_task(tmp_path / "many", rows, dataset="own", kind="multilabel", labels=["x", "y"])
    summary = summarise({"many": task}, published)
    assert value(summary, "many", "all", "share:x") == 50
    assert value(summary, "many", "train", "share:y") == 100
    assert value(summary, "many", "validation", "share:x") == 0


def test_groups_of_two_tasks_that_look_alike_stop_the_run(tmp_path, worry):
    rows = [("train", "1", "p:1 ", None, "a", "0"), ("validation", "2", "p:8", None, "b", "0")]
    rows.append(("test", "3", "p:9", None, "c", "0"))
    other = make_task(tmp_path / "other", rows, dataset="posts", kind="classification", labels=["0"])
    with pytest.raises(DataError, match="tasks worry and other: two of their groups differ only in white space"):
        leak_audit({"worry": worry, "other": other})
    rows[0] = ("train", "1", "q:1 ", None, "a", "0")  # another pool
    other = make_task(tmp_path / "third", rows, dataset="posts", kind="classification", labels=["0"])
    assert leak_audit({"worry": worry, "other": other})["other"]["shared_groups"] == 0


def test_a_group_in_two_splits_stops_the_run(tmp_path, worry):
    rows = [
        ("train", "1", "p:9", None, "a", "0"),
        ("validation", "2", "p:4", None, "b", "0"),
        ("test", "3", "p:8", None, "c", "0"),
    ]
    other = make_task(tmp_path / "other", rows, dataset="posts", kind="classification", labels=["0"])
    balanced = worry | {"scheme": "balanced"}
    with pytest.raises(DataError, match=r"task worry: a group stands .*take `splits: balanced` out"):
        leak_audit({"worry": balanced, "other": other | {"scheme": "balanced"}})
    with pytest.raises(DataError, match=r"task worry: a group stands .*test of worry, validation of other"):
        leak_audit({"worry": worry, "other": other})


def test_overlapping_published_splits_are_recorded(tmp_path, published):
    rows = [
        (split, row, f"w:{row}", None, LONG + row, 1.0) for split in ("train", "validation", "test") for row in "12"
    ]
    task = make_task(tmp_path / "news", rows, dataset="news", kind="regression", range=[1, 7])
    summary = summarise({"news_empathy": task | {"scheme": "published", "overlap": True}}, published)
    assert value(summary, "news_empathy", "all", "n") == 2
    assert value(summary, "news_empathy", "train", "n") == 2
    assert value(summary, "news_empathy", "train", "share_percent") == pytest.approx(100 / 3)
    assert value(summary, "news_empathy", "all", "shared_groups") == 2
    assert value(summary, "news_empathy", "test", "repeated_texts") == 2


def test_printed_faults_are_put_right_and_noted(tmp_path):
    numbers = published_numbers(PUBLISHED)
    assert numbers["empdial_role", "all", "share:listener"] == 62.2
    assert numbers["empdial_role", "validation", "share:speaker"] == 37.5
    assert numbers["conv_empathy", "validation", "max"] == 4.67
    assert numbers["epitome", "all", "n"] == 3023
    rows = [(split, split, split, None, "a", "listener") for split in ("train", "validation", "test")]
    role = make_task(tmp_path / "role", rows, dataset="empdial", kind="classification", labels=["speaker", "listener"])
    summary = summarise({"empdial_role": role}, PUBLISHED)
    assert value(summary, "empdial_role", "all", "share:listener", "difference") == pytest.approx(37.8)
    assert "swapped" in value(summary, "empdial_role", "all", "share:listener", "note")
    assert value(summary, "empdial_role", "all", "n", "note") == ""


def test_tasks_find_their_files_by_folder(tmp_path, worry):
    write_json(tmp_path / "worry" / "task.json", {"scheme": "published", "overlap": False, "n": {}})
    outputs = {
        path.name: {"sha256": sha256_file(path), "bytes": path.stat().st_size}
        for path in (tmp_path / "worry").iterdir()
        if path.name != "provenance.json"
    }
    write_provenance(tmp_path / "worry" / "provenance.json", {"format": 1, "remake": "", "outputs": outputs})
    plain = {"worry": {"dataset": "posts", "kind": "regression"}}
    found = collect_tasks(plain, reversed(worry["splits"].values()), [tmp_path / "worry" / "task.json"])
    assert found["worry"]["splits"] == worry["splits"]
    assert found["worry"]["scheme"] == "published"
    assert plain == {"worry": {"dataset": "posts", "kind": "regression"}}
