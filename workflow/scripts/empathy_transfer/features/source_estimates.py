"""Estimates of how well each source would transfer to a target, from the source's adapter and the target's texts.

The frozen encoder with a source's adapter reads the target's training texts once, without gradients; the target's own
head is never trained. LEEP and the conditional entropy read the source's head too.
"""

import numpy

from empathy_transfer.data.batches import choose_items
from empathy_transfer.data.token_file import unpack_texts
from empathy_transfer.features.adapter_features import head_probabilities, vectors
from empathy_transfer.features.task_embedding import fewest
from empathy_transfer.features.transferability import (
    ESTIMATORS,
    UndefinedEstimate,
    check_rows,
    h_score,
    leep,
    log_me,
    nearest_neighbours,
    negative_conditional_entropy,
)
from empathy_transfer.kinds import kind_of
from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.compose import compose, is_packable
from empathy_transfer.models.hardware import choose_device, choose_precision, use_processor
from empathy_transfer.models.heads import PooledHead
from empathy_transfer.models.trained_models import load_adapter, read_head
from empathy_transfer.records.artefacts import read_json, read_tensors, write_csv
from empathy_transfer.records.encoders import find_encoder

COLUMNS = ["source", "target", "seed", "estimator", "value", "examples", "reason"]


def write_estimates(
    sources, inputs, seed, training, encoder_settings, examples, tokens_digest, estimates_path, threads=1
):
    """Write the estimates of all sources for one target and seed, as a frame with `COLUMNS`.

    Args:
        sources: names of the sources.
        inputs: paths of `adapters` and `heads` of the sources, in their order, and of the target's `tokens` and
            `task_json`.
        seed: seed of the source adapters, and of the draw of examples.
        training: the target's training settings.
        encoder_settings: `name`, `revision`.
        examples: greatest number of training examples.
        tokens_digest: SHA-256 of the tokens file, under which its first layer is kept.
        estimates_path: the file to write.
        threads: CPU threads.
    """
    import pandas

    use_processor(threads)
    encoder, task = find_encoder(encoder_settings["name"], encoder_settings["revision"]), read_json(inputs["task_json"])
    rows = []
    if is_packable(encoder):
        caps = {"train": fewest(training["max_train"], examples), "validation": 1, "test": 1}
        items = choose_items(inputs["tokens"], task, "full", seed, caps)[0]["train"]
        groups = numpy.array(unpack_texts(read_tensors(inputs["tokens"])[0], "train.groups"))[items.rows]
        device = choose_device()
        options = {"dropout": 0.0, "seed": 0, "device": device}
        options["precision"] = choose_precision(training["precision"], device)
        engine = compose("fast", encoder, Adaptation(training["adapter"]), PooledHead(1), **options)
        engine.keep_first_layer({"train": items}, tokens_digest)
        for source, adapter, head in zip(sources, inputs["adapters"], inputs["heads"], strict=True):
            load_adapter(engine, adapter, encoder, training["adapter"])
            read = vectors(engine, items, "train")
            head, about = read_head(head, read.shape[1])
            labels = items.labels[items.rows].numpy()
            guesses = head_probabilities(read, head) if about["kind"] == "classification" else None
            found = estimates(read, guesses, labels, groups, task["kind"])
            rows += [{"source": source, "examples": len(items)} | row for row in found]
            told = [f"{row['estimator']} {row['reason'] or format(row['value'], '.4f')}" for row in found]
            print(f"{source}: {', '.join(told)}", flush=True)
    else:
        print(f"the fast engine can't compute {encoder.name}: no estimates")
        nothing = {"examples": 0, "value": numpy.nan, "reason": "not_available"}
        rows = [{"source": source, "estimator": name} | nothing for source in sources for name in ESTIMATORS]
    frame = pandas.DataFrame(rows, columns=COLUMNS).assign(target=task["task"], seed=seed)
    write_csv(estimates_path, frame)


def estimates(vectors, guesses, labels, groups, kind):
    """All estimates of one source: a list of dicts with `estimator`, `value` and `reason`.

    `reason` says why there is no value: `not_available` for an estimator that does not know the kind of the target or
    the source; `constant` where all features or all labels are equal; `too_few` where all examples are of one group,
    are fewer than two, or (for the H-score) have a class each; `undefined` where none or all have a label of several,
    or a number is not finite.

    Args:
        vectors: features, items x size.
        guesses: the source model's class probabilities, items x classes; None for other kinds of source.
        labels: class indices, values, or indicators. groups: the group of each item. kind: kind of the target.
    """
    known = {"log_me": lambda: log_me(vectors, kind_of(kind).indicators(labels))}
    if kind in ("classification", "regression"):
        known["nearest_neighbours"] = lambda: nearest_neighbours(vectors, labels, groups, kind)
    if kind == "classification":
        known["h_score"] = lambda: h_score(vectors, labels)
        if guesses is not None:
            known["leep"] = lambda: leep(guesses, labels)
            known["nce"] = lambda: negative_conditional_entropy(guesses.argmax(axis=1), labels)
    rows = []
    for name in ESTIMATORS:
        value, reason = numpy.nan, "not_available"
        if name in known:
            try:
                check_rows(vectors, "features")
                value, reason = known[name](), ""
            except UndefinedEstimate as error:
                reason = error.reason
        rows.append({"estimator": name, "value": value, "reason": reason})
    return rows
