"""Does transfer in the demo follow the relatedness that its generator planted?

The six tasks are few: of their 720 arrangements some always fit by chance. So the check is on ranks within targets,
with the exact p over all arrangements of the tasks, and it says whether there is anything to see, not how much. Beside
it stands how many of the gains that were planted show in the tests of single transfers.
"""

import itertools

import numpy
import pandas

from empathy_transfer.importance.holdouts import rank_correlation
from empathy_transfer.records.artefacts import read_csv, read_json, write_csv, write_json
from empathy_transfer.scores.improvement import read_improvement
from empathy_transfer.significance.paired_tests import ALL
from empathy_transfer.statistics.verdicts import IMPROVED

PLANTED_COLUMNS = ["data", "pairs", "tasks", "rank_correlation", "p", "planted_gains", "above", "improved", "reason"]
LEVEL = 0.05
MOST_TASKS, LEAST_PAIRS = 7, 6  # 5,040 arrangements are listed within seconds


def compare_with_truth(improvement_path, significance_path, truth_path, planted_path, finding_path):
    """Write planted.csv, the agreement of transfer with what was planted, and the finding on full data in words.

    Args:
        improvement_path, significance_path: the study's improvement.csv and significance.csv. truth_path: truth.json.
        planted_path: CSV file to write. finding_path: JSON file to write, a list of one {"text": words, ...numbers}.
    """
    improvement = read_improvement(improvement_path)
    tests = read_csv(significance_path)
    truth = read_json(truth_path)
    table = planted_agreement(improvement, tests[tests["runs"] == ALL], truth)
    write_csv(planted_path, table)
    found = [planted_finding(row) for row in table.to_dict("records") if row["data"] == "full"]
    write_json(finding_path, found)
    print(*(entry["text"] for entry in found), sep="\n")


def planted_finding(row):
    """A row of the table of full data as {"text": whether what was planted was found, ...the row's numbers}."""
    gains = (
        f"Of {row['planted_gains']} planted gains {row['above']} score above the baseline, {row['improved']} by more "
        "than chance (false discovery rate 5 %)."
    )
    if row["reason"]:
        text = f"Too few or too many pairs ({row['pairs']}) to say whether transfer follows what was planted. {gains}"
        return {"text": text, "rank_correlation": None, "p": None} | {name: row[name] for name in PLANTED_COLUMNS[5:8]}
    found = row["rank_correlation"] > 0 and row["p"] <= LEVEL
    text = (
        f"The planted truth was {'found' if found else 'not found'}: within targets the mean rank correlation of "
        f"transfer and planted relatedness is {row['rank_correlation']:.2f} (exact p = {row['p']:.3f}). {gains}"
    )
    return {"text": text} | {name: row[name] for name in PLANTED_COLUMNS[3:8]}


def planted_agreement(improvement, tests, truth):
    """Rank correlation of transfer with planted relatedness within targets: a frame with `PLANTED_COLUMNS`.

    Args:
        improvement: frame with source, target, data and difference. tests: frame with source, target, data and effect.
        truth: `cosines` {task: {task: planted relatedness}}, and `expected` {source: {target: `gain` where a gain was
            planted}}.

    Returns:
        A row per data condition. `rank_correlation` is the mean of Spearman's over targets; `p` the share of all
        arrangements of the tasks that agree at least as well, the true one among them. Of the compared pairs
        `planted_gains` should help; `above` of these score above the baseline, `improved` by more than chance.
        `too_few` with under six pairs (or no target with three different improvements), `not_available` with more than
        seven tasks.
    """
    rows, cosines = [], truth["cosines"]
    gains = {
        (one, other) for one, targets in truth["expected"].items() for other in targets if targets[other] == "gain"
    }
    for data, cells in improvement.groupby("data"):
        known = cells[cells["difference"].notna() & cells["source"].isin(cosines) & cells["target"].isin(cosines)]
        tasks = sorted(set(known["source"]) | set(known["target"]))
        row = {"data": data, "pairs": len(known), "tasks": len(tasks), "reason": ""}
        source, target = (known[role].map(tasks.index).to_numpy(dtype=int) for role in ("source", "target"))
        relatedness = numpy.array([[cosines[one][other] for other in tasks] for one in tasks])
        outcome = known["difference"].to_numpy()
        better = tests[(tests["data"] == data) & (tests["effect"] == IMPROVED)]
        row |= {
            "planted_gains": len(gains & _pairs(known)),
            "above": len(gains & _pairs(known[known["difference"] > 0])),
            "improved": len(gains & _pairs(better)),
        }
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


def _pairs(frame):
    """The set of (source, target) of a frame's rows."""
    return set(zip(frame["source"], frame["target"], strict=True))
