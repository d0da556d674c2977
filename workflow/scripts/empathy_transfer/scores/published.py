"""Percent improvements from the printed score tables (Tables 7 and 8), in the form of a study's improvement.csv.

The tables give scores with two decimals and one seed. The own-source cell is the baseline.
"""

import pandas

from empathy_transfer.records.artefacts import read_csv, write_csv
from empathy_transfer.scores.improvement import COLLAPSED_SHARE

PUBLISHED_COLUMNS = "source target data metric seeds floor baseline transfer difference percent reason".split()


def write_published_improvement(scores_path, labels_path, improvement_path):
    """Write improvement.csv of the published analysis from the printed scores and label shares."""
    scores = read_csv(scores_path, verify=False)
    shares = read_csv(labels_path, verify=False, dtype={"label": str})
    improvement = published_improvement(scores, printed_floors(shares, scores["target"].unique()))
    write_csv(improvement_path, improvement)
    collapsed = (improvement["reason"] == "collapsed").sum()
    print(f"{len(improvement)} pairs, {collapsed} of them collapsed by their printed score")


def published_improvement(scores, floors):
    """Percent improvement of each printed transfer over the baseline of its target.

    Args:
        scores: frame with source, target, metric, score; the row with source = target is the baseline.
        floors: {target: score of constant answers}.

    Returns:
        A frame with `PUBLISHED_COLUMNS`, one row per source and target. `reason` is `collapsed` where the score is
        above the floor by less than a quarter of what the target's median run is (validation scores, which tell
        collapsed runs in a study of one's own, are not printed), and `undefined`, without percent, where the baseline
        is not above the floor.

    Raises:
        ValueError: a target has no baseline, or a cell is printed twice.
    """
    if scores.duplicated(["source", "target"]).any():
        raise ValueError("the printed scores hold a cell twice")
    rows = []
    for target, column in scores.groupby("target", sort=False):
        own = column.loc[column["source"] == target, "score"]
        if own.empty:
            raise ValueError(f"the printed scores hold no baseline of {target}")
        baseline, floor = float(own.iloc[0]), floors[target]
        threshold = COLLAPSED_SHARE * max((column["score"] - floor).median(), 0.0)
        for run in column[column["source"] != target].itertuples():
            row = {"source": run.source, "target": target, "data": "full", "metric": run.metric, "seeds": 1}
            row |= {"floor": floor, "baseline": baseline, "transfer": run.score, "difference": run.score - baseline}
            if baseline <= floor:
                row["reason"] = "undefined"
            else:
                row["percent"] = 100 * (run.score - baseline) / baseline
                row["reason"] = "collapsed" if run.score - floor < threshold else ""
            rows.append(row)
    return pandas.DataFrame(rows, columns=PUBLISHED_COLUMNS).astype({"percent": "float64"})


def printed_floors(shares, targets):
    """Scores of constant answers: 0 for the r of a regression; for classes, macro F1 of the most frequent test label.

    With a share p of the most frequent of k labels, always answering it has F1 = 2p / (1 + p) there and 0 elsewhere.
    """
    tests = shares[(shares["split"] == "test") & (shares["label"] != "(split share)")]
    floors = dict.fromkeys(targets, 0.0)
    for target, labels in tests.groupby("task"):
        present = labels.loc[labels["percent"] > 0, "percent"] / 100
        floors[target] = float(2 * present.max() / (1 + present.max()) / len(present))
    return floors
