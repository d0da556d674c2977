"""Settings, dataset files and ratings that can't be right: each fault is named with its file and key before any job."""

import copy
import math
import re
from types import SimpleNamespace

import numpy
import pandas
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from snakemake.cli import parse_config
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

from empathy_transfer.controls.control_tests import TRANSFERS
from empathy_transfer.errors import DataError
from empathy_transfer.ratings.agreement import read_ratings
from empathy_transfer.records.runs import BASELINE, CONTROLS
from empathy_transfer.scores.tables import as_csv, score_table
from plan_files import CONFIG, plan_function, plan_names, read_yaml
from study_copy import ROOT

SCHEMAS = ["schemas", "settings"]
NAMES = plan_names(*SCHEMAS)
REGISTRY = plan_names("schemas", "settings", "code_trees", "fingerprint", "registry", "rating_file")
BASE = read_yaml(CONFIG)
DATASET = read_yaml(ROOT / "config/datasets/epitome.yaml")
DATASET_SCHEMA = ROOT / "workflow/schemas/dataset.schema.yaml"


def settled(*overlays, args=()):
    """The settings that result from config.yaml, files laid over it and `--config`, as a run makes them."""
    config = copy.deepcopy(BASE)
    for path in overlays:
        update_config(config, read_yaml(path))
    update_config(config, parse_config(args))
    plan_names(*SCHEMAS, config=config, configfiles=overlays, config_args=args)["check_config"]()
    return config


def overlay(folder, text, name="mine.yaml"):
    """A config file to lay over config.yaml."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def with_value(content, keys, value):
    """A copy of nested settings with one value set."""
    changed = copy.deepcopy(content)
    inner = changed
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    return changed


def leaves(content, keys=()):
    """Yield (keys, value) of all values in nested settings."""
    entries = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in entries:
        if isinstance(value, dict | list) and value:
            yield from leaves(value, (*keys, key))
        else:
            yield (*keys, key), value


LEAVES = [(keys, value) for keys, value in leaves(BASE) if keys[:2] != ("relabel", "models")]
NUMBERS = [keys for keys, value in LEAVES if type(value) in (int, float)]
TEXTS = [keys for keys, value in LEAVES if isinstance(value, str)]


def fault_of(config):
    """What is said about settings; nothing where they are right."""
    try:
        NAMES["check_schema"](config, ROOT / "workflow/schemas/config.schema.yaml", "config.yaml")
    except WorkflowError as error:
        return str(error)
    return ""


def place_of(keys):
    """A path of keys as messages write it."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 10**400, "0,5", True, None], ids=lambda value: str(value)[:5]
)
def test_no_setting_takes_for_a_number_what_is_none(value):
    assert len(NUMBERS) > 50
    for keys in NUMBERS:
        if value is None and keys[-1] in (
            "patience",
            "max_train",
            "max_validation",
            "max_test",
            "max_texts",
            "max_added",
        ):
            continue
        fault = fault_of(with_value(BASE, keys, value))
        # A number of several in a list of allowed types is described with the list.
        assert place_of(keys) in fault, f"{place_of(keys)}: {value!r} is accepted"


@pytest.mark.parametrize("text", ["2024_11", "010", "yes", "2024-11-01", "1.50", "1:30"])
def test_a_text_that_yaml_reads_as_something_else_is_told_to_stand_in_quotes(text):
    value = yaml.safe_load(text)
    assert not isinstance(value, str)
    for keys in TEXTS[::4]:
        fault = fault_of(with_value(BASE, keys, value))
        assert place_of(keys) in fault
    for keys, content in [(["study"], BASE), (["ratings"], BASE)]:
        assert "put it in quotes" in fault_of(with_value(content, keys, value))
    rows = with_value(DATASET, ["tasks", "epitome_er", "rows"], {"wave": [value]})
    with pytest.raises(WorkflowError, match=r"tasks\.epitome_er\.rows\.wave\[0\]: .*put it in quotes"):
        NAMES["check_schema"](rows, DATASET_SCHEMA, "mine.yaml")


