"""A trained run as an engine that answers items: the encoder with the run's adapter and head."""

import torch

from empathy_transfer.models.adapter_files import check_tensors, read_adapter
from empathy_transfer.models.engines import choose_engine
from empathy_transfer.models.hardware import choose_device, choose_precision
from empathy_transfer.records.artefacts import read_tensors


def load_trained(adapter_path, head_path, encoder, outputs, settings):
    """Load a run without a source adapter, on a GPU if there is one; returns its engine in evaluation mode.

    Args:
        adapter_path, head_path: the run's files. encoder: the `encoders.Encoder` that it was trained on.
        outputs: number of outputs of its head. settings: its `engine`, `precision` and `reduction_factor`.

    Raises:
        ArtefactError: a file is damaged, belongs to another encoder or configuration, or its tensors don't fit.
    """
    device = choose_device()
    engine = choose_engine(settings["engine"], encoder)(
        encoder=encoder, outputs=outputs, reduction_factor=settings["reduction_factor"], dropout=0.0,
        source_adapter=None, seed=0, device=device, precision=choose_precision(settings["precision"], device),
    )  # fmt: skip
    own, head = engine.adapter(), engine.head()
    adapter = read_adapter(adapter_path, _shapes(own), encoder, settings["reduction_factor"])
    trained, _ = read_tensors(head_path)
    check_tensors(head_path, trained, _shapes(head))
    # An engine's tensors share the memory that it computes with.
    with torch.no_grad():
        for name, tensor in (own | head).items():
            tensor.copy_({**adapter, **trained}[name])
    engine.train(False)
    return engine


def _shapes(tensors):
    """Name and shape of each tensor."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
