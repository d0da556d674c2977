"""What runs again after which change, in a finished study. Nothing is trained here: see `StudyCopy.finish`."""

import os
import re

import pytest
import yaml

from study_copy import in_parallel

SMALL = ["condolence", "epitome_er", "news_empathy", "news_emotion"]
LIBRARY = "workflow/scripts/empathy_transfer"
CONDITIONS = ["data=full seed=1", "data=half seed=1"]
IMPORTANCE = {"measure_importance": 2, "permute_ratings": 1, "report_importance": 1, "plot_importance": 1}
IMPORTANCE |= {"model_ratings": 1, "plot_rating_model": 1}
PREDICTORS = {"rank_predictors": 1, "plot_predictors": 1}
AGGREGATES = (
    {
        "collect_scores": 1,
        "collect_significance": 1,
        "tabulate_claims": 1,
        "tabulate_scores": 4,
        "plot_improvement": 4,
        "complete_study": 1,
    }
    | IMPORTANCE
    | PREDICTORS
)
SUMMARY = {"summarise_data": 1, "compute_pair_features": 1}
# The table of themes shows all tasks, with their titles and themes; so do the heat maps of similarity.
THEMES = {"tabulate_themes": 1, "plot_similarity": 2}
# What is made of one task's texts.
TEXTS = {"embed_dataset": 1, "compare_datasets": 1}
# The audit of leakage compares all tasks; its report is drawn in order of themes.
LEAKAGE = {"find_leakage": 1, "report_leakage": 1, "plot_leakage": 1}
# The flags of the audit, and all analyses, which stand once more without flagged pairs.
FLAGGED = {"report_leakage": 1, "plot_leakage": 1} | AGGREGATES
# What a baseline with a context is tested for again.
CONTEXT = {"ablate_context": 1, "compare_contexts": 1, "plot_context_ablation": 1}


def compared(targets):
    """The scores and tests of this many targets: each has a run that is made anew."""
    return {"score_target": targets, "compare_with_baseline": targets}


def learnt(targets, changed=1):
    """What is made of changed baselines: their embeddings, and estimates for all targets, whose sources they are."""
    similarities = {"embed_task": changed, "compare_tasks": 1, "plot_similarity": 1, "compute_pair_features": 1}
    return similarities | {"estimate_sources": targets}


def runs_of(task, tasks):
    """The training jobs that a task's settings decide: its baseline, and all transfers to it and from it."""
    others = [other for other in tasks if other != task]
    return {
        job
        for condition in CONDITIONS
        for job in [
            ("train_baseline", f"{condition} task={task}"),
            *(("train_transfer", f"{condition} source={task} target={other}") for other in others),
            *(("train_transfer", f"{condition} source={other} target={task}") for other in others),
        ]
    }


def all_runs(tasks):
    """All training jobs of a study."""
    return set().union(*(runs_of(task, tasks) for task in tasks))


def set_learning_rate(study, dataset, task):
    """Change the learning rate of one task."""
    study.edit_yaml(
        f"config/datasets/{dataset}.yaml",
        lambda content: content["tasks"][task]["training"].update(learning_rate=1.5e-4),
    )


def add_nineteenth_task(study, worked_example):
    """Add a dataset as the manual's worked example does, with the first of its tasks."""
    table, description = worked_example
    study.write("resources/raw/essays/essays.csv", table)
    study.write("config/datasets/essays.yaml", description)
    study.edit_yaml("config/datasets/essays.yaml", lambda content: content["tasks"].pop("essays_emotion"))


# Changes that mean nothing for any result.


def comments_in_code(study):
    for path in [f"{LIBRARY}/training/run.py", f"{LIBRARY}/frame/job.py", "workflow/scripts/train/train_transfer.py"]:
        study.change(path, lambda text: text.replace("\n\n", "\n\n# a comment\n\n"))


def docstrings_in_code(study):
    for path in [f"{LIBRARY}/training/run.py", f"{LIBRARY}/frame/job.py", "workflow/scripts/train/train_transfer.py"]:
        study.change(path, lambda text: re.sub(r'^( *)"""(?=\w)', r'\1"""In other words: ', text, flags=re.MULTILINE))


def touched_library(study):
    for path in [*(study.folder / LIBRARY).rglob("*.py"), *(study.folder / "workflow/scripts").glob("*/*.py")]:
        os.utime(path)


