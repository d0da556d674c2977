"""A small study through `profiles/slurm` on a real Slurm: the same results as without it, within the GPUs allowed."""

from slurm_cluster import most_gpus_at_once
from small_study import GPUS, JOBS, Watch, by_rule, completed

PAIR = "transfer/full/seed=1/letters_hope--notes_care"


def test_a_run_with_a_job_that_fails_once_equals_a_local_run(cluster, study, expected):
    """One job finds its outputs in use by another process, gives up, and has them at its second attempt."""
    with study.held_until_failed(PAIR), Watch(study.folder) as watch:
        status = study.finish(study.start(cluster, "--cache", lock_wait=2))
    console = study.console()
    assert status == 0, console

    assert study.differing(expected) == []
    jobs = study.jobs(cluster)
    assert by_rule(completed(jobs)) == JOBS, "each job was completed once"
    assert set(completed(jobs).values()) == {1}
    assert {job.number for job in jobs} <= cluster.ended()

    failed = [job for job in jobs if job.state != "COMPLETED"]
    assert [job.comment for job in failed] == ["rule_train_transfer_wildcards_full_1_letters_hope_notes_care"]
    assert "train_transfer letters_hope -> notes_care" in console
    assert f"job {failed[0].number} of Slurm" in console
    assert "is still making the files in results/tiny/transfer" in console
    assert f"logs/tiny/{PAIR}.log" in console

    assert {job.gpus for job in jobs if "train" in job.comment} == {1}
    assert {job.gpus for job in jobs if "train" not in job.comment} == {0}
    assert most_gpus_at_once(jobs) == GPUS, "never more than allowed, and not fewer than there were jobs for"

    assert not watch.warm, "no process on a node is kept warm for jobs that will never come to it"
    for job in jobs:
        environment = (cluster.folder / f"environment/{job.number}").read_text()
        assert "EMPATHY_WARM_START" not in environment
        assert f"devices-slurm-{job.number}\n" in environment
        assert f"EMPATHY_RESULT_CACHE={study.folder}/shared\n" in environment
