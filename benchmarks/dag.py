"""Cost of planning a study: CPU time and peak memory of a quiet dry run, for more and more tasks.

    python benchmarks/dag.py [--tasks 18 50 100] [--seeds 5] [--target all] [--profile FILE] [-- ARGUMENT ...]

Each size is a copy of the repository in a temporary folder, with generated dataset files of two tasks each and empty
stand-ins for their raw files: a plan asks only whether these are there. Nothing is trained. What follows `--` is given
to Snakemake. CPU time (user + system) is reported and not wall time, so that other work on the machine counts little.
"""

import argparse
import json
import os
import pstats
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
COPIED = ["Snakefile", "config", "environment.yml", "profiles", "resources", "workflow"]
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "raw", "downloads", "recorded_digests")
SHOWN = 25


def make_study(folder, tasks, seeds):
    """Copy the repository into a folder, with a study of so many generated tasks and seeds, full and half data."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, folder / name, **({"ignore": LEFT_BEHIND} if copy is shutil.copytree else {}))
    (folder / "config/datasets_generated").mkdir()
    for number in range(0, tasks, 2):
        dataset = f"dataset{number:03d}"
        names = [f"task{place:03d}" for place in range(number, min(number + 2, tasks))]
        text = yaml.safe_dump(dataset_file(dataset, names), sort_keys=False)
        (folder / f"config/datasets_generated/{dataset}.yaml").write_text(text, encoding="utf-8")
        raw = folder / "resources/raw" / dataset / "items.csv"
        raw.parent.mkdir(parents=True)
        raw.touch()
    settings = yaml.safe_load((folder / "config/config.yaml").read_text(encoding="utf-8"))
    settings |= {"study": "generated", "datasets": "config/datasets_generated", "seeds": list(range(1, seeds + 1))}
    (folder / "config/config.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


def dataset_file(dataset, tasks):
    """The content of a dataset file with these tasks: the first a regression, the second a classification."""
    kinds = [
        {"label": "degree", "kind": "regression", "range": [1, 5], "metric": "pearson_r"},
        {"label": "present", "kind": "classification", "labels": ["no", "yes"], "metric": "f1_macro"},
    ]
    common = {"label_source": "human", "theme": "direct", "training": {"epochs": 7, "batch_size": 32}}
    return {
        "title": dataset.title(),
        "paper": "none",
        "licence": "CC0-1.0",
        "terms": "None.",
        "language": "en",
        "data_source": "generated",
        "language_setting": "essay",
        "group": "one writer",
        "folder": dataset,
        "files": {"items.csv": {"obtain": "It is generated.", "sha256": None}},
        "reader": "table",
        "columns": {"id": "id", "group": "writer", "text": "text"},
        "context": "none",
        "tasks": {name: {"title": name.title()} | kind | common for name, kind in zip(tasks, kinds, strict=False)},
    }


def planned(folder, target, arguments, profile=None):
    """Plan a study: returns the number of jobs, the CPU time (s) and the peak memory (MB) of Snakemake's process."""
    start = ["-m", "snakemake"]
    if profile:
        start = ["-m", "cProfile", "-o", str(profile), *start]
    command = [sys.executable, *start, target, "--dry-run", "--cores", "8", "--quiet", "progress", "rules", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("EMPATHY_", "SNAKEMAKE_"))}
    output = folder / "plan.txt"
    identifier = os.fork()
    if identifier == 0:
        os.chdir(folder)
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.execve(sys.executable, command, environment | {"PYTHONPATH": "workflow/scripts"})
    _, status, used = os.wait4(identifier, 0)
    text = output.read_text(encoding="utf-8", errors="replace")
    if status:
        raise SystemExit(f"The plan failed:\n{text[-3000:]}")
    (total,) = [line.split()[1] for line in text.splitlines() if line.split()[:1] == ["total"]]
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "jobs": int(total),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_memory_mb": round(used.ru_maxrss * unit / 1e6),
    }


def main():
    """Measure and print one line per size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, nargs="+", default=[18, 50, 100])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--target", default="all", help="what is planned (%(default)s)")
    parser.add_argument("--profile", type=Path, help="profile the largest size into this file, and print the top")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("arguments", nargs="*", help="given to Snakemake, after `--`")
    choice = parser.parse_args()
    rows = []
    print(f"{'tasks':>6}{'jobs':>9}{'CPU s':>8}{'MB':>7}{'ms a job':>10}{'kB a job':>10}")
    for tasks in choice.tasks:
        with tempfile.TemporaryDirectory() as folder:
            make_study(Path(folder), tasks, choice.seeds)
            row = {"tasks": tasks, "seeds": choice.seeds}
            row |= planned(Path(folder), choice.target, choice.arguments)
            rows.append(row)
            per_job = 1000 * row["cpu_seconds"] / row["jobs"], 1000 * row["peak_memory_mb"] / row["jobs"]
            print(
                f"{tasks:>6}{row['jobs']:>9,}{row['cpu_seconds']:>8}{row['peak_memory_mb']:>7}"
                f"{per_job[0]:>10.2f}{per_job[1]:>10.1f}",
                flush=True,
            )
            if choice.profile and tasks == choice.tasks[-1]:
                planned(Path(folder), choice.target, choice.arguments, choice.profile)
    if choice.json:
        choice.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    if choice.profile:
        pstats.Stats(str(choice.profile)).sort_stats("cumulative").print_stats(SHOWN)


if __name__ == "__main__":
    main()
