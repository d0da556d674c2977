"""The threshold of the correction, chosen on validation within a seed and never on test."""

from empathy_transfer.records.artefacts import read_json, write_json
from empathy_transfer.relabel.training_sets import Setting


def choose_threshold(run_paths, threshold_path):
    """Write the `chosen_threshold` of the records of the runs of one model and seed, one per threshold, as JSON."""
    chosen = chosen_threshold([read_json(path) for path in run_paths])
    write_json(threshold_path, chosen)
    print(f"threshold {chosen['threshold']:g} of {', '.join(chosen['validation_ccc'])}")


def chosen_threshold(records):
    """The threshold with the best concordance on validation, and that of all: {`threshold`, `validation_ccc`}.

    Only thresholds that replace at least one label compete, so that the controls of equal size have something to
    change; whether to correct at all is what the comparison with the baseline says. Of equal ones the largest wins.

    Raises:
        ValueError: no threshold replaces a label.
    """
    found = {Setting.parse(record["setting"]).number: record for record in records}
    competing = [threshold for threshold, record in found.items() if record["n_concerned"] > 0]
    if not competing:
        raise ValueError("no threshold of `relabel: correction: thresholds` replaces a label: add smaller ones")
    best = max(competing, key=lambda threshold: (found[threshold]["validation"], threshold))
    scores = {f"{threshold:g}": found[threshold]["validation"] for threshold in sorted(found)}
    return {"threshold": best, "validation_ccc": scores}
