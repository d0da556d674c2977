"""Bad input stops a study before training, names the place, and leaves nothing half written.

One study holds a sound dataset and one dataset per fault; it runs once, and each fault is looked at by itself. Faults
of the settings stop before the first job, so that a dry run shows them.
"""

import csv
import hashlib
import io
import json
import re

import numpy
import pytest
from safetensors.numpy import save_file
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

from plan_files import CONFIG, plan_names, read_yaml
from study_copy import ROOT, StudyCopy, in_parallel

TEXT = "a private sentence that has the number"  # no message may quote it
DESCRIPTION = """
title: {name}
paper: none
licence: none
terms: none
language: en
data_source: other
language_setting: other
group: one writer
folder: {name}
files:
  table.csv:
    obtain: nowhere
    sha256: {digest}
reader: table
columns: {{id: number, group: writer, text: text}}
context: none
tasks:
  {name}_mood:
    title: Mood
    label: mood
    kind: classification
    labels: [glad, sad]
    metric: f1_macro
    label_source: human
    theme: direct
    training: {{learning_rate: 5.0e-4}}
  {name}_score:
    title: Score
    label: score
    kind: regression
    range: [1, 5]
    metric: pearson_r
    label_source: human
    theme: direct
"""


def table(rows=60, without=None, **changes):
    """A table as CSV; `changes` are {column: (row counted from 1, value)}."""
    columns = [name for name in ["number", "writer", "text", "mood", "score"] if name != without]
    content = [
        {
            "number": f"n{row}",
            "writer": f"w{row}",
            "text": f"{TEXT} {row}",
            "mood": ["glad", "sad"][row % 2],
            "score": 1 + row % 5,
        }
        for row in range(1, rows + 1)
    ]
    for column, (row, value) in changes.items():
        content[row - 1][column] = value
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(content)
    return stream.getvalue()


