"""A model's labels, joined by id with the texts that they are about."""

import numpy as np

from empathy_transfer.data.lost_rows import LOST_SHARE, lost_line
from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import read_table


def valid_labels(labels_path, ids):
    """Return the model's label of each text, in the order of the ids; NaN where it has no valid one.

    Args:
        labels_path: the model's labels of a set (see `labels.parse_labels`). ids: ids of the set's texts.

    Raises:
        DataError: more than `LOST_SHARE` of the texts have no valid label, or a text has two.
    """
    labels = read_table(labels_path, columns=["id", "label", "valid"])
    labels = labels[labels["valid"]].set_index("id")["label"]
    if labels.index.has_duplicates:
        raise DataError(f"{labels_path}: a text has two labels. Delete the file and run again.")
    found = labels.reindex(ids).to_numpy(dtype="float64")
    lost = int(np.isnan(found).sum())
    line = lost_line(labels_path, lost, len(found), "texts have no valid label")
    print(line)
    if lost > LOST_SHARE * len(found):
        raise DataError(
            f"{line}; at most {LOST_SHARE:.0%} may lack one. The file's column `reason` says why. Mend the answers, or "
            "take the model out of relabel: models."
        )
    return found
