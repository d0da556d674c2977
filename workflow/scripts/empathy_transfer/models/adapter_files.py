"""Adapters and heads as safetensors files, read strictly: every tensor present, of the right shape, and finite."""

import torch

from empathy_transfer.records.artefacts import ArtefactError, read_tensors, write_tensors


def save_adapter(path, tensors, encoder, reduction_factor, **keys):
    """Write an adapter with what is needed to use it again: the encoder's name and digest, and its configuration."""
    metadata = {
        "type": "adapter",
        "adapter_config": "seq_bn",
        "reduction_factor": reduction_factor,
        "encoder": encoder.name,
        "encoder_sha256": encoder.weights_sha256,
    }
    write_tensors(path, tensors, metadata | keys)


def save_head(path, tensors, **keys):
    """Write a head: dense layer, tanh, output layer, on the [CLS] vector."""
    write_tensors(path, tensors, {"type": "head"} | keys)


def read_adapter(path, shapes, encoder, reduction_factor):
    """Read an adapter file and return its tensors by name.

    Args:
        path: the file. shapes: name and shape of each tensor that is expected.
        encoder: the encoder that it must belong to. reduction_factor: the configuration that it must have.

    Raises:
        ArtefactError: the file is damaged, belongs to another encoder or configuration, or its tensors don't fit.
    """
    tensors, metadata = read_tensors(path)
    expected = {"type": "adapter", "reduction_factor": reduction_factor, "encoder_sha256": encoder.weights_sha256}
    for key, value in expected.items():
        if metadata.get(key) != value:
            raise ArtefactError(f"{path}: {key} is {metadata.get(key)!r}, but this run needs {value!r}.")
    check_tensors(path, tensors, shapes)
    return tensors


def check_tensors(path, tensors, shapes):
    """Raise ArtefactError unless the tensors have exactly these names and shapes and hold finite numbers."""
    if missing := sorted(set(shapes) - set(tensors)):
        raise ArtefactError(f"{path}: {len(missing)} tensors are missing, the first is {missing[0]}.")
    if extra := sorted(set(tensors) - set(shapes)):
        raise ArtefactError(f"{path}: {len(extra)} tensors are not expected, the first is {extra[0]}.")
    for key, shape in shapes.items():
        if tuple(tensors[key].shape) != tuple(shape):
            raise ArtefactError(f"{path}: {key} has shape {tuple(tensors[key].shape)}, expected {tuple(shape)}.")
        if not torch.isfinite(tensors[key]).all():
            raise ArtefactError(f"{path}: {key} holds numbers that are not finite.")
