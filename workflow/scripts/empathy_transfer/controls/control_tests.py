"""How much of a transfer's gain is capacity? One target at a time: transfers and baseline against the controls.

A transfer has one adapter more than its baseline, and its source adapter has seen more training steps. The controls
have the same without another task: the target's own baseline adapter below the new one (`self`), a random frozen one
(`random_identity`, `random_full`), and no second adapter but twice the epochs (`longer`). Gain net of capacity is
transfer - control, on the same test items and seeds.
"""

from collections import Counter

import numpy as np
import pandas as pd

from empathy_transfer.leakage.flags import WITHOUT_LEAKED
from empathy_transfer.leakage.report import read_leaked
from empathy_transfer.records.artefacts import write_csv
from empathy_transfer.records.runs import BASELINE, CONTROLS
from empathy_transfer.records.score_tables import file_of, read_run_scores
from empathy_transfer.scores.improvement import collapsed_runs
from empathy_transfer.significance.contrasts import CONTRAST_COLUMNS, contrast_test, resample_scores
from empathy_transfer.significance.paired_runs import read_paired
from empathy_transfer.significance.paired_tests import ALL, SOUND
from empathy_transfer.statistics.resampling import FEW_CLUSTERS
from empathy_transfer.statistics.seed_variance import beyond_items

TRANSFERS = "transfers"  # the mean over all transfers to a target
COLUMNS = [
    *"target data runs compared reference metric sources seeds n_test value reference_value difference".split(),
    *CONTRAST_COLUMNS,
    "reason",
]
TEXT_COLUMNS = ("target", "data", "runs", "compared", "reference", "metric", "method", "covers", "reason")


def write_control_tests(target, scores_paths, prediction_paths, test_path, leaked_pairs_path, settings, tests_path):
    """Compare the runs of a target with its controls, and write a row for each comparison (`COLUMNS`).

    Args:
        target: the task. scores_paths: the scores of its baselines and transfers, and of its controls (`run_scores`).
        prediction_paths: the predictions of all these runs.
        test_path: its test split, whose groups are what is resampled.
        leaked_pairs_path: the flags of the audit of leakage.
        settings: `resamples`, `alpha` and `absent_classes`, see the config's schema.
        tests_path: the CSV file to write.

    Raises:
        ArtefactError: a file is damaged. ValueError: predictions are not those of the same test items in all runs.
    """
    runs = {
        (record["source"], record["data"], record["seed"]): (record, file_of(record, prediction_paths))
        for record in read_run_scores(*scores_paths)
    }
    records, sample, _, predictions = read_paired(runs, test_path)
    leaked = {source for source, other in read_leaked(leaked_pairs_path) if other == target != source}
    tests = compare_with_controls(records, sample, predictions, settings, leaked)
    write_csv(tests_path, tests)
    print(f"{target}: {len(runs)} runs, {len(tests)} comparisons")


def compare_with_controls(records, sample, predictions, settings, leaked=frozenset()):
    """All comparisons of a target's runs with its controls: a frame with `COLUMNS`.

    Compared are each control and the mean of all transfers with the baseline (`reference` none), and each transfer and
    the mean of all with each control, within a data condition. Rows come twice: with all runs, and without collapsed
    ones; and once more without the sources that leak, where there are any. The variance between seeds is pooled over
    all runs of the target.

    Args:
        records: {(source, data, seed): record of the run}. sample: the test items in the units that are resampled.
        predictions: {key of a run: its predictions}. settings: see `write_control_tests`.
        leaked: sources whose data leak into the target's test items.
    """
    keys = list(records)
    scores = resample_scores(sample, [predictions[key] for key in keys], settings)
    collapsed = {(source, data, seed) for source, _, data, seed in collapsed_runs(list(records.values()))}
    rows = []
    choices = {ALL: keys, SOUND: [key for key in keys if key not in collapsed]}
    if leaked:
        choices[WITHOUT_LEAKED] = [key for key in keys if key[0] not in leaked]
    for runs, kept in choices.items():
        values = {key: records[key]["values"][records[key]["metric"]] for key in kept}
        placed = {key: keys.index(key) for key in kept}
        few = sample.n_units < FEW_CLUSTERS
        variance = beyond_items(values, scores, placed, sample.n_units, few, settings["absent_classes"])
        near_floor = {data for data in ("full", "half") if learnt_nothing(records, data)}
        for data in dict.fromkeys(data for _, data, _ in kept):
            for compared, reference, pairs in planned_contrasts([key for key in kept if key[1] == data]):
                sides = [[[keys.index(key) for key in side] for side in pair] for pair in pairs]
                value, against = (
                    float(np.mean([np.mean([values[key] for key in pair[side]]) for pair in pairs])) for side in (0, 1)
                )
                seeds = variance.part(squared_weights(pairs))
                row = contrast_test(scores, sides, value - against, seeds, sample.n_units, settings)
                row |= {"data": data, "runs": runs, "compared": compared, "reference": reference}
                row |= {"value": value, "reference_value": against, "difference": value - against}
                row |= {"sources": len(pairs) if compared == TRANSFERS else None, "n_test": len(sample.labels)}
                row |= {"seeds": len({seed for pair in pairs for _, _, seed in pair[0]})}
                used = {key for pair in pairs for side in pair for key in side}
                mark = "undefined" if data in near_floor else "" if collapsed.isdisjoint(used) else "collapsed"
                rows.append(row | {"reason": row["reason"] or mark})
    frame = pd.DataFrame(rows, columns=COLUMNS)
    if records:
        first = next(iter(records.values()))
        frame = frame.assign(target=first["target"], metric=first["metric"])
    return frame.astype({name: "str" if name in TEXT_COLUMNS else "float64" for name in COLUMNS})


def learnt_nothing(records, data):
    """Whether the baselines of a data condition are within two standard errors of constant answers, on average."""
    runs = [record for (source, condition, _), record in records.items() if (source, condition) == (BASELINE, data)]
    gain = [record["values"][record["metric"]] - record["floor"] - 2 * record["standard_error"] for record in runs]
    return bool(gain) and float(np.mean(gain)) <= 0


def planned_contrasts(keys):
    """Yield (compared, reference, pairs of lists of keys) of all comparisons within a data condition.

    Each pair holds the runs of both sides on the seeds that both have.
    """
    cells = {}
    for key in keys:
        cells.setdefault(key[0], {})[key[2]] = key
    sources = [source for source in cells if source not in (BASELINE, *CONTROLS)]

    def pair(source, reference):
        """The runs of a cell and of the reference on shared seeds; none without one."""
        shared = sorted(cells.get(source, {}).keys() & cells.get(reference, {}).keys())
        return (
            [([cells[source][seed] for seed in shared], [cells[reference][seed] for seed in shared])] if shared else []
        )

    for reference in (BASELINE, *CONTROLS):
        for compared in CONTROLS if reference == BASELINE else sources:
            if pairs := pair(compared, reference):
                yield compared, reference, pairs
        if pairs := [found for source in sources for found in pair(source, reference)]:
            yield TRANSFERS, reference, pairs


def squared_weights(pairs):
    """Sum of the squared weights of the runs in a mean of differences: its variance, for runs of variance 1.

    A single pair of k seeds gives 2 / k. In a mean over m pairs with one reference, the reference's runs keep their
    full weight: (1 + 1 / m) / k.
    """
    weights = Counter()
    for side in pairs:
        for sign, runs in zip((1, -1), side, strict=True):
            for key in runs:
                weights[key] += sign / (len(runs) * len(pairs))
    return sum(weight**2 for weight in weights.values())
