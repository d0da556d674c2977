"""The fast engine: BERT- and RoBERTa-shaped encoders with a stack of bottleneck adapters, in plain torch.

The same numbers as the reference engine (a test compares logits and gradients), with less work: the tokens of a batch
are packed without padding; the last layer is computed for the [CLS] token alone, which is all that the head reads; no
gradient is computed below the first trained adapter; and without dropout the first layer, which no adapter touches, is
computed once per item and kept (see `first_layer`).

In a layer with attention block output x, feed-forward output h and second layer norm N, the sum s = h + x goes through
the adapters of the stack, source first, s <- s + A(N(s)), with A(z) = up(relu(down(z))); the layer's output is N(s).
"""

import json
import math
import re

import torch
from safetensors.torch import load_file
from torch.nn import functional

from empathy_transfer.models.adapter_files import read_adapter
from empathy_transfer.models.attention import attend
from empathy_transfer.models.dropout import Dropout
from empathy_transfer.models.first_layer import FirstLayer, storage
from empathy_transfer.models.kernels.functions import add_norm, gelu
from empathy_transfer.models.linear import linear

MODEL_TYPES = {"bert", "roberta"}
INITIAL_STANDARD_DEVIATION = 0.02
BOTTLENECK = {"down": "adapter_down.0", "up": "adapter_up"}


def applies_to(encoder):
    """Whether the fast engine can compute an encoder: BERT or RoBERTa, absolute positions, exact GELU."""
    config = json.loads((encoder.folder / "config.json").read_text(encoding="utf-8"))
    absolute = config.get("position_embedding_type", "absolute") == "absolute"
    return config.get("model_type") in MODEL_TYPES and absolute and config.get("hidden_act") == "gelu"


