"""How similar what was learnt of tasks is: their embeddings compared component by component (Figure 10).

Section 6 of the study: for each target, sources are ranked by the cosine of each component with the target's, and the
rankings are fused. Cosines of embeddings without their mean over tasks are fused beside it.
"""

import numpy
import pandas

from empathy_transfer.features.vector_similarity import centred_cosines, cosines, fused_scores, scaled_to_one
from empathy_transfer.records.artefacts import read_tensors, write_csv

BLOCKS = ("attention", "feed_forward")
COLUMNS = ["source", "target", "similarity", "score", "rank", "centred", "centred_score", "centred_rank", "reason"]
COMPONENT_COLUMNS = ["component", "source", "target", "cosine", "centred"]


def compare_task_embeddings(tasks, embedding_paths, similarity_path, components_path):
    """Write task_similarity.csv and task_components.csv.

    Args:
        tasks: names of the tasks.
        embedding_paths: their embeddings, one per task and seed.
        similarity_path: for `task_similarities`. components_path: for `component_cosines`.
    """
    embeddings = mean_embeddings(tasks, embedding_paths)
    plain, centred = component_cosines(embeddings, cosines), component_cosines(embeddings, centred_cosines)
    write_csv(similarity_path, task_similarities(tasks, plain, centred))
    rows = [
        (
            f"{place // 2 + 1}_{BLOCKS[place % 2]}",
            source,
            target,
            plain[place, row, column],
            centred[place, row, column],
        )
        for place in range(len(plain))
        for row, source in enumerate(tasks)
        for column, target in enumerate(tasks)
    ]
    write_csv(components_path, pandas.DataFrame(rows, columns=COMPONENT_COLUMNS))


def mean_embeddings(tasks, embedding_paths):
    """Embeddings averaged over seeds: (tasks, components, hidden size); no components if any seed has none."""
    found = {task: [] for task in tasks}
    for tensors, metadata in map(read_tensors, embedding_paths):
        found[metadata["task"]].append(tensors["components"].double().numpy())
    if not found or any(len(part) == 0 for parts in found.values() for part in parts):
        return numpy.zeros((len(tasks), 0, 0))
    return numpy.stack([numpy.mean(parts, axis=0) for parts in found.values()])


def component_cosines(embeddings, measure):
    """Cosines between tasks per component: components x tasks x tasks."""
    tasks, components = embeddings.shape[:2]
    if components == 0:
        return numpy.zeros((0, tasks, tasks))
    return numpy.stack([measure(embeddings[:, place]) for place in range(components)])


def task_similarities(tasks, plain, centred):
    """Sources ranked for each target, components fused.

    Args:
        tasks: names of the tasks. plain: cosines, components x tasks x tasks. centred: the same of centred embeddings.

    Returns:
        A frame with `COLUMNS`, one row per ordered pair of different tasks. `score` is the sum over components of
        1 / (60 + rank of the source by its cosine with the target), `rank` its rank among the target's sources (1 is
        the nearest), `similarity` the score brought to 0 to 1 within the target; `centred*` the same of centred ones.
        `reason`: `not_available` without any embedding, `constant` where an embedding has no direction.
    """
    rows = []
    for place, target in enumerate(tasks):
        sources = [row for row in range(len(tasks)) if row != place]
        columns = {}
        for prefix, matrices in (("", plain), ("centred_", centred)):
            scores = fused_scores(matrices[:, place, sources])
            columns[f"{prefix}score"] = scores
            columns["similarity" if not prefix else "centred"] = scaled_to_one(scores)
            columns[f"{prefix}rank"] = pandas.Series(-scores).rank().to_numpy()
        for number, row in enumerate(sources):
            values = {name: column[number] for name, column in columns.items()}
            missing = numpy.isnan(list(values.values())).any()
            reason = ("constant" if len(plain) else "not_available") if missing else ""
            rows.append({"source": tasks[row], "target": target, **values, "reason": reason})
    return pandas.DataFrame(rows, columns=COLUMNS)
