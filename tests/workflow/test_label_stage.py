"""The stage of the labels in the workflow: its jobs, what runs again, and a run with recorded labels."""

import shutil

import pandas
import pytest
import yaml

from study_copy import ROOT, StudyCopy, fenced_blocks

GUIDE = "docs/label-with-an-llm.md"
SETS = ["newsemp2022_dev", "newsemp2022_train"]
LIVE = {
    "provider": "openai",
    "model": "m-1",
    "base_url": "http://localhost:1/v1",
    "key_variable": "KEY",
    "scale": "batson_empathy",
    "prompt": "plain",
    "decoding": {"temperature": 0, "top_p": 0.01, "max_tokens": 200, "seed": 0},
    "attempts": 2,
    "concurrency": 4,
    "timeout": 10,
    "retries": 2,
    "price": {"input": 1.0, "output": 2.0},
    "max_cost": 1.0,
}


def write_raw(study):
    """Invented essays and recorded labels in the layout of the released files, with no digest expected."""
    raw = study.folder / "resources/raw"
    label_sets = "config/label_sets/newsemp.yaml"
    sets = yaml.safe_load((study.folder / label_sets).read_text(encoding="utf-8"))["sets"]
    config = yaml.safe_load((study.folder / "config/config.yaml").read_text(encoding="utf-8"))

    def table(path, rows, header=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        pandas.DataFrame(rows).to_csv(path, sep="\t", index=False, header=header)

    for number, (name, about) in enumerate(sorted(sets.items())):
        columns = about["columns"]
        essays = [
            {
                columns["id"]: f"e{row}",
                columns["group"]: row // 2,
                columns["text"]: f"Essay {row} of set {number} about a lamp in the rain.",
                columns["label"]: 1 + row / 2,
                "gender": 2,
                "education": 6,
                "race": "unknown" if row else 1,
                "age": 30 + row,
                "income": 10000,
            }
            for row in range(12)
        ]
        if about["gold"]:
            table(raw / about["folder"] / about["gold"], [[row.pop(columns["label"]), 1] for row in essays], False)
        table(raw / about["folder"] / about["essays"], essays)
        for model in config["relabel"]["models"].values():
            recorded = model["files"][name]
            # Of the labels 0 to 7 and 1 to 4, the first is none of the scale.
            labels = [*range(8), *range(1, 5)]
            rows = [
                {recorded["columns"]["id"]: f"e{row}", recorded["columns"]["label"]: label}
                for row, label in enumerate(labels)
            ]
            table(raw / model["folder"] / recorded["file"], rows)

    def forget(content):
        for about in content["sets"].values():
            about["sha256"] = dict.fromkeys(about["sha256"])

    study.edit_yaml(label_sets, forget)

    def forget_recorded(content):
        for model in content["relabel"]["models"].values():
            for recorded in model["files"].values():
                recorded["sha256"] = None

    study.edit_yaml("config/config.yaml", forget_recorded)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """A study with invented essays and recorded labels of both models and all sets, of which nothing has been made."""
    study = StudyCopy.of_repository(tmp_path_factory.mktemp("untouched") / "study")
    write_raw(study)
    return study


@pytest.fixture(scope="module")
def study(untouched, tmp_path_factory):
    """A study of one model and two sets whose labels have been made."""
    study = untouched.clone(tmp_path_factory.mktemp("labels") / "study")

    def two_sets(content):
        content["sets"] = {name: content["sets"][name] for name in SETS}

    study.edit_yaml("config/label_sets/newsemp.yaml", two_sets)
    study.edit_yaml("config/config.yaml", lambda content: content["relabel"]["models"].pop("llama"))
    run = study.run("labels", "validate_prompts", "--cores", "2")
    assert run.status == 0, run.text
    assert run.rules == {
        "prepare_label_set": 2,
        "ask_model": 2,
        "parse_labels": 2,
        "ask_sample": 1,
        "parse_sample": 1,
        "report_prompts": 1,
        "labels": 1,
        "validate_prompts": 1,
    }
    return study


@pytest.fixture(scope="module")
def closing(study):
    """The closing words after the labels of the study are made once more."""
    run = study.run("labels", "--cores", "1", "--forcerun", "parse_labels")
    assert run.status == 0, run.text
    return run.text


def test_a_finished_stage_says_so_and_names_its_labels(closing):
    assert "Study full, labels: complete" in closing
    assert "made      2 labels" in closing
    for name in SETS:
        assert f"note      model=gpt set={name}: 12 answers, 1 invalid (8.3 %): 1 x out_of_range: label" in closing
    for name in SETS:
        assert f"Open results/full/relabel/gpt/{name}/labels.parquet" in closing
    for other in ("missing", "To go on", "condolence"):
        assert other not in closing


def planned(study, *targets):
    run = study.dry_run(*(targets or ("labels",)))
    assert run.status == 0, run.text
    return {rule: count for rule, count in run.rules.items() if rule not in ("labels", "validate_prompts")}


def test_both_recorded_models_label_all_four_sets(untouched):
    assert planned(untouched) == {"prepare_label_set": 4, "ask_model": 8, "parse_labels": 8}


def test_recorded_labels_go_through_the_store_to_labels(study):
    for name in SETS:
        labels = pandas.read_parquet(study.folder / f"results/full/relabel/gpt/{name}/labels.parquet")
        assert labels["label"].fillna(0).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4]
        assert set(labels["prompt"]) == {"scale_aware"}
    (store,) = (study.folder / "label_store").glob("*.sqlite")
    assert store.name == "gpt--scale_aware.sqlite"
    report = pandas.read_csv(study.folder / "results/full/relabel/prompts.csv")
    assert report["model"].tolist() == ["gpt"]
    assert report["parsed"].tolist() == [pytest.approx(11 / 12)]