def comment_in_dataset(study):
    study.change("config/datasets/condolence.yaml", lambda text: text.replace("\ntasks:\n", "\n# a comment\ntasks:\n"))


def order_of_keys(study):
    path = "config/datasets/news.yaml"
    content = yaml.safe_load((study.folder / path).read_text(encoding="utf-8"))
    content["tasks"] = {task: dict(reversed(entry.items())) for task, entry in reversed(content["tasks"].items())}
    content["tasks"]["news_empathy"]["training"] = dict(reversed(content["tasks"]["news_empathy"]["training"].items()))
    study.write(path, yaml.safe_dump(dict(reversed(content.items())), sort_keys=False))


def words_for_people(study):
    study.edit_yaml(
        "config/datasets/condolence.yaml", lambda content: content.update(paper="-", licence="-", terms="-", group="-")
    )


def comments_in_rules_and_config(study):
    for path in [
        "Snakefile",
        "config/config.yaml",
        "workflow/rules/plan/common.smk",
        "workflow/rules/train/transfer.smk",
    ]:
        study.change(path, lambda text: text + "\n# a comment\n")


def other_resources(study):
    study.change(
        "workflow/rules/plan/cluster.smk",
        lambda text: text.replace("TIME_MARGIN, START_UP_MINUTES = 3, 5", "TIME_MARGIN, START_UP_MINUTES = 9, 9"),
    )
    study.change("workflow/rules/train/transfer.smk", lambda text: text.replace("gpu=1,", "gpu=2,"))


def frame_of_jobs(study):
    """A message of the store of results, and one more field in each provenance."""
    study.change(f"{LIBRARY}/frame/result_store.py", lambda text: text.replace("already in", "is there in"))
    study.change(f"{LIBRARY}/records/provenance.py", lambda text: text.replace("scipy", "scipy datasets"))


def new_files_beside_those_in_use(study):
    """A loss, a type of adapter and a figure, none of which this study uses."""
    for folder, name in [
        ("losses", "squared_error"),
        ("models/adaptations", "seq_bn"),
        ("scores", "heat_maps"),
    ]:
        text = (study.folder / LIBRARY / folder / f"{name}.py").read_text(encoding="utf-8")
        study.write(f"{LIBRARY}/{folder}/another.py", text)


def unused_loss(study):
    """An edit of a loss that this study does not use."""
    study.change(f"{LIBRARY}/losses/huber.py", lambda text: text.replace("delta=delta", "delta=2 * delta"))


def touched_raw_files(study):
    for path in (study.folder / "resources/raw").rglob("*.csv"):
        os.utime(path)


HARMLESS = [
    comments_in_code,
    docstrings_in_code,
    touched_library,
    comment_in_dataset,
    order_of_keys,
    words_for_people,
    comments_in_rules_and_config,
    other_resources,
    frame_of_jobs,
    new_files_beside_those_in_use,
    unused_loss,
    touched_raw_files,
]


# Changes that mean something.


def loss(study):
    study.change(
        f"{LIBRARY}/losses/squared_error.py", lambda text: text.replace("functional.mse_loss(", "functional.l1_loss(")
    )


def label_scale(study):
    study.edit_yaml("config/config.yaml", lambda content: content["training"]["override"].update(label_scale="raw"))


def loop(study):
    study.change(
        f"{LIBRARY}/training/loop.py",
        lambda text: text.replace("merit(log[-1], settings) > merit(", "merit(log[-1], settings) >= merit("),
    )


def new_metric_and_kind(study):
    text = (study.folder / LIBRARY / "kinds/regression.py").read_text(encoding="utf-8")
    study.write(f"{LIBRARY}/kinds/another.py", text)
    text = (study.folder / LIBRARY / "metrics/mae.py").read_text(encoding="utf-8")
    study.write(f"{LIBRARY}/metrics/largest_error.py", text.replace(".mean()", ".max()"))


def title_and_theme(study):
    study.edit_yaml(
        "config/datasets/condolence.yaml",
        lambda content: content["tasks"]["condolence"].update(title="Another title", theme="direct"),
    )


def learning_rate_and_title(study):
    """Two changes at once: one of them re-runs a job on which all others wait."""
    set_learning_rate(study, "epitome", "epitome_er")
    title_and_theme(study)


def reader(study):
    study.change(f"{LIBRARY}/data/readers/condolence.py", lambda text: text + "\nCONSTANT = 1\n")


