"""What a variant changes: its baseline against its task's on the test items of both, and its adapter as a source."""

import numpy as np
import pandas as pd

from empathy_transfer.controls.variant_gains import write_variant_gains
from empathy_transfer.controls.variant_scores import scores_by_run, shared_items
from empathy_transfer.records.artefacts import read_json, write_csv
from empathy_transfer.records.runs import BASELINE
from empathy_transfer.scores.run_scores import finished
from empathy_transfer.significance.contrasts import CONTRAST_COLUMNS, contrast_test, resample_scores
from empathy_transfer.significance.paired_runs import pair_frames, read_groups
from empathy_transfer.significance.paired_tests import effects_of
from empathy_transfer.statistics.resampling import FEW_CLUSTERS
from empathy_transfer.statistics.seed_variance import beyond_items

COLUMNS = [
    *"variant task role source target data metric seeds n_test value reference_value difference".split(),
    *CONTRAST_COLUMNS,
    *"effect reason".split(),
]
TEXT_COLUMNS = (*COLUMNS[:7], "method", "covers", "effect", "reason")


def write_variant_effects(variants, run_paths, test_paths, settings, table_path, gains_path):
    """Write a row for each comparison of a variant and data condition (`COLUMNS`), and gains seed by seed.

    By `role`, compared are: `baseline`, the variant's with its task's; `source`, a transfer from the variant with that
    from its task; `target`, a transfer to the variant with the variant's own baseline.

    Args:
        variants: {variant: the task that it is made from}.
        run_paths: records of the variants' runs, and of those of their tasks that they are compared with.
        test_paths: {task or variant: its test split}. settings: `resamples`, `alpha` and `absent_classes`.
        table_path: the CSV file to write. gains_path: that of the gains, see `variant_gains`.

    Raises:
        ArtefactError: a file is damaged. ValueError: two runs have no test item in common.
    """
    runs = {}
    for path in finished(run_paths):
        record = read_json(path)
        runs[record["source"], record["target"], record["data"], record["seed"]] = (record, path)
    rows = []
    for variant, task in variants.items():
        for source, target, data in sorted({key[:3] for key in runs if variant in key[:2]}):
            role, other = counterpart(variant, task, source, target)
            sides = [
                {key[3]: run for key, run in runs.items() if key[:3] == (*pair, data)}
                for pair in ((source, target), other)
            ]
            row = {"variant": variant, "task": task, "role": role, "source": source, "target": target, "data": data}
            rows.append(row | compare_sides(*sides, test_paths[target], settings))
    found = pd.DataFrame(rows, columns=COLUMNS)
    found = found.astype(dict.fromkeys([name for name in COLUMNS if name not in TEXT_COLUMNS], "float64"))
    found["effect"] = effects_of(found["difference"], found["p"] <= settings["alpha"], found["covers"])
    found["effect"] = found["effect"].where(found["p"].notna(), "")
    write_csv(table_path, found)
    write_variant_gains(variants, runs, test_paths, settings, gains_path)
    print(f"{len(found)} comparisons of {len(variants)} variants")


def counterpart(variant, task, source, target):
    """The role of a run of a variant, and (source, target) of the run that it is compared with."""
    if source == BASELINE:
        return "baseline", (BASELINE, task)
    return ("source", (task, target)) if source == variant else ("target", (BASELINE, variant))


def compare_sides(ours, theirs, test_path, settings):
    """Compare two lists of runs, {seed: (record, path)} each, on the test items of both; columns of `COLUMNS`.

    A score is computed on the shared items, so it may differ from that of the run's record.
    """
    seeds = sorted(ours.keys() & theirs.keys())
    if not seeds:
        return {"seeds": 0, "reason": "not_run"}
    sides = {(side, seed): runs[seed] for side, runs in (("ours", ours), ("theirs", theirs)) for seed in seeds}
    frames = shared_items(sides)
    sample, _, predictions = pair_frames(frames, read_groups(test_path))
    scores = resample_scores(sample, list(predictions.values()), settings)
    name = ours[seeds[0]][0]["metric"]
    values = scores_by_run(frames, sides)
    scored = {(side, "", seed): value for (side, seed), value in values.items()}
    placed = {key: row for row, key in enumerate(scored)}
    few = sample.n_units < FEW_CLUSTERS
    variance = beyond_items(scored, scores, placed, sample.n_units, few, settings["absent_classes"])
    rows = [[list(values).index((side, seed)) for seed in seeds] for side in ("ours", "theirs")]
    value, reference_value = (float(np.mean([values[side, seed] for seed in seeds])) for side in ("ours", "theirs"))
    row = {"metric": name, "seeds": len(seeds), "n_test": len(sample.labels)}
    row |= {"value": value, "reference_value": reference_value, "difference": value - reference_value}
    between = variance.part(2 / len(seeds))
    return row | contrast_test(scores, [tuple(rows)], value - reference_value, between, sample.n_units, settings)