def patterns(node):
    """All patterns of a schema."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    own = [node["pattern"]] if isinstance(node, dict) and isinstance(node.get("pattern"), str) else []
    return own + [pattern for one in inner for pattern in patterns(one)]


PATTERNS = sorted({one for path in (ROOT / "workflow/schemas").glob("*.yaml") for one in patterns(read_yaml(path))})


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_pattern_of_a_schema_takes_a_text_with_a_line_break_at_its_end(data):
    pattern = data.draw(st.sampled_from([pattern for pattern in PATTERNS if pattern != "^http://"]))
    text = data.draw(st.from_regex(pattern))
    assert NAMES["Validator"]({"pattern": pattern}).is_valid(text)
    assert not NAMES["Validator"]({"pattern": pattern}).is_valid(text + "\n")


# Keys of files, and what is said about them: a line of YAML with `KEY` in place of the key.
@pytest.mark.parametrize("key", ["yes", "no", "010", "1_000", "2024-11-01", "~", "1.50", "1:30"])
@pytest.mark.parametrize("line", [1, 4])
def test_a_key_that_yaml_reads_as_something_else_is_an_error_with_its_line(tmp_path, key, line):
    path = overlay(tmp_path, "# nothing\n" * (line - 1) + f"{key}: 1\n")
    with pytest.raises(WorkflowError, match=rf"mine\.yaml, line {line}: YAML reads the key {re.escape(key)} as"):
        NAMES["load_yaml"](path)


@pytest.mark.parametrize("key", [7, 0.5])
@pytest.mark.parametrize("place", [["tasks"], ["variants"], []])
def test_an_id_that_is_a_number_is_told_to_stand_in_quotes(place, key):
    dataset = copy.deepcopy(DATASET) | {"variants": {"epitome_er_mine": {"title": "Mine", "variant_of": "epitome_er"}}}
    inner = NAMES["functools"].reduce(dict.__getitem__, place, dataset)
    inner[key] = next(iter(inner.values()))
    hint = "put it in quotes" if place else f"unknown key '{key}'"
    with pytest.raises(WorkflowError, match=re.escape(hint)):
        NAMES["check_schema"](dataset, DATASET_SCHEMA, "mine.yaml")


def test_numbers_as_values_of_a_mapping_stay_as_they_were(tmp_path):
    path = overlay(tmp_path, "label_mapping: {0: low, -1: lower, 1.5: high, '010': other}\n")
    assert list(NAMES["load_yaml"](path)["label_mapping"]) == [0, -1, 1.5, "010"]


UNREADABLE = {
    "Latin-1": ("title: caf\u00e9\n".encode("latin-1"), "line 1: not UTF-8"),
    "Latin-1 further below": (b"a: 1\nb: 2\n# \xfcber\n", "line 3: not UTF-8"),
    "UTF-16": ("a: 1\n".encode("utf-16"), "line 1: not UTF-8"),
    "no date": (b"a: 2024-13-45\n", "is not valid YAML: month must be in"),
    "a list as key": (b"? [a, b]\n: 1\n", "line 1: a key is a list or a mapping"),
    "brackets": (b"a: [1\n", "is not valid YAML"),
    "nested deeply": (b"[" * 5000, "is not valid YAML: nested too deeply"),
    "a repeated key": (b"a: 1\nb: {c: 1, c: 2}\n", "line 2: the key 'c' is repeated"),
    "two documents": (b"a: 1\n---\nb: 1\n", "is not valid YAML"),
}


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_file_that_is_no_yaml_is_named_with_the_line(tmp_path, fault):
    content, message = UNREADABLE[fault]
    with pytest.raises(WorkflowError, match=rf"mine\.yaml.*{message}"):
        NAMES["load_yaml"](overlay(tmp_path, content))
    if "UTF-8" in message:
        with pytest.raises(WorkflowError, match=rf"mine\.yaml, {message}"):
            NAMES["refuse_other_encodings"](tmp_path / "mine.yaml")


def test_a_file_of_settings_that_is_not_there_is_named():
    with pytest.raises(WorkflowError, match=r"config/missing\.yaml can't be read"):
        NAMES["load_yaml"]("config/missing.yaml")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[(key, "") for key in ("seeds", "study", "tasks", "encoder", "training", "relabel", "splits")],
        *[("seeds", value) for value in ("~", "null")],
    ],
)
def test_a_key_without_a_value_is_an_error_that_names_it(tmp_path, key, value):
    with pytest.raises(WorkflowError, match=rf"mine\.yaml does not fit .*\n  {key}: "):
        settled(overlay(tmp_path, f"{key}: {value}\n"))


# (first file, second file, command line): the key at fault, and where it was given
CULPRITS = {
    "first": ("seeds: [-1]\n", "study: mine\n", [], r"first\.yaml", r"seeds\[0\]"),
    "second": (
        "study: mine\n",
        "training: {override: {epochs: 0}}\n",
        [],
        r"second\.yaml",
        r"training\.override\.epochs",
    ),
    "the stronger one": ("alpha: 1\n", "seeds: [a]\n", [], r"second\.yaml", r"seeds\[0\]"),
    "unknown key": ("sedes: [1]\n", "study: mine\n", [], r"first\.yaml", r"unknown key 'sedes' \(did you mean 'seeds'"),
    "the other of two unknown keys": ("sedes: [1]\n", "dat: [full]\n", [], r"second\.yaml", "unknown key 'dat'"),
    "inside": ("encoder: {nmae: x}\n", "encoder: {revision: x}\n", [], r"first\.yaml", "encoder: unknown key 'nmae'"),
    "shares": ("splits: {shares: {train: .9}}\n", "study: mine\n", [], r"first\.yaml", "must sum to 1"),
    "command line": ("study: mine\n", "data: [full]\n", ["seeds=[1,-2]"], "--config", r"seeds\[1\]"),
    "not the command line": ("study: mine\n", "data: [half]\n", ["seeds=[1,2]"], r"second\.yaml", "data"),
}


@pytest.mark.parametrize("fault", CULPRITS)
def test_the_file_at_fault_is_named_and_no_other(tmp_path, fault):
    first, second, args, where, what = CULPRITS[fault]
    paths = [overlay(tmp_path, first, "first.yaml"), overlay(tmp_path, second, "second.yaml")]
    with pytest.raises(WorkflowError) as caught:
        settled(*paths, args=args)
    lines = str(caught.value).splitlines()
    (told,) = [number for number, line in enumerate(lines) if re.search(what, line)]
    named = next(line for line in lines[told::-1] if not line.startswith("  "))
    assert re.search(where, named)
    assert " + " not in str(caught.value)
    assert "config/config.yaml" not in str(caught.value)


TYPED = {
    "training={override: {epochs: 1, learning_rate: 0.5}}": ["training", "override"],
    "seeds=[1,2]": ["seeds"],
    "leakage={strict: true, jaccard: 0.6}": ["leakage"],
    "encoder={revision: null, max_length: 64}": ["encoder"],
    'tasks=["epitome_er"]': ["tasks"],
    "analysis={margins: [5, 10.5]}": ["analysis", "margins"],
    "relabel={seeds: [3], models: {gpt: null}}": ["relabel", "seeds"],
}


@pytest.mark.parametrize("setting", TYPED)
def test_values_of_the_command_line_mean_what_they_mean_in_a_file(tmp_path, setting):
    key, _, value = setting.partition("=")
    from_file = settled(overlay(tmp_path, f"{key}: {value}\n"))
    assert settled(args=[setting]) == from_file
    inner = NAMES["functools"].reduce(dict.__getitem__, TYPED[setting], from_file)
    assert inner != NAMES["functools"].reduce(dict.__getitem__, TYPED[setting], BASE)


def test_scalars_of_the_command_line_are_as_snakemake_reads_them():
    found = settled(args=["study=mine", "first_layer_gb=1e-1", 'ratings="7"'])
    assert (found["study"], found["first_layer_gb"], found["ratings"]) == ("mine", 0.1, "7")
    with pytest.raises(WorkflowError, match=r"--config does not fit .*\n  study: 202411 is not of type .*in quotes"):
        settled(args=["study=2024_11"])
    assert settled(args=['study="2024_11"'])["study"] == "2024_11"
    with pytest.raises(WorkflowError, match="--config training, line 1: the key 'epochs' is repeated"):
        settled(args=["training={override: {epochs: 1, epochs: 2}}"])


def test_the_home_folder_stands_for_a_tilde_at_the_beginning_of_a_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("EMPATHY_RAW_DIR", "~/raw")
    lines = "raw_dir: ~/data\nlabel_store: ~/answers\nencoder: {name: ~/encoder}\nratings: a~/b.csv\n"
    found = settled(overlay(tmp_path, lines))
    assert (found["raw_dir"], found["label_store"]) == (f"{tmp_path}/data", f"{tmp_path}/answers")
    assert (found["encoder"]["name"], found["ratings"]) == (f"{tmp_path}/encoder", "a~/b.csv")
    assert NAMES["os"].environ["EMPATHY_RAW_DIR"] == f"{tmp_path}/raw"


def test_a_loss_of_an_override_is_laid_over_the_others():
    names = copy.deepcopy(BASE)
    override = {"losses": {"regression": {"name": "huber", "delta": 1.0}}}
    names["training"]["override"] |= override
    known = {"calm": {"kind": "classification"}, "warm": {"kind": "regression"}, "both": {"kind": "multilabel"}}
    function = plan_function("common", "training_settings", config=names, KNOWN=known)
    losses = {task: function(task)["loss"] for task in known}
    defaults = names["training"]["defaults"]["losses"]
    assert losses["warm"] == {"delta": 1.0, "name": "huber"}
    assert losses["calm"] == defaults["classification"] == {"name": "cross_entropy"}
    assert losses["both"] == defaults["multilabel"] == {"name": "binary_cross_entropy"}


def test_the_raters_of_a_task_concern_no_job_but_that_of_its_ceiling():
    task = {"label": "calm", "kind": "regression", "title": "Calm", "form": {"files": {"own.csv": {}}}}
    tasks = {"calm": task | {"raters": {"file": "own.csv", "columns": ["a", "b"]}}, "warm": task}
    tasks["gone"] = task | {"raters": {"file": "other.csv", "columns": ["a", "b"]}}
    own = plan_function("task_data", "own_definition")
    definition = plan_function("task_data", "task_definition", TASKS=tasks, own_definition=own)
    assert definition(SimpleNamespace(task="calm")) == {"kind": "regression", "label": "calm"}
    # A layout without the file of the raters has none.
    assert plan_function("task_data", "rated_tasks", TASKS=tasks)() == ["calm"]
    rated = plan_function("task_data", "rated_definition", TASKS=tasks, task_definition=definition)
    assert rated(SimpleNamespace(task="calm"))["raters"]["columns"] == ["a", "b"]


def test_the_code_of_balanced_splits_is_that_of_all_tasks_of_the_dataset():
    """A task's splits follow from the labels of its sisters, which their kinds read."""
    tasks = {"calm": {"dataset": "own", "kind": "regression"}, "mood": {"dataset": "own", "kind": "classification"}}
    names = {"TASKS": tasks, "code_fingerprint": lambda script, **chosen: chosen["kinds"]}
    names["task_form"] = lambda wildcards: {"reader": "table"}
    for scheme, kinds in (("grouped", ("regression",)), ("balanced", ("classification", "regression"))):
        names["task_splits"] = lambda wildcards, scheme=scheme: {"tasks": tasks} if scheme == "balanced" else {}
        assert plan_function("task_data", "prepare_code", **names)(SimpleNamespace(task="calm")) == kinds


