"""The last word on a study: every planned run is there and its record is whole."""

from empathy_transfer.records.artefacts import read_json, write_json


def complete_study(study, metrics_paths, expected, left_out, complete_path):
    """Write COMPLETE.json: the numbers of expected and found runs, which must be equal, and the tasks left out.

    Raises:
        ArtefactError: the record of a run is damaged. RuntimeError: a record lacks its score, or runs are missing.
    """
    found = 0
    for path in metrics_paths:
        record = read_json(path)
        if record["values"].get(record["metric"]) is None:
            raise RuntimeError(f"{path} has no value of {record['metric']}; remove its folder and run again")
        found += 1
    if found != expected:
        raise RuntimeError(f"{found} runs were found, but {expected} were expected")
    write_json(complete_path, {"study": study, "expected": expected, "found": found, "left_out": left_out})
