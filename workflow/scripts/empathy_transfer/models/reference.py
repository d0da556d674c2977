"""The reference engine: a frozen encoder with a stack of bottleneck adapters and one head, from the `adapters` library.

A pretrained encoder stays frozen. A baseline trains one adapter and one head; a transfer puts them on top of a frozen
source adapter, `Stack(source, target)` (sections 3 and 4 of the study).
"""

import contextlib
import re

import torch
from adapters import AutoAdapterModel, SeqBnConfig
from adapters.composition import Stack

from empathy_transfer.models.adapter_files import read_adapter

TARGET = "target"
SOURCE = "source"


class ReferenceEngine:
    """An encoder, its adapters and a head: `logits(batch)`, and the parameters that are trained.

    Args:
        encoder: an `encoders.Encoder`.
        outputs: number of outputs of the head: labels, or 1 for regression.
        reduction_factor: hidden size divided by the width of the adapter's bottleneck.
        dropout: probability of dropping an activation while training, in the encoder and the head.
        source_adapter: path of the frozen source adapter; None trains without one.
        seed: seed of the new adapter and head. Both are the same with and without a source adapter.
        device: torch device. precision: `bf16` computes in mixed precision, `fp32` does not.
    """

    name = "reference"

    def __init__(self, encoder, outputs, reduction_factor, dropout, source_adapter, seed, device, precision):
        """Load the frozen parts and draw the new adapter and head; arguments as in the class."""
        self.device = torch.device(device)
        self.precision = precision
        model = AutoAdapterModel.from_pretrained(
            str(encoder.folder),
            attn_implementation="eager" if self.device.type == "cpu" else "sdpa",
            use_safetensors=True,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        config = SeqBnConfig(reduction_factor=reduction_factor)
        if source_adapter is not None:
            model.add_adapter(SOURCE, config=config)
            own = adapter_tensors(model, SOURCE)
            shapes = {key: tuple(tensor.shape) for key, tensor in own.items()}
            for key, tensor in read_adapter(source_adapter, shapes, encoder, reduction_factor).items():
                own[key].copy_(tensor)
        # Seeded here, so that a target starts from the same weights whatever lies below it.
        torch.manual_seed(seed)
        model.add_adapter(TARGET, config=config)
        model.add_classification_head(TARGET, num_labels=outputs)
        # `train_adapter` with the whole stack would unfreeze the source too.
        model.train_adapter(TARGET)
        model.active_adapters = TARGET if source_adapter is None else Stack(SOURCE, TARGET)
        model.active_head = TARGET
        self.model = model.to(self.device)
        self.takes_token_types = getattr(model.config, "type_vocab_size", 1) > 1

    def trained(self):
        """Return the trained parameters by name: the target adapter's and the head's."""
        return {name: value for name, value in self.model.named_parameters() if value.requires_grad}

    def parameters(self):
        """Return the tensors that the optimizer trains."""
        return list(self.trained().values())

    def train(self, mode=True):
        """Turn dropout on or off."""
        self.model.train(mode)

    def seed(self, seed):
        """Seed dropout."""
        torch.manual_seed(seed)

    def keep_first_layer(self, splits, tokens_digest):
        """Do nothing: this engine computes every layer in every step."""

    def logits(self, batch):
        """Return the head's outputs (items x outputs, float32) for a `batches.Batch`."""
        input_ids, token_type_ids, attention_mask = batch.padded()
        kinds = {"token_type_ids": token_type_ids} if self.takes_token_types else {}
        with self._autocast():
            output = self.model(input_ids=input_ids, attention_mask=attention_mask, **kinds)
        return output.logits.float()

    def adapter(self):
        """Return the target adapter's tensors, named without the adapter's name (see `adapter_files`)."""
        return adapter_tensors(self.model, TARGET)

    def source(self):
        """Return the frozen source adapter's tensors; empty without one."""
        return adapter_tensors(self.model, SOURCE)

    def head(self):
        """Return the head's tensors."""
        return dict(self.model.heads[TARGET].state_dict())

    def _autocast(self):
        """Mixed precision where it was asked for."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return contextlib.nullcontext()


def adapter_tensors(model, name):
    """Return the tensors of an adapter in a model of the `adapters` library, by name; they share its memory.

    The adapter's own name is left out, as in `bert.encoder.layer.0.output.adapters.adapter_down.0.weight`, so that an
    adapter can be loaded under any name.
    """
    pattern = re.compile(rf"\.adapters\.{re.escape(name)}\.")
    return {pattern.sub(".adapters.", key): tensor for key, tensor in model.state_dict().items() if pattern.search(key)}
