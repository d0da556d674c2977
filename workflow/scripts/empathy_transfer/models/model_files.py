"""Whole models as safetensors files: what was trained, the frozen adapters below, and what it takes to use them."""

from empathy_transfer.models import heads
from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.adapter_files import check_tensors
from empathy_transfer.models.compose import compose
from empathy_transfer.models.parameters import fill, shapes_of
from empathy_transfer.records.artefacts import ArtefactError, read_tensors, write_tensors

SOURCE = "source"


def save_model(path, model, encoder, adaptation, head, complete, **about):
    """Write a trained model.

    Args:
        path: the file. model: of an engine. encoder: its `encoders.Encoder`. adaptation: its `Adaptation`.
        head: its head, see `heads`. complete: whether the weights of a trained encoder are kept, which are most of it.
        about: plain values for the file's metadata.
    """
    parts = model.trained_tensors() | {f"{SOURCE}_{place}": source for place, source in enumerate(model.sources())}
    if not complete:
        parts.pop("encoder", None)
    tensors = {f"{part}.{name}": tensor for part, named in parts.items() for name, tensor in named.items()}
    metadata = {"type": "model", "encoder": encoder.name, "encoder_sha256": encoder.weights_sha256}
    metadata |= {"adaptation": adaptation.settings, "sources": len(model.sources())}
    metadata |= {"head": type(head).__name__, "outputs": head.outputs}
    metadata |= {"complete": complete or not adaptation.type.TRAINS_ENCODER}
    write_tensors(path, tensors, metadata | about)


def load_model(path, encoder, engine, device, precision):
    """Load a model for answering; returns it in evaluation mode, and the file's metadata.

    Args:
        path: the file. encoder: the `encoders.Encoder` that it belongs to. engine: see `compose`.
        device, precision: see `engines.packed.Model`.

    Raises:
        ArtefactError: the file is damaged, belongs to another encoder, is not complete, or its tensors don't fit.
    """
    tensors, about = read_tensors(path)
    if about.get("type") != "model":
        raise ArtefactError(f"{path}: this is not a model")
    if about["encoder_sha256"] != encoder.weights_sha256:
        raise ArtefactError(f"{path}: this model belongs to the encoder {about['encoder']}, not to {encoder.name}.")
    if not about["complete"]:
        raise ArtefactError(
            f"{path}: the weights of the trained encoder were not kept. Add the seed of this run to `kept_seeds` of "
            "its stage, and run it again."
        )
    parts = {}
    for key, tensor in tensors.items():
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = tensor
    sources = tuple(parts.pop(f"{SOURCE}_{place}") for place in range(about["sources"]))
    head = getattr(heads, about["head"])(about["outputs"])
    model = compose(
        engine,
        encoder,
        Adaptation(about["adaptation"], sources),
        head,
        dropout=0.0,
        seed=0,
        device=device,
        precision=precision,
    )
    for part, own in model.trained_tensors().items():
        check_tensors(path, parts.get(part, {}), shapes_of(own))
        fill(own, parts.get(part, {}))
    model.train(False)
    return model, about
