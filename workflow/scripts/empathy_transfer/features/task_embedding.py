"""Task embeddings: the Fisher information of a trained adapter model.

Section 6 of the study, after Vu et al. (2020): squared gradients of the log-likelihood, averaged over the tokens of an
example and then over training examples. A component is what the attention or the feed-forward block of one layer adds
to the stream, a vector of the encoder's hidden size; heads and adapters' own weights are no part of it, since those of
independent models don't correspond.
"""

import torch

from empathy_transfer.data.batches import batch_of, choose_items, evaluation_batches
from empathy_transfer.features.fisher import squared_gradients
from empathy_transfer.models.compose import is_packable
from empathy_transfer.models.hardware import use_processor
from empathy_transfer.models.trained_models import load_trained
from empathy_transfer.records.artefacts import read_json, write_tensors
from empathy_transfer.records.encoders import find_encoder
from empathy_transfer.training.evaluation import EVALUATION_BATCH, predict


def embed_task(inputs, seed, training, encoder_settings, examples, embedding_path, threads=1):
    """Write the embedding of a task's baseline: a safetensors file with `components` (2 x layers, hidden size).

    Rows are attention before feed-forward block, layer by layer. For an encoder that the fast engine can't compute
    there are none, and the metadata's `reason` is `not_available`.

    Args:
        inputs: paths of the task's `tokens` and `task_json`, and of its baseline's `adapter` and `head`.
        seed: seed of the baseline; examples are drawn among its training items.
        training: the task's training settings.
        encoder_settings: `name`, `revision`.
        examples: greatest number of training examples.
        embedding_path: the file to write.
        threads: CPU threads.
    """
    use_processor(threads)
    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    task = read_json(inputs["task_json"])
    metadata = {"type": "task_embedding", "task": task["task"], "seed": seed}
    if not is_packable(encoder):
        print(f"the fast engine, which gives the gradients, can't compute {encoder.name}: no task embedding")
        metadata |= {"examples": 0, "reason": "not_available"}
        write_tensors(embedding_path, {"components": torch.zeros(0, 0)}, metadata)
        return
    caps = {"train": fewest(training["max_train"], examples), "validation": 1, "test": 1}
    items = choose_items(inputs["tokens"], task, "full", seed, caps)[0]["train"]
    exact = training | {"engine": "fast", "precision": "fp32"}
    engine = load_trained(inputs["adapter"], inputs["head"], encoder, exact)
    variance = residual_variance(engine, items) if task["kind"] == "regression" else 1.0
    components = information(engine, items, task["kind"], variance)
    metadata |= {"examples": len(items), "variance": variance, "reason": ""}
    write_tensors(embedding_path, {"components": components}, metadata)
    print(f"{len(items):,} examples, {len(components)} components, residual variance {variance:.4g}")


def fewest(*numbers):
    """The smallest of some numbers, of which None is no limit."""
    return min((number for number in numbers if number is not None), default=None)


def residual_variance(engine, items):
    """Mean squared error on these items, the variance of a Gaussian likelihood; 1 where there is no error at all.

    It scales all gradients alike, so that no cosine depends on it.
    """
    errors = predict(engine, items, "train")[:, 0] - items.labels[items.rows].numpy()
    return float((errors.astype(float) ** 2).mean()) or 1.0


def information(engine, items, kind, variance):
    """Mean over the items of the squared gradients per component: (2 x layers, hidden size, float32, on the CPU)."""
    total = 0.0
    for positions in evaluation_batches(items.lengths, EVALUATION_BATCH):
        batch = batch_of(items, "train", items.rows[positions]).to(engine.device)
        total = total + squared_gradients(engine, batch, kind, variance).double().sum(dim=1)
    return (total / len(items)).float().cpu()
