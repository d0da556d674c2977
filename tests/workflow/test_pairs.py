"""The stage that prepares pairs of texts: planned where it is asked for, and left alone elsewhere."""

from types import SimpleNamespace

import pytest
from snakemake.exceptions import WorkflowError

from plan_files import plan_names
from study_copy import StudyCopy, fenced_blocks

TASKS = ["--config", "pairs={tasks: [answers_level]}"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The repository with the example of docs/pairs.md, of which the table has fifty threads."""
    study = StudyCopy.of_repository(tmp_path_factory.mktemp("pairs") / "study")
    (table,), (description,) = fenced_blocks("docs/pairs.md", "csv"), fenced_blocks("docs/pairs.md", "yaml")
    header = table.splitlines()[0]
    rows = [
        f"t{thread},question {thread},answer {thread}{level},{level}"
        for thread in range(50)
        for level in ("low", "high")
    ]
    study.write("resources/raw/answers/answers.csv", "\n".join([header, *rows]) + "\n")
    study.write("config/pairs/answers.yaml", description)
    return study


def test_the_worked_example_of_the_manual_runs(study):
    plan = study.dry_run("pairs", *TASKS)
    # Grouped, and five folds.
    made = {"check_raw": 1, "prepare_pairs": 6, "count_pairs": 1, "audit_pairs": 1, "plot_pair_texts": 1, "pairs": 1}
    assert plan.rules == made, plan.text
    run = study.run("--cores", "1", "results/full/pairs/grouped/answers_level/task.json", *TASKS)
    assert run.status == 0, run.text
    assert run.rules == {"check_raw": 1, "prepare_pairs": 1}


def test_other_stages_don_t_read_the_files_of_pairs(study):
    study.write("config/pairs/broken.yaml", "title: [\n")
    run = study.dry_run("--configfile", "config/demo.yaml")
    assert run.status == 0, run.text
    assert "prepare_pairs" not in run.rules
    run = study.dry_run("pairs", *TASKS)
    assert run.status != 0
    assert "broken.yaml is not valid YAML" in run.text


@pytest.fixture
def plan():
    """The plan of pairs of two tasks in one dataset; the study has another dataset with one task."""
    dataset = {
        "pairs": {"schemes": ["published", "folds"], "split_column": "part"},
        "tasks": {"one": {"label": "a", "title": "One"}, "two": {"label": "b", "title": "Two"}},
    }
    names = plan_names("pair_plan", WorkflowError=WorkflowError, DATASETS={"study": {"tasks": {"known": {}}}})
    names["known_tasks"] = lambda datasets: ["known"]
    names["own_definition"] = lambda task: {"label": task["label"]}
    names["PAIR_DATASETS"] = {"own": dataset}
    names["PAIR_TASKS"] = {task: about | {"dataset": "own"} for task, about in dataset["tasks"].items()}
    return names


@pytest.mark.parametrize(
    ("datasets", "said"),
    [
        ({"study": {"tasks": {"one": {}}}}, "the dataset 'study' is also one of the study"),
        ({"own": {"tasks": {"known": {}}}}, "the task 'known' is also one of the study"),
    ],
)
def test_pairs_have_other_names_than_the_study(plan, datasets, said):
    plan["load_datasets"] = lambda folder, pairs: datasets
    with pytest.raises(WorkflowError, match=said):
        plan["plan_pairs"]()


def test_a_job_gets_what_its_scheme_uses_and_no_more(plan):
    assert plan["schemes_of"]("one") == ["published", "fold1", "fold2", "fold3", "fold4", "fold5"]
    published = plan["pair_splits"](SimpleNamespace(pairs="one", scheme="published"))
    assert published == {"scheme": "published", "split_column": "part"}
    fold = plan["pair_splits"](SimpleNamespace(pairs="one", scheme="fold2"))
    assert fold == {
        "folds": 5,
        "scheme": "fold2",
        "seed": 0,
        "split_column": "part",
        "tasks": {"one": {"label": "a"}, "two": {"label": "b"}},
    }
    grouped = plan["pair_splits"](SimpleNamespace(pairs="one", scheme="grouped"))
    shares = {"train": 0.8, "validation": 0.1, "test": 0.1}
    assert grouped == {"scheme": "grouped", "seed": 0, "shares": shares, "split_column": None}