def test_what_a_preregistration_is_compared_with_is_a_param_only_where_one_is_named():
    names = {"DATASETS": {"one": {"tasks": {"calm": {"kind": "regression"}, "left_out": {}}}}, "digest_now": len}
    names |= {"TASKS": {"calm": {"dataset": "one"}}}
    config = {"preregistration": None, "ratings": "r.csv", "alpha": 0.05}
    assert plan_function("analysis_settings", "registered_settings", config=config, **names)() == {}
    config["preregistration"] = "registered.json"
    found = plan_function("analysis_settings", "registered_settings", config=config, **names)()
    assert found == {"config": config, "tasks": {"calm": {"kind": "regression"}}, "ratings": 5}


def words_of_results():
    """Words that stand for no task in columns, rows and headers of results that have tasks there, too."""
    names = ["data", "source", "target", "value", "seed", "collapsed", "reason"]
    frame = pandas.DataFrame(columns=names).assign(main=numpy.array([], dtype=bool))
    tasks, ceilings = {"calm": {"kind": "classification"}}, {"calm": 0.9}
    rows = score_table(frame, frame.assign(floor=[]), tasks, "classification", "full", ceilings=ceilings)
    header = as_csv(rows, ["calm"], "classification").splitlines()[0].split(",")
    return {BASELINE, *CONTROLS, TRANSFERS, *rows, *header, "panel", "summary", "all"} - {"calm"}


