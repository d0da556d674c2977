"""The fast engine: BERT- and RoBERTa-shaped encoders with a stack of bottleneck adapters, in plain torch.

The same numbers as the reference engine (a test compares logits and gradients), without its imports, and with less
work: the last layer is computed for the [CLS] token alone, which is all that the head reads, and no gradient is
computed below the first trained adapter.

In a layer with attention block output x, feed-forward output h and second layer norm N, each adapter A of the stack,
source first, does h <- h + A(N(h + x)), with A(z) = up(relu(down(z))); the layer's output is N(h + x).
"""

import json
import math
import re

import torch
from safetensors.torch import load_file
from torch.nn import functional

from empathy_transfer.adapter_files import read_adapter

MODEL_TYPES = {"bert", "roberta"}
INITIAL_STANDARD_DEVIATION = 0.02
BOTTLENECK = {"down": "adapter_down.0", "up": "adapter_up"}


def applies_to(encoder):
    """Whether the fast engine can compute an encoder: BERT or RoBERTa, absolute positions, exact GELU."""
    config = json.loads((encoder.folder / "config.json").read_text(encoding="utf-8"))
    absolute = config.get("position_embedding_type", "absolute") == "absolute"
    return config.get("model_type") in MODEL_TYPES and absolute and config.get("hidden_act") == "gelu"


