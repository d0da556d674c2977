"""The last word on a study: every planned run is there and has its score."""

from empathy_transfer.records.artefacts import read_csv, write_json


def complete_study(study, scores_path, expected, left_out, complete_path):
    """Write COMPLETE.json: the numbers of expected and found runs, which must be equal, and the tasks left out.

    Args:
        scores_path: scores.csv. expected: number of planned runs whose tasks have data. left_out: {task: why}.

    Raises:
        ArtefactError: the table is damaged. RuntimeError: runs are missing, or have no score.
    """
    scores = read_csv(scores_path)
    found = int((scores["main"] & scores["value"].notna()).sum())
    if found != expected:
        raise RuntimeError(f"{found} runs have a score in {scores_path}, but {expected} were expected")
    write_json(complete_path, {"study": study, "expected": expected, "found": found, "left_out": left_out})
