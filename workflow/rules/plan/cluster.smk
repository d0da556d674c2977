"""
Cluster: what training jobs ask a scheduler for, which locks of GPUs hold within its jobs, and what a killed run left.

A job asks for what its target has cost in this study so far, by the provenance of its baselines, with a margin; before
the first of them for a guess on the safe side. Each new attempt asks for more. Nothing runs again when this changes:
resources are no params. A profile's `set-resources` comes before all of it.
"""

import atexit
import json
import math
import shutil
import subprocess
import sys
import tempfile

# The guess is for a RoBERTa-base on 10,000 texts with an older GPU or many processor cores.
GUESS = {"seconds": 4800, "peak_memory_mb": 5000}
# Nodes differ in speed, and neighbours slow them down: time asks for a wide margin, memory for a small one.
TIME_MARGIN, START_UP_MINUTES = 3, 5
MEMORY_MARGIN, START_UP_MB = 1.5, 500
COSTS = {}


def cost_of(path):
    """Cost of the job that wrote a provenance file: {"seconds", "peak_memory_mb"}; None if it is not there or no use."""
    if path not in COSTS and os.path.exists(path):
        try:
            with open(path, encoding="utf-8") as file:
                record = json.load(file)
            # One that was taken from a cache cost nothing here, but its neighbours will.
            COSTS[path] = {key: float(record.get("reused", record)[key]) for key in GUESS}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            COSTS[path] = None  # damaged, which is not for the plan to tell, or of an older version
    return COSTS.get(path)


def expected_cost(wildcards):
    """The dearest baseline so far of the task that a job trains, on the same share of data; the guess before that."""
    task = wildcards.get("target") or wildcards.task
    paths = expand(f"{RESULTS}/baseline/{wildcards.data}/seed={{seed}}/{task}/provenance.json", seed=SEEDS)
    known = [cost for cost in map(cost_of, paths) if cost]
    return {key: max(cost[key] for cost in known) for key in GUESS} if known else GUESS


def training_minutes(wildcards, attempt):
    """Time limit of a training job, in minutes."""
    minutes = expected_cost(wildcards)["seconds"] / 60
    return START_UP_MINUTES + math.ceil(attempt * TIME_MARGIN * minutes)


def training_memory(wildcards, attempt):
    """Memory of a training job's host, in MB."""
    return math.ceil(attempt * (START_UP_MB + MEMORY_MARGIN * expected_cost(wildcards)["peak_memory_mb"]))


def lock_gpus_within_job(number):
    """Let locks of GPUs hold within a job of Slurm: it has given the GPUs out, and may number those of each job from 0."""
    folder = Path(tempfile.gettempdir()) / f"empathy-transfer-devices-slurm-{number}"
    os.environ.update(EMPATHY_DEVICE_LOCKS=str(folder))
    if workflow.remote_exec:
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def tell_left_over_jobs():
    """Name the jobs that a killed run left in Slurm's queue: what they make would be made twice."""
    if not workflow.non_local_exec or not shutil.which("squeue"):
        return
    asked = subprocess.run(["squeue", "--me", "--noheader", "--format=%A %Z"], capture_output=True, text=True)
    jobs = [line.split(maxsplit=1) for line in asked.stdout.splitlines()]
    numbers = [number for number, *folder in jobs if folder == [os.getcwd()]]
    if numbers:
        print(
            "Slurm still has jobs of this folder. If they are of a killed run of this study, wait for them or end "
            f"them, else their work is done twice: scancel {' '.join(numbers)}",
            file=sys.stderr,
        )


if "SLURM_JOB_ID" in os.environ:
    lock_gpus_within_job(os.getenv("SLURM_JOB_ID"))
