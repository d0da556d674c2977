"""What the tests of the workflow share: dry runs are slow, so each is made once."""

import pytest

from standins import write_standins
from study_copy import StudyCopy, fenced_blocks


@pytest.fixture(scope="session")
def full_study(tmp_path_factory):
    """The full study as it is committed, with stand-ins for all raw files; no test may change it."""
    study = StudyCopy.of_repository(tmp_path_factory.mktemp("full") / "study")
    write_standins(study.folder / "resources/raw")
    return study


@pytest.fixture(scope="session")
def full_plan(full_study):
    """The dry run of the full study."""
    run = full_study.dry_run()
    assert run.status == 0, run.text
    return run


@pytest.fixture(scope="session")
def worked_example():
    """The example of docs/add-a-dataset.md: (table, dataset file)."""
    page = "docs/add-a-dataset.md"
    (table,), (description,) = fenced_blocks(page, "csv"), fenced_blocks(page, "yaml")
    return table, description
