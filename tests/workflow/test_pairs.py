"""The stage that prepares pairs of texts: planned where it is asked for, and left alone elsewhere."""

import pytest

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
