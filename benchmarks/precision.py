"""Does bf16 change what a study finds? Baselines of real tasks in bf16 and in fp32, with equal seeds.

    python benchmarks/precision.py [--tasks epitome_er,epitome_ip,conv_empathy,news_empathy] [--seeds 5] [--cores 2]

Runs the stage `baseline` of the local study twice, as the studies `precision_bf16` and `precision_fp32`, which go on
where they were stopped, and prints a table: mean scores over seeds, the difference of the means, and its standard error
over seeds (as if seeds were drawn for each precision, and of the paired differences).
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

import workloads

from empathy_transfer.records.artefacts import read_json, read_table
from empathy_transfer.records.runs import BASELINE, TransferRun
from empathy_transfer.scores.run_scores import scores_of

PRECISIONS = ("bf16", "fp32")
TASKS = "epitome_er,epitome_ip,conv_empathy,news_empathy"
COLUMNS = (
    "task", "metric", "bf16", "fp32", "difference", "standard_error", "paired_standard_error", "within",
    "seconds_bf16", "seconds_fp32",
)  # fmt: skip


def train(precision, tasks, seeds, cores):
    """Train the baselines in one precision; returns {task: list of their records by seed, see `record_of`}."""
    study = f"precision_{precision}"
    config = {
        "study": study, "tasks": tasks, "seeds": list(range(1, seeds + 1)), "data": ["full"],
        "training": {"defaults": {"precision": precision}},
    }  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config, file)
        file.flush()
        command = [sys.executable, "-m", "snakemake", "--configfile", "config/local.yaml", file.name]
        subprocess.run([*command, "--cores", str(cores), "baseline"], check=True)
    return {task: [record_of(study, task, seed) for seed in config["seeds"]] for task in tasks}


def record_of(study, task, seed):
    """Return the record of a baseline with its `score`, the main one of its test predictions."""
    folder = Path("results", study, TransferRun(BASELINE, task, "full", seed).folder)
    record = read_json(folder / "run.json")
    # A stage of the workflow that scores runs would train the transfers, too.
    return record | {"score": scores_of(read_table(folder / "predictions.parquet"), record)[0]["value"]}


def row_of(task, runs):
    """Return the table's row of a task from its runs by precision."""
    metric = runs["bf16"][0]["metric"]
    scores = {precision: [run["score"] for run in runs[precision]] for precision in PRECISIONS}
    count = len(scores["bf16"])
    difference = statistics.mean(scores["bf16"]) - statistics.mean(scores["fp32"])
    error = sum(statistics.variance(values) / count for values in scores.values()) ** 0.5
    paired = [one - other for one, other in zip(scores["bf16"], scores["fp32"], strict=True)]
    seconds = {precision: statistics.median(run["seconds"] for run in runs[precision]) for precision in PRECISIONS}
    values = (
        task, metric, *(f"{statistics.mean(scores[precision]):.3f}" for precision in PRECISIONS), f"{difference:+.3f}",
        f"{error:.3f}", f"{statistics.stdev(paired) / count**0.5:.3f}", "yes" if abs(difference) <= error else "no",
        *(f"{seconds[precision]:.0f}" for precision in PRECISIONS),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def main():
    """Train and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default=TASKS, help="names of tasks, between commas (%(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="seeds per task and precision (%(default)s)")
    parser.add_argument("--cores", type=int, default=2, help="cores for the workflow (%(default)s)")
    arguments = parser.parse_args()
    tasks = arguments.tasks.split(",")
    runs = {precision: train(precision, tasks, arguments.seeds, arguments.cores) for precision in PRECISIONS}
    rows = [row_of(task, {precision: runs[precision][task] for precision in PRECISIONS}) for task in tasks]
    print(workloads.table(rows, COLUMNS))


if __name__ == "__main__":
    main()