def test_a_finished_stage_has_nothing_to_do(study):
    assert planned(study, "labels", "validate_prompts") == {}


def test_labels_need_the_data_of_no_task(untouched, tmp_path):
    alone = untouched.clone(tmp_path / "study")
    shutil.rmtree(alone.folder / "resources/raw/news_wassa23")  # what tasks read; the sets of 2022 lie elsewhere

    def sets_of_2022(content):
        content["sets"] = {name: content["sets"][name] for name in SETS}

    alone.edit_yaml("config/label_sets/newsemp.yaml", sets_of_2022)
    assert planned(alone) == {"prepare_label_set": 2, "ask_model": 4, "parse_labels": 4}
    run = alone.dry_run("data")
    assert run.status != 0
    assert "None of the study's tasks has its data" in run.text


def test_own_texts_are_labelled_as_the_guide_says(tmp_path):
    study = StudyCopy.of_repository(tmp_path / "study")
    section = (ROOT / GUIDE).read_text(encoding="utf-8").split("## Texts of your own")[1].split("\n## ")[0]
    study.write("section.md", section)
    sets, config = fenced_blocks(study.folder / "section.md", "yaml")
    study.write("config/label_sets/mine.yaml", sets)
    columns = {"id": "id", "label": "score"}
    recorded = {"file": "scores.csv", "columns": columns, "sha256": None}
    model = {"provider": "recorded", "model": "m", "scale": "batson_empathy", "prompt": "plain", "folder": "my_notes"}
    study.write("config/mine.yaml", config)
    study.edit_yaml(
        "config/mine.yaml", lambda c: c["relabel"]["models"].update(mine=model | {"files": {"my_set": recorded}})
    )
    rows = "a\tA lamp in the rain.\t1\t2\nb\tA door in the wind.\t2\t\n"
    study.write("resources/raw/my_notes/notes.tsv", f"id\ttext\twriter\tempathy\n{rows}")
    study.write("resources/raw/my_notes/scores.csv", "id,score\nb,5\na,3\n")
    run = study.run("labels", "--configfile", "config/mine.yaml", "--cores", "1")
    assert run.status == 0, run.text
    assert "Study mine, labels: complete" in run.text
    labels = pandas.read_parquet(study.folder / "results/mine/relabel/mine/my_set/labels.parquet")
    assert dict(zip(labels["id"], labels["label"], strict=True)) == {"a": 3, "b": 5}


