"""What goes wrong on a cluster: time that runs out, a node that dies, a pair that fails, a run stopped or killed.

Each takes minutes, most of them waiting: `make test-cluster PYTEST="-m slow"`. A job is caught in the middle by holding
the lock of its outputs, for which it waits.
"""

import json
import os
import signal

import pytest
from slurm_cluster import NODES, most_gpus_at_once
from small_study import GPUS, JOBS, by_rule, completed, wait_for

pytestmark = pytest.mark.slow

BASELINE = "baseline/full/seed=1/letters_hope"
OF_BASELINE = "rule_train_baseline_wildcards_full_1_letters_hope"
PAIR = "transfer/full/seed=1/letters_hope--notes_care"
OF_PAIR = "rule_train_transfer_wildcards_full_1_letters_hope_notes_care"


def states(study, cluster, comment):
    """The states of the submissions of one job, in their order."""
    return [job.state for job in study.jobs(cluster) if job.comment == comment]


def running(study, cluster, comment):
    """The submission of a job that is running now, where its step has begun; None if there is none."""
    return next(
        (
            job
            for job in study.jobs(cluster)
            if (job.comment, job.state) == (comment, "RUNNING")
            and (cluster.folder / f"environment/{job.number}").exists()
        ),
        None,
    )


def check_whole(study, cluster, expected):
    """All results are there and equal a local run's; no job was completed twice, and no GPU taken too many."""
    assert study.differing(expected) == []
    jobs = study.jobs(cluster)
    assert by_rule(completed(jobs)) == JOBS
    assert set(completed(jobs).values()) == {1}
    assert most_gpus_at_once(jobs) <= GPUS


def test_a_job_that_runs_out_of_time_has_more_at_its_next_attempt(cluster, study, expected):
    limit = ("--set-resources", "train_baseline:runtime=1 if attempt == 1 and wildcards.task == 'letters_hope' else 60")
    with study.held(BASELINE):
        process = study.start(cluster, *limit)
        wait_for(lambda: "TIMEOUT" in states(study, cluster, OF_BASELINE), 300, "job over its time", study)
    assert study.finish(process) == 0, study.console()
    assert states(study, cluster, OF_BASELINE) == ["TIMEOUT", "COMPLETED"]
    assert "train_baseline letters_hope full seed 1 FAILED" in study.console()
    assert "it ran over its time (TIMEOUT)" in study.console()
    check_whole(study, cluster, expected)


def test_the_jobs_of_a_node_that_dies_run_on_another(cluster, study, expected):
    try:
        with study.held(PAIR):
            process = study.start(cluster)
            lost = wait_for(lambda: running(study, cluster, OF_PAIR), 300, "running job", study)
            cluster.kill_node(lost.node)
            wait_for(lambda: "NODE_FAIL" in states(study, cluster, OF_PAIR), 120, "dead node", study)
        assert study.finish(process) == 0, study.console()
    finally:
        for node in set(NODES) - set(cluster.slurmd):
            cluster.start_node(node)
        cluster.wait_until_healthy()
    assert states(study, cluster, OF_PAIR) == ["NODE_FAIL", "COMPLETED"]
    (again,) = [job for job in study.jobs(cluster) if (job.comment, job.state) == (OF_PAIR, "COMPLETED")]
    assert again.node != lost.node
    assert "train_transfer letters_hope -> notes_care full seed 1 FAILED" in study.console()
    assert f"its node died (NODE_FAIL)\n  log      logs/tiny/{PAIR}.log" in study.console()
    assert f"job {lost.number} of Slurm" in study.console()
    check_whole(study, cluster, expected)


def run_until_one_is_left(study, cluster):
    """Start the study, and return its process when the pair, which is held, is the last training job."""
    process = study.start(cluster)

    def one_left():
        done = study.console().count(" done in ")
        return done >= JOBS["train_baseline"] + JOBS["train_transfer"] - 1 and running(study, cluster, OF_PAIR)

    return process, wait_for(one_left, 600, "run with one training job left", study)


def test_an_interrupted_run_ends_its_jobs_and_goes_on_by_the_same_command(cluster, study, expected):
    with study.held(PAIR):
        process, job = run_until_one_is_left(study, cluster)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0
        wait_for(lambda: job.number in cluster.ended(), 60, "end of the job", study)
        assert not [job for job in study.jobs(cluster) if job.state in ("PENDING", "RUNNING")]
    assert study.finish(study.start(cluster)) == 0, study.console()
    assert states(study, cluster, OF_PAIR) == ["CANCELLED", "COMPLETED"]
    check_whole(study, cluster, expected)


def test_a_killed_run_leaves_jobs_that_the_next_one_names(cluster, study, expected):
    with study.held(PAIR):
        process, job = run_until_one_is_left(study, cluster)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process = study.start(cluster)
        wait_for(lambda: f"scancel {job.number}\n" in study.console(), 60, "word of the job that is left", study)
        cluster.command("scancel", str(job.number))
        wait_for(lambda: job.number in cluster.ended(), 60, "end of the job", study)
    assert study.finish(process) == 0, study.console()
    check_whole(study, cluster, expected)


def test_pairs_in_a_group_share_one_gpu_and_a_new_attempt_takes_what_was_through_from_the_cache(
    cluster, study, expected
):
    groups = ("--groups", "train_transfer=pairs", "--group-components", "pairs=3", "--set-resource-scopes", "gpu=local")
    with study.held_until_failed(PAIR):
        process = study.start(cluster, *groups, "--resources", "gpu=1", "--jobs", "2", "--cache", lock_wait=2)
        assert study.finish(process) == 0, study.console()
    assert study.differing(expected) == []
    groups = [job for job in study.jobs(cluster) if job.comment == "rule_pairs_train_transfer"]
    assert sorted(job.state for job in groups) == ["COMPLETED", "COMPLETED", "FAILED"]
    assert {job.gpus for job in groups} == {1}
    assert most_gpus_at_once(study.jobs(cluster)) == 2, "as many as submissions"
    records = [
        json.loads(path.read_text()) for path in study.folder.glob("results/tiny/transfer/*/*/*/provenance.json")
    ]
    reused = [record["wildcards"] for record in records if "reused" in record]
    assert len(reused) == 2
    assert {"source": "letters_hope", "target": "notes_care", "data": "full", "seed": "1"} not in reused
