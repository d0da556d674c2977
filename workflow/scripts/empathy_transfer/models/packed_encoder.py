"""BERT- and RoBERTa-shaped encoders on packed tokens, in plain torch.

The same numbers as the library's (a test compares logits and gradients), with less work: the tokens of a batch lie
behind one another without padding, and the last layer is computed for the [CLS] token alone, which is all that a head
reads.
"""

import math

import torch
from safetensors.torch import load_file
from torch.nn import functional

from empathy_transfer.models.attention import attend
from empathy_transfer.models.dropout import Dropout
from empathy_transfer.models.kernels.functions import add_norm, gelu
from empathy_transfer.models.linear import linear
from empathy_transfer.records.encoder_config import FAMILIES
from empathy_transfer.records.encoder_weights import check_shapes, check_tensor_names, plain_names


class PackedEncoder:
    """An encoder's layers, between which whatever adapts it may stand.

    Args:
        encoder: an `encoders.Encoder` that the packed engine can compute (see `compose.is_packable`).
        dropout: probability of dropping an activation while training. device: torch device.
        precision: `bf16` multiplies in bf16, `fp32` does not.
        trained: whether its weights are trained. Then they are kept in 32 bits: `embeddings` by name, all others in one
            vector `initial` of the `shapes`, and `use` must be given them before each step.
    """

    def __init__(self, encoder, dropout, device, precision, trained=False):
        """Load the weights; arguments as in the class.

        Raises:
            EncoderError: the weights' files don't hold exactly the tensors that the configuration tells of.
        """
        self.config = encoder.config
        self.encoder, self.precision = encoder, precision
        self.device, self.training = torch.device(device), False
        self.type = torch.bfloat16 if precision == "bf16" else torch.float32
        self.dropout = Dropout(dropout, self.device, self.type) if dropout else None
        self.layers, self.heads = self.config["num_hidden_layers"], self.config["num_attention_heads"]
        # Some families count positions from the one behind the padding token, and none for that token itself.
        self.counts_from_padding = FAMILIES[self.config["model_type"]].counts_from_padding
        tensors = encoder_tensors(encoder)
        # Embeddings that are not trained stay as they are in the mapped file: few of their rows are ever read.
        names = sorted(name for name in tensors if name.endswith("embeddings.weight"))
        embeddings = {name: tensors.pop(name) for name in names}
        self.embeddings, self.shapes, self.initial = {}, {}, None
        if trained:
            self.embeddings = {name: part.float().to(self.device).requires_grad_() for name, part in embeddings.items()}
            self.shapes = {name: tuple(tensors[name].shape) for name in sorted(tensors)}
            self.initial = torch.cat([tensors[name].float().flatten() for name in sorted(tensors)])
        else:
            embeddings = {name: part.to(self.device) for name, part in embeddings.items()}
            layers = {name: part.to(self.device, torch.float32) for name, part in tensors.items()}
            layers = self._joined(layers, lambda query: query / self._query_scale)
            self.weights = embeddings | {name: part.to(self.type) for name, part in layers.items()}

    def use(self, layers):
        """Compute with these weights of the layers (named as `shapes`) from now on."""
        layers = {name: tensor.to(self.type) for name, tensor in layers.items()}
        self.weights = self.embeddings | self._joined(layers, lambda query: query * (1 / self._query_scale))

    def train(self, mode=True):
        """Turn dropout on or off."""
        self.training = mode

    def seed(self, seed):
        """Seed dropout."""
        if self.dropout:
            self.dropout.seed(seed)

    def drop(self, x):
        """Apply dropout while training."""
        if not (self.dropout and self.training):
            return x
        return x * self.dropout.mask(x.shape).to(x.dtype)

    @torch.inference_mode()
    def first_sums(self, batch):
        """Return the first layer's sums (tokens x hidden size) of a batch, before any adapter."""
        added, block = self.blocks(0, self.embed(batch), batch, only_first=False)
        return added + block

    def embed(self, batch):
        """Embed token ids: the sum of word, position and token type, normalised."""
        kinds = batch.token_type_ids if self.config["type_vocab_size"] > 1 else torch.zeros_like(batch.token_type_ids)
        # In 32 bits, as the library adds them, whatever the file's own are.
        names = {"word": batch.input_ids, "token_type": kinds, "position": self._positions(batch)}
        word, kind, position = (
            functional.embedding(numbers, self.weights[f"embeddings.{name}_embeddings.weight"]).float()
            for name, numbers in names.items()
        )
        summed = word + kind + position
        return self.drop(self._add_norm(summed.to(self.type), None, "embeddings.LayerNorm")[1])

    def _positions(self, batch):
        """Return the row of the position embeddings of each token."""
        if not self.counts_from_padding:
            return batch.positions()
        padding = self.config["pad_token_id"]
        counts = (batch.input_ids != padding).long()
        sums = counts.cumsum(0)
        # A text may hold the padding token itself, which has that token's position and is not counted.
        before = (sums - counts)[torch.arange(len(sums), device=sums.device) - batch.positions()]
        return (sums - before) * counts + padding

    def blocks(self, layer, hidden, batch, only_first, record=None):
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
        attended = _recorded(self.drop(self._linear(attended, f"{name}.attention.output.dense")), record)
        block = self._add_norm(attended, rows, f"{name}.attention.output.LayerNorm")[1]
        inner = gelu(self._linear(block, f"{name}.intermediate.dense"))
        return _recorded(self.drop(self._linear(inner, f"{name}.output.dense")), record), block

    def add_norm(self, layer, x, added):
        """Return a sum (`added` may be None) and, by a layer's second norm, what the sum is normalised to."""
        return self._add_norm(x, added, f"encoder.layer.{layer}.output.LayerNorm")

    def _linear(self, x, name):
        """Apply a frozen linear layer."""
        return linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _add_norm(self, x, added, name):
        """Return a sum and, by a layer norm, what it is normalised to."""
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return add_norm(x, added, weight, bias, self.config["layer_norm_eps"])

    @property
    def _query_scale(self):
        """What queries are divided by: scaled beforehand, they save a pass over the scores."""
        return math.sqrt(self.config["hidden_size"] // self.heads)

    def _joined(self, weights, scaled):
        """Join query (scaled), key and value of each layer: the three projections are one matrix product then."""
        for layer in range(self.layers):
            name = f"encoder.layer.{layer}.attention.self"
            for kind in ("weight", "bias"):
                query, key, value = (weights.pop(f"{name}.{part}.{kind}") for part in ("query", "key", "value"))
                weights[f"{name}.{kind}"] = torch.cat([scaled(query), key, value])
        return weights


def _recorded(x, record):
    """Return an activation, put into the record if there is one."""
    if record is not None:
        x = x if x.requires_grad else x.requires_grad_()
        record.append(x)
    return x


def expected_shapes(config):
    """Return {name: shape} of the tensors that an encoder of this configuration computes with."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    rows = {"word": "vocab_size", "position": "max_position_embeddings", "token_type": "type_vocab_size"}
    shapes = {f"embeddings.{name}_embeddings.weight": (config[key], hidden) for name, key in rows.items()}
    square = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
    linears = dict.fromkeys(square, (hidden, hidden))
    linears |= {"intermediate.dense": (inner, hidden), "output.dense": (hidden, inner)}
    norms = ["embeddings.LayerNorm"]
    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{layer}"
        for part, shape in linears.items():
            shapes |= {f"{name}.{part}.weight": shape, f"{name}.{part}.bias": shape[:1]}
        norms += [f"{name}.attention.output.LayerNorm", f"{name}.output.LayerNorm"]
    return shapes | {f"{norm}.{kind}": (hidden,) for norm in norms for kind in ("weight", "bias")}


def encoder_tensors(encoder):
    """Load the tensors that an `encoders.Encoder` computes with, named from `embeddings` or `encoder` on.

    Raises:
        EncoderError: one is missing or of another shape, or a tensor is there that belongs to no such encoder.
    """
    expected, loaded = expected_shapes(encoder.config), {}
    for path in encoder.files:
        loaded |= load_file(path)
    tensors = {plain: loaded[name] for plain, name in plain_names(encoder, loaded).items()}
    check_tensor_names(encoder, expected, tensors)
    check_shapes(encoder, expected, {name: tensor.shape for name, tensor in tensors.items()})
    return {name: tensors[name] for name in expected}
