"""Would the same task, trained with another seed, get the same answers? Agreement of a task's baselines (test-retest).

Krippendorff's alpha between the answers of all seeds on the same test items: 1 is the same answers, 0 what chance
gives. It is at interval level for numbers, nominal for classes, so that it says the same of both kinds: how much of
what answers differ by between items is not the luck of a training.
"""

import numpy as np

from empathy_transfer.agreement.krippendorff_alpha import alpha_of_sums, alpha_sums, from_alpha_scale, on_alpha_scale
from empathy_transfer.kinds import kind_of
from empathy_transfer.records.artefacts import read_table
from empathy_transfer.significance.paired_runs import read_groups, refuse_other_items
from empathy_transfer.statistics.left_out_datasets import jackknife_variance
from empathy_transfer.statistics.reliability import resampled_variance, sums_of_groups
from empathy_transfer.statistics.resampling import LEAST_CLUSTERS, resampled_counts
from empathy_transfer.statistics.t_tests import t_test

# With fewer, what seeds differ by can't be told from what two of them happen to differ by.
LEAST_SEEDS = 3


def read_retest(prediction_paths, test_path, kind, settings):
    """Test-retest reliability of a task from the predictions of its baselines: see `retest`.

    Args:
        prediction_paths: {seed: path}. test_path: the test split. kind: of the task. settings: `resamples`.
    """
    frames = {
        (seed,): read_table(path, columns=["id", "label", "prediction"]) for seed, path in prediction_paths.items()
    }
    if len(frames) < 2:
        return dict.fromkeys(("number", "items", "of_items", "of_seeds")) | {"seeds": len(frames), "reason": "too_few"}
    refuse_other_items(frames)
    first = next(iter(frames.values()))
    groups = read_groups(test_path).reindex(first["id"])
    return retest([frame["prediction"].tolist() for frame in frames.values()], groups.to_numpy(), kind, settings)


def retest(answers, groups, kind, settings):
    """Agreement of answers on the same items, without an interval: a dict.

    Args:
        answers: a list of answers per seed. groups: the group of each item. kind: of the task. settings: `resamples`.

    Returns:
        `number` (alpha), `items`, `seeds`, `reason`, and parts of the variance on the scale of
        `agreement.krippendorff_alpha`, each (variance, degrees of freedom) or None: `of_items`, of resamples of whole
        groups, and `of_seeds`, of leaving out each of three seeds or more. `constant`: all answers are equal;
        `too_few`: under five groups.
    """
    values = _values(answers, kind)
    row = {"number": None, "items": len(values), "seeds": len(answers), "of_items": None, "of_seeds": None}
    sums = alpha_sums(values)
    number = float(alpha_of_sums(sums.sum(axis=0)))
    if np.isnan(number):
        return row | {"reason": "constant"}
    row["number"] = number
    by_group = sums_of_groups(sums, groups)
    if len(by_group) < LEAST_CLUSTERS:
        return row | {"reason": "too_few"}
    drawn = np.concatenate(
        [alpha_of_sums(counts @ by_group) for counts in resampled_counts(len(by_group), settings["resamples"])]
    )
    row["of_items"] = (resampled_variance(on_alpha_scale(drawn), len(by_group)), len(by_group) - 1)
    if len(answers) >= LEAST_SEEDS:
        without = [alpha_of_sums(alpha_sums(np.delete(values, seed, 1)).sum(axis=0)) for seed in range(len(answers))]
        row["of_seeds"] = (float(jackknife_variance(on_alpha_scale(np.array(without)))), len(answers) - 1)
    return row | {"reason": ""}


def with_intervals(found, alpha):
    """The same dicts with `low`, `high` and `covers`: t intervals on the scale of `agreement.krippendorff_alpha`.

    What seeds vary is pooled over tasks: three seeds of one task say next to nothing about it. Where no task has three
    seeds, intervals cover the choice of items only.
    """
    parts = [row["of_seeds"] for row in found if row["of_seeds"]]
    freedom = sum(part[1] for part in parts)
    pooled = [(sum(variance * number for variance, number in parts) / freedom, freedom)] if parts else []
    rows = []
    for row in found:
        if row["of_items"] is None:
            rows.append(row | {"low": None, "high": None, "covers": ""})
            continue
        tested = t_test(float(on_alpha_scale(row["number"])), [row["of_items"], *pooled], alpha)
        ends = {end: float(from_alpha_scale(tested[end])) for end in ("low", "high")}
        rows.append(row | ends | {"covers": "items_and_seeds" if pooled else "items"})
    return rows


def _values(answers, kind):
    """Answers as numbers (items, seeds, columns): of classes or labels a column of 0 and 1 for each that occurs."""
    module = kind_of(kind)
    if module.MATRIX == "regression":
        return np.array(answers, dtype=float).T[..., None]
    rows = [row for answered in answers for row in answered]
    names = sorted({name for row in rows for name in row} if kind == "multilabel" else set(rows))
    return np.stack([np.asarray(module.comparable(answered, names), float) for answered in answers], axis=1)
