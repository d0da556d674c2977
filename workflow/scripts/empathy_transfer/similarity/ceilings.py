"""The human ceiling beside every model's Pearson r, label by label.

The ceiling is the mean over raters of the correlation of a rater with the mean of the others. Where a model judged the
raters' own pairs, both are measured on the same pairs, and so is their difference. Otherwise the raters' pairs are
others than the model's, so that the difference has the uncertainty of both.
"""

import pandas as pd

from empathy_transfer.agreement.intervals import Measured, difference
from empathy_transfer.records.artefacts import read_csv, write_csv
from empathy_transfer.statistics.values import number_or_none

PEER, MACHINE = "peer", "machine"
# In scores.csv: all folds together, models that are trained on no label, and the constant answer.
POOLED, UNTRAINED, FLOOR = "all", "none", "floor"
METRIC = "pearson_r"
COLUMNS = """
    family model form trained_on label seeds value low high group raters items ceiling_r ceiling_low ceiling_high
    difference difference_low difference_high same_pairs
""".split()


def write_beside_ceiling(agreement_path, machines_path, peers_path, scores_path, about, csv_path):
    """Write beside_ceiling.csv, a row for each model and label with a ceiling: `COLUMNS`.

    Args:
        agreement_path, machines_path, peers_path: tables of the stage. scores_path: scores.csv of the models that are
            trained here, or None. about: `group`, whose ceiling stands beside models, `split` of the peers, and
            `forms`, {split: what the peers read}. csv_path: file to write.
    """
    scores = None if scores_path is None else read_csv(scores_path)
    tables = (read_csv(path) for path in (agreement_path, machines_path, peers_path))
    write_csv(csv_path, beside_ceiling(*tables, scores, about))


def beside_ceiling(agreement, machines, peers, scores, about):
    """The rows as a frame; arguments are the frames of the files, ``scores`` may be None."""
    ceilings = agreement[agreement["group"] == about["group"]].set_index(["form", "aspect"])
    rows = []
    for row in pd.concat([peer_rows(peers, about), model_rows(scores)], ignore_index=True).to_dict("records"):
        if (key := (row["form"], row["label"])) in ceilings.index:
            rows.append(row | _against(row, ceilings.loc[key]) | {"group": about["group"]})
    for row in machines.to_dict("records"):
        known = {"family": MACHINE, "label": row["aspect"], "value": row["pearson_r"], "same_pairs": True, "seeds": 1}
        known |= {"low": row["pearson_low"], "high": row["pearson_high"]}
        known |= {"difference_low": row["low"], "difference_high": row["high"]}
        rows.append(row | known)
    return pd.DataFrame(rows, columns=COLUMNS)


def peer_rows(peers, about):
    """Rows of the peers of the split that is shown."""
    part = peers[(peers["split"] == about["split"]) & (peers["metric"] == METRIC)]
    part = part.rename(columns={"peer": "model"})[["model", "label", "value", "low", "high"]]
    return part.assign(family=PEER, form=about["forms"].get(about["split"], ""), trained_on=None, seeds=1)


def model_rows(scores):
    """Rows of the models that are trained here, means over seeds; none without scores.

    Of a model that is trained on a label, the scores on that label; ends of intervals are means over seeds, too, which
    is what they are for one seed, and somewhat wide for several.
    """
    if scores is None:
        return pd.DataFrame()
    part = scores[(scores["split"] == "test") & (scores["metric"] == METRIC) & (scores["family"] != FLOOR)]
    folds = part["fold"].astype("str")
    part = part[(folds == POOLED) | ~(folds == POOLED).any()]
    own = part["trained_on"].isna() | part["trained_on"].isin([UNTRAINED]) | (part["trained_on"] == part["label"])
    part = part[own].assign(low=part.get("low"), high=part.get("high"))
    keys = ["family", "model", "form", "trained_on", "label"]
    found = part.groupby(keys, sort=False, dropna=False)
    means = found[["value", "low", "high"]].mean().assign(seeds=found["seed"].nunique().clip(lower=1))
    return means.reset_index()


def _against(row, ceiling):
    """Columns of the ceiling and of the difference between it and a model on other pairs."""
    known = {name: ceiling[name] for name in ("raters", "items", "ceiling_r", "ceiling_low", "ceiling_high")}
    sides = [
        Measured(*(number_or_none(source[name]) for name in names), "")
        for source, names in ((known, ("ceiling_r", "ceiling_low", "ceiling_high")), (row, ("value", "low", "high")))
    ]
    found = difference(*sides)
    ends = {"difference": found.number, "difference_low": found.low, "difference_high": found.high}
    return known | ends | {"same_pairs": False}
