"""Time of the tests of a whole study, and the same numbers from a loop over sklearn and scipy.

    python benchmarks/significance.py [--items 1000] [--resamples 10000] [--seeds 3] [--processes 2] [--loop 50]

Simulated predictions of 18 targets (the study's twelve classification and six regression tasks) by 18 systems each:
306 cells. Each process has one thread. The loop draws `--loop` of the same resamples for two targets and scores them
one by one.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

import numpy as np
from scipy.stats import pearsonr
from sklearn.metrics import f1_score

from empathy_transfer.significance.paired_tests import compare
from empathy_transfer.statistics.resampling import bootstrap_counts, make_sample, paired_difference, score_systems

CLASSES = [9, 32, 2, 2, 3, 3, 3, 9, 12, 2, 14, 8, *[0] * 6]  # 0: a regression target
SOURCES = ["none", *(f"source{number}" for number in range(17))]


def simulate(target, items, seeds):
    """Labels, {key: answers} and {key: record} of a target: class numbers, or numbers for a regression target."""
    generator, classes = np.random.default_rng(target), CLASSES[target]
    labels = generator.integers(0, classes, items) if classes else generator.normal(size=items)
    answers, records = {}, {}
    for key in [(source, "full", seed) for source in SOURCES for seed in range(seeds)]:
        if classes:
            right = generator.random(items) < 0.6
            answers[key] = np.where(right, labels, generator.integers(0, classes, items))
        else:
            answers[key] = labels + generator.normal(size=items)
        records[key] = record(key, labels, answers[key], classes)
    return labels, answers, records


def record(key, labels, answers, classes):
    """What the table of scores says of a run, as far as the tests use it."""
    metric = "f1_macro" if classes else "pearson_r"
    value = f1_score(labels, answers, average="macro") if classes else pearsonr(labels, answers)[0]
    found = {"source": key[0], "target": "target", "data": key[1], "seed": key[2], "metric": metric, "floor": 0.0}
    found |= {"values": {metric: float(value)}, "standard_error": 0.02, "validation": 0.6, "floor_validation": 0.0}
    return found | {"constant_prediction": False}


def encode(values, classes):
    """Class numbers as booleans (items, classes); other numbers as they are."""
    return np.eye(classes, dtype=bool)[values] if classes else values


def measure(job):
    """Test all transfers to a target: (number of cells, seconds of the CPU, without the simulation)."""
    target, items, resamples, seeds = job
    labels, answers, records = simulate(target, items, seeds)
    settings = {"resamples": resamples, "alpha": 0.05, "margins": [5, 2, 10], "absent_classes": "drop"}
    started = time.process_time()
    sample = make_sample(encode(labels, CLASSES[target]))
    predictions = {key: encode(values, CLASSES[target]) for key, values in answers.items()}
    tests, _ = compare(records, sample, sample, predictions, settings)
    return int((tests["runs"] == "all").sum()), time.process_time() - started


def loop(target, items, resamples, seeds):
    """The differences of one cell by a loop and all at once: (greatest difference, seconds per score of the loop)."""
    labels, answers, _ = simulate(target, items, seeds)
    classes = CLASSES[target]
    counts = np.concatenate(list(bootstrap_counts(items, resamples, seed=0)))
    sides = [[(source, "full", seed) for seed in range(seeds)] for source in SOURCES[1::-1]]
    systems = [encode(answers[key], classes) for side in sides for key in side]
    scores = score_systems(make_sample(encode(labels, classes)), systems, [counts])
    found = paired_difference(scores, list(range(seeds)), list(range(seeds, 2 * seeds)))
    expected, started = [], time.perf_counter()
    for row in counts.astype(int):
        drawn = np.repeat(np.arange(items), row)
        means = [np.mean([plain_score(labels[drawn], answers[key][drawn], classes) for key in side]) for side in sides]
        expected.append(means[0] - means[1])
    seconds = (time.perf_counter() - started) / (resamples * 2 * seeds)
    return float(np.abs(found - expected).max()), seconds


def plain_score(labels, answers, classes):
    """The score of one resample by sklearn or scipy."""
    return f1_score(labels, answers, average="macro") if classes else pearsonr(labels, answers)[0]


def main():
    """Print the time of all tests, and the agreement with the loop and its time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("items", 1000), ("resamples", 10_000), ("seeds", 3), ("processes", 2), ("loop", 50)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    jobs = [(target, chosen.items, chosen.resamples, chosen.seeds) for target in range(len(CLASSES))]
    started = time.perf_counter()
    with ProcessPoolExecutor(chosen.processes) as pool:
        results = list(pool.map(measure, jobs))
    wall = time.perf_counter() - started
    cells, seconds = sum(cells for cells, _ in results), sum(seconds for _, seconds in results)
    print(f"{cells} cells x {chosen.seeds} seeds x {chosen.resamples:,} resamples x {chosen.items:,} items:")
    print(f"{seconds:.1f} s of CPU time; {wall:.1f} s on {chosen.processes} processes, with the simulation")
    for name, target in (("macro F1, 8 classes, sklearn", 11), ("Pearson r, scipy", 12)):
        difference, each = loop(target, chosen.items, chosen.loop, chosen.seeds)
        hours = each * 324 * chosen.seeds * chosen.resamples / 3600
        print(
            f"{name}: greatest difference {difference:.1e}; {1000 * each:.2f} ms a score, {hours:.1f} h for the study"
        )


if __name__ == "__main__":
    main()
