"""Checks for the known failures of the study on labels from language models: flags.csv. They are no claims."""

import numpy as np
import pandas as pd

from empathy_transfer.records.artefacts import read_csv, write_csv
from empathy_transfer.relabel.scores import CHOSEN, read_run_scores

COLUMNS = ["encoder", "flag", "model", "setting", "n", "value", "low", "high", "limit", "raised"]
# What raises a flag: a standard deviation over seeds, and a concordance below this share of Pearson's r.
MOST_SEED_DEVIATION, LEAST_CCC_SHARE = 0.05, 0.7
# A correction of more labels than this leaves controls of equal size next to nothing to train on.
MOST_REPLACED = 0.5
LEAST_THRESHOLD = 3


def write_flags(scores_path, comparisons_path, slices_path, flags_path):
    """Write flags.csv from the CSV files of the stage."""
    found = signs_of_failure(read_run_scores(scores_path), read_csv(comparisons_path), read_csv(slices_path))
    write_csv(flags_path, found)


def signs_of_failure(scores, comparisons, slices):
    """Failures that the study reports: a frame with `COLUMNS`, each with its value and the limit that raises a flag.

    A setting that stands for another run is not counted again. Values of test texts have their number and interval.
    """
    rows = []
    against = comparisons[(comparisons["comparison"] == "baseline") & (comparisons["metric"] == "ccc")]
    for row in against.itertuples():
        if row.setting.startswith("alpha=") and row.setting != CHOSEN and float(row.setting[6:]) < LEAST_THRESHOLD:
            rows.append({
                "encoder": row.encoder, "flag": "threshold below 3 hurts", "model": row.model, "setting": row.setting,
                "n": row.n_test, "value": row.difference, "low": row.low, "high": row.high, "limit": 0,
                "raised": row.high < 0,
            })  # fmt: skip
    chosen = scores[scores["setting"] == CHOSEN].groupby(["encoder", "model"], sort=False)["share_concerned"].max()
    for (encoder, model), share in chosen.items():
        rows.append({
            "encoder": encoder, "flag": "controls have little left", "model": model, "setting": CHOSEN, "value": share,
            "limit": MOST_REPLACED, "raised": share > MOST_REPLACED,
        })  # fmt: skip
    trained = scores[scores["trained_as"] == scores["setting"]]
    for (encoder, model, setting), part in trained.groupby(["encoder", "model", "setting"], sort=False):
        names = {"encoder": encoder, "model": model, "setting": setting}
        deviation = part["ccc"].std() if len(part) > 1 else np.nan
        share = (part["ccc"] / part["pearson_r"].where(part["pearson_r"] > 0)).mean()
        rows.append(names | {
            "flag": "high variance over seeds", "value": deviation, "limit": MOST_SEED_DEVIATION,
            "raised": deviation > MOST_SEED_DEVIATION,
        })  # fmt: skip
        rows.append(names | {
            "flag": "concordance far below Pearson r", "value": share, "limit": LEAST_CCC_SHARE,
            "raised": share < LEAST_CCC_SHARE,
        })  # fmt: skip
    for row in slices[slices["ccc"].notna()].itertuples():
        rows.append({
            "encoder": row.encoder, "flag": f"negative concordance in {row.attribute} {row.group}", "model": row.system,
            "n": row.n, "value": row.ccc, "low": row.ccc_low, "high": row.ccc_high, "limit": 0, "raised": row.ccc < 0,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)
