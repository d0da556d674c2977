"""A model is an encoder, what adapts it, and a head; here the engine that computes it is chosen."""

import importlib

from empathy_transfer.models import engines

PACKED_TYPES = {"bert", "roberta"}


def compose(engine, encoder, adaptation, head, **options):
    """Return a model: `logits(batch)`, `encode(batch)`, `parameters()`, and the files' tensors by name.

    Args:
        engine: the setting: `fast` takes the packed engine, `reference` the library's, and `auto` the packed one where
            it can compute both the encoder and the adaptation.
        encoder: an `encoders.Encoder`. adaptation: an `adaptations.Adaptation`. head: a head of `heads`.
        options: `dropout`, `seed`, `device` and `precision`, see `engines.packed.Model`.

    Raises:
        ValueError: `fast` was asked for, but the packed engine can't compute this; or there are sources below an
            adaptation that adds no adapter.
    """
    if adaptation.sources and not adaptation.adds_adapter:
        raise ValueError(f"an adaptation of type {adaptation.settings['type']} has no adapter to put on its sources")
    packable = is_packable(encoder) and adaptation.packed
    if engine == "fast" and not packable:
        what = encoder.name if adaptation.packed else f"adapters of type {adaptation.settings['type']}"
        raise ValueError(
            f"the fast engine can't compute {what}; set `engine: auto` or `engine: reference` among the settings of "
            "training"
        )
    name = "packed" if packable and engine != "reference" else "library"
    module = importlib.import_module(f"{engines.__name__}.{name}")
    return module.Model(encoder, adaptation, head, **options)


def is_packable(encoder):
    """Whether the packed engine can compute an encoder: BERT or RoBERTa, absolute positions, exact GELU."""
    config = encoder.config
    if config["model_type"] not in PACKED_TYPES:
        return False
    return config["position_embedding_type"] == "absolute" and config["hidden_act"] == "gelu"
