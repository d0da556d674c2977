"""Tables of scores of runs: long, a row for each run and metric, keyed as `runs` are."""

import functools
from pathlib import Path

from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.records.runs import TransferRun


def read_run_scores(*paths):
    """Read tables of `write_run_scores` as records of runs: their keys and facts, and `values` {metric: score}.

    `metric`, `floor` and `standard_error` are those of the main metric.
    """
    frames = [read_csv(path, dtype={"source": str, "target": str}) for path in paths]
    return [record for frame in frames for record in run_records(frame)]


def run_records(frame):
    """The runs of a frame with `COLUMNS`, in its order, each as a dict (see `read_run_scores`)."""
    records = {}
    for row in frame.to_dict("records"):
        run = TransferRun.of(row)
        record = records.setdefault(run, {"values": {}})
        record["values"][row["metric"]] = row["value"]
        if row["main"]:
            record.update({name: value for name, value in row.items() if name not in ("value", "main")})
    return list(records.values())


@functools.cache
def _places(paths):
    """{folder of a run below its study's results: path} of files of runs."""
    return {"/".join(Path(path).parent.parts[-4:]): Path(path) for path in paths}


def file_of(record, paths):
    """Which of some paths is the file of a run, given by its record."""
    return _places(tuple(map(str, paths)))[TransferRun.of(record).folder]
