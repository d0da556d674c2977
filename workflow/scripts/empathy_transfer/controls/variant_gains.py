"""What a variant gains over its task as a source and as a target, seed by seed.

All gains of a variant share what was trained once for each seed: the adapters of the variant and its task where they
are the source, their baselines where they are the target. So a mean of gains needs them seed by seed (`crossed_means`).
Gains as a target also share their test items.
"""

import numpy as np
import pandas as pd

from empathy_transfer.controls.variant_scores import scores_by_run, shared_items
from empathy_transfer.records.artefacts import write_csv
from empathy_transfer.records.runs import BASELINE
from empathy_transfer.significance.contrasts import resample_scores
from empathy_transfer.significance.paired_runs import pair_frames, read_groups
from empathy_transfer.statistics.crossed_means import complete_table, shared_variance
from empathy_transfer.statistics.resampling import FEW_CLUSTERS, paired_difference
from empathy_transfer.statistics.seed_variance import spread

GAIN_COLUMNS = "variant task role other data seed gain shared_variance clusters".split()


def write_variant_gains(variants, runs, test_paths, settings, path):
    """Write a row for each gain of a seed (`GAIN_COLUMNS`).

    As a source: the score of a transfer from the variant less that of the transfer from its task. As a target: what
    transfer from a source adds to the variant's baseline, less what it adds to its task's. `other` is the task at the
    other end. All scores are on the test items of both sides.

    Args:
        variants: {variant: the task that it is made from}. runs: {(source, target, data, seed): (record, its path)}.
        test_paths: {task or variant: its test split}. settings: `resamples` and `absent_classes`.
        path: the CSV file to write.
    """
    rows = []
    for variant, task in variants.items():
        for data in dict.fromkeys(key[2] for key in runs):
            about = {"variant": variant, "task": task, "data": data}
            rows += [about | row for row in gains_as_source(variant, task, data, runs)]
            rows += [about | row for row in gains_as_target(variant, task, data, runs, test_paths[variant], settings)]
    numbers = ["seed", "gain", "shared_variance", "clusters"]
    write_csv(path, pd.DataFrame(rows, columns=GAIN_COLUMNS).astype(dict.fromkeys(numbers, "float64")))


def gains_as_source(variant, task, data, runs):
    """A row for each target and seed to which both the variant and its task transfer."""
    for source, other, _, seed in sorted(key for key in runs if key[0] == variant and key[2] == data):
        pair = [(source, other, data, seed), (task, other, data, seed)]
        if pair[1] in runs:
            scores = scores_by_run(shared_items({key: runs[key] for key in pair}), runs)
            gain = scores[pair[0]] - scores[pair[1]]
            yield {"role": "source", "other": other, "seed": seed, "gain": gain, "shared_variance": 0.0}


def gains_as_target(variant, task, data, runs, test_path, settings):
    """A row for each source and seed with a transfer to the variant and to its task, where both have a baseline.

    `shared_variance` is the part of a gain's variance that all have in common, since they are of the same test items.
    """
    cells = {}
    for source, _, _, seed in sorted(key for key in runs if key[1] == variant and key[2] == data):
        four = [(one, target, data, seed) for target in (variant, task) for one in (source, BASELINE)]
        if source != BASELINE and all(key in runs for key in four):
            cells[source, seed] = four
    if not cells:
        return
    frames = shared_items({key: runs[key] for four in cells.values() for key in four})
    scores = scores_by_run(frames, runs)
    gains = {cell: (scores[a] - scores[b]) - (scores[c] - scores[d]) for cell, (a, b, c, d) in cells.items()}
    sample, _, predictions = pair_frames(frames, read_groups(test_path))
    drawn = resample_scores(sample, list(predictions.values()), settings)
    row_of = {key: [row] for row, key in enumerate(predictions)}

    def replicates(source, seed):
        """The gain in all resamples."""
        a, b, c, d = (row_of[key] for key in cells[source, seed])
        absent = settings["absent_classes"]
        return paired_difference(drawn, a, b, absent=absent) - paired_difference(drawn, c, d, absent=absent)

    table = complete_table(pd.Series(gains).unstack())
    shared = None
    if len(table) > 1:
        few = sample.n_units < FEW_CLUSTERS
        resampled = np.stack([[replicates(source, seed) for seed in table.columns] for source in table.index])
        shared = shared_variance(resampled, lambda values: spread(values, few))
    about = {"role": "target", "shared_variance": shared, "clusters": sample.n_units}
    for (source, seed), gain in gains.items():
        yield about | {"other": source, "seed": seed, "gain": gain}
