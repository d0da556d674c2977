"""Engines that train a whole encoder with a linear head on the [CLS] vector, with the interface of the other engines.

The set-up of the study on labels from language models (Hasan et al., section on training): no adapters, every weight of
the encoder is trained, and one linear layer reads the last layer's first token. The packed engine computes BERT and
RoBERTa encoders as the fast engine does; the other takes any encoder of the `transformers` library.
"""

import contextlib
import json
import math

import torch
from safetensors.torch import load_file
from torch.nn import functional

from empathy_transfer.models.dropout import Dropout
from empathy_transfer.models.fast import INITIAL_STANDARD_DEVIATION, FastEngine, applies_to, encoder_weights


def choose_full_engine(setting, encoder):
    """Return the engine class for a setting (`auto`, `fast`, `reference`) and an encoder.

    Raises:
        ValueError: `fast` was asked for, but the packed engine can't compute this encoder.
    """
    if setting != "reference" and applies_to(encoder):
        return PackedFullModel
    if setting == "fast":
        raise ValueError(f"the fast engine can't compute {encoder.name}; set `engine: auto` under `relabel: training`")
    return LibraryFullModel


class PackedFullModel(FastEngine):
    """A whole encoder and a linear head, on packed tokens.

    All trained parameters but the embeddings lie in one vector, `flat`, so that the optimizer takes a step in a few
    operations; the embeddings are large, and their gradients would have to be copied into it.

    Args:
        encoder: an `encoders.Encoder` that `fast.applies_to`.
        dropout: probability of dropping an activation while training.
        seed: seed of the head's weights. bias: the head's first bias, best the mean of the training labels: from 0 a
            small learning rate would need many epochs to reach a scale's middle.
        device: torch device. precision: `bf16` multiplies in bf16 from weights kept in 32 bits, `fp32` does not.
    """

    name = "full_fast"

    def __init__(self, encoder, dropout, seed, bias, device, precision):
        """Load the encoder and draw the head; arguments as in the class."""
        self.config = json.loads((encoder.folder / "config.json").read_text(encoding="utf-8"))
        self.encoder, self.precision, self.training = encoder, precision, False
        self.device = torch.device(device)
        self.type = torch.bfloat16 if precision == "bf16" else torch.float32
        self.dropout = Dropout(dropout, self.device, self.type) if dropout else None
        self.layers, self.heads = self.config["num_hidden_layers"], self.config["num_attention_heads"]
        self.first_position = self.config["pad_token_id"] + 1 if self.config["model_type"] == "roberta" else 0
        tensors = encoder_weights(load_file(encoder.folder / "model.safetensors"))
        names = sorted(name for name in tensors if name.endswith("embeddings.weight"))
        self.embeddings = {name: tensors.pop(name).float().to(self.device).requires_grad_() for name in names}
        hidden = self.config["hidden_size"]
        self.shapes = [{name: tuple(tensors[name].shape) for name in sorted(tensors)}]
        self.shapes.append({"head.weight": (1, hidden), "head.bias": (1,)})
        generator = torch.Generator().manual_seed(seed)
        head = torch.zeros(hidden).normal_(std=INITIAL_STANDARD_DEVIATION, generator=generator)
        layers = [tensors[name].float().flatten() for name in sorted(tensors)]
        self.flat = torch.cat([*layers, head, torch.tensor([float(bias)])]).to(self.device).requires_grad_()

    def parameters(self):
        """Return the tensors that the optimizer trains."""
        return [*self.embeddings.values(), self.flat]

    def logits(self, batch):
        """Return the head's outputs (items x 1, float32) for a `batches.Batch`."""
        layers, head = self.named(self.flat)
        self.weights = self.embeddings | self._joined({name: tensor.to(self.type) for name, tensor in layers.items()})
        hidden = self._embed(batch)
        for layer in range(self.layers):
            added, sums = self._blocks(layer, hidden, batch, only_first=layer == self.layers - 1)
            hidden = self._add_norm(sums, added, f"encoder.layer.{layer}.output.LayerNorm")[1]
        return functional.linear(self._drop(hidden.float()), head["head.weight"], head["head.bias"])

    def _joined(self, weights):
        """Join query, key and value of each layer, with scaled queries, as the fast engine's layers take them."""
        scale = 1 / math.sqrt(self.config["hidden_size"] // self.heads)
        for layer in range(self.layers):
            name = f"encoder.layer.{layer}.attention.self"
            for kind in ("weight", "bias"):
                query, key, value = (weights.pop(f"{name}.{part}.{kind}") for part in ("query", "key", "value"))
                weights[f"{name}.{kind}"] = torch.cat([query * scale, key, value])
        return weights


class LibraryFullModel:
    """A whole encoder of the `transformers` library and a linear head; arguments as in `PackedFullModel`.

    The batch is padded to its longest item. On a CPU attention is computed in plain steps, which is faster there.
    """

    name = "full_reference"

    def __init__(self, encoder, dropout, seed, bias, device, precision):
        """Load the encoder and draw the head; arguments as in the class."""
        from transformers import AutoModel

        self.device, self.precision = torch.device(device), precision
        options = {"attn_implementation": "eager"} if self.device.type == "cpu" else {}
        self.model = AutoModel.from_pretrained(
            str(encoder.folder),
            use_safetensors=True,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
            **options,
        ).to(self.device)
        self.head = torch.nn.Linear(self.model.config.hidden_size, 1)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.head.weight.normal_(std=INITIAL_STANDARD_DEVIATION, generator=generator)
            self.head.bias.fill_(float(bias))
        self.head.to(self.device)
        self.drop = torch.nn.Dropout(dropout)
        self.takes_token_types = getattr(self.model.config, "type_vocab_size", 0) > 1
        # The pooler behind [CLS], where an encoder has one, is not used and gets no gradients.
        self.trained = [
            parameter for name, parameter in self.model.named_parameters() if not name.startswith("pooler.")
        ] + list(self.head.parameters())

    def parameters(self):
        """Return the tensors that the optimizer trains."""
        return self.trained

    def train(self, mode=True):
        """Turn dropout on or off."""
        self.model.train(mode)
        self.drop.train(mode)

    def seed(self, seed):
        """Seed dropout."""
        torch.manual_seed(seed)

    def logits(self, batch):
        """Return the head's outputs (items x 1, float32) for a `batches.Batch`."""
        input_ids, token_type_ids, attention_mask = batch.padded()
        kinds = {"token_type_ids": token_type_ids} if self.takes_token_types else {}
        mixed = self.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16) if mixed else contextlib.nullcontext():
            hidden = self.model(input_ids=input_ids, attention_mask=attention_mask, **kinds).last_hidden_state[:, 0]
        return self.head(self.drop(hidden.float()))
