"""Copies of the repository in temporary folders, and runs of Snakemake in them.

A run is a process of its own, as for a user. What it starts, or would start in a dry run, is recorded by a logger
plugin (`snakemake_logger_plugin_recorder`), so that tests compare jobs and not wording.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import yaml

from empathy_transfer.records.files import sha256_bytes, sha256_file
from forked_snakemake import run_snakemake

ROOT = Path(__file__).resolve().parents[1]
# The entry points of all rules.
ENTRY_POINTS = sorted(
    path for path in ROOT.glob("workflow/scripts/*/*.py") if not (path.parent / "__init__.py").exists()
)
# For the console and the recorder of this checkout; jobs take the library of the copy.
PYTHONPATH = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "workflow/scripts")])
COPIED = ["Snakefile", "config", "docs", "environment.yml", "profiles", "pyproject.toml", "resources", "workflow"]
# What runs leave behind in the repository, and what is not tracked.
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.egg-info", "raw", "downloads", "recorded_digests")
ROLES = ("task", "source", "target")
# They say when and where a result was made; and what in other files does.
NOT_COMPARED = ("provenance.json", "/provenance.csv", ".lock", "/summary.json", "/.stored", ".sha256")
TIMES = ("seconds", "tokens_per_second")
TRAINING = ("train_baseline", "train_transfer")


class Job(NamedTuple):
    """A job: its rule, and its wildcards as sorted text."""

    rule: str
    wildcards: str
    output: tuple[str, ...] = ()

    @property
    def trains(self):
        return self.rule in TRAINING

    @property
    def names(self):
        """The wildcards as {name: value}."""
        return dict(part.split("=", 1) for part in self.wildcards.split())

    def about(self, task):
        """Whether the job is about a task, as its own, its source or its target."""
        return task in (self.names.get(role) for role in ROLES)

    def within(self, tasks, seed):
        """Whether a study of these tasks and one seed has the job."""
        names = self.names
        return names.get("seed", seed) == seed and all(names[role] in tasks for role in ROLES if role in names)


class Run(NamedTuple):
    """A run that has ended: its status, all that it said, and the jobs that it started or would start."""

    status: int
    text: str
    jobs: tuple[Job, ...]

    @property
    def rules(self):
        """Number of jobs by rule; the target rule, which only collects, is left out."""
        return Counter(job.rule for job in self.jobs if job.rule != "all")

    @property
    def trained(self):
        """The training jobs as (rule, wildcards)."""
        return {(job.rule, job.wildcards) for job in self.jobs if job.trains}


class StudyCopy:
    """A copy of the repository in which Snakemake can be run and files be edited."""

    def __init__(self, folder):
        self.folder = Path(folder)

    @classmethod
    def of_repository(cls, folder, **config):
        """Copy the repository; keyword arguments replace keys of config/config.yaml."""
        copy = cls(folder)
        copy.folder.mkdir(parents=True)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy.folder / name, ignore=LEFT_BEHIND)
            else:
                shutil.copy2(ROOT / name, copy.folder / name)
        copy.configure(**config)
        return copy

    def clone(self, folder):
        """Copy this copy, with all results, their times and what Snakemake remembers of them."""
        shutil.copytree(self.folder, folder)
        return StudyCopy(folder)

    def configure(self, **config):
        """Replace keys of config/config.yaml."""
        self.edit_yaml("config/config.yaml", lambda content: content.update(config))

    def write(self, path, text):
        """Write a file of the copy."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, encoding="utf-8")

    def change(self, path, edit):
        """Change the text of a file by a function from text to text, which must change something."""
        text = (self.folder / path).read_text(encoding="utf-8")
        changed = edit(text)
        assert changed != text, f"the edit finds nothing to change in {path}; adapt this test"
        self.write(path, changed)

    def edit_yaml(self, path, change):
        """Change the content of a YAML file in place."""
        content = yaml.safe_load((self.folder / path).read_text(encoding="utf-8"))
        change(content)
        self.write(path, yaml.safe_dump(content, sort_keys=False))

    def finish(self, jobs, *target):
        """Make this a finished study without computing it: empty outputs, recorded by Snakemake as made just now.

        Args:
            jobs: the jobs of this study. target: the target that they belong to and its config, if not the default.
        """
        for job in jobs:
            for path in job.output:
                self.write(path, "")
        self.touch(*target)

    def touch(self, *target):
        """Let all outputs that are there count as made just now."""
        run = self.run(*target, "--touch", "--forceall", "--cores", "1", "--quiet")
        assert run.status == 0, run.text

    def dry_run(self, *arguments, **environment):
        """What would run."""
        return self.run("--dry-run", *arguments, **environment)

    def run(self, *arguments, python=None, **environment):
        """Run Snakemake in the copy.

        Args:
            arguments: of the command line. python: an interpreter to start, else see `forked_snakemake`.
            environment: more variables.
        """
        record = self.folder.with_name(f"{self.folder.name}.jobs")
        record.unlink(missing_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("EMPATHY_", "SNAKEMAKE_"))}
        environment = (
            kept | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": PYTHONPATH, "RECORDED_JOBS": str(record)} | environment
        )
        arguments = [*arguments, "--logger", "empathy", "recorder"]
        if python is None:
            status, text = run_snakemake(arguments, self.folder, environment)
        else:
            pipes = {"capture_output": True, "text": True, "timeout": 900}
            done = subprocess.run([python, "-m", "snakemake", *arguments], cwd=self.folder, env=environment, **pipes)
            status, text = done.returncode, done.stdout + done.stderr
        jobs = []
        if record.exists():
            for line in record.read_text(encoding="utf-8").splitlines():
                job = json.loads(line)
                wildcards = " ".join(f"{name}={value}" for name, value in sorted(job["wildcards"].items()))
                jobs.append(Job(job["rule"], wildcards, tuple(job["output"])))
        return Run(status, text, tuple(jobs))

    def files(self, folder="results"):
        """Paths of all files below a folder, relative to the copy."""
        return sorted(
            path.relative_to(self.folder).as_posix() for path in (self.folder / folder).rglob("*") if path.is_file()
        )

    def digests(self, study):
        """SHA-256 of each result of a study, by its path; without what tells times or places."""
        return {
            path: sha256_without_times(self.folder / path)
            for path in self.files(f"results/{study}")
            if not path.endswith(NOT_COMPARED)
        }


def sha256_without_times(path):
    """SHA-256 of a file; of records and epochs without how long they took."""
    if path.name not in ("run.json", "epochs.jsonl"):
        return sha256_file(path)
    text = path.read_text(encoding="utf-8")
    records = [json.loads(text)] if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
    kept = [{key: value for key, value in record.items() if key not in TIMES} for record in records]
    return sha256_bytes(json.dumps(kept, sort_keys=True).encode())


def in_parallel(calls):
    """Call functions two at a time: {name: function} -> {name: result}."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        started = {name: pool.submit(call) for name, call in calls.items()}
    return {name: future.result() for name, future in started.items()}


def load_benchmark(name):
    """A file of benchmarks/ as a module, known to others by its name."""
    spec = importlib.util.spec_from_file_location(f"{name}_benchmark", ROOT / f"benchmarks/{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fenced_blocks(path, language):
    """The code blocks of a language in a Markdown file."""
    blocks, lines = [], None
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        if line == f"```{language}":
            lines = []
        elif line == "```" and lines is not None:
            blocks.append("\n".join(lines) + "\n")
            lines = None
        elif lines is not None:
            lines.append(line)
    return blocks