@pytest.mark.parametrize("part", ["tasks", "variants"])
def test_words_with_a_meaning_in_results_are_no_ids(part):
    assert {"none", "self", "floor", "ceiling", "longer", "random_full", "transfers", "source"} <= words_of_results()
    entry = DATASET["tasks"]["epitome_er"]
    if part == "variants":
        entry = {"title": "Mine", "variant_of": "epitome_er", "label_sources": ["human"]}
    for word in sorted(words_of_results()):
        dataset = DATASET | {part: {word: entry}}
        with pytest.raises(WorkflowError, match=f"{part}: the name '{word}' is taken: choose another than none, self"):
            NAMES["check_schema"](dataset, DATASET_SCHEMA, "mine.yaml")
        NAMES["check_schema"](DATASET | {part: {f"{word}_2": entry}}, DATASET_SCHEMA, "mine.yaml")
    taken = read_yaml(DATASET_SCHEMA)["$defs"]["task_id"]["not"]["enum"]
    assert {*taken} == words_of_results()
    assert ", ".join(f"`{word}`" for word in taken) in (ROOT / "docs/add-a-dataset.md").read_text(encoding="utf-8")


REGRESSION = {"kind": "regression", "metric": "pearson_r", "range": [1, 5], "title": "T", "label": "er"}
REGRESSION |= {"label_source": "human", "theme": "direct"}
SHARED = {"pool": "mine", "from_group": {"article": "x"}}
FILE = {"obtain": "ask", "sha256": None}
# Faults of a dataset file: (keys, value, what is said)
FAULTS = [
    *[
        (["tasks", "mine"], REGRESSION | {"range": ends}, r"tasks\.mine\.range: \[.*\] does not rise")
        for ends in ([5, 1], [3, 3], [1, -1], [0.5, 0.25])
    ],
    *[
        (
            ["tasks", "mine"],
            REGRESSION | {"range": [1, end]},
            rf"tasks\.mine\.range\[1\]: {end} is not of type 'number'",
        )
        for end in (math.nan, math.inf)
    ],
    *[
        (["tasks", "epitome_er", "training", key], rate, rf"training\.{key}: {rate} is not of type 'number'")
        for key in ("learning_rate", "weight_decay", "dropout")
        for rate in (math.nan, math.inf)
    ],
    *[
        (
            ["shared_ids"],
            SHARED | {"from_group": {kind: wrong}},
            rf"shared_ids\.from_group\.{kind}: .* is not a 'regex'",
        )
        for kind in ("article", "author")
        for wrong in ("(", "[a-", "*a", "(?P<a")
    ],
    *[(["reader"], name, f"reader: there is no '{name}'") for name in ("epitom", "common", "wassa", "tables")],
    (["alternatives", 0, "reader"], "epitom", r"reader: there is no 'epitom' \(did you mean 'epitome'\?\)"),
    (
        ["tasks", "epitome_er", "label_mapping"],
        {"a": "0", "b": "4"},
        r"label_mapping: 'b' stands for '4', which is not",
    ),
    (["tasks", "epitome_er", "label_mapping"], {1: "0", "1": "1"}, "label_mapping: a value stands there twice"),
    (
        ["tasks", "epitome_er", "raters"],
        {"file": "emotional-reaction-reddit.csv", "columns": ["a", "b"]},
        r"raters\.file: '.*' is no file of this dataset \(did you mean 'emotional-reactions-reddit.csv'\?\)",
    ),
    (["files", "x.csv"], {"url": "http://example.org/x.csv", "sha256": None}, r"sha256: None is not .*Plain http"),
    (["files", "x\n"], FILE, "files: the name 'x.n'"),
    (["files", "../x.csv"], FILE, r"files: the name '\.\./x\.csv'"),
    (["folder"], "raw\n", "folder: "),
]