def half(text):
    """About the first half of a file, which ends within a text."""
    return text[: text.index(TEXT, len(text) // 2) + 5]


WHOLE = table()
DIGEST = hashlib.sha256(WHOLE.encode()).hexdigest()
SWALLOWED = WHOLE.replace(f"{TEXT} 5,", f'"{TEXT} 5,').replace(f"{TEXT} 8,", f'{TEXT} 8",')
MOOD = r"table\.csv, row 7, column 'mood': .*unknown label"
SCORE = r"table\.csv, row 8, column 'score': .*'9\.5' is"
TWICE = r"table\.csv, row 3 and table\.csv, row 10:"
# dataset: (its file, its pinned digest, the rule that stops, the task it stops, what the message says)
FAULTS = {
    "cut_pinned": (half(WHOLE), DIGEST, "check_raw", None, r"raw/cut_pinned/table\.csv .*SHA-256 .*expected .*cut off"),
    "cut_unpinned": (half(WHOLE), None, "prepare_task", "mood", r"table\.csv, row 3[01]: .*cut off"),
    "checksum": (WHOLE, "0" * 64, "check_raw", None, rf"raw/checksum/table\.csv .*SHA-256 {DIGEST}, expected 0{{64}}"),
    "no_column": (table(without="mood"), None, "prepare_task", "mood", r"table\.csv: .*no column 'mood'"),
    "label": (table(mood=(7, "merry")), None, "prepare_task", "mood", rf"{MOOD} 'merry' \(known: glad, sad\)"),
    "range": (table(score=(8, "9.5")), None, "prepare_task", "score", rf"{SCORE} outside of the range 1 to 5"),
    "empty": (table(text=(9, " ")), None, "prepare_task", "mood", r"table\.csv, row 9: .*empty text"),
    "duplicate": (table(number=(10, "n3")), None, "prepare_task", "mood", rf"{TWICE} .*2 rows have the same id"),
    "quote": (
        SWALLOWED,
        None,
        "prepare_task",
        "mood",
        r"table\.csv, row 5: .*spans 4 lines.*`quote: none`.*`quote: double`",
    ),
    "alike": (
        table(writer=(9, "w8 ")),
        None,
        "prepare_task",
        "mood",
        r"row 8 and table\.csv, row 9: .*only in white space",
    ),
}
# What says something about the raters needs no data.
RATINGS = {"measure_agreement", "tabulate_themes", "plot_differences"}
SPLITS = ["test.parquet", "train.parquet", "validation.parquet"]
SIGNATURES = ["items.parquet", "pieces.parquet", "shingles.parquet", "provenance.json"]


def faulty_study(folder):
    """A study of a sound dataset and one per fault."""
    study = StudyCopy.of_repository(folder, study="faulty", datasets="config/faulty", seeds=[1], tasks="all")
    for name, (text, digest, *_) in [("sound", (WHOLE, DIGEST)), *FAULTS.items()]:
        study.write(f"resources/raw/{name}/table.csv", text)
        study.write(f"config/faulty/{name}.yaml", DESCRIPTION.format(name=name, digest=json.dumps(digest)))
    # One task per fault is enough, and quicker.
    tasks = ["sound_mood", *(f"{name}_{task or 'mood'}" for name, (_, _, _, task, _) in FAULTS.items())]
    study.configure(tasks=tasks, controls=[])
    return study


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """The study after its run, and the run."""
    study = faulty_study(tmp_path_factory.mktemp("faulty") / "study")
    return study, study.run("--cores", "2")


def test_no_training_and_no_tokenising_starts(faulty):
    _, run = faulty
    assert run.status != 0
    assert run.rules["check_raw"] == 1 + len(FAULTS)
    assert set(run.rules) == {"check_raw", "prepare_task", "sign_task"} | RATINGS


def test_the_sound_dataset_is_prepared_and_nothing_else_is_written(faulty):
    study, run = faulty
    rated = {path for job in run.jobs if job.rule in RATINGS for path in job.output}
    written = {path for path in study.files() if not path.endswith(".lock")} - rated
    checked = ["sound", *(name for name, fault in FAULTS.items() if fault[2] == "prepare_task")]
    assert written == {
        *(f"results/faulty/raw/{name}.json" for name in checked),
        *(f"results/faulty/raw/{name}.provenance.json" for name in checked),
        *(f"results/faulty/data/sound_mood/{name}" for name in [*SPLITS, "task.json", "provenance.json"]),
        *(f"results/faulty/leakage/signatures/sound_mood/{name}" for name in SIGNATURES),
        *(f"results/faulty/{name}" for name in ("summary.json", "summary.json.sha256")),
        *(f"results/faulty/{name}" for name in ("provenance.csv", "provenance.csv.sha256")),
    }


@pytest.mark.parametrize("name", FAULTS)
def test_fault_in_a_file_names_the_place(name, faulty):
    study, run = faulty
    _, _, rule, task, message = FAULTS[name]
    log = f"logs/faulty/raw/{name}.log" if rule == "check_raw" else f"logs/faulty/data/{name}_{task}.log"
    failure = json.loads((study.folder / f"{log}.failure.json").read_text(encoding="utf-8"))
    assert failure["rule"] == rule
    assert re.search(message, failure["cause"]), failure["cause"]
    # The console says the same, and where to read more.
    assert re.search(message, " ".join(run.text.split())), run.text
    assert log in run.text
    assert not [path for path in study.files() if f"data/{name}_" in path and not path.endswith(".lock")]


def test_no_message_quotes_a_text(faulty):
    study, run = faulty
    logs = "".join((study.folder / path).read_text(encoding="utf-8") for path in study.files("logs"))
    assert TEXT not in run.text + logs


def replace(path, old, new):
    """A change of a file of the study."""
    return lambda study: study.change(path, lambda text: text.replace(old, new, 1))


SOUND = "config/faulty/sound.yaml"
REPEATED = DESCRIPTION.splitlines().index("    theme: direct") + 2  # the line below it


# Faults that are tried with Snakemake itself: (change, what is said).
def unusable_encoder(**changes):
    """Give a study an encoder of its own whose configuration says something else than it is."""
    about = {"model_type": "bert", "hidden_size": 32, "num_attention_heads": 4, "vocab_size": 12}

    def edit(study):
        study.configure(encoder={"name": "mine", "revision": None, "max_length": 16})
        study.write("mine/config.json", json.dumps(about | changes))
        words = {"embeddings.word_embeddings.weight": numpy.zeros((12, 32), dtype="float32")}
        save_file(words, study.folder / "mine/model.safetensors")

    return edit


STOPPED = {
    "misspelt key": (
        replace(SOUND, "{learning_rate: 5.0e-4}", "{learnig_rate: 5.0e-4}"),
        [SOUND, "tasks.sound_mood.training: unknown key 'learnig_rate' (did you mean 'learning_rate'?)"],
    ),
    "repeated key": (
        replace(SOUND, "    theme: direct\n", "    theme: direct\n    label: score\n"),
        [f"{SOUND}, line {REPEATED}: the key 'label' is repeated", "remove one of them"],
    ),
    "number that YAML reads as text": (
        replace(SOUND, "learning_rate: 5.0e-4", "learning_rate: 5e-4"),
        [SOUND, "tasks.sound_mood.training.learning_rate: '5e-4' is not of type 'number'", "such as 1.0e-4"],
    ),
    "encoder of another family": (
        unusable_encoder(model_type="longformer"),
        ["encoder: Encoder 'mine': model_type 'longformer' in mine/config.json is none of the families", "roberta"],
    ),
    "encoder that fetches code": (
        unusable_encoder(_attn_implementation_internal="someone/kernel"),
        ["encoder: Encoder 'mine': _attn_implementation_internal in mine/config.json", "foreign code"],
    ),
    "more tokens than positions": (
        unusable_encoder(max_position_embeddings=12),
        ["encoder: max_length is at most 12 for encoder 'mine'", "it is 16"],
    ),
    "weights of another encoder": (
        unusable_encoder(hidden_size=64),
        ["embeddings.word_embeddings.weight in mine has the shape (12, 32), but its config.json asks for (12, 64)"],
    ),
    "reserved name of the study": (
        lambda study: study.configure(study="published"),
        ["config/config.yaml", "study: ", "published"],
    ),
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """Runs, not dry runs, of studies with a fault in their settings: {fault: (study, run)}."""
    folder = tmp_path_factory.mktemp("settings")

    def attempt(number, fault):
        study = faulty_study(folder / f"study{number}")
        STOPPED[fault][0](study)
        return study, study.run("--cores", "1")

    return in_parallel(
        {fault: lambda number=number, fault=fault: attempt(number, fault) for number, fault in enumerate(STOPPED)}
    )


@pytest.mark.parametrize("fault", STOPPED)
def test_fault_in_the_settings_stops_before_the_first_job(fault, stopped):
    study, run = stopped[fault]
    assert run.status != 0
    for words in STOPPED[fault][1]:
        assert words in run.text
    assert run.jobs == ()
    assert not (study.folder / "results").exists()


# More faults of a config, tried without Snakemake.
REFUSED = {
    "misspelt key": ({"accept_term": []}, r"unknown key 'accept_term' \(did you mean 'accept_terms'\?\)"),
    "misspelt key inside": ({"encoder": {"nmae": "x"}}, r"encoder: unknown key 'nmae' \(did you mean 'name'\?\)"),
    "name with a slash": ({"study": "../elsewhere"}, r"study: '\.\./elsewhere' does not match"),
    "name in capitals": ({"study": "Mine"}, r"study: 'Mine' does not match"),
    "unknown condition": ({"data": ["full", "third"]}, r"data\[1\]: 'third' is not one of \['full', 'half'\]"),
    "no full data": ({"data": ["half"]}, r"data: \['half'\] does not contain"),
    "repeated seed": ({"seeds": [1, 1]}, r"seeds: \[1, 1\] has non-unique elements"),
    "shares beyond 1": (
        {"splits": {"scheme": "grouped", "seed": 0, "shares": {"train": 0.8, "validation": 0.1, "test": 0.2}}},
        "the three shares must sum to 1",
    ),
}


def check_config(config, *overlays):
    """What the workflow does first with its config; files may be laid over config.yaml."""
    plan_names("schemas", "settings", config=config, configfiles=overlays)["check_config"]()


@pytest.mark.parametrize("name", ["config", "local", "demo"])
def test_the_studies_of_the_repository_are_accepted(name):
    # A study's file says what differs from config.yaml.
    config, path = read_yaml(CONFIG), ROOT / f"config/{name}.yaml"
    update_config(config, read_yaml(path))
    check_config(config, path)


@pytest.mark.parametrize("fault", REFUSED)
def test_fault_in_the_config_names_the_key(fault):
    change, message = REFUSED[fault]
    with pytest.raises(WorkflowError, match=message):
        check_config(read_yaml(CONFIG) | change)


def test_a_repeated_key_of_the_config_is_refused(tmp_path):
    text = CONFIG.read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text + "seeds: [1]\n", encoding="utf-8")
    line = len(text.splitlines()) + 1
    with pytest.raises(WorkflowError, match=rf"mine\.yaml, line {line}: the key 'seeds' is repeated"):
        check_config(read_yaml(CONFIG), tmp_path / "mine.yaml")
