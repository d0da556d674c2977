"""The plan of a study: which jobs there are, and what is said about those that there aren't."""

import shutil
from collections import Counter
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from study_copy import ROOT, StudyCopy, in_parallel

HUBER = "training: {override: {losses: {regression: {name: huber, delta: 1.0}}}}"
TYPED = ("--config", "training={override: {epochs: 1}}", "seeds=[1, 2, 3]")
FOUR = ["condolence", "epitome_er", "mi_adherent", "news_empathy"]


@pytest.fixture(scope="module")
def plans(full_study, tmp_path_factory):
    """Dry runs of variants of a study, by name."""
    folder = tmp_path_factory.mktemp("plans")

    def small(name, **config):
        study = full_study.clone(folder / name)
        study.configure(seeds=[1], **config)
        return study

    partial = small("partial", tasks=FOUR)
    other = folder / "other_raw"
    shutil.copytree(full_study.folder / "resources/raw", other)
    shutil.rmtree(other / "condolence")
    (other / "mi/MI Dataset.csv").unlink()
    selection = small("selection")
    demo, overlaid, curves = (full_study.clone(folder / name) for name in ("demo", "overlaid", "curves"))
    overlaid.write("config/huber.yaml", HUBER)
    return in_parallel(
        {
            "partial": lambda: partial.dry_run(EMPATHY_RAW_DIR=str(other)),
            "selection": lambda: selection.dry_run("--config", "tasks=[conv_empathy,condolence]", "data=[full]"),
            "demo": lambda: demo.dry_run("--configfile", "config/demo.yaml"),
            "curves": lambda: curves.dry_run("specification", "--configfile", "config/demo.yaml"),
            "overlaid": lambda: overlaid.dry_run("--configfile", "config/demo.yaml", "config/huber.yaml", *TYPED),
            "typo": lambda: small("typo", tasks=["condolence", "epitomer"]).dry_run(),
            "nothing": lambda: small("nothing", tasks=FOUR).dry_run(EMPATHY_RAW_DIR=str(folder / "no_such_folder")),
            "published": lambda: small("published").dry_run(
                "published_analysis", EMPATHY_RAW_DIR=str(folder / "no_such_folder")
            ),
        }
    )


def test_the_full_study_has_18_baselines_and_306_transfers_per_condition_and_seed(full_plan):
    counts = Counter()
    for job in full_plan.jobs:
        if job.trains:
            counts[job.rule, job.names["data"], int(job.names["seed"])] += 1
    conditions = [(data, seed) for data in ("full", "half") for seed in (1, 2, 3)]
    assert counts == {("train_baseline", *condition): 18 for condition in conditions} | {
        ("train_transfer", *condition): 306 for condition in conditions
    }
    assert len(full_plan.trained) == 6 * (18 + 306)  # no two are the same


def test_overrides_in_files_and_on_the_command_line_plan_the_jobs_of_the_demo(plans):
    assert plans["overlaid"].status == 0, plans["overlaid"].text
    assert plans["overlaid"].rules == plans["demo"].rules
    # Six tasks, three seeds: 18 baselines, and 30 pairs in each.
    assert (plans["demo"].rules["train_baseline"], plans["demo"].rules["train_transfer"]) == (36, 180)