def test_a_later_config_file_switches_a_model_off(untouched, tmp_path):
    changed = untouched.clone(tmp_path / "study")
    changed.write("config/mine.yaml", "relabel: {models: {gpt: null}}")
    run = changed.dry_run("labels", "--configfile", "config/mine.yaml")
    assert run.status == 0, run.text
    assert {job.names["model"] for job in run.jobs if job.rule == "ask_model"} == {"llama"}
    changed.write("config/mine.yaml", "relabel: {models: {gpt: null, llama: null}}")
    run = changed.dry_run("labels", "--configfile", "config/mine.yaml")
    assert run.status != 0
    assert "no model labels newsemp2023_dev, newsemp2022_dev, newsemp2022_train, newsemp2023_train" in run.text


def test_published_labels_that_are_not_there_are_named_with_a_way_to_do_without(untouched, tmp_path):
    changed = untouched.clone(tmp_path / "study")
    shutil.rmtree(changed.folder / "resources/raw/llmpathy_labels")
    run = changed.dry_run("labels")
    assert run.status != 0
    assert "llmpathy_labels/NewsEmp2023/WASSA23_essay_level_dev_gpt.tsv is missing. To get it: docs/data.md" in run.text
    assert "`relabel: {models: {gpt: null}}`" in run.text


def test_a_set_without_published_labels_is_named_with_a_way_to_do_without(untouched, tmp_path):
    changed = untouched.clone(tmp_path / "study")
    files = "newsemp2022_train, newsemp2022_dev, newsemp2023_train"
    changed.edit_yaml("config/config.yaml", lambda c: c["relabel"]["models"]["gpt"]["files"].pop("newsemp2023_dev"))
    run = changed.dry_run("relabel")
    assert run.status != 0
    assert f"relabel.models.gpt.files: no labels of 'newsemp2023_dev', only of {files}" in run.text
    assert "`relabel: {models: {gpt: null}}`" in run.text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda study: study.change("config/scales/batson_empathy.yaml", lambda t: t.replace("mean\n", "sum\n")),
            {"ask_model": 2, "parse_labels": 2},
        ),
        (
            lambda study: study.change("config/prompts/plain.j2", lambda t: t.replace("lowest", "least")),
            {},
        ),
        (
            lambda study: study.change(
                "workflow/scripts/empathy_transfer/labelling/labels.py", lambda t: t.replace("100 *", "100.0 *")
            ),
            {"parse_labels": 2},
        ),
        (
            lambda study: study.edit_yaml(
                "config/config.yaml", lambda c: c["relabel"]["models"]["gpt"].update(model="gpt-4")
            ),
            {"ask_model": 2, "parse_labels": 2},
        ),
    ],
    ids=["scale", "another prompt", "reading", "model"],
)
def test_what_runs_again(study, tmp_path, change, expected):
    changed = study.clone(tmp_path / "study")
    change(changed)
    assert planned(changed) == expected


def test_a_live_model_is_asked_about_all_sets_and_with_all_prompts(study, tmp_path):
    changed = study.clone(tmp_path / "study")
    changed.edit_yaml("config/config.yaml", lambda c: c["relabel"]["models"].update(mine=LIVE))
    assert planned(changed) == {"ask_model": 2, "parse_labels": 2}
    assert planned(changed, "validate_prompts") == {"ask_sample": 4, "parse_sample": 4, "report_prompts": 1}


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda c: c["relabel"]["models"]["mine"].pop("max_cost"), "'max_cost' is a required property"),
        (lambda c: c["relabel"]["models"]["mine"].pop("key_variable"), "'key_variable' is a required property"),
        (lambda c: c["relabel"]["models"]["mine"].update(api_key="x"), "unknown key 'api_key'"),
        (lambda c: c["relabel"]["models"]["mine"].update(prompt="plane"), "(did you mean 'plain'?)"),
        (lambda c: c["relabel"].update(remote_llm=["newsemp2022"]), "relabel.remote_llm: no set 'newsemp2022'"),
        (lambda c: c["relabel"]["models"].update(data=LIVE), "data"),
    ],
    ids=["no limit", "no key variable", "a key", "no such prompt", "no such set", "a reserved name"],
)
def test_a_model_that_is_not_fully_described_stops_the_run_before_the_first_job(study, tmp_path, edit, words):
    changed = study.clone(tmp_path / "study")
    changed.edit_yaml("config/config.yaml", lambda c: (c["relabel"]["models"].update(mine=dict(LIVE)), edit(c)))
    run = changed.dry_run("labels")
    assert run.status != 0
    assert words in run.text
    assert run.jobs == ()