def fifth_task(study):
    study.configure(tasks=[*SMALL, "news_distress"])


def strict(study, *touching):
    """Switch `strict` on where the audit has found rows of these tasks that touch held-out rows."""
    for task in SMALL:
        rows = "row1,text\n" if task in touching else ""
        study.write(f"results/full/leakage/touched/{task}.csv", f"id,overlaps\n{rows}")
    study.touch()
    study.edit_yaml("config/config.yaml", lambda content: content["leakage"].update(strict=True))


def strict_with_one_touching(study):
    strict(study, "epitome_er")


def strict_with_none_touching(study):
    strict(study)


def flagged_share(study):
    study.edit_yaml("config/config.yaml", lambda content: content["leakage"].update(flagged_share=0.5))


MEANINGFUL = [
    loss,
    label_scale,
    loop,
    new_metric_and_kind,
    title_and_theme,
    learning_rate_and_title,
    reader,
    fifth_task,
    flagged_share,
]
MEANINGFUL += [strict_with_one_touching, strict_with_none_touching]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reruns")


@pytest.fixture(scope="module")
def eighteen(full_study, full_plan, folder):
    """A finished study of 18 tasks, with one seed and both data conditions."""
    study = full_study.clone(folder / "eighteen")
    study.configure(seeds=[1], controls=[])
    study.finish([job for job in full_plan.jobs if job.names.get("seed", "1") == "1"])
    return study


@pytest.fixture(scope="module")
def four(full_study, full_plan, folder):
    """A finished study of four tasks, with one seed and both data conditions."""
    study = full_study.clone(folder / "four")
    study.configure(seeds=[1], tasks=SMALL, controls=[])
    study.finish([job for job in full_plan.jobs if job.within(SMALL, seed="1")])
    return study


@pytest.fixture(scope="module")
def large(eighteen, worked_example):
    """Dry runs after changes of the study of 18 tasks."""
    learning_rate = eighteen.clone(eighteen.folder.with_name("eighteen_learning_rate"))
    set_learning_rate(learning_rate, "epitome", "epitome_er")
    add_nineteenth_task(eighteen, worked_example)
    return in_parallel({"learning_rate": learning_rate.dry_run, "nineteen": eighteen.dry_run})


@pytest.fixture(scope="module")
def changed(four, folder):
    """Dry runs after changes of the study of four tasks, by the name of the change."""

    def after(*changes, name):
        study = four.clone(folder / name)
        for change in changes:
            change(study)
        return study.dry_run()

    calls = {change.__name__: lambda change=change: after(change, name=change.__name__) for change in MEANINGFUL}
    calls["harmless"] = lambda: after(*HARMLESS, name="harmless")
    runs = in_parallel(calls)
    # All harmless changes are tried at once. Only if something would run, the one to blame is looked for.
    if runs["harmless"].jobs:
        runs |= {change.__name__: after(change, name=change.__name__) for change in HARMLESS}
    else:
        runs |= {change.__name__: runs["harmless"] for change in HARMLESS}
    return runs


def planned(run):
    """The jobs of a dry run that must have worked."""
    assert run.status == 0, run.text
    return run


def test_one_learning_rate_retrains_35_of_324_per_condition_and_seed(large, full_study):
    run = planned(large["learning_rate"])
    assert (
        run.rules == {"train_baseline": 2, "train_transfer": 2 * 34} | compared(18) | learnt(18) | CONTEXT | AGGREGATES
    )
    assert all(job.about("epitome_er") for job in run.jobs if job.trains)
    for condition in CONDITIONS:
        assert sum(condition in wildcards for _, wildcards in run.trained) == 35


def test_a_19th_task_adds_37_trainings_per_condition_and_seed_and_retrains_none(large):
    run = planned(large["nineteen"])
    own = {"check_raw": 1, "prepare_task": 1, "sign_task": 1, "tokenise_task": 1}
    own |= {"train_baseline": 2, "train_transfer": 2 * 36}
    assert run.rules == own | SUMMARY | LEAKAGE | compared(19) | learnt(19) | TEXTS | THEMES | CONTEXT | AGGREGATES
    for condition in CONDITIONS:
        assert sum(condition in wildcards for _, wildcards in run.trained) == 37
    assert all(job.about("essays_concern") for job in run.jobs if job.rule in own and job.rule != "check_raw")
    assert [job.wildcards for job in run.jobs if job.rule == "check_raw"] == ["dataset=essays"]


