"""What baselines lose without the context of their texts, or with another's: paired on items and on trained models."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from empathy_transfer.controls import CONDITIONS
from empathy_transfer.records.artefacts import read_csv, read_json, write_csv
from empathy_transfer.significance.contrasts import CONTRAST_COLUMNS, contrast_test, resample_scores
from empathy_transfer.significance.paired_runs import read_paired
from empathy_transfer.significance.paired_tests import effects_of
from empathy_transfer.statistics.resampling import FEW_CLUSTERS, paired_difference
from empathy_transfer.statistics.seed_variance import changes_beyond_items
from empathy_transfer.statistics.verdicts import HARMED, LOWER

INTACT, *ABLATED = CONDITIONS
COLUMNS = [
    *"target condition metric seeds n_test with_context intact value difference".split(),
    *CONTRAST_COLUMNS,
    *"q effect reason".split(),
]
TEXT_COLUMNS = ("target", "condition", "metric", "method", "covers", "effect", "reason")


def write_context_ablation(scores_paths, test_paths, settings, table_path):
    """Write the table of all targets with a context, a row per target and condition other than intact.

    Args:
        scores_paths: the scores that `context_ablation.ablate_context` wrote, of all targets and seeds.
        test_paths: {target: its test split}. settings: `resamples`, `alpha` and `absent_classes`.
        table_path: the CSV file to write.
    """
    by_target = {}
    for path in map(Path, scores_paths):
        record = read_json(path)
        by_target.setdefault(record["target"], {})[record["seed"]] = (record, path.parent)
    rows = [row for target, runs in by_target.items() for row in target_effects(runs, test_paths[target], settings)]
    found = add_family(pd.DataFrame(rows, columns=COLUMNS), settings["alpha"])
    write_csv(table_path, found)
    lower = int(found["effect"].isin([HARMED, LOWER]).sum())
    print(f"{len(by_target)} targets with a context; {lower} of {len(found)} ablations lower the score")


def target_effects(runs, test_path, settings):
    """Rows of one target: the mean over seeds of the score with each context, less that with its own.

    A model is compared with itself, so what differs between seeds is the difference, and not two scores of their own:
    its variance beyond that of the items is pooled over both conditions. ``runs`` is {seed: (record of its scores,
    folder of its predictions)}.
    """
    records = {
        (condition, seed): (record, folder / condition / "predictions.parquet")
        for seed, (record, folder) in runs.items()
        for condition in CONDITIONS
    }
    _, sample, _, predictions = read_paired(records, test_path)
    scores = resample_scores(sample, list(predictions.values()), settings)
    place = {key: row for row, key in enumerate(predictions)}
    metric = next(iter(runs.values()))[0]["metric"]
    values = {
        condition: np.array([record["values"][condition][metric] for record, _ in runs.values()])
        for condition in CONDITIONS
    }
    rows = {condition: [place[condition, seed] for seed in runs] for condition in CONDITIONS}
    changes = {condition: values[condition] - values[INTACT] for condition in ABLATED}
    replicates = [
        np.stack(
            [
                paired_difference(scores, [ablated], [intact], absent=settings["absent_classes"])
                for ablated, intact in zip(rows[condition], rows[INTACT], strict=True)
            ]
        )
        for condition in ABLATED
    ]
    few = sample.n_units < FEW_CLUSTERS
    variance = changes_beyond_items(list(changes.values()), replicates, sample.n_units, few)
    between = variance.part(1 / len(runs))
    first = next(iter(runs.values()))[0]
    for condition in ABLATED:
        sides = [(rows[condition], rows[INTACT])]
        difference = float(changes[condition].mean())
        row = {"target": first["target"], "condition": condition, "metric": metric, "seeds": len(runs)}
        row |= {key: first[key] for key in ("n_test", "with_context")}
        row |= {"intact": values[INTACT].mean(), "value": values[condition].mean(), "difference": difference}
        yield row | contrast_test(scores, sides, difference, between, sample.n_units, settings)


def add_family(found, alpha):
    """The rows with `q` (Benjamini and Hochberg over the targets of a condition) and the `effect` that it means."""
    found = found.assign(q=np.nan)
    for _, rows in found[found["p"].notna()].groupby("condition"):
        found.loc[rows.index, "q"] = false_discovery_control(rows["p"].astype("float64"), method="bh")
    found["effect"] = effects_of(found["difference"], found["q"] <= alpha, found["covers"])
    found["effect"] = found["effect"].where(found["q"].notna(), "")
    return found.astype({name: "str" if name in TEXT_COLUMNS else "float64" for name in COLUMNS})


def read_context_ablation(path):
    """Read context_ablation.csv with its types; blank texts are empty strings."""
    return read_csv(path, dtype=dict.fromkeys(TEXT_COLUMNS, str)).fillna(dict.fromkeys(("effect", "reason"), ""))
