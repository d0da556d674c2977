"""From a reader's frame to three tables and a description."""

import runpy
import sys
from hashlib import sha256
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pandas
import pyarrow.parquet
import pytest
from snakemake.iocontainers import InputFiles, Log, OutputFiles, Params, Wildcards

from empathy_transfer.data.prepare import prepare_task
from empathy_transfer.data.raw_files import files_by_name
from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import read_json, read_table

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
SPLITS = {"scheme": "grouped", "seed": 2, "shares": {"train": 0.6, "validation": 0.2, "test": 0.2}}
FORM = {"form": "own", "folder": "own", "files": {"own.csv": {}}, "reader": "made_up", "columns": {}, "context": "none"}
TASK = {
    "title": "Replies",
    "label": "level",
    "kind": "classification",
    "labels": ["0", "1"],
    "metric": "f1_macro",
    "label_source": "human",
    "theme": "direct",
}


def expected_split(group):
    """The split of a group, from the definition."""
    fraction = int(sha256(f"2:{group}".encode()).hexdigest(), 16) / 2**256
    return "train" if fraction < 0.6 else "validation" if fraction < 0.8 else "test"


@pytest.fixture
def frame(monkeypatch):
    """What the made-up reader reads: 40 rows in 20 groups, latest id first, without any context."""
    rows = range(39, -1, -1)
    frame = pandas.DataFrame(
        {
            "id": [f"r{row:02d}" for row in rows],
            "group": [f"own:{row // 2}" for row in rows],
            "context": [None] * 40,
            "text": [f"text {row}" for row in rows],
            "level": [str(row % 2) for row in rows],
            "score": [row / 10 for row in rows],
        }
    )
    reader = ModuleType("empathy_transfer.data.readers.made_up")
    reader.read = lambda files, form, task: frame
    monkeypatch.setitem(sys.modules, reader.__name__, reader)
    return frame


def input_files(named):
    """Snakemake's own container of input files, with a list under each name."""
    files = InputFiles()
    for name, paths in named.items():
        start = len(files)
        files.extend(paths)
        files._set_name(name, start, end=len(files))
    return files


def prepare(folder, task=TASK, splits=SPLITS, form=FORM, dataset="own", task_name="own_reply"):
    """Run the job into a folder, from a raw file of 41 lines beside it."""
    raw = folder.with_suffix(".csv")
    raw.write_text("a line\n" * 41)
    outputs = {split: folder / f"{split}.parquet" for split in ("train", "validation", "test")}
    prepare_task(
        files={"own.csv": raw},
        form=form,
        task_name=task_name,
        task=task,
        dataset=dataset,
        splits=splits,
        outputs=outputs,
        task_path=folder / "task.json",
    )
    return {split: read_table(path, verify=False) for split, path in outputs.items()}


def test_rows_go_to_the_split_of_their_group_in_order_of_id(tmp_path, frame):
    tables = prepare(tmp_path)
    for split, table in tables.items():
        rows = sorted(row for row in range(40) if expected_split(f"own:{row // 2}") == split)
        assert table["id"].tolist() == [f"r{row:02d}" for row in rows]
        assert table["text"].tolist() == [f"text {row}" for row in rows]
        assert table["label"].tolist() == [str(row % 2) for row in rows]
        assert table["context"].isna().all()
        assert set(table["label_source"]) == {"human"}
    assert sum(map(len, tables.values())) == 40