class FastEngine:
    """An encoder, its adapters and a head, with the interface of `reference.ReferenceEngine` (see there).

    All trained parameters lie in one vector, `flat`, so that the optimizer takes a step in a few operations.
    """

    name = "fast"

    def __init__(self, encoder, outputs, reduction_factor, dropout, source_adapter, seed, device, precision):
        """Load the frozen parts and draw the new adapter and head; arguments as in the reference engine."""
        self.config = json.loads((encoder.folder / "config.json").read_text(encoding="utf-8"))
        self.encoder, self.precision = encoder, precision
        self.device, self.training = torch.device(device), False
        self.type = torch.bfloat16 if precision == "bf16" else torch.float32
        self.dropout = Dropout(dropout, self.device, self.type) if dropout else None
        self.layers, self.heads = self.config["num_hidden_layers"], self.config["num_attention_heads"]
        self.weights = self._load_weights()
        # RoBERTa counts positions from the one behind its padding token, and has no token types.
        self.first_position = self.config["pad_token_id"] + 1 if self.config["model_type"] == "roberta" else 0
        self.first_layer = None
        adapter = self.adapter_shapes(reduction_factor)
        given = {} if source_adapter is None else read_adapter(source_adapter, adapter, encoder, reduction_factor)
        self.frozen = {name: tensor.to(self.device, torch.float32) for name, tensor in given.items()}
        self._source = {name: tensor.to(self.type) for name, tensor in self.frozen.items()}
        hidden = self.config["hidden_size"]
        head = {"1.weight": (hidden, hidden), "1.bias": (hidden,), "4.weight": (outputs, hidden), "4.bias": (outputs,)}
        self.shapes = [adapter, head]
        generator = torch.Generator().manual_seed(seed)
        drawn = [_new(name, shape, generator) for part in self.shapes for name, shape in part.items()]
        self.flat = torch.cat(drawn).to(self.device).requires_grad_()

    def parameters(self):
        """Return the tensors that the optimizer trains."""
        return [self.flat]

    def named(self, vector):
        """Return the parts of a vector like `flat` by name, adapter and head apart; they share its memory."""
        return [_split(part, shapes) for part, shapes in zip(self._parts(vector), self.shapes, strict=True)]

    def _parts(self, vector):
        """Cut a vector like `flat` into the adapter's and the head's part."""
        return vector.split([sum(map(math.prod, shapes.values())) for shapes in self.shapes])

    def adapter(self):
        """Return the target adapter's tensors, named as in the reference engine."""
        return self.named(self.flat.detach())[0]

    def head(self):
        """Return the head's tensors, named as in the reference engine."""
        return self.named(self.flat.detach())[1]

    def source(self):
        """Return the frozen source adapter's tensors; empty without one."""
        return self.frozen

    def train(self, mode=True):
        """Turn dropout on or off."""
        self.training = mode

    def seed(self, seed):
        """Seed dropout."""
        if self.dropout:
            self.dropout.seed(seed)

    def keep_first_layer(self, splits, tokens_digest):
        """Compute the first layer of all items once, and read it from a file from now on (see `first_layer`).

        Nothing is kept with dropout, which changes the first layer, nor on a GPU, where reading costs more.
        """
        if self.dropout is None and self.device.type == "cpu":
            self.first_layer = FirstLayer(self, splits, tokens_digest, *storage())

    @torch.inference_mode()
    def first_sums(self, batch):
        """Return the first layer's sums (tokens x hidden size) of a batch, before any adapter."""
        added, block = self._blocks(0, self._embed(batch), batch, only_first=False)
        return added + block

    def logits(self, batch, record=None):
        """Return the head's outputs (items x outputs, float32) for a `batches.Batch`.

        Args:
            batch: the items. record: a list that takes what each layer adds to the stream, as (attention output,
                feed-forward output) per layer, for gradients with respect to activations.
        """
        adapter, head = self._parts(self.flat)
        target, top = _split(adapter.to(self.type), self.shapes[0]), _split(head, self.shapes[1])
        stack = [self._source, target] if self._source else [target]
        hidden = None
        for layer in range(self.layers):
            last = layer == self.layers - 1
            if layer == 0 and self.first_layer is not None and record is None:
                sums = self.first_layer.read(batch)
                sums, added = sums[batch.starts()] if last else sums, None
            else:
                hidden = self._embed(batch) if layer == 0 else hidden
                added, sums = self._blocks(layer, hidden, batch, last, record)
            hidden = self._adapt(layer, sums, added, stack)
        first = self._drop(hidden.float())
        first = self._drop(torch.tanh(linear(first, top["1.weight"], top["1.bias"])))
        return linear(first, top["4.weight"], top["4.bias"])

    def _embed(self, batch):
        """Embed token ids: the sum of word, position and token type, normalised."""
        kinds = batch.token_type_ids if self.config["type_vocab_size"] > 1 else torch.zeros_like(batch.token_type_ids)
        positions = batch.positions() + self.first_position
        summed = functional.embedding(batch.input_ids, self.weights["embeddings.word_embeddings.weight"])
        summed = summed + functional.embedding(kinds, self.weights["embeddings.token_type_embeddings.weight"])
        summed = summed + functional.embedding(positions, self.weights["embeddings.position_embeddings.weight"])
        return self._drop(self._add_norm(summed.to(self.type), None, "embeddings.LayerNorm")[1])

    def _blocks(self, layer, hidden, batch, only_first, record=None):
        """Return feed-forward output and attention block, for all tokens or for the first ones alone."""
        name = f"encoder.layer.{layer}"
        weight, bias = (self.weights[f"{name}.attention.self.{kind}"] for kind in ("weight", "bias"))
        size = hidden.shape[-1]
        rows, first = hidden, None
        if only_first:
            rows = hidden[batch.starts()]
            first = linear(rows, weight[:size], bias[:size])
            weight, bias = weight[size:], bias[size:]
        dropout = self.dropout if self.training else None
        attended = attend(linear(hidden, weight, bias), batch, self.heads, first, dropout)
        attended = _recorded(self._drop(self._linear(attended, f"{name}.attention.output.dense")), record)
        block = self._add_norm(attended, rows, f"{name}.attention.output.LayerNorm")[1]
        inner = gelu(self._linear(block, f"{name}.intermediate.dense"))
        return _recorded(self._drop(self._linear(inner, f"{name}.output.dense")), record), block

    def _adapt(self, layer, sums, added, stack):
        """Return the layer's output: the sums, and what is still to be added, through the adapters, normalised."""
        name = f"encoder.layer.{layer}.output.LayerNorm"
        down, up = (f"{self._adapter_prefix(layer)}.{part}" for part in BOTTLENECK.values())
        for adapter in stack:
            sums, normal = self._add_norm(sums, added, name)
            narrow = linear(normal, adapter[f"{down}.weight"], adapter[f"{down}.bias"]).relu()
            added = linear(narrow, adapter[f"{up}.weight"], adapter[f"{up}.bias"])
        return self._add_norm(sums, added, name)[1]

    def _linear(self, x, name):
        """Apply a frozen linear layer."""
        return linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _add_norm(self, x, added, name):
        """Return a sum and, by a frozen layer norm, what it is normalised to."""
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return add_norm(x, added, weight, bias, self.config["layer_norm_eps"])

    def _drop(self, x):
        """Apply dropout while training."""
        if not (self.dropout and self.training):
            return x
        return x * self.dropout.mask(x.shape).to(x.dtype)

    def _load_weights(self):
        """Load the encoder's weights: embeddings as they are in the mapped file, all others in the engine's type."""
        weights = encoder_weights(load_file(self.encoder.folder / "model.safetensors"))
        weights = {
            name: tensor.to(self.device)
            if name.endswith("embeddings.weight")
            else tensor.to(self.device, torch.float32)
            for name, tensor in weights.items()
        }
        for layer in range(self.layers):
            # Joined, the three projections are one matrix product; scaled queries save a pass over the scores.
            name = f"encoder.layer.{layer}.attention.self"
            for kind in ("weight", "bias"):
                query, key, value = (weights.pop(f"{name}.{part}.{kind}") for part in ("query", "key", "value"))
                query = query / math.sqrt(self.config["hidden_size"] // self.heads)
                weights[f"{name}.{kind}"] = torch.cat([query, key, value])
        return {
            name: tensor if name.endswith("embeddings.weight") else tensor.to(self.type)
            for name, tensor in weights.items()
        }

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


def _new(name, shape, generator):
    """Draw a new parameter, as a vector, as the `adapters` library does: normal weights, biases of zero."""
    value = torch.zeros(shape)
    if name.endswith("weight"):
        value.normal_(std=INITIAL_STANDARD_DEVIATION, generator=generator)
    return value.flatten()


def _split(vector, shapes):
    """Cut a vector into tensors of these shapes, by name."""
    parts = vector.split([math.prod(shape) for shape in shapes.values()])
    return {name: part.view(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


def _recorded(x, record):
    """Return an activation, put into the record if there is one."""
    if record is not None:
        x = x if x.requires_grad else x.requires_grad_()
        record.append(x)
    return x


def encoder_weights(weights):
    """Name an encoder's tensors from `embeddings` or `encoder` on; old files name layer norms otherwise."""
    named = {}
    for name, tensor in weights.items():
        match = re.search(r"(?:^|\.)((?:embeddings|encoder)\..*)", name)
        if match and tensor.is_floating_point():
            short = match.group(1).replace("LayerNorm.gamma", "LayerNorm.weight")
            named[short.replace("LayerNorm.beta", "LayerNorm.bias")] = tensor
    return named
