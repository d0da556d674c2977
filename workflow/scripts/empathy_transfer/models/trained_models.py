"""A trained run as a model that answers items: the encoder with the run's adapter and head."""

from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.adapter_files import check_tensors, read_adapter
from empathy_transfer.models.compose import compose
from empathy_transfer.models.hardware import choose_device, choose_precision
from empathy_transfer.models.heads import PooledHead
from empathy_transfer.models.parameters import fill, shapes_of
from empathy_transfer.records.artefacts import ArtefactError, read_tensors


def load_trained(adapter_path, head_path, encoder, settings):
    """Load a run without a source adapter, on a GPU if there is one; returns its model in evaluation mode.

    Args:
        adapter_path, head_path: the run's files. encoder: the `encoders.Encoder` that it was trained on.
        settings: its `adapter`, `engine` and `precision`.

    Raises:
        ArtefactError: a file is damaged, belongs to another encoder or configuration, or its tensors don't fit.
    """
    head, about = read_head(head_path)
    device = choose_device()
    model = compose(
        settings["engine"],
        encoder,
        Adaptation(settings["adapter"]),
        _pooled(about),
        dropout=0.0,
        seed=0,
        device=device,
        precision=choose_precision(settings["precision"], device),
    )
    load_adapter(model, adapter_path, encoder, settings["adapter"])
    check_tensors(head_path, head, shapes_of(model.head()))
    fill(model.head(), head)
    model.train(False)
    return model


def load_adapter(model, path, encoder, settings):
    """Put the adapter of a file in place of a model's own; arguments and errors as in `adapter_files.read_adapter`."""
    fill(model.adapter(), read_adapter(path, shapes_of(model.adapter()), encoder, settings))


def read_head(path, hidden=None):
    """Read a head file: returns its tensors by name and its metadata.

    Args:
        path: the file. hidden: size of the vectors that it must read; None leaves the tensors unchecked.

    Raises:
        ArtefactError: the file is damaged, holds no head, or one that doesn't fit these vectors or its own labels.
    """
    tensors, about = read_tensors(path)
    if about.get("type") != "head":
        raise ArtefactError(f"{path}: this is not a head")
    if hidden is not None:
        check_tensors(path, tensors, _pooled(about).shapes(hidden))
    return tensors, about


def _pooled(about):
    """The head that a file's metadata tell of."""
    return PooledHead(len(about["labels"] or [None]))