def test_types_on_disk_are_those_promised(tmp_path, frame):
    def types(split):
        schema = pyarrow.parquet.read_schema(tmp_path / f"{split}.parquet")
        return {name: str(schema.field(name).type) for name in schema.names}

    prepare(tmp_path)
    text = dict.fromkeys(["id", "group", "context", "text", "label", "label_source"], "string")
    assert list(types("train").items()) == list(text.items())
    assert pyarrow.parquet.ParquetFile(tmp_path / "train.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    regression = {key: value for key, value in TASK.items() if key != "labels"}
    prepare(tmp_path, regression | {"kind": "regression", "label": "score", "range": [0, 4], "metric": "pearson_r"})
    assert types("test") == text | {"label": "double"}


def test_the_description_says_what_was_made(tmp_path, frame):
    tables = prepare(tmp_path)
    made = read_json(tmp_path / "task.json", verify=False)
    assert made == {
        "task": "own_reply",
        "dataset": "own",
        "kind": "classification",
        "labels": ["0", "1"],
        "metric": "f1_macro",
        "label_source": "human",
        "form": "own",
        "n": {split: len(table) for split, table in tables.items()},
        "scheme": "grouped",
        "seed": 2,
        "shares": SPLITS["shares"],
        "overlap": False,
        "raw_rows": 40,
        "raw_lines": 41,
    }


def test_published_news_is_marked_as_overlapping(tmp_path, frame):
    tables = prepare(tmp_path, dataset="news", splits=SPLITS | {"scheme": "published"})
    assert [len(table) for table in tables.values()] == [32, 40, 36]
    assert read_json(tmp_path / "task.json", verify=False)["overlap"] is True


def test_an_empty_split_stops_before_anything_is_written(tmp_path, frame):
    with pytest.raises(DataError, match=r"no rows for validation and test out of 40 rows in 20 groups.*`splits: seed`"):
        prepare(tmp_path, splits=SPLITS | {"shares": {"train": 1.0, "validation": 0.0, "test": 0.0}})
    assert list(tmp_path.iterdir()) == []


def test_splits_that_no_test_could_use_name_the_scheme_that_could(tmp_path, frame):
    with pytest.raises(DataError, match=r"only 3 groups have test rows.*`splits: balanced`"):
        prepare(tmp_path, splits=SPLITS | {"seed": 4})
    assert list(tmp_path.iterdir()) == []
    # Four of 40 rows have the label "1"; none of them is in the six test groups: 0, 6, 8, 9, 10 and 17.
    frame["level"] = [str(int(row in (2, 15, 27, 39))) for row in range(39, -1, -1)]
    with pytest.raises(DataError, match=r"no test row has the label '1'.*`splits: balanced`"):
        prepare(tmp_path)


def test_balanced_splits_keep_the_groups_of_all_tasks_of_a_dataset_together(tmp_path, frame):
    frame["level"] = [str(int(row in (2, 15, 27, 39))) for row in range(39, -1, -1)]
    other = TASK | {"kind": "regression", "label": "score", "range": [0, 4], "metric": "pearson_r"}
    splits = SPLITS | {"scheme": "balanced", "tasks": {"own_reply": TASK, "own_score": other}}
    tables = prepare(tmp_path / "one", splits=splits)
    assert {split: table["group"].nunique() for split, table in tables.items()} == {
        "train": 11,
        "validation": 4,
        "test": 5,
    }
    assert all(sum(table["label"] == "1") >= 1 for table in (tables["train"], tables["test"]))
    again = prepare(tmp_path / "two", other, splits=splits, task_name="own_score")
    for split, table in tables.items():
        assert table["group"].tolist() == again[split]["group"].tolist()
    assert read_json(tmp_path / "one/task.json", verify=False)["scheme"] == "balanced"


def test_a_label_that_no_row_has_is_a_warning(tmp_path, frame, capsys):
    prepare(tmp_path, TASK | {"labels": ["0", "1", "2"]})
    assert "WARNING: task own_reply: no row has the label '2'" in capsys.readouterr().out


def test_the_same_rows_in_another_order_give_the_same_bytes(tmp_path, frame, monkeypatch):
    prepare(tmp_path / "one")
    shuffled = frame.sample(frac=1, random_state=1)
    monkeypatch.setattr(
        sys.modules["empathy_transfer.data.readers.made_up"], "read", lambda files, form, task: shuffled
    )
    prepare(tmp_path / "two")
    for name in ("train.parquet", "validation.parquet", "test.parquet", "task.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_files_are_matched_by_the_end_of_their_path():
    paths = [Path("raw/own/a.csv"), Path("raw/own/part/b.csv")]
    assert files_by_name(["part/b.csv", "a.csv"], paths) == {"part/b.csv": paths[1], "a.csv": paths[0]}
    assert files_by_name(["a.csv"], paths[0]) == {"a.csv": paths[0]}
    with pytest.raises(DataError, match=r"'c.csv': 0 of this job's input files"):
        files_by_name(["c.csv"], paths)


def test_the_entry_points_run_as_jobs(tmp_path, frame, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("raw/own").mkdir(parents=True)
    Path("raw/own/own.csv").write_text("not read by the made-up reader\n")
    names = {"train": "train.parquet", "validation": "validation.parquet", "test": "test.parquet"}
    outputs = {name: f"results/s/data/own_reply/{file}" for name, file in names.items()}
    outputs |= {
        "task_json": "results/s/data/own_reply/task.json",
        "provenance": "results/s/data/own_reply/provenance.json",
    }

    def run(script, rule_input, rule_output, params, wildcards):
        job = SimpleNamespace(
            rule=script,
            wildcards=Wildcards(fromdict=wildcards),
            input=input_files(rule_input),
            output=OutputFiles(fromdict=rule_output),
            params=Params(fromdict=params | {"code": "0"}),
            log=Log([f"logs/{script}.log"]),
            threads=1,
            scriptdir=str(SCRIPTS / "data"),
        )
        runpy.run_path(str(SCRIPTS / f"data/{script}.py"), init_globals={"snakemake": job}, run_name="__main__")

    run(
        "check_raw",
        {"files": ["raw/own/own.csv"]},
        {"digests": "results/s/raw/own.json", "provenance": "results/s/raw/own.provenance.json"},
        {"expected": {"own.csv": None}, "record_folder": "recorded"},
        {"dataset": "own"},
    )
    digest = sha256(Path("raw/own/own.csv").read_bytes()).hexdigest()
    assert read_json("results/s/raw/own.json")["files"]["own.csv"]["sha256"] == digest
    assert read_json("recorded/own.json", verify=False) == {"own.csv": digest}
    run(
        "prepare_task",
        {"files": ["raw/own/own.csv"]},
        outputs,
        {"dataset": "own", "form": FORM, "task": TASK, "splits": SPLITS},
        {"task": "own_reply"},
    )
    run(
        "summarise_data",
        {"tables": [outputs[name] for name in names], "task_files": [outputs["task_json"]]},
        {
            "summary": "results/s/data/summary.csv",
            "released": ["results/s/data/own_reply/released"],
            "provenance": "results/s/data/summary.provenance.json",
        },
        {
            "tasks": {"own_reply": TASK | {"dataset": "own"}},
            "published": str(SCRIPTS.parents[1] / "resources" / "published"),
        },
        {},
    )
    assert Path("results/s/data/own_reply/released").exists()
    summary = pandas.read_csv("results/s/data/summary.csv")
    total = summary.query("split == 'all' and statistic == 'n'")
    assert total["value"].tolist() == [40]
    lines = summary.query("split == 'all' and statistic in ['raw_rows', 'raw_lines']")
    assert lines["value"].tolist() == [40, 1]
