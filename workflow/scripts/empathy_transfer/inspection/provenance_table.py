"""The table of what each finished job of a study cost and was made with: `results/<study>/provenance.csv`."""

import csv
import io
import json
import os
from pathlib import Path

from empathy_transfer.records.files import write_with_digest
from empathy_transfer.records.provenance import ArtefactError, is_provenance, load_provenance

NAME = "provenance.csv"
# What tells training jobs apart; the column `wildcards` has those of all jobs.
KEYS = ("task", "source", "target", "data", "seed")
COSTS = ("seconds", "cpu_seconds", "peak_memory_mb")
PACKAGES = ("python", "torch")
REUSED = {"reused": "key", "reused_seconds": "seconds"}
RUN = ("device", "engine", "precision")
COLUMNS = ["rule", "wildcards", *KEYS, *COSTS, "created", "code", *PACKAGES, *RUN, *REUSED, "provenance"]


def write_provenance_table(results):
    """Write the table of a study anew from the provenance files of its jobs, whatever made them.

    One row for each job, in the order of the paths of its provenance: `rule`, `wildcards` (as `name=value`, by name),
    `task`, `source`, `target`, `data` and `seed` as far as the job has them, `seconds` of wall time, `cpu_seconds`,
    `peak_memory_mb`, `created` (UTC), fingerprint of the `code`, versions of `python` and `torch`; `device`, `engine`
    and `precision` of a training; for results from a cache the key there (`reused`) and the wall time that they cost
    when they were computed (`reused_seconds`); path of its `provenance` in the study. Empty is what a job has not
    recorded.

    Args:
        results: the study's folder.

    Returns:
        str: how many jobs the table has, and how many have a damaged record and are not in it.
    """
    results = Path(results)
    rows, damaged = provenance_rows(results)
    # Without pandas, whose import takes longer than the table of a study.
    sink = io.StringIO()
    writer = csv.DictWriter(sink, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_with_digest(results / NAME, sink.getvalue().encode())
    words = f"{results / NAME}: {len(rows)} jobs"
    lost = f"; not those of {len(damaged)} damaged records (see `empathy-transfer verify {results.name}`)"
    return words + lost * bool(damaged)


def provenance_rows(results):
    """Rows (dicts with `COLUMNS`) of all finished jobs below a study's folder, and paths of damaged provenance."""
    rows, damaged = [], []
    for folder, names, files in os.walk(results, followlinks=False):
        names.sort()
        for name in sorted(filter(is_provenance, files)):
            path = Path(folder, name)
            try:
                record = load_provenance(path)
            except ArtefactError:
                damaged.append(path)
                continue
            rows.append(_row(record, path) | {"provenance": path.relative_to(results).as_posix()})
    return rows, damaged


def _row(record, path):
    """The row of a job."""
    wildcards = record.get("wildcards", {})
    row = {
        "rule": record.get("rule"),
        "wildcards": " ".join(f"{name}={value}" for name, value in sorted(wildcards.items())),
    }
    row |= {key: wildcards.get(key) for key in KEYS}
    row |= {key: record.get(key) for key in (*COSTS, "created", "code")}
    row |= {package: record.get("versions", {}).get(package) for package in PACKAGES}
    row |= {column: record.get("reused", {}).get(key) for column, key in REUSED.items()}
    return row | _device(record, path.parent)


def _device(record, folder):
    """What a training computed on, by its record; empty for other jobs, and where the file can't be read."""
    if "run.json" not in record.get("outputs", {}):
        return {}
    try:
        run = json.loads((folder / "run.json").read_bytes())
        return {key: run.get(key) for key in RUN}
    except (OSError, ValueError, AttributeError):
        return {}
