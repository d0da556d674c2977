"""What is known about a run: jobs planned, running, finished and failed, and from these the time left."""

import functools
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field

from empathy_transfer.inspection.wording import STAGES, one_line, stage_of, subject

# Durations drift (other tasks, other machines), so the estimate looks at the latest jobs of a rule only.
RECENT_JOBS = 50


@dataclass
class Job:
    """A job that was started."""

    identifier: int
    rule: str
    wildcards: dict
    message: str
    log: list
    reason: str
    started: float

    @property
    def stage(self):
        """The stage of the job's rule."""
        return stage_of(self.rule)

    @property
    def label(self):
        """Rule and subject of the job, the same words in every line, so that lines can be searched."""
        return f"{self.rule} {subject(self.wildcards)}".rstrip()

    @property
    def doing(self):
        """The rule's message, else the label."""
        return one_line(self.message) if self.message else self.label


def _locked(method):
    """Let one thread at a time into the methods of an object with a `lock`."""

    @functools.wraps(method)
    def wrapper(self, *arguments, **named):
        with self.lock:
            return method(self, *arguments, **named)

    return wrapper


@dataclass
class Run:
    """The state of a run, shared by the thread that takes Snakemake's records and the one that draws the bars.

    Nobody may hold the lock while printing: the drawing thread holds the terminal's lock when it asks for the state.
    """

    started: float = field(default_factory=time.time)
    planned: Counter = field(default_factory=Counter)  # rule -> number of jobs
    done: Counter = field(default_factory=Counter)
    failed: dict = field(default_factory=dict)  # job id -> Job
    running: dict = field(default_factory=dict)  # job id -> Job
    jobs: dict = field(default_factory=dict)  # job id -> Job
    stage_started: dict = field(default_factory=dict)
    stage_ended: dict = field(default_factory=dict)
    durations: dict = field(default_factory=dict)  # rule -> latest durations, seconds
    at_once: deque = field(default_factory=lambda: deque(maxlen=20))  # jobs running at each of the latest starts
    lock: threading.RLock = field(default_factory=threading.RLock)

    @_locked
    def plan(self, stats):
        """Take over Snakemake's job counts, {rule: number, "total": number}."""
        self.planned = Counter({rule: number for rule, number in stats.items() if rule != "total"})

    @_locked
    def start(self, job):
        """A job starts, perhaps once more after a failure."""
        self.jobs[job.identifier] = self.running[job.identifier] = job
        self.failed.pop(job.identifier, None)
        self.stage_started.setdefault(job.stage, job.started)
        self.at_once.append(len(self.running))

    @_locked
    def finish(self, identifier, now):
        """A job has finished; returns it and its duration in seconds (None, None if it was never seen)."""
        job = self.running.pop(identifier, None)
        if job is None:
            return None, None
        self.done[job.rule] += 1
        self.durations.setdefault(job.rule, deque(maxlen=RECENT_JOBS)).append(now - job.started)
        self._end_stage(job.stage, now)
        return job, now - job.started

    @_locked
    def fail(self, identifier, now):
        """A job has failed; returns it and its duration in seconds (None, None if it was never seen)."""
        job = self.running.pop(identifier, None)
        if job is None:
            return None, None
        self.failed[identifier] = job
        self._end_stage(job.stage, now)
        return job, now - job.started

    @_locked
    def stop(self, identifier, now):
        """A job was stopped on request; returns it and its duration in seconds (None, None if it was never seen)."""
        job = self.running.pop(identifier, None)
        return (job, now - job.started) if job else (None, None)

    @_locked
    def counts(self, stage=None):
        """Jobs (done, failed, planned) of a stage, or of the run."""
        rules = [rule for rule in self.planned if stage in (None, stage_of(rule))]
        failed = sum(1 for job in self.failed.values() if stage in (None, job.stage))
        return sum(self.done[rule] for rule in rules), failed, sum(self.planned[rule] for rule in rules)

    def stages(self):
        """The stages that have jobs in this run, in their order."""
        return [stage for stage in STAGES if self.counts(stage)[2]]

    @_locked
    def now_running(self):
        """The running jobs, the longest-running first."""
        return sorted(self.running.values(), key=lambda job: job.started)

    @_locked
    def elapsed(self, stage, now):
        """Seconds from the start of a stage's first job to its end, or to now; None before that."""
        if stage not in self.stage_started:
            return None
        return self.stage_ended.get(stage, now) - self.stage_started[stage]

    @_locked
    def left(self, now, stage=None):
        """Estimated seconds until a stage, or the run, is done; None while nothing is known about its jobs.

        The jobs left of each rule take as long as its latest ones did, and as many run at once as lately.
        """
        total = 0.0
        for rule, number in self.planned.items():
            if stage not in (None, stage_of(rule)):
                continue
            waiting = number - self.done[rule] - sum(1 for job in self.failed.values() if job.rule == rule)
            if waiting <= 0:
                continue
            duration = self._expected(rule)
            if duration is None:
                return None
            under_way = sum(min(now - job.started, duration) for job in self.running.values() if job.rule == rule)
            total += max(waiting * duration - under_way, 0)
        return total / max(1, *self.at_once) if self.at_once else None

    def _expected(self, rule):
        """Expected seconds for a job of a rule: from its own jobs, those of its stage, or those most like it."""
        stage = stage_of(rule)
        like = {"transfer": "baseline", "control": "transfer"}.get(stage, stage)
        for fits in (lambda other: other == rule, lambda other: stage_of(other) in (stage, like)):
            known = [duration for other, durations in self.durations.items() if fits(other) for duration in durations]
            if known:
                return sum(known) / len(known)
        # Scores, tables and figures come last and take seconds: not worth hiding what is known about the training.
        return 2.0 if stage == "scores" else None

    def _end_stage(self, stage, now):
        """Note when the last job of a stage ended."""
        done, failed, planned = self.counts(stage)
        if done + failed >= planned:
            self.stage_ended[stage] = now