@pytest.mark.parametrize(("keys", "value", "message"), FAULTS)
def test_a_fault_of_a_dataset_file_is_told_before_any_job(tmp_path, keys, value, message):
    dataset = copy.deepcopy(DATASET)
    if keys[0] == "alternatives":
        other = {"form": "other", "note": "half of it", "folder": "other", "files": {"x.csv": FILE}}
        dataset["alternatives"] = [other]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(with_value(dataset, keys, value)), encoding="utf-8")
    with pytest.raises(WorkflowError, match=rf"(?s)mine\.yaml.*{message}"):
        REGISTRY["load_datasets"](tmp_path)


@pytest.mark.parametrize("name", ["My Notes", "notes-2", "Notes", "notes.2024", "caf\u00e9", "._notes", "notes\n"])
def test_the_name_of_a_dataset_file_is_checked(tmp_path, name):
    (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(DATASET), encoding="utf-8")
    with pytest.raises(WorkflowError, match="the file's name is the dataset's id"):
        REGISTRY["load_datasets"](tmp_path)


def test_a_dataset_file_of_another_ending_is_not_passed_over(tmp_path):
    for name in ("epitome.yaml", "mine.yml"):
        (tmp_path / name).write_text(yaml.safe_dump(DATASET), encoding="utf-8")
    with pytest.raises(WorkflowError, match=r"rename it to mine\.yaml"):
        REGISTRY["load_datasets"](tmp_path)


