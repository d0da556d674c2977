"""Error rates, power and coverage of the analysis in simulated studies, for docs/validation.md and resources/.

    python benchmarks/validation.py [--processes 2] [--only level cells ...] [--dry]

Pairs, datasets and ratings are those of the published study. Each process has one thread. Results don't depend on the
number of processes.
"""

import argparse
import functools
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow/scripts"))

import numpy
import pandas
import yaml

from empathy_transfer.claims import label_rules, transfer_rules
from empathy_transfer.claims.engine import read_claims
from empathy_transfer.features.pair_features import available_features, feature_columns, pair_features
from empathy_transfer.features.task_facts import published_facts
from empathy_transfer.validation.page import TITLES, with_figures
from empathy_transfer.validation.parts import make_truth, parts, simulate, summarise_simulations
from empathy_transfer.validation.rating_figure import plot_rating_power

TABLES = {"sizes": "table1_datasets", "ratings": "table2_ratings", "scores": "tables7_8_scores"}
TABLES |= {"labels": "tables10_12_label_shares"}
CHUNK = {"level": 100, "power": 100, "published": 125, "coverage": 100, "cells": 1000, "means": 500, "themes": 20}
CHUNK |= {"variants": 200, "leaks": 5, "predictors": 20, "claims": 50, "reliability": 100}


@functools.cache
def published_truth():
    """The pairs of the published study, with their features, and its claims."""
    about, tasks = {}, {}
    for path in sorted((ROOT / "config/datasets").glob("*.yaml")):
        dataset = yaml.safe_load(path.read_text(encoding="utf-8"))
        words = {key: dataset[key] for key in ("data_source", "language_setting")}
        about |= {task: {"dataset": path.stem} | words for task in dataset["tasks"]}
        tasks |= {task: content | {"dataset": path.stem} for task, content in dataset["tasks"].items()}
    printed = {name: ROOT / f"resources/published/{table}.csv" for name, table in TABLES.items()}
    pairs = pair_features(published_facts(about, printed)).replace("not_available", numpy.nan)
    claims = [
        read_claims(ROOT / f"resources/claims/{name}.yaml", module.RULES, module.BOUNDS)
        for name, module in (("transfer", transfer_rules), ("labels", label_rules))
    ]
    return make_truth(pairs, feature_columns(pairs, available_features(pairs)), tasks, *claims)


def run_chunk(place, numbers):
    """Simulate some of a part: what a process is given to do."""
    return simulate(published_truth(), parts()[place], numbers)


def run_all(chosen, processes):
    """The table of results of these parts, with progress and the time that is left."""
    started = time.monotonic()
    planned = [(place, part) for place, part in enumerate(parts()) if part.name in chosen]
    chunks = [
        (place, range(first, min(first + CHUNK[part.name], part.simulations)))
        for place, part in planned
        for first in range(0, part.simulations, CHUNK[part.name])
    ]
    results = {}
    with ProcessPoolExecutor(processes) as pool:
        waiting = {pool.submit(run_chunk, *chunk): chunk for chunk in chunks}
        for done, future in enumerate(as_completed(waiting), start=1):
            place, numbers = waiting[future]
            results[place, numbers.start] = future.result()
            passed = time.monotonic() - started
            left = passed / done * (len(chunks) - done)
            print(f"\r{done} of {len(chunks)} chunks, {passed:.0f} s, about {left:.0f} s left  ", end="", flush=True)
    print()
    tables = []
    for place, part in planned:
        chunks = [results[key] for key in sorted(results) if key[0] == place]
        outcomes = {name: numpy.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
        tables.append(summarise_simulations(part, outcomes))
    return pandas.concat(tables, ignore_index=True), time.monotonic() - started


def main():
    """Run it, and write both files unless asked not to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = list(TITLES)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--dry", action="store_true", help="print the results and write nothing")
    options = parser.parse_args()
    table, seconds = run_all(options.only, options.processes)
    with pandas.option_context("display.width", 200, "display.max_colwidth", 80, "display.max_rows", None):
        print(table.drop(columns=["first", "first_value", "seed"]).round(4).to_string(index=False))
    print(f"{seconds / 60:.1f} minutes; bars missed: {(table['met'] == 'no').sum()} of {(table['met'] != '').sum()}")
    if not options.dry:
        results = ROOT / "resources/validation.csv"
        if options.only != names:
            kept = pandas.read_csv(results, keep_default_na=False, na_values={"bar_low": "", "bar_high": ""})
            table = pandas.concat([kept[~kept["part"].isin(options.only)], table], ignore_index=True)
            order = {name: place for place, name in enumerate(names)}
            table = table.sort_values("part", key=lambda column: column.map(order), kind="stable")
        table.to_csv(results, index=False, float_format="%.6g", lineterminator="\n")
        plot_rating_power(table, ROOT / "docs/images/rating-power.png")
        page = ROOT / "docs/validation.md"
        page.write_text(with_figures(page.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main()
