"""Where the time of a short pair job goes, and how much of it is not training.

    make demo && python benchmarks/pair_job.py [--rounds 3] [--json FILE]

The pairs of one target of the demo are trained again by Snakemake, one job at a time, in a copy of the repository in a
temporary folder. Rounds with the warm process and without it take turns; medians over all jobs of a kind are reported.
The copy's entry point is `pair_job_entry.py`, which notes the CPU time of each part: other work on the machine counts
little, and waiting for the disk does not count.
"""

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ["Snakefile", "config", "environment.yml", "profiles", "resources", "workflow", ".venv"]
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "raw", "downloads", "recorded_digests")
STUDY, TARGET = "results/demo", "notes_care"
PAIRS = f"{STUDY}/transfer/full/seed=1"
MODES = {"warm": {}, "cold": {"EMPATHY_WARM_START": "off"}}
TRAINING = "training"


def copy_study(folder):
    """Copy the repository and what trainings of the demo need into a folder."""
    for name in COPIED:
        if name == ".venv":
            (folder / name).symlink_to((ROOT / name).resolve())
        elif (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=LEFT_BEHIND)
        else:
            shutil.copy2(ROOT / name, folder / name)
    for stage in ("raw", "data", "tokens", "leakage", "baseline/full/seed=1"):
        if (ROOT / STUDY / stage).is_dir():
            shutil.copytree(ROOT / STUDY / stage, folder / STUDY / stage)
    entry = folder / "workflow/scripts/train/train_transfer.py"
    os.replace(entry, entry.with_name("timed_transfer.py"))
    shutil.copy2(Path(__file__).with_name("pair_job_entry.py"), entry)


def run(folder, pairs, mode):
    """Train the pairs anew; returns CPU seconds by part for each job but the first, before which Snakemake plans."""
    notes = folder / "notes.jsonl"
    notes.unlink(missing_ok=True)
    shutil.rmtree(folder / PAIRS, ignore_errors=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EMPATHY_", "SNAKEMAKE_"))}
    environment = kept | {"PAIR_JOB_NOTES": str(notes), "OMP_NUM_THREADS": "1", "PYTHONPATH": ""} | MODES[mode]
    command = [sys.executable, "-m", "snakemake", "--configfile", "config/demo.yaml", "--cores", "1"]
    # Whatever the copy makes look outdated, nothing but the pairs runs.
    command += ["--allowed-rules", "train_transfer", "--", *(f"{PAIRS}/{pair}/run.json" for pair in pairs)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"The run failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    jobs = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
    if len(jobs) != len(pairs):
        raise SystemExit(f"{len(jobs)} jobs noted their times instead of {len(pairs)}")
    return [
        {"Snakemake's own": job["snakemake"] - before["snakemake"]} | job["parts"]
        for before, job in itertools.pairwise(jobs)
    ]


def table(rows):
    """Return the medians as text: one line per part, with its share of the job."""
    parts = list(dict.fromkeys(part for jobs in rows.values() for job in jobs for part in job))
    medians = {
        mode: {part: statistics.median(job.get(part, 0.0) for job in jobs) for part in parts}
        for mode, jobs in rows.items()
    }
    totals = {mode: sum(column.values()) for mode, column in medians.items()}
    lines = [f"{'part':<40}" + "".join(f"{mode + ', s':>10}{'share':>8}" for mode in rows)]
    for part in parts:
        cells = (f"{medians[mode][part]:>10.3f}{medians[mode][part] / totals[mode]:>8.1%}" for mode in rows)
        lines.append(f"{part:<40}" + "".join(cells))
    lines.append(f"{'all':<40}" + "".join(f"{totals[mode]:>10.3f}{'':>8}" for mode in rows))
    not_training = {mode: 1 - medians[mode][TRAINING] / totals[mode] for mode in rows}
    lines.append(f"{'not training':<40}" + "".join(f"{'':>10}{not_training[mode]:>8.1%}" for mode in rows))
    return "\n".join(lines), medians


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds with and without the warm process (%(default)s)")
    parser.add_argument("--json", type=Path, help="write the medians to this file")
    choice = parser.parse_args()
    sources = sorted(folder.name for folder in (ROOT / STUDY / "baseline/full/seed=1").glob("*") if folder.is_dir())
    if TARGET not in sources:
        raise SystemExit(f"{STUDY} is not there or not complete: run `make demo` first")
    pairs = [f"{source}--{TARGET}" for source in sources if source != TARGET]
    rows = {mode: [] for mode in MODES}
    with tempfile.TemporaryDirectory() as folder:
        copy_study(Path(folder))
        for number in range(choice.rounds):
            for mode in MODES:
                rows[mode] += run(Path(folder), pairs, mode)
            print(f"round {number + 1}/{choice.rounds}", flush=True)
    text, medians = table(rows)
    print(f"{len(rows['warm'])} jobs of each kind, load of the machine {os.getloadavg()[1]:.1f}", text, sep="\n")
    if choice.json:
        choice.json.write_text(json.dumps(medians, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