class FastEngine:
    """An encoder, its adapters and a head, with the interface of `reference.ReferenceEngine` (see there)."""

    name = "fast"

    def __init__(self, encoder, outputs, reduction_factor, dropout, source_adapter, seed, device, precision):
        """Load the frozen parts and draw the new adapter and head; arguments as in the reference engine."""
        self.config = json.loads((encoder.folder / "config.json").read_text(encoding="utf-8"))
        self.device, self.dropout, self.training = torch.device(device), dropout, False
        self.type = torch.bfloat16 if precision == "bf16" else torch.float32
        self.weights = _without_prefix(load_file(encoder.folder / "model.safetensors"))
        self.weights = {name: tensor.to(self.device, self.type) for name, tensor in self.weights.items()}
        self.layers = self.config["num_hidden_layers"]
        for layer in range(self.layers):
            self._fuse_attention(f"encoder.layer.{layer}.attention.self")
        # RoBERTa counts positions from the one behind its padding token, and has no token types.
        self.first_position = self.config["pad_token_id"] + 1 if self.config["model_type"] == "roberta" else 0
        shapes = self.adapter_shapes(reduction_factor)
        given = {} if source_adapter is None else read_adapter(source_adapter, shapes, encoder, reduction_factor)
        self.frozen = {name: tensor.to(self.device, torch.float32) for name, tensor in given.items()}
        self._source = {name: tensor.to(self.type) for name, tensor in self.frozen.items()}
        generator = torch.Generator().manual_seed(seed)
        hidden = self.config["hidden_size"]
        head = {"1.weight": (hidden, hidden), "1.bias": (hidden,), "4.weight": (outputs, hidden), "4.bias": (outputs,)}
        self.target = {name: self._new(name, shape, generator) for name, shape in shapes.items()}
        self.top = {name: self._new(name, shape, generator) for name, shape in head.items()}

    def trained(self):
        """Return the trained parameters by name: the target adapter's and the head's."""
        return {f"adapter.{name}": value for name, value in self.target.items()} | {
            f"head.{name}": value for name, value in self.top.items()
        }

    def adapter(self):
        """Return the target adapter's tensors, named as in the reference engine."""
        return self.target

    def source(self):
        """Return the frozen source adapter's tensors; empty without one."""
        return self.frozen

    def head(self):
        """Return the head's tensors, named as in the reference engine."""
        return self.top

    def train(self, mode=True):
        """Turn dropout on or off."""
        self.training = mode

    def logits(self, input_ids, token_type_ids, attention_mask):
        """Return the head's outputs (items x outputs, float32) for padded batches (items x tokens) of token ids."""
        target = {name: tensor.to(self.type) for name, tensor in self.target.items()}
        stack = [self._source, target] if self._source else [target]
        mask = None
        if not bool(attention_mask.all()):
            mask = torch.zeros(attention_mask.shape, dtype=self.type, device=self.device)
            mask = mask.masked_fill(attention_mask == 0, torch.finfo(self.type).min)[:, None, None, :]
        hidden = self._embed(input_ids, token_type_ids)
        for layer in range(self.layers):
            hidden = self._layer(layer, hidden, mask, stack, only_first=layer == self.layers - 1)
        first = self._drop(hidden[:, 0].float())
        first = self._drop(torch.tanh(functional.linear(first, self.top["1.weight"], self.top["1.bias"])))
        return functional.linear(first, self.top["4.weight"], self.top["4.bias"])

    def _embed(self, input_ids, token_type_ids):
        """Embed token ids: the sum of word, position and token type, normalised."""
        positions = torch.arange(input_ids.shape[1], device=self.device) + self.first_position
        kinds = token_type_ids if self.config["type_vocab_size"] > 1 else torch.zeros_like(token_type_ids)
        summed = functional.embedding(input_ids, self.weights["embeddings.word_embeddings.weight"])
        summed = summed + functional.embedding(kinds, self.weights["embeddings.token_type_embeddings.weight"])
        summed = summed + self.weights["embeddings.position_embeddings.weight"][positions]
        return self._drop(self._normalise(summed, "embeddings.LayerNorm"))

    def _layer(self, layer, hidden, mask, stack, only_first):
        """Compute a layer and its adapters, for all tokens or for the first one alone."""
        name = f"encoder.layer.{layer}"
        rows = hidden[:, :1] if only_first else hidden
        attended = self._attend(f"{name}.attention.self", rows, hidden, mask)
        attended = self._drop(self._linear(attended, f"{name}.attention.output.dense"))
        block = self._normalise(attended + rows, f"{name}.attention.output.LayerNorm")
        inner = functional.gelu(self._linear(block, f"{name}.intermediate.dense"))
        output = self._drop(self._linear(inner, f"{name}.output.dense"))
        for adapter in stack:
            normal = self._normalise(output + block, f"{name}.output.LayerNorm")
            down, up = (f"{self._adapter_prefix(layer)}.{part}" for part in BOTTLENECK.values())
            narrow = functional.linear(normal, adapter[f"{down}.weight"], adapter[f"{down}.bias"]).relu()
            output = output + functional.linear(narrow, adapter[f"{up}.weight"], adapter[f"{up}.bias"])
        return self._normalise(output + block, f"{name}.output.LayerNorm")

    def _attend(self, name, rows, hidden, mask):
        """Multi-head attention from `rows` (items x rows x hidden size) to all tokens."""
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        size = hidden.shape[-1]
        if rows.shape[1] == hidden.shape[1]:
            query, key, value = functional.linear(hidden, weight, bias).split(size, dim=-1)
        else:
            query = functional.linear(rows, weight[:size], bias[:size])
            key, value = functional.linear(hidden, weight[size:], bias[size:]).split(size, dim=-1)
        heads = self.config["num_attention_heads"]
        query, key, value = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, key, value))
        dropout = self.dropout if self.training else 0.0
        if self.device.type == "cpu" and (self.type == torch.bfloat16 or dropout):
            # The fused kernel's backward is slow in bf16 on a CPU, and it has none with dropout.
            scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
            scores = scores if mask is None else scores + mask
            result = self._drop(scores.softmax(-1)) @ value
        else:
            result = functional.scaled_dot_product_attention(query, key, value, mask, dropout)
        return result.transpose(1, 2).flatten(2)

    def _linear(self, x, name):
        """Apply a frozen linear layer."""
        return functional.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _normalise(self, x, name):
        """Apply a frozen layer norm."""
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return functional.layer_norm(x, (x.shape[-1],), weight, bias, self.config["layer_norm_eps"])

    def _drop(self, x):
        """Apply dropout while training."""
        return functional.dropout(x, self.dropout) if self.training and self.dropout else x

    def _fuse_attention(self, name):
        """Join the three projections of an attention block into one matrix product."""
        for kind in ("weight", "bias"):
            parts = [self.weights.pop(f"{name}.{part}.{kind}") for part in ("query", "key", "value")]
            self.weights[f"{name}.{kind}"] = torch.cat(parts)

    def _adapter_prefix(self, layer):
        """Name of a layer's adapter in a file."""
        return f"{self.config['model_type']}.encoder.layer.{layer}.output.adapters"

    def adapter_shapes(self, reduction_factor):
        """Names and shapes of an adapter's tensors."""
        hidden = self.config["hidden_size"]
        width = hidden // reduction_factor
        sizes = {"down": (width, hidden), "up": (hidden, width)}
        shapes = {}
        for layer in range(self.layers):
            for part, name in BOTTLENECK.items():
                shapes[f"{self._adapter_prefix(layer)}.{name}.weight"] = sizes[part]
                shapes[f"{self._adapter_prefix(layer)}.{name}.bias"] = sizes[part][:1]
        return shapes

    def _new(self, name, shape, generator):
        """Draw a new parameter as the `adapters` library does: normal weights, biases of zero."""
        value = torch.zeros(shape)
        if name.endswith("weight"):
            value.normal_(std=INITIAL_STANDARD_DEVIATION, generator=generator)
        return value.to(self.device).requires_grad_()


def _without_prefix(weights):
    """Name the encoder's tensors from `embeddings` or `encoder` on; old files name layer norms otherwise."""
    named = {}
    for name, tensor in weights.items():
        match = re.search(r"(?:^|\.)((?:embeddings|encoder)\..*)", name)
        if match and tensor.is_floating_point():
            short = match.group(1).replace("LayerNorm.gamma", "LayerNorm.weight")
            named[short.replace("LayerNorm.beta", "LayerNorm.bias")] = tensor
    return named