def test_the_full_study_has_one_job_per_dataset_task_and_aggregate(full_plan):
    rules = full_plan.rules
    assert {rule: number for rule, number in rules.items() if not rule.startswith("train_")} == {
        "check_raw": 9,
        "prepare_task": 18,
        "summarise_data": 1,
        "tokenise_task": 18,
        "sign_task": 18,
        "find_leakage": 1,
        "report_leakage": 1,
        "plot_leakage": 1,
        "score_target": 18,
        # Of Condolence and Empathy Hope single raters' labels are known.
        "measure_ceiling": 2,
        "score_controls": 18,
        "collect_scores": 1,
        "tabulate_scores": 4,
        "plot_improvement": 4,
        "compare_with_baseline": 18,
        "draw_adapter": 2 * 3,
        "compare_with_controls": 18,
        "collect_controls": 1,
        "tabulate_controls": 1,
        "plot_controls": 2,
        # All tasks but those of News and Empathy Hope have a context.
        "ablate_context": 14 * 3,
        "compare_contexts": 1,
        "plot_context_ablation": 1,
        "collect_significance": 1,
        "measure_agreement": 1,
        "tabulate_themes": 1,
        "plot_differences": 1,
        "embed_dataset": 18,
        "compare_datasets": 1,
        "embed_task": 3 * 18,
        "compare_tasks": 1,
        "plot_similarity": 2,
        "estimate_sources": 3 * 18,
        "rank_predictors": 1,
        "plot_predictors": 1,
        "compute_pair_features": 1,
        "measure_importance": 2,
        "permute_ratings": 1,
        "report_importance": 1,
        "tabulate_claims": 1,
        "plot_importance": 1,
        "model_ratings": 1,
        "plot_rating_model": 1,
        "complete_study": 1,
    }


def test_each_baseline_of_the_full_study_has_four_controls(full_plan):
    counts = Counter()
    for job in full_plan.jobs:
        if job.rule in ("train_control", "train_longer"):
            counts[job.names.get("source", "longer"), job.names["data"], int(job.names["seed"])] += 1
    kinds = ("self", "random_identity", "random_full", "longer")
    assert counts == {(kind, data, seed): 18 for kind in kinds for data in ("full", "half") for seed in (1, 2, 3)}


def test_a_plan_writes_nothing(full_study, full_plan):
    assert not (full_study.folder / "results").exists()
    assert not (full_study.folder / "logs").exists()


def test_datasets_without_files_are_left_out_with_one_line_each(plans):
    run = plans["partial"]
    assert run.status == 0, run.text
    assert run.rules["train_baseline"] == 2 * 2
    assert run.rules["train_transfer"] == 2 * 2
    assert not any(job.about("condolence") or job.about("mi_adherent") for job in run.jobs)
    lines = [line for line in run.text.splitlines() if line.startswith("Left out: ")]
    assert len(lines) == 2
    condolence, mi = lines
    for line, task, file, folder, remedy in [
        (condolence, "condolence", "output.csv", "other_raw/condolence", "Ask the authors"),
        (mi, "mi_adherent", "MI Dataset.csv", "other_raw/mi", "add 'mi' to accept_terms"),
    ]:
        assert line.startswith(f"Left out: {task}: ")
        for words in [file, folder, remedy, "Terms: "]:
            assert words in line


def test_tasks_and_conditions_can_be_chosen_on_the_command_line(plans):
    run = plans["selection"]
    assert run.status == 0, run.text
    assert run.trained == {
        ("train_baseline", "data=full seed=1 task=condolence"),
        ("train_baseline", "data=full seed=1 task=conv_empathy"),
        ("train_transfer", "data=full seed=1 source=condolence target=conv_empathy"),
        ("train_transfer", "data=full seed=1 source=conv_empathy target=condolence"),
    }
    assert run.rules["prepare_task"] == 2
    # What is not asked for is not missed.
    assert "Left out" not in run.text


def test_an_unknown_task_is_refused_with_a_hint(plans):
    run = plans["typo"]
    assert run.status != 0
    assert "tasks: 'epitomer' is in no file of config/datasets (did you mean 'epitome_er'?)" in run.text
    assert run.jobs == ()


def test_a_study_without_any_data_is_refused_with_what_to_do(plans):
    run = plans["nothing"]
    assert run.status != 0
    assert "None of the study's tasks has its data:" in run.text
    for task in FOUR:
        assert f" {task}: " in run.text
    assert "no_such_folder/condolence" in run.text
    assert run.jobs == ()


def test_the_published_analysis_needs_no_data(plans):
    run = plans["published"]
    assert run.status == 0, run.text
    assert run.rules == {
        "collect_published_scores": 1,
        "compute_published_features": 1,
        "measure_published_importance": 2,
        "permute_published_ratings": 1,
        "report_published_importance": 1,
        "tabulate_published_claims": 1,
        "plot_published_importance": 1,
        "model_published_ratings": 1,
        "plot_published_rating_model": 1,
        "published_analysis": 1,
    }
    assert "Left out" not in run.text