@pytest.mark.parametrize("change", HARMLESS, ids=lambda change: change.__name__)
def test_nothing_runs_again_after(change, changed):
    run = planned(changed[change.__name__])
    assert run.rules == {}
    assert run.jobs == ()


@pytest.mark.parametrize("change", ["loss", "label_scale"])
def test_what_regressions_use_retrains_them_and_what_follows_from_their_adapters(changed, change):
    """Condolence and News Empathy are regressions; ten of twelve pairs have one of them."""
    run = planned(changed[change])
    assert run.trained == runs_of("condolence", SMALL) | runs_of("news_empathy", SMALL)
    trained = {"train_baseline": 4, "train_transfer": 20}
    assert run.rules == trained | compared(4) | learnt(4, changed=2) | CONTEXT | AGGREGATES


def test_a_new_metric_scores_the_stored_predictions_and_trains_nothing_as_a_new_kind_does(changed):
    run = planned(changed["new_metric_and_kind"])
    assert run.trained == set()
    assert run.rules["score_target"] == 4


def test_the_loop_retrains_all_and_leaves_the_data(changed):
    run = planned(changed["loop"])
    assert run.trained == all_runs(SMALL)
    expected = {"train_baseline": 8, "train_transfer": 24} | compared(4) | learnt(4, changed=4) | CONTEXT | AGGREGATES
    assert run.rules == expected | {"ablate_context": 2}


def test_title_and_theme_retrain_none(changed):
    # Condolence has a context, so its title stands in the figure of those.
    drawn = {"plot_leakage": 1, "plot_context_ablation": 1}
    assert planned(changed["title_and_theme"]).rules == SUMMARY | THEMES | AGGREGATES | drawn


def test_two_changes_at_once_re_run_what_each_does(changed):
    run = planned(changed["learning_rate_and_title"])
    assert run.trained == runs_of("epitome_er", SMALL)
    own = {"train_baseline": 2, "train_transfer": 12, "plot_leakage": 1}
    assert run.rules == own | SUMMARY | compared(4) | learnt(4) | THEMES | CONTEXT | AGGREGATES


def test_how_a_dataset_is_read_remakes_its_own_data_and_runs(changed):
    run = planned(changed["reader"])
    assert run.trained == runs_of("condolence", SMALL)
    assert {rule: number for rule, number in run.rules.items() if not rule.startswith("train_")} == {
        "prepare_task": 1,
        "sign_task": 1,
        "tokenise_task": 1,
        "measure_ceiling": 1,  # of Condolence, whose raters are known
    } | SUMMARY | LEAKAGE | compared(4) | learnt(4) | TEXTS | {"plot_similarity": 2} | CONTEXT | AGGREGATES


def test_a_new_task_of_a_dataset_adds_its_own_jobs_only(changed):
    run = planned(changed["fifth_task"])
    assert run.trained == runs_of("news_distress", [*SMALL, "news_distress"])
    assert (
        run.rules
        == {
            "prepare_task": 1,
            "sign_task": 1,
            "tokenise_task": 1,
            "train_baseline": 2,
            "train_transfer": 16,
        }
        | compared(5)
        | learnt(5)
        | TEXTS
        | THEMES
        | SUMMARY
        | LEAKAGE
        | AGGREGATES
    )


def test_strict_retrains_exactly_the_tasks_that_lose_rows(changed):
    run = planned(changed["strict_with_one_touching"])
    assert run.trained == runs_of("epitome_er", SMALL)
    assert [job.wildcards for job in run.jobs if job.rule == "remove_leaked_rows"] == ["task=epitome_er"]
    assert [job.wildcards for job in run.jobs if job.rule == "tokenise_task"] == ["task=epitome_er"]
    own = {"remove_leaked_rows": 1, "tokenise_task": 1, "train_baseline": 2, "train_transfer": 12}
    drawn = {"report_leakage": 1, "plot_leakage": 1}
    assert run.rules == own | compared(4) | learnt(4) | TEXTS | {"plot_similarity": 2} | CONTEXT | AGGREGATES | drawn


def test_strict_retrains_nothing_where_no_row_touches(changed):
    run = planned(changed["strict_with_none_touching"])
    assert run.rules == FLAGGED


def test_the_share_from_which_cells_are_flagged_trains_nothing(changed):
    assert planned(changed["flagged_share"]).rules == FLAGGED
