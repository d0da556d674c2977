"""How similar the texts of tasks are: cosines of their dataset embeddings (section 6 and Figure 9 of the study)."""

import numpy
import pandas

from empathy_transfer.features.vector_similarity import centred_cosines, cosines
from empathy_transfer.records.artefacts import read_tensors, write_csv

COLUMNS = ["source", "target", "similarity", "centred", "all_texts", "all_texts_centred", "reason"]
# Which mean each column compares, and how.
MEASURES = {
    "similarity": ("train", cosines),
    "centred": ("train", centred_cosines),
    "all_texts": ("all", cosines),
    "all_texts_centred": ("all", centred_cosines),
}


def compare_datasets(tasks, embedding_paths, similarity_path):
    """Write dataset_similarity.csv: the similarity of each two tasks' texts, the tasks' own ones (1) included.

    `tasks` are the names in the order of `embedding_paths`. `reason` is `constant` where a centred value is empty: the
    embeddings of all tasks are the same.
    """
    embeddings = [read_tensors(path)[0] for path in embedding_paths]
    matrices = {}
    for column, (part, measure) in MEASURES.items():
        matrices[column] = measure(numpy.array([embedding[part].numpy() for embedding in embeddings]))
    rows = []
    for row, source in enumerate(tasks):
        for place, target in enumerate(tasks):
            values = {column: matrix[row, place] for column, matrix in matrices.items()}
            reason = "constant" if numpy.isnan(list(values.values())).any() else ""
            rows.append({"source": source, "target": target, **values, "reason": reason})
    write_csv(similarity_path, pandas.DataFrame(rows, columns=COLUMNS))
