"""What a trained adapter makes of texts: the [CLS] vectors of the frozen encoder with it, and its head's outputs."""

import numpy
import torch
from torch.nn import functional

from empathy_transfer.data.batches import batch_of, evaluation_batches
from empathy_transfer.models.adapter_files import check_tensors, read_adapter
from empathy_transfer.models.fast import FastEngine
from empathy_transfer.records.artefacts import ArtefactError, read_json, read_tensors
from empathy_transfer.training.evaluation import EVALUATION_BATCH


class FeatureEngine(FastEngine):
    """The fast engine with adapters that are loaded one after another, and the vector that its head would read."""

    def __init__(self, encoder, reduction_factor, device, precision):
        """Load the frozen encoder; `load_adapter` comes before `vectors`. Arguments as in the fast engine."""
        super().__init__(encoder, 1, reduction_factor, 0.0, None, 0, device, precision)
        self.reduction_factor = reduction_factor
        self.output = None

    def load_adapter(self, path):
        """Put the adapter of a file in place of the one before."""
        fill(self.adapter(), read_adapter(path, self.shapes[0], self.encoder, self.reduction_factor))

    @torch.inference_mode()
    def vectors(self, items, split):
        """Return the [CLS] vectors of all items (items x hidden size, float32 array), in their order."""
        batches, parts = evaluation_batches(items.lengths, EVALUATION_BATCH), []
        for positions in batches:
            self.logits(batch_of(items, split, items.rows[positions]).to(self.device))
            parts.append(self.output.float().cpu())
        return torch.cat(parts).numpy()[numpy.argsort(numpy.concatenate(batches))]

    def _adapt(self, layer, sums, added, stack):
        """Return the layer's output, and keep it: that of the last layer is what the head reads."""
        self.output = super()._adapt(layer, sums, added, stack)
        return self.output


def trained_engine(encoder, adapter_path, head_path, reduction_factor, device):
    """Return the fast engine (fp32, in evaluation mode) with the adapter and head of a finished baseline."""
    head, metadata = read_head(head_path, encoder)
    engine = FastEngine(encoder, outputs_of(metadata), reduction_factor, 0.0, None, 0, device, "fp32")
    fill(engine.adapter(), read_adapter(adapter_path, engine.shapes[0], encoder, reduction_factor))
    fill(engine.head(), head)
    engine.train(False)
    return engine


def read_head(path, encoder):
    """Read a head and return its tensors by name, and its metadata (`task`, `kind`, `labels`).

    Raises:
        ArtefactError: the file holds no head, or one that doesn't fit the encoder or its own labels.
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("type") != "head" or "kind" not in metadata:
        raise ArtefactError(f"{path}: this is not a head")
    hidden, outputs = hidden_size(encoder), outputs_of(metadata)
    shapes = {"1.weight": (hidden, hidden), "1.bias": (hidden,), "4.weight": (outputs, hidden), "4.bias": (outputs,)}
    check_tensors(path, tensors, shapes)
    return tensors, metadata


def head_probabilities(vectors, head):
    """Return the class probabilities (items x classes, float64 array) that a head gives for [CLS] vectors."""
    first = torch.tanh(functional.linear(torch.from_numpy(vectors), head["1.weight"], head["1.bias"]))
    return functional.linear(first, head["4.weight"], head["4.bias"]).double().softmax(1).numpy()


def outputs_of(metadata):
    """Return the number of outputs of a head: its labels, or 1 for a regression."""
    return len(metadata["labels"] or [None])


def hidden_size(encoder):
    """Return the width of an encoder's layers."""
    return read_json(encoder.folder / "config.json", verify=False)["hidden_size"]


@torch.no_grad()
def fill(tensors, values):
    """Copy values into tensors of the same names, in place."""
    for name, tensor in tensors.items():
        tensor.copy_(values[name])