def test_https_without_a_digest_and_http_with_one_are_accepted(tmp_path):
    for url, digest in (("https://example.org/x.csv", None), ("http://example.org/x.csv", "0" * 64)):
        dataset = with_value(DATASET, ["files", "x.csv"], {"url": url, "sha256": digest})
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump(dataset), encoding="utf-8")
        assert list(REGISTRY["load_datasets"](tmp_path)) == ["mine"]


HEADER = "task,aspect,annotator,score"
RATED = [
    f"epitome_er,{aspect},{rater},{score}" for aspect in ("definition", "link") for rater, score in (("a", 3), ("b", 4))
]
# Faults of the ratings: (row, what is said before any job, what the library says, if it is asked to read the file)
RATING_FAULTS = {
    "white space after an annotator": (
        "epitome_er,conduciveness,a ,3",
        "annotator 'a ' has white space",
        "white space",
    ),
    "white space before one": ("epitome_er,conduciveness,\ta,3", "white space", "white space"),
    "a hard space": ("epitome_er,conduciveness,a\u00a0,3", "white space", "white space"),
    "nothing visible": ("epitome_er,conduciveness,a\u200b,3", "invisible", None),
    "another case": ("epitome_er,conduciveness,A,3", "annotator 'A' is written 'a' in an earlier row", None),
    "another spelling": ("epitome_er,conduciveness,\uff41,3", "is written 'a' in an earlier row", None),
    "no annotator": ("epitome_er,conduciveness,,3", "the annotator is empty", "is empty"),
    "a blank annotator": ("epitome_er,conduciveness,  ,3", "the annotator is empty", "is empty"),
    "no task": (",conduciveness,a,3", "the task is empty", "is empty"),
    "no aspect": ("epitome_er,,a,3", "the aspect is empty", "is empty"),
    "an unknown aspect": ("epitome_er,conducive,a,3", "aspect 'conducive' is none of", "aspect is none of"),
    "a misspelt task": (
        "epitom_er,conduciveness,a,3",
        r"'epitom_er' is in no file .*\(did you mean 'epitome_er'\?\)",
        None,
    ),
    "letters swapped": ("epitome_re,conduciveness,a,3", r"\(did you mean 'epitome_er'\?\)", None),
    "task with a space": ("epitome_er ,conduciveness,a,3", "task 'epitome_er ' has white space", "white space"),
    "a field too many": ("epitome_er,conduciveness,a,3,sure", "5 fields, not four", "has not 4 fields"),
    "a decimal comma": ("epitome_er,conduciveness,a,3,5", r"Write 3\.5, with a decimal point", "has not 4 fields"),
    "a quoted decimal comma": (
        'epitome_er,conduciveness,a,"3,5"',
        "score '3,5' is not a number",
        "not a number from 1",
    ),
    "a field too few": ("epitome_er,conduciveness,3", "3 fields, not four", "has not 4 fields"),
    "no score": (
        "epitome_er,conduciveness,a,",
        "score is empty. A rating that is missing has no row",
        "missing rating",
    ),
    "off the scale": ("epitome_er,conduciveness,a,6", "score '6' is not a number from 1 to 5", "not a number from 1"),
    "not a number": ("epitome_er,conduciveness,a,nan", "score 'nan' is not a number", "not a number from 1"),
    "underscore": ("epitome_er,conduciveness,a,0_4", "score '0_4' is not a number", "not a number from 1"),
    "twice": ("epitome_er,link,b,5", "epitome_er link b is rated twice", "is rated twice"),
}


