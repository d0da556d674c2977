"""Controls and variants that are asked for later: what a finished study gets, and what it keeps."""

import pytest

from study_copy import in_parallel

TASKS = ["empdial_ei", "empdial_qint", "epitome_er", "news_empathy"]
CONDITIONS = ["full", "half"]
CAPACITY = {
    "score_controls": 4,
    "compare_with_controls": 4,
    "collect_controls": 1,
    "tabulate_controls": 1,
    "plot_controls": 2,
}
# Of all tables of the study, variants change that of the claims alone.
JUDGED = {"compare_variants": 1, "tabulate_claims": 1, "complete_study": 1}
NAMED = {"empdial_qint_human": ["source", "target"], "empdial_ei_human": []}


def controls(study):
    study.configure(controls=["self", "random_full", "longer"])


def variants(study):
    study.configure(variants=NAMED)


def relabelled(study):
    """A variant with other labels in training, which may be a result of the study."""
    entry = {"title": "-", "variant_of": "epitome_er", "training_labels": "<results>/relabel/epitome_er/labels.csv"}
    study.edit_yaml(
        "config/datasets/epitome.yaml", lambda content: content.update(variants={"epitome_er_other": entry})
    )
    study.write("results/full/relabel/epitome_er/labels.csv", "id,label\n")
    study.configure(variants={"epitome_er_other": []})


def unknown(study):
    study.configure(variants={"empdial_qint_humans": []})


def orphan(study):
    study.configure(variants=NAMED, tasks=["epitome_er", "news_empathy"])


def stray(study):
    entry = {"title": "-", "variant_of": "epitome_err", "label_sources": ["human"]}
    study.edit_yaml("config/datasets/epitome.yaml", lambda content: content.update(variants={"other": entry}))


@pytest.fixture(scope="module")
def finished(full_study, tmp_path_factory):
    """A finished study of four tasks, with one seed, both data conditions and no control."""
    study = full_study.clone(tmp_path_factory.mktemp("controls") / "study")
    study.configure(seeds=[1], tasks=TASKS, controls=[])
    plan = study.dry_run()
    assert plan.status == 0, plan.text
    study.finish(plan.jobs)
    return study


@pytest.fixture(scope="module")
def changed(finished):
    """Dry runs after changes of the finished study, by the name of the change."""

    def after(change):
        study = finished.clone(finished.folder.with_name(change.__name__))
        change(study)
        return study.dry_run()

    changes = [controls, variants, relabelled, unknown, orphan, stray]
    return in_parallel({change.__name__: lambda change=change: after(change) for change in changes})


def test_controls_are_added_to_a_finished_study_and_nothing_else_runs(changed):
    run = changed["controls"]
    assert run.status == 0, run.text
    assert run.rules == {"draw_adapter": 1, "train_control": 2 * 4 * 2, "train_longer": 4 * 2} | CAPACITY
    assert {job.names["source"] for job in run.jobs if job.rule == "train_control"} == {"self", "random_full"}
    folders = {path.rsplit("/", 1)[0] for job in run.jobs if job.rule.startswith("train_") for path in job.output}
    assert folders == {
        f"results/full/controls/{data}/seed=1/{control}--{task}"
        for data in CONDITIONS
        for control in ("self", "random_full", "longer")
        for task in TASKS
    }


def test_a_variant_has_jobs_of_its_own_and_stays_out_of_all_tables_but_the_claims(changed):
    run = changed["variants"]
    assert run.status == 0, run.text
    # As source and as target of the three tasks that are not its own.
    own = {"derive_variant": 1, "tokenise_task": 1, "train_baseline": 2, "train_transfer": 2 * 2 * 3}
    own |= JUDGED
    assert run.rules == own
    assert all(job.about("empdial_qint_human") for job in run.jobs if job.wildcards)
    assert not any(job.about("empdial_qint") for job in run.jobs)


def test_a_variant_without_rows_is_left_out_with_the_reason(changed):
    line = "Left out: empdial_ei_human: a model gave all labels of empdial_ei, so that no row is left"
    assert line in changed["variants"].text.splitlines()


def test_a_variant_whose_task_is_not_planned_is_left_out(changed):
    run = changed["orphan"]
    assert run.status == 0, run.text
    assert "made from empdial_qint, which is not among the tasks of this run" in run.text


def test_training_labels_may_be_a_result_of_the_study(changed):
    run = changed["relabelled"]
    assert run.status == 0, run.text
    assert run.rules == {"derive_variant": 1, "tokenise_task": 1, "train_baseline": 2} | JUDGED


def test_a_run_for_variants_of_a_study_without_any_says_so(finished):
    run = finished.dry_run("variants")
    assert run.status != 0
    assert "variants: there is nothing to make, since the config names none" in run.text
    assert "news_empathy_corrected_llama" in run.text


def test_an_unknown_variant_is_refused_with_a_hint(changed):
    assert changed["unknown"].status != 0
    assert "variants: 'empdial_qint_humans' is in no file of config/datasets" in changed["unknown"].text
    assert "(did you mean 'empdial_qint_human'?)" in changed["unknown"].text


def test_a_variant_of_no_task_is_refused_with_its_file(changed):
    assert changed["stray"].status != 0
    assert "epitome.yaml: variants.other: 'epitome_err' is no task of this dataset" in changed["stray"].text
