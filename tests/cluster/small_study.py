"""A study of three generated tasks and a tiny random encoder, run through `profiles/slurm`."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from filelock import FileLock

from empathy_transfer.frame.joblock import lock_path
from study_copy import StudyCopy
from tiny_study import CONFIGS, write_tiny_study

TASKS = ["letters_hope", "notes_care", "replies_support"]
# Baselines, transfers, scores of each target, all scores: four levels, each of which waits for Slurm to be asked.
TARGET = "results/tiny/analysis/scores.csv"
JOBS = {"train_baseline": 3, "train_transfer": 6, "score_target": 3, "collect_scores": 1}
GPUS = 3  # of four
QUICK = "--slurm-init-seconds-before-status-checks 1 --latency-wait 10"
SLURM = f"--profile profiles/slurm --resources gpu={GPUS} {QUICK}".split()


class SmallStudy(StudyCopy):
    """A copy of the repository with the study."""

    @classmethod
    def prepare(cls, folder):
        """Copy the repository, and make the encoder, the splits, the tokens and the audit of leakage."""
        study = cls.of_repository(folder)
        write_tiny_study(study, tasks=TASKS)
        tokens = [f"results/tiny/tokens/{task}/tokens.safetensors" for task in TASKS]
        run = study.run(*tokens, "results/tiny/analysis/leaked_pairs.csv", *CONFIGS, "--cores", "2")
        assert run.status == 0, run.text
        return study

    def clone(self, folder):
        """Copy the study with all results."""
        return SmallStudy(super().clone(folder).folder)

    def run_local(self):
        """Run it without Slurm."""
        return self.run(TARGET, *CONFIGS, "--cores", "2", OMP_NUM_THREADS="1")

    def start(self, cluster, *arguments, lock_wait=600):
        """Start it on a cluster and go on; what it says goes to `console.txt`.

        Args:
            cluster: the cluster.
            arguments: more arguments for Snakemake.
            lock_wait: seconds that a job waits for another one that makes the same outputs.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("EMPATHY_", "SLURM_"))}
        path = os.pathsep.join([str(self.folder / "workflow/scripts"), str(Path(__file__).parents[1])])
        with open(self.folder / "console.txt", "a") as console:
            return subprocess.Popen(
                [sys.executable, "-m", "snakemake", TARGET, *CONFIGS, *SLURM, *arguments],
                cwd=self.folder,
                env=kept
                | cluster.environment
                | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
                | {"EMPATHY_LOCK_WAIT": str(lock_wait), "SNAKEMAKE_OUTPUT_CACHE": str(self.folder / "shared")},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )

    def finish(self, process, seconds=900):
        """Wait for a run to end; its status."""
        try:
            return process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
            raise AssertionError(f"the run did not end within {seconds} s\n{self.console()}") from None

    def console(self):
        """All that the runs on the cluster said."""
        return (self.folder / "console.txt").read_text(errors="replace")

    def differing(self, expected):
        """Paths of the results that are missing, are too many or differ from these digests."""
        found = self.digests("tiny")
        return sorted(path for path in found.keys() | expected.keys() if found.get(path) != expected.get(path))

    def jobs(self, cluster):
        """The jobs that were submitted for this study."""
        prefix = str(self.folder)
        return [job for job in cluster.jobs() if job.folder == prefix]

    @contextlib.contextmanager
    def held(self, run):
        """Hold the lock of a training run's outputs, as another process that makes them would."""
        path = lock_path(self.folder / f"results/tiny/{run}/provenance.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path):
            yield

    @contextlib.contextmanager
    def held_until_failed(self, run):
        """Hold the lock of a training run's outputs until one attempt has given up waiting for it."""
        started, ended = threading.Event(), threading.Event()

        def hold():
            with self.held(run):
                started.set()
                while not self.recorded_failure(run) and not ended.wait(0.3):
                    pass

        holder = threading.Thread(target=hold)
        holder.start()
        assert started.wait(10)
        try:
            yield
        finally:
            ended.set()
            holder.join()

    def recorded_failure(self, run):
        """The failure record of a training run; None if there is none."""
        path = self.folder / f"logs/tiny/{run}.log.failure.json"
        return json.loads(path.read_text()) if path.exists() else None


def completed(jobs):
    """How often each job was completed, by what the executor says about it."""
    return Counter(job.comment for job in jobs if job.state == "COMPLETED")


def by_rule(counts):
    """Numbers of jobs by rule."""
    rules = Counter()
    for comment, number in counts.items():
        (rule,) = [rule for rule in JOBS if comment.startswith(f"rule_{rule}")]
        rules[rule] += number
    return dict(rules)


class Watch(threading.Thread):
    """Looks every half second which warm processes have a study's folder as theirs."""

    def __init__(self, folder):
        """Watch the processes that work in a folder."""
        super().__init__(daemon=True)
        self.folder, self.warm, self.ended = str(folder), set(), threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    def run(self):
        """Look until told to end."""
        while not self.ended.wait(0.5):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    command = (process / "cmdline").read_bytes()
                    if b"empathy_transfer.frame.warm_start" in command and os.readlink(process / "cwd") == self.folder:
                        self.warm.add(int(process.name))


def wait_for(condition, seconds, what, study):
    """Wait until a condition holds and return what it gave; else fail with what the runs said."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"no {what} within {seconds} s\n{study.console()}"
        time.sleep(0.3)
    return found