@pytest.mark.parametrize("fault", RATING_FAULTS)
@pytest.mark.parametrize("place", [4, 0])
def test_a_fault_of_the_ratings_is_told_with_its_line_before_any_job(tmp_path, fault, place):
    row, message, in_library = RATING_FAULTS[fault]
    lines = [HEADER, *RATED[:place], row, *RATED[place:]]
    path = overlay(tmp_path, "\n".join(lines) + "\n", "ratings.csv")
    line = place + 2
    if fault in ("twice", "another case", "another spelling") and place == 0:
        line = {"twice": 6, "another case": 3, "another spelling": 3}[fault]
        message = "rated twice" if fault == "twice" else "is written"
    with pytest.raises(WorkflowError, match=rf"ratings\.csv, line {line}: .*{message}"):
        REGISTRY["check_ratings"](path, ["epitome_er", "mi_role"])
    if in_library:
        with pytest.raises(DataError, match=rf"ratings\.csv, row {line - 1}: .*{in_library}"):
            read_ratings(path)


def test_good_ratings_are_read_and_unknown_tasks_told(tmp_path):
    marked = "\ufeff" + "\r\n".join([HEADER, *RATED, "", "other_study,link,a, 4.5"]) + "\r\n"
    path = overlay(tmp_path, marked, "ratings.csv")
    assert REGISTRY["check_ratings"](path, ["epitome_er"]) == ["other_study"]
    assert read_ratings(path)["score"].tolist() == [3, 4, 3, 4, 4.5]
    for study in ("ratings", "ratings_demo"):
        frame = read_ratings(ROOT / f"resources/{study}.csv")
        assert REGISTRY["check_ratings"](ROOT / f"resources/{study}.csv", [*frame["task"]]) == []


def test_a_task_of_another_study_may_have_a_name_like_a_rated_one(tmp_path):
    others = [row.replace("epitome_er", "epitome_ex") for row in RATED]
    path = overlay(tmp_path, "\n".join([HEADER, *others, *RATED]), "ratings.csv")
    assert REGISTRY["check_ratings"](path, ["epitome_er"]) == ["epitome_ex"]
    path = overlay(tmp_path, "\n".join([HEADER, *others, *RATED[1:]]), "ratings.csv")
    with pytest.raises(WorkflowError, match=r"line 2: task 'epitome_ex' .*did you mean 'epitome_er'"):
        REGISTRY["check_ratings"](path, ["epitome_er"])


@pytest.mark.parametrize("header", ["task;aspect;annotator;score", "aspect,task,annotator,score", "", HEADER + ",note"])
def test_ratings_with_another_first_line_are_refused(tmp_path, header):
    path = overlay(tmp_path, f"{header}\n" + "\n".join(RATED), "ratings.csv")
    with pytest.raises(WorkflowError, match="the first line must be task,aspect,annotator,score"):
        REGISTRY["check_ratings"](path, ["epitome_er"])
    with pytest.raises(DataError, match="the first line must be task,aspect,annotator,score"):
        read_ratings(path)
