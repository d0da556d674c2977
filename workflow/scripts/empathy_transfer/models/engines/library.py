"""The library engine: any encoder of `transformers`, adapted by the `adapters` library, with a head of ours.

Batches are padded to their longest item. On a CPU attention is computed in plain steps, which is faster there. The
engine is the reference of the packed one, and computes the encoders and the types of adapters that the latter can't.
"""

import contextlib
import re

import torch

from empathy_transfer.models.adapter_files import source_tensors
from empathy_transfer.models.parameters import draw, fill, shapes_of
from empathy_transfer.models.pretrained import load_pretrained

TARGET = "target"
# What encoders call their shares of dropout.
DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")
DROPOUTS += ("embedding_dropout", "mlp_dropout")


class Model:
    """An encoder, what adapts it, and a head, with the arguments and the interface of the packed engine's `Model`."""

    name = "reference"

    def __init__(self, encoder, adaptation, head, dropout, seed, device, precision):
        """Load the frozen parts and draw the new adapter and head; arguments and errors as in the packed engine."""
        self.device, self.precision, self.top = torch.device(device), precision, head
        options = {
            "attn_implementation": "eager" if self.device.type == "cpu" else "sdpa",
            "changes": dict.fromkeys(DROPOUTS, dropout),
        }
        self.names = []
        if adaptation.adds_adapter:
            self.model = self._adapted(encoder, adaptation, seed, options)
        else:
            from transformers import AutoModel

            self.model = load_pretrained(AutoModel, encoder, **options)
            # The pooler behind [CLS], where an encoder has one, is not used and gets no gradients.
            for name, parameter in self.model.named_parameters():
                parameter.requires_grad_(adaptation.type.TRAINS_ENCODER and not name.startswith("pooler."))
        self.model.to(self.device)
        generator = torch.Generator().manual_seed(seed)
        draw(shapes_of(self.adapter()), generator)  # so that a head begins as it does in the packed engine
        drawn = head.draw(self.model.config.hidden_size, generator)
        self.head_tensors = {name: tensor.to(self.device).requires_grad_() for name, tensor in drawn.items()}
        self.drop = torch.nn.Dropout(dropout)
        self.takes_token_types = getattr(self.model.config, "type_vocab_size", 0) > 1

    def _adapted(self, encoder, adaptation, seed, options):
        """Return the encoder with the frozen sources and a new adapter on top of them."""
        from adapters import AutoAdapterModel
        from adapters.composition import Stack

        model = load_pretrained(AutoAdapterModel, encoder, **options)
        config = adaptation.type.library_config(adaptation.settings)
        self.names = [f"source_{place}" for place in range(len(adaptation.sources))]
        for name, source in zip(self.names, adaptation.sources, strict=True):
            model.add_adapter(name, config=config)
            own = adapter_tensors(model, name)
            fill(own, source_tensors(source, shapes_of(own), encoder, adaptation.settings))
        # Seeded here, so that a target starts from the same weights whatever lies below it.
        torch.manual_seed(seed)
        model.add_adapter(TARGET, config=config)
        if hasattr(adaptation.type, "shapes"):
            # As the packed engine draws them; other encoders have names of their own for them.
            own = adapter_tensors(model, TARGET)
            fill(own, draw(shapes_of(own), torch.Generator().manual_seed(seed)))
        # `train_adapter` with the whole stack would unfreeze the sources too.
        model.train_adapter(TARGET)
        model.active_adapters = Stack(*self.names, TARGET) if self.names else TARGET
        return model

    def trained(self):
        """Return the trained parameters by name: the adapter's or the encoder's, and the head's."""
        own = {name: value for name, value in self.model.named_parameters() if value.requires_grad}
        return own | self.head_tensors

    def parameters(self):
        """Return the tensors that the optimizer trains."""
        return list(self.trained().values())

    def train(self, mode=True):
        """Turn dropout on or off."""
        self.model.train(mode)
        self.drop.train(mode)

    def seed(self, seed):
        """Seed dropout."""
        torch.manual_seed(seed)

    def keep_first_layer(self, splits, tokens_digest):
        """Do nothing: this engine computes every layer in every step."""

    def logits(self, batch):
        """Return the head's outputs (items x outputs, float32) for a `batches.Batch`."""
        return self.top.apply(self.encode(batch).float(), self.head_tensors, self.drop)

    def encode(self, batch):
        """Return the vector that the head reads of each item (items x hidden size)."""
        input_ids, token_type_ids, attention_mask = batch.padded()
        kinds = {"token_type_ids": token_type_ids} if self.takes_token_types else {}
        with self._autocast():
            return self.model(input_ids=input_ids, attention_mask=attention_mask, **kinds).last_hidden_state[:, 0]

    def adapter(self):
        """Return the new adapter's tensors, named without the adapter's name (see `adapter_files`)."""
        return adapter_tensors(self.model, TARGET)

    def trained_tensors(self):
        """Return all trained tensors by part (`encoder`, `adapter`, `head`) and name; they share the model's memory."""
        parts = {"adapter": self.adapter(), "head": self.head()}
        if not parts["adapter"]:
            own = {name: value.detach() for name, value in self.model.named_parameters() if value.requires_grad}
            parts["encoder"] = own
        return {part: tensors for part, tensors in parts.items() if tensors}

    def sources(self):
        """Return the tensors of each frozen adapter below the new one."""
        return [adapter_tensors(self.model, name) for name in self.names]

    def head(self):
        """Return the head's tensors."""
        return {name: tensor.detach() for name, tensor in self.head_tensors.items()}

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
    pattern = re.compile(rf"(?<!^heads)\.{re.escape(name)}(?=\.)")
    return {pattern.sub("", key, count=1): part for key, part in model.state_dict().items() if pattern.search(key)}
