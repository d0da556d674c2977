"""The nine dataset files: against their schema, and against what the study printed."""

import copy
import csv
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
PATHS = sorted((ROOT / "config/datasets").glob("*.yaml"))
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/dataset.schema.yaml").read_text())


class LoaderWithoutRepeats(yaml.SafeLoader):
    """Refuses a repeated key, which YAML would let win over the first."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = [key for key in keys if keys.count(key) > 1]
        assert not repeated, f"repeated keys {set(repeated)}"
        return super().construct_mapping(node, deep)


def load(path):
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LoaderWithoutRepeats)


def errors(dataset):
    found = jsonschema.Draft202012Validator(SCHEMA).iter_errors(dataset)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def published(name):
    with (ROOT / "resources/published" / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


TASKS = {task: entry for path in PATHS for task, entry in load(path)["tasks"].items()}


def test_the_nine_datasets_are_there():
    assert [path.stem for path in PATHS] == sorted(row["dataset"] for row in published("table1_datasets.csv"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_file_obeys_the_schema_and_repeats_no_key(path):
    assert errors(load(path)) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_reader_exists_and_digests_are_pinned_or_explained(path):
    dataset = load(path)
    for form in [dataset, *dataset.get("alternatives", [])]:
        reader = form.get("reader", dataset["reader"])
        assert (ROOT / f"workflow/scripts/empathy_transfer/data/readers/{reader}.py").is_file()
    # Known digests are pinned; the rest must be asked for or was never seen.
    unpinned = [name for name, file in dataset["files"].items() if file["sha256"] is None]
    assert unpinned == {
        "condolence": ["output.csv"],
        "empathy_hope": ["tweets.csv"],
        "empdial_eqt": ["ed_annotated.csv"],
        "mi": ["MI Dataset.csv"],
    }.get(path.stem, [])


def test_schema_describes_every_key():
    def walk(node, trail):
        for name, child in node.get("properties", {}).items():
            if child is not False:
                yield from walk(child, [*trail, name])
                if "$ref" not in child and "description" not in child:
                    yield ".".join([*trail, name])
        for key in ("items", "additionalProperties"):
            if isinstance(node.get(key), dict):
                yield from walk(node[key], [*trail, key])
        for name, child in node.get("$defs", {}).items():
            yield from walk(child, [name])

    assert list(walk(SCHEMA, [])) == []


def test_tasks_are_those_of_the_study_with_its_settings():
    rows = {row["task"]: row for row in published("tables4_5_tasks.csv")}
    assert set(TASKS) == set(rows)
    for task, row in rows.items():
        entry = TASKS[task]
        assert entry["title"] == row["name"]
        assert entry["theme"] == row["theme"]
        assert entry.get("theme_deviates", False) == (row["theme_deviates"] == "1")
        assert entry["training"] == {
            "epochs": int(row["epochs"]),
            "batch_size": int(row["batch_size"]),
            "learning_rate": float(row["learning_rate"]),
        }


def test_labels_are_those_of_the_study():
    printed = {}
    for row in published("tables10_12_label_shares.csv"):
        if not row["label"].startswith("("):
            printed.setdefault(row["task"], set()).add(row["label"])
    classification = {task: set(entry["labels"]) for task, entry in TASKS.items() if entry["kind"] == "classification"}
    assert classification == printed
    assert {task for task, entry in TASKS.items() if entry["kind"] == "regression"} == {
        row["task"] for row in published("table9_regression_splits.csv")
    }


def test_ranges_hold_the_published_extremes():
    for row in published("table9_regression_splits.csv"):
        low, high = TASKS[row["task"]]["range"]
        if row["statistic"] in ("min", "max"):
            assert low <= float(row["value"]) <= high


def test_adherent_behaviors_are_the_nine_of_the_study():
    mapping = TASKS["mi_adherent"]["label_mapping"]
    assert set(mapping) == set(TASKS["mi_behavior"]["labels"])
    assert {behavior for behavior, label in mapping.items() if label == "non-adherent"} == {
        "advise without permission",
        "self-disclose",
        "direct",
        "warn",
        "confront",
    }


def set_in(dataset, keys, value):
    """A deep copy with one value set; None takes the key away."""
    changed = copy.deepcopy(dataset)
    inner = changed
    for key in keys[:-1]:
        inner = inner[key]
    if value is None:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("keys", "value", "named"),
    [
        (["licenze"], "x", "licenze"),
        (["licence"], None, "licence"),
        (["tasks", "epitome_er", "trainig"], {}, "trainig"),
        (["tasks", "epitome_er", "training", "learnig_rate"], 0.1, "learnig_rate"),
        (["tasks", "epitome_er", "training", "learning_rate"], "1e-4", "1e-4"),
        (["tasks", "epitome_er", "training", "label_scale"], "raw", "label_scale"),
        (["tasks", "epitome_er", "labels"], None, "labels"),
        (["tasks", "epitome_er", "labels"], [0, 1, 2], "0"),
        (["tasks", "epitome_er", "labels"], ["a", "a"], "a"),
        (["tasks", "epitome_er", "range"], [0, 2], "epitome_er.range"),
        (["tasks", "epitome_er", "kind"], "regression", "range"),
        (["tasks", "epitome_er", "kind"], "clasification", "clasification"),
        (["tasks", "epitome_er", "metric"], "pearson_r", "f1_macro"),
        (["tasks", "epitome_er", "theme"], "indirect", "indirect"),
        (["tasks", "epitome_er", "label_separator"], ";", "multilabel"),
        (["tasks", "Epitome"], {}, "Epitome"),
        (["tasks", "none"], {}, "none"),
        (["files", "explorations-reddit.csv", "sha256"], "abc", "abc"),
        (["files", "explorations-reddit.csv", "sha256"], None, "is not valid under any"),
        (["files", "explorations-reddit.csv", "url"], "ftp://x", "ftp"),
        (["files", "explorations-reddit.csv", "obtain"], "ask", "valid under each"),
        (["folder"], "../elsewhere", "elsewhere"),
        (["data_source"], "forum", "forum"),
        (["context"], "all", "all"),
        (["reader"], "table", "columns"),
        (["quote"], "none", "quote"),
        (["max_lost"], 1.5, "1.5"),
    ],
)
def test_schema_refuses(keys, value, named):
    dataset = load(ROOT / "config/datasets/epitome.yaml")
    found = errors(set_in(dataset, keys, value))
    assert found
    assert named in " ".join(found)


@pytest.mark.parametrize(
    ("keys", "value"),
    [(["quote"], "none"), (["quote"], "double"), (["max_lost"], 0.9), (["alternatives", 0, "quote"], "none")],
)
def test_how_a_table_is_read_can_be_said(keys, value):
    dataset = load(ROOT / "config/datasets/mi.yaml") | {"reader": "table", "columns": {"text": "Text"}}
    assert errors(set_in(dataset, keys, value)) == []


def test_repeated_key_is_noticed(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("title: a\nlicence: x\ntitle: b\n")
    with pytest.raises(AssertionError, match="title"):
        load(path)
