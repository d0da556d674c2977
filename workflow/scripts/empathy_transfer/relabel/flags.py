"""Checks for the known failures of the study on labels from language models: flags.csv. They are no claims."""

import numpy as np
import pandas as pd

from empathy_transfer.records.artefacts import read_csv, write_csv
from empathy_transfer.relabel.scores import CHOSEN, read_relabelled_scores

COLUMNS = ["encoder", "flag", "model", "setting", "n", "value", "low", "high", "limit", "raised"]
# What raises a flag: a standard deviation over seeds, and a concordance below this share of Pearson's r.
MOST_SEED_DEVIATION, LEAST_CCC_SHARE = 0.05, 0.7
# A correction of more labels than this leaves controls of equal size next to nothing to train on.
MOST_REPLACED = 0.5
LEAST_THRESHOLD = 3


def write_flags(scores_path, comparisons_path, slices_path, flags_path):
    """Write flags.csv from the CSV files of the stage."""
    found = signs_of_failure(read_relabelled_scores(scores_path), read_csv(comparisons_path), read_csv(slices_path))
    write_csv(flags_path, found)


def signs_of_failure(scores, comparisons, slices):
    """Failures that the study reports: a frame with `COLUMNS`, each with its value and the limit that raises a flag.

    A setting that stands for another run is not counted again. Values of test texts have their number and interval.
    """
    rows = []
    against = comparisons[(comparisons["comparison"] == "baseline") & (comparisons["metric"] == "ccc")]
    for row in against.itertuples():
        kind, _, threshold = row.setting.partition("=")
        if kind == "alpha" and row.setting != CHOSEN and float(threshold) < LEAST_THRESHOLD:
            names = {"encoder": row.encoder, "model": row.model, "setting": row.setting}
            numbers = {"n": row.n_test, "value": row.difference, "low": row.low, "high": row.high, "limit": 0}
            rows.append(names | numbers | {"flag": "threshold below 3 hurts", "raised": row.high < 0})
    chosen = scores[scores["setting"] == CHOSEN].groupby(["encoder", "model"], sort=False)["share_concerned"].max()
    for (encoder, model), share in chosen.items():
        names = {"flag": "controls have little left", "encoder": encoder, "model": model, "setting": CHOSEN}
        rows.append(names | {"value": share, "limit": MOST_REPLACED, "raised": share > MOST_REPLACED})
    trained = scores[scores["trained_as"] == scores["setting"]]
    for (encoder, model, setting), part in trained.groupby(["encoder", "model", "setting"], sort=False):
        names = {"encoder": encoder, "model": model, "setting": setting}
        deviation = part["ccc"].std() if len(part) > 1 else np.nan
        share = (part["ccc"] / part["pearson_r"].where(part["pearson_r"] > 0)).mean()
        collapsed = part["constant_prediction"].astype(bool).mean()
        for flag, value, limit, raised in [
            ("high variance over seeds", deviation, MOST_SEED_DEVIATION, deviation > MOST_SEED_DEVIATION),
            ("concordance far below Pearson r", share, LEAST_CCC_SHARE, share < LEAST_CCC_SHARE),
            ("collapsed, share of seeds", collapsed, 0, collapsed > 0),
        ]:
            rows.append(names | {"flag": flag, "value": value, "limit": limit, "raised": raised})
    for row in slices[slices["ccc"].notna()].itertuples():
        names = {"flag": f"negative concordance in {row.attribute} {row.group}", "encoder": row.encoder}
        numbers = {"n": row.n, "value": row.ccc, "low": row.ccc_low, "high": row.ccc_high, "limit": 0}
        rows.append(names | {"model": row.system, **numbers, "raised": row.ccc < 0})
    return pd.DataFrame(rows, columns=COLUMNS)