def test_specification_curves_need_tests_and_features_but_no_importance(plans):
    run = plans["curves"]
    assert run.status == 0, run.text
    # Three seeds and both conditions of six tasks; a test for each target.
    wanted = {"train_baseline": 36, "train_transfer": 180, "compare_with_baseline": 6, "collect_significance": 1}
    wanted |= dict.fromkeys(("report_leakage", "compute_pair_features"), 1)
    wanted |= dict.fromkeys(("tabulate_specifications", "plot_specifications", "specification"), 1)
    assert {rule: run.rules[rule] for rule in wanted} == wanted
    assert not {"measure_importance", "tabulate_claims"} & set(run.rules)


def test_the_worked_example_of_the_manual_runs(full_study, worked_example, tmp_path):
    table, description = worked_example
    study = StudyCopy.of_repository(tmp_path / "study")
    study.write("resources/raw/essays/essays.csv", table)
    study.write("config/datasets/essays.yaml", description)
    run = study.run("--cores", "2", "data", "--config", "tasks=[essays_concern,essays_emotion]")
    assert run.status == 0, run.text
    assert run.rules == {"check_raw": 1, "prepare_task": 2, "summarise_data": 1, "data": 1}
    for task in yaml.safe_load(description)["tasks"]:
        assert f"results/full/data/{task}/test.parquet" in study.files()
    assert "results/full/data/summary.csv" in study.files()


@pytest.mark.parametrize(
    ("said", "found"),
    [({}, {}), ({"quote": "none"}, {"quote": "none"}), ({"max_lost": 0.9}, {"max_lost": 0.9})],
)
def test_how_tables_are_read_reaches_the_job_of_a_task_and_is_no_param_where_it_is_not_said(said, found):
    dataset = {"folder": "own", "files": {"own.tsv": {}}, "reader": "table", "columns": {"text": "words"}}
    dataset |= {
        "context": "none",
        "alternatives": [{"form": "part", "note": "-", "folder": "part", "files": {}}],
        **said,
    }
    known = {"config": {"raw_dir": "raw", "study": "own"}}
    for name in ("layouts", "task_data"):
        text = (ROOT / f"workflow/rules/plan/{name}.smk").read_text(encoding="utf-8")
        exec(compile(text, f"{name}.smk", "exec"), known)
    for form in known["forms"](dataset):
        known["TASKS"] = {"t": {"form": form}}
        job = known["task_form"](SimpleNamespace(task="t"))
        assert {key: value for key, value in job.items() if key in ("quote", "max_lost")} == found
        assert list(job) == sorted(job)


def test_a_partial_study_takes_no_run_that_is_not_planned_any_more(tmp_path):
    """Runs of other seeds, of half data and of another task lie there from an earlier config."""
    for data, seed, run in product(("full", "half"), (1, 2), ("baseline/a", "baseline/c", "transfer/a--b")):
        stage, name = run.split("/")
        path = tmp_path / stage / data / f"seed={seed}" / name / "run.json"
        path.parent.mkdir(parents=True)
        path.touch()

    def expand(pattern, **values):
        return [pattern.format(**dict(zip(values, chosen, strict=True))) for chosen in product(*values.values())]

    known = {"Path": Path, "expand": expand, "RESULTS": str(tmp_path), "TASKS": ["a", "b"], "PAIRS": ["a--b", "b--a"]}
    known |= {"DATA": ["full"], "SEEDS": [2]}
    text = (ROOT / "workflow/rules/plan/run_files.smk").read_text(encoding="utf-8")
    exec(compile(text, "run_files.smk", "exec"), known)
    found = [Path(path).relative_to(tmp_path).as_posix() for path in known["existing_records"]({})]
    assert found == ["baseline/full/seed=2/a/run.json", "transfer/full/seed=2/a--b/run.json"]
    assert len(known["existing_records"]({"target": "b"})) == 1
