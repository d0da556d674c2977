"""Adapters and heads as safetensors files, read strictly: every tensor present, of the right shape, and finite."""

import torch

from empathy_transfer.records.artefacts import ArtefactError, read_tensors, write_tensors

# What a file tells of an adapter beside its settings and the digest of its encoder.
KEYS = ("encoder", "task", "seed")


def save_adapter(path, tensors, encoder, settings, **keys):
    """Write an adapter with what is needed to use it again: the encoder's name and digest, and its own settings.

    Args:
        path: the file. tensors: by name. encoder: an `encoders.Encoder`. settings: the adapter's `type`, and what that
            takes. keys: further plain values for the file's metadata.
    """
    metadata = {"type": "adapter", **_described(settings), "encoder": encoder.name}
    write_tensors(path, tensors, metadata | {"encoder_sha256": encoder.weights_sha256} | keys)


def save_head(path, tensors, **keys):
    """Write a head (see `heads.PooledHead`), whose outputs are in the label's unit.

    Args:
        path: the file. tensors: by name. keys: plain values for the file's metadata: `kind`, `labels`, and
            `label_scale`, the `mean` and `sd` of the labels that it was trained on (the tensors already map back).
    """
    write_tensors(path, tensors, {"type": "head"} | keys)


def read_adapter(path, shapes, encoder, settings):
    """Read an adapter file and return its tensors by name.

    Args:
        path: the file. shapes: name and shape of each tensor that is expected.
        encoder: the encoder that it must belong to. settings: the type and the settings that it must have.

    Raises:
        ArtefactError: the file is damaged, belongs to another encoder, type or settings, or its tensors don't fit.
    """
    tensors, metadata = read_tensors(path)
    expected = {"type": "adapter", **_described(settings), "encoder_sha256": encoder.weights_sha256}
    # A setting that only the file has counts too: without it this run would compute another adapter.
    for key in dict.fromkeys([*expected, *(key for key in metadata if key not in KEYS)]):
        if metadata.get(key) != expected.get(key):
            raise ArtefactError(f"{path}: {key} is {metadata.get(key)!r}, but this run needs {expected.get(key)!r}.")
    check_tensors(path, tensors, shapes)
    return tensors


def source_tensors(source, shapes, encoder, settings):
    """The tensors by name of a frozen adapter: of its file (see `read_adapter`), or as they are given, if they fit."""
    if not isinstance(source, dict):
        return read_adapter(source, shapes, encoder, settings)
    check_tensors("a source adapter", source, shapes)
    return source


def settings_in(metadata):
    """The settings of an adapter that its file's metadata tell."""
    others = {"type", "adapter_config", "encoder_sha256", *KEYS}
    return {"type": metadata["adapter_config"]} | {key: value for key, value in metadata.items() if key not in others}


def _described(settings):
    """An adapter's settings as its file tells them: the type goes by the library's name for it."""
    return {"adapter_config" if key == "type" else key: value for key, value in settings.items()}


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
