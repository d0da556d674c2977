"""Corrected labels by id, as training labels of a variant of a task."""

import pandas as pd

from empathy_transfer.errors import DataError, shown
from empathy_transfer.records.artefacts import write_csv
from empathy_transfer.relabel.agreement import read_sources
from empathy_transfer.relabel.correction import beyond_threshold
from empathy_transfer.relabel.training_sets import CROWD


def write_corrected(model, set_paths, labels_paths, threshold, corrected_path):
    """Write id, label and set of the texts of all sets whose crowd label a model corrects; the others keep theirs.

    Args:
        model: the model. set_paths: {set: its path}. labels_paths: {(model, set): path of its labels}.
        threshold: in units of the label; 0 takes the model's label wherever it differs. corrected_path: CSV to write.
    """
    write_csv(corrected_path, corrected_labels(read_sources(set_paths, labels_paths), model, threshold))


def corrected_labels(sources, model, threshold):
    """The corrected labels of all sets (a frame); ``sources`` as in ``agreement.read_sources``.

    Raises:
        DataError: two corrected texts of different sets have one id.
    """
    parts = []
    for name, labels in sources.items():
        both = labels.dropna(subset=[CROWD])
        marked = both[beyond_threshold(both[CROWD], both[model], threshold)]
        parts.append(pd.DataFrame({"id": marked.index, "label": marked[model].to_numpy(), "set": name}))
        print(f"{name}: {len(marked):,} of {len(both):,} labels corrected")
    corrected = pd.concat(parts, ignore_index=True)
    if corrected["id"].duplicated().any():
        twice = corrected["id"][corrected["id"].duplicated()].iloc[0]
        raise DataError(f"the id {shown(twice)} stands in two label sets: leave one of them out of `label_sets`")
    return corrected
