"""Plans of large studies: the generated study of the benchmark, and planning in parts."""

import pytest

from study_copy import StudyCopy, in_parallel, load_benchmark

PARTS = 2


@pytest.fixture(scope="module")
def benchmark():
    """The benchmark of planning as a module."""
    return load_benchmark("dag")


@pytest.fixture(scope="module")
def folder(benchmark, tmp_path_factory):
    """A generated study of five tasks and one seed."""
    folder = tmp_path_factory.mktemp("scale") / "study"
    folder.mkdir()
    benchmark.make_study(folder, tasks=5, seeds=1)
    return folder


def test_the_benchmark_counts_jobs_time_and_memory(benchmark, folder):
    found = benchmark.planned(folder, "transfer", [])
    # For full and half data 5 x 4 transfers, which need the 5 baselines of full data; 3 datasets, 5 tasks, the target.
    assert found["jobs"] == 2 * 20 + 5 + 3 + 5 + 5 + 1 + 1
    assert 0 < found["cpu_seconds"] < 100
    assert 50 < found["peak_memory_mb"] < 2000


def test_a_part_of_a_plan_has_its_share_of_the_transfers(folder):
    copies = {part: StudyCopy(folder).clone(folder.with_name(f"part{part}")) for part in range(1, PARTS + 1)}
    runs = in_parallel(
        {
            part: lambda part=part, copy=copy: copy.dry_run("transfer", "--batch", f"transfer={part}/{PARTS}")
            for part, copy in copies.items()
        }
    )
    # The last part wants the results of the others, which a dry run has not made.
    assert runs[1].status == 0, runs[1].text
    assert "not all previous batches" in runs[PARTS].text
    transfers = {job for job in runs[1].trained if job[0] == "train_transfer"}
    assert len(transfers) == 2 * 20 / PARTS
