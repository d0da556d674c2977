"""Counts of the prepared pairs: labels and items by scheme and split, and sums of the three levels of Epitome."""

import pandas

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.records.artefacts import read_json, read_table, write_csv

LEFT_OUT = "left_out"
SUM_COLUMNS = ["sum", "count"]
LABEL_COLUMNS = ["scheme", "split", "label", "count", "pairs"]
ITEM_COLUMNS = ["pairs", "scheme", "split", "items", "groups"]


def split_tables(tables):
    """{(scheme, pair task): {split: path}} of paths such as `<scheme>/<pair task>/test.parquet`, in their order."""
    found = {}
    for path in tables:
        found.setdefault((path.parent.parent.name, path.parent.name), {})[path.stem] = path
    return found


def count_pairs(tables, task_files, labels_path, items_path):
    """Write how many pairs each split of each task has (job of rule count_pairs).

    Args:
        tables: paths of the prepared tables. task_files: paths of the descriptions beside them.
        labels_path: table `LABEL_COLUMNS` with a row for each class of the classification tasks.
        items_path: table `ITEM_COLUMNS`; the split `left_out` counts the pairs that a fold leaves out.
    """
    about = {(path.parent.parent.name, path.parent.name): read_json(path) for path in task_files}
    labels, items = [], []
    for (scheme, pairs), splits in split_tables(tables).items():
        task = about[scheme, pairs]
        for split in SPLITS:
            table = read_table(splits[split], columns=["group", "label"])
            items.append((pairs, scheme, split, len(table), table["group"].nunique()))
            if task["kind"] == "classification":
                counts = table["label"].value_counts()
                labels += [(scheme, split, label, int(counts.get(label, 0)), pairs) for label in task["labels"]]
        items.append((pairs, scheme, LEFT_OUT, task["left_out"], None))
    write_csv(labels_path, pandas.DataFrame(labels, columns=LABEL_COLUMNS))
    write_csv(items_path, pandas.DataFrame(items, columns=ITEM_COLUMNS).astype({"groups": "Int64"}))


def count_sums(tables, highest, sums_path):
    """Write how often each sum of levels occurs, from all tables of a task whose label is the sum over the highest."""
    shares = pandas.concat([read_table(path, columns=["label"])["label"] for path in tables])
    sums = (shares * highest).round().astype(int)
    counts = sums.value_counts().reindex(range(highest + 1), fill_value=0)
    write_csv(sums_path, pandas.DataFrame({"sum": counts.index, "count": counts.to_numpy()})[SUM_COLUMNS])
