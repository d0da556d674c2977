"""Does transfer in the demo follow the relatedness that its generator planted?

The six tasks are few: of their 720 arrangements some always fit by chance. So the check is on ranks within targets,
with the exact p over all arrangements of the tasks, and it says whether there is anything to see, not how much.
"""

import itertools

import numpy
import pandas

from empathy_transfer.importance.holdouts import rank_correlation
from empathy_transfer.records.artefacts import read_json, write_csv
from empathy_transfer.scores.improvement import read_improvement

PLANTED_COLUMNS = ["data", "pairs", "tasks", "rank_correlation", "p", "reason"]
MOST_TASKS, LEAST_PAIRS = 7, 6  # 5,040 arrangements are listed within seconds


def compare_with_truth(improvement_path, truth_path, planted_path):
    """Write planted.csv: the agreement of transfer with the planted relatedness, per data condition.

    Raises:
        ValueError: transfer on full data runs against what was planted, so that something is wrong with it.
    """
    cosines = read_json(truth_path)["cosines"]
    table = planted_agreement(read_improvement(improvement_path), cosines)
    write_csv(planted_path, table)
    print(table.to_string(index=False))
    full = table.loc[(table["data"] == "full") & (table["reason"] == ""), "rank_correlation"]
    if (full <= 0).any():
        raise ValueError(f"transfer does not follow the planted relatedness: rank correlation {full.iloc[0]:.2f}")


def planted_agreement(improvement, cosines):
    """Rank correlation of transfer with planted relatedness within targets: a frame with `PLANTED_COLUMNS`.

    Args:
        improvement: frame with source, target, data and percent. cosines: {task: {task: planted relatedness}}.

    Returns:
        A row per data condition. `rank_correlation` is the mean of Spearman's over targets; `p` the share of all
        arrangements of the tasks that agree at least as well, the true one among them. `too_few` with under six pairs
        (or no target with three different improvements), `not_available` with more than seven tasks.
    """
    rows = []
    for data, cells in improvement.groupby("data"):
        known = cells[cells["percent"].notna() & cells["source"].isin(cosines) & cells["target"].isin(cosines)]
        tasks = sorted(set(known["source"]) | set(known["target"]))
        row = {"data": data, "pairs": len(known), "tasks": len(tasks), "reason": ""}
        source, target = (known[role].map(tasks.index).to_numpy(dtype=int) for role in ("source", "target"))
        relatedness = numpy.array([[cosines[one][other] for other in tasks] for one in tasks])
        outcome = known["percent"].to_numpy()
        if len(known) < LEAST_PAIRS or len(tasks) > MOST_TASKS:
            rows.append(row | {"reason": "too_few" if len(known) < LEAST_PAIRS else "not_available"})
            continue
        orders = numpy.array(list(itertools.permutations(range(len(tasks)))))
        found = numpy.array(
            [rank_correlation(outcome, relatedness[order[source], order[target]], target) for order in orders]
        )
        if numpy.isnan(found[0]):
            rows.append(row | {"reason": "too_few"})
        else:
            rows.append(row | {"rank_correlation": found[0], "p": float((found >= found[0] - 1e-9).mean())})
    frame = pandas.DataFrame(rows, columns=PLANTED_COLUMNS)
    return frame.astype({"rank_correlation": "float64", "p": "float64"})
