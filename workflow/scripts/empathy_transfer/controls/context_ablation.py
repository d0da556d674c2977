"""Does a trained model use the context of a text? Its test predictions with the context blanked, and with another's.

Models of empathy may answer as well without the post that is replied to (Lee et al. 2023, whom the study cites; it
leaves the question open). Nothing is trained here: the target's baseline answers the same test items three times, with
the context `intact`, `blanked` (the text alone) and `shuffled` (the context of an item of another group, such as the
post of another thread; items without a context stay without one). Texts are tokenised as for training, so that a
context is cut to what room its new text leaves.
"""

import os

import numpy as np

from empathy_transfer.controls import CONDITIONS
from empathy_transfer.data.batches import Items, derived_seed
from empathy_transfer.data.token_file import pack_rows
from empathy_transfer.data.tokenizer import encode_pairs, load_tokenizer
from empathy_transfer.kinds import kind_of
from empathy_transfer.models.hardware import use_processor
from empathy_transfer.models.trained_models import load_trained
from empathy_transfer.records.artefacts import read_json, read_table, write_json, write_table
from empathy_transfer.records.encoders import find_encoder
from empathy_transfer.statistics.values import CONSTANT_TOLERANCE
from empathy_transfer.training.evaluation import labels_of, predict, prediction_table, score

# The same model on the same items: only the arithmetic of another machine may differ.
SAME_ANSWERS, SAME_VALUES = 0.98, 0.02


def ablate_context(inputs, outputs, settings, encoder_settings, seed, threads):
    """Answer the test items of a baseline with each kind of context, and write predictions and scores.

    Args:
        inputs: paths of the task's `test` split and `task_json`, and of the run's `adapter`, `head` and `predictions`,
            whose items are answered.
        outputs: a path of predictions for each of `CONDITIONS`, and `scores` (JSON): the run's `target`, `data`,
            `seed` and `metric`, `n_test`, `with_context` (items with one) and `values` {condition: {metric: score}} of
            the main metric.
        settings: the run's training settings. encoder_settings: `name`, `revision`, `max_length`.
        seed: seed of the study, which also decides the shuffling. threads: CPU threads.

    Raises:
        ArtefactError: an input is damaged.
        RuntimeError: with the context intact, the model does not answer as its run did.
    """
    use_processor(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"

    task = read_json(inputs["task_json"])
    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    tokenizer = load_tokenizer(encoder, encoder_settings["max_length"])
    engine = load_trained(inputs["adapter"], inputs["head"], encoder, settings)
    earlier = read_table(inputs["predictions"], columns=["id", "label", "prediction"])
    frame = read_table(inputs["test"]).set_index("id").loc[earlier["id"]].reset_index()
    contexts = [context if isinstance(context, str) and context else None for context in frame["context"]]
    shuffled = shuffle_contexts(contexts, frame["group"].tolist(), derived_seed("context", task["task"], seed))
    used = {"intact": contexts, "blanked": [None] * len(contexts), "shuffled": shuffled}
    values = {}
    for condition in CONDITIONS:
        rows, _ = encode_pairs(tokenizer, used[condition], frame["text"], encoder_settings["max_length"])
        packed = pack_rows(rows) | {"labels": kind_of(task).encode(frame["label"], task)}
        items = Items(**packed, rows=np.arange(len(frame)))
        outputs_here, labels = predict(engine, items, "test"), labels_of(items, task)
        values[condition] = {task["metric"]: score(labels, kind_of(task).decode(outputs_here, task), task)}
        table = prediction_table(frame["id"].tolist(), labels, outputs_here, task)
        write_table(outputs[condition], table)
        if condition == "intact":
            answers, before = table.column("prediction").to_pylist(), earlier["prediction"].tolist()
            check_same(answers, before, labels, inputs["predictions"])
        print(f"{condition}: {task['metric']} {values[condition][task['metric']]:.3f}")
    record = {"target": task["task"], "data": "full", "seed": seed, "metric": task["metric"]}
    record |= {"n_test": len(frame), "with_context": sum(map(bool, contexts)), "values": values}
    write_json(outputs["scores"], record)


def shuffle_contexts(contexts, groups, seed):
    """Give each item with a context that of an item of another group; a list like `contexts`.

    Items with a context are put in random order, group behind group, and each takes the context of the one that stands
    as many places further as the largest group has items. So every context is used once, and none stays in its group
    unless a group holds more than half of these items, which is a ValueError.

    Args:
        contexts: text or None per item. groups: the group of each item. seed: of the order.
    """
    generator = np.random.default_rng(seed)
    have = [place for place, context in enumerate(contexts) if context]
    if not have:
        return list(contexts)
    names = sorted({groups[place] for place in have})
    rank = dict(zip(names, generator.permutation(len(names)).tolist(), strict=True))
    order = [have[place] for place in generator.permutation(len(have))]
    order.sort(key=lambda place: rank[groups[place]])
    sizes = np.bincount([rank[groups[place]] for place in have])
    if 2 * sizes.max() > len(have):
        raise ValueError(
            f"{sizes.max()} of {len(have)} test items with a context are one group, so that contexts can't be shuffled "
            "between groups: raise `max_test` under `training`, or leave the task out of this analysis."
        )
    result = list(contexts)
    for place, other in zip(order, np.roll(order, -sizes.max()).tolist(), strict=True):
        result[place] = contexts[other]
    return result


def check_same(answers, earlier, labels, path):
    """Raise RuntimeError unless the answers are those of the run, up to the arithmetic of another machine."""
    if isinstance(answers[0], float):
        # Of answers that are all but constant the labels tell the unit, and where these are constant, too, the size.
        spread = max(np.std(earlier), np.std(labels) / 10, np.abs(earlier).max() * CONSTANT_TOLERANCE)
        same = np.abs(np.subtract(answers, earlier)).mean() <= SAME_VALUES * spread
    else:
        same = np.mean([one == other for one, other in zip(answers, earlier, strict=True)]) >= SAME_ANSWERS
    if not same:
        raise RuntimeError(f"with its context intact, the model does not answer as in {path}; make that run anew")
