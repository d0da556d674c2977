"""Heads: what makes a task's outputs of the vector that an encoder gives for a text (that of [CLS]).

Heads of pairs take two vectors for each item, behind one another: a bi-encoder reads each text for itself.
"""

from dataclasses import dataclass

import torch

from empathy_transfer.models.linear import linear
from empathy_transfer.models.parameters import draw


class _Head:
    """What heads share: their last layer is linear, and `LAST` names it."""

    def mapped_back(self, tensors, scale):
        """Return the tensors, by name, of a head that answers in the label's unit.

        Args:
            tensors: of a head that was trained on standardised labels. scale: their `kinds.LabelScale`.
        """
        weight, bias = f"{self.LAST}.weight", f"{self.LAST}.bias"
        return tensors | {weight: tensors[weight] * scale.sd, bias: scale.mapped_back(tensors[bias])}


@dataclass(frozen=True)
class PooledHead(_Head):
    """Dense layer, tanh, output layer, with dropout before each: the classification head of the `adapters` library."""

    outputs: int
    LAST = "4"

    def shapes(self, hidden):
        """Names and shapes of the tensors, as the library names them; `hidden` is the size of the vector."""
        return {
            "1.weight": (hidden, hidden),
            "1.bias": (hidden,),
            "4.weight": (self.outputs, hidden),
            "4.bias": (self.outputs,),
        }

    def draw(self, hidden, generator):
        """New tensors by name."""
        return draw(self.shapes(hidden), generator)

    def apply(self, vectors, tensors, drop):
        """Outputs (items x outputs) of vectors (items x hidden size, float32); `drop` is the dropout."""
        dense = torch.tanh(linear(drop(vectors), tensors["1.weight"], tensors["1.bias"]))
        return linear(drop(dense), tensors["4.weight"], tensors["4.bias"])


@dataclass(frozen=True)
class LinearHead(_Head):
    """One linear layer behind dropout.

    `bias` is where its biases begin, best the mean of the labels that it is trained on (of standardised ones 0): from
    elsewhere a small learning rate would need many epochs to reach a scale's middle.
    """

    outputs: int
    bias: float = 0.0
    LAST = "head"

    def shapes(self, hidden):
        """Names and shapes of the tensors; `hidden` is the size of the vector."""
        return {"head.weight": (self.outputs, hidden), "head.bias": (self.outputs,)}

    def draw(self, hidden, generator):
        """New tensors by name."""
        drawn = draw(self.shapes(hidden), generator)
        return drawn | {"head.bias": torch.full((self.outputs,), float(self.bias))}

    def apply(self, vectors, tensors, drop):
        """Outputs (items x outputs) of vectors (items x hidden size, float32); `drop` is the dropout."""
        return torch.nn.functional.linear(drop(vectors), tensors["head.weight"], tensors["head.bias"])


@dataclass(frozen=True)
class PairHead(LinearHead):
    """One linear layer behind dropout over both vectors of a pair, side by side (bi-encoder classifiers)."""

    def shapes(self, hidden):
        """Names and shapes of the tensors; `hidden` is the size of one vector."""
        return super().shapes(2 * hidden)

    def apply(self, vectors, tensors, drop):
        """Outputs (items x outputs) of vectors (2 items x hidden size, float32); `drop` is the dropout."""
        return super().apply(vectors.reshape(-1, 2 * vectors.shape[1]), tensors, drop)


@dataclass(frozen=True)
class CosineHead:
    """The cosine of both vectors of a pair, in [-1, 1]; nothing is trained (bi-encoder regressors)."""

    outputs: int = 1

    def shapes(self, hidden):
        """No tensors."""
        return {}

    def draw(self, hidden, generator):
        """No tensors."""
        return {}

    def apply(self, vectors, tensors, drop):
        """Outputs (items x 1) of vectors (2 items x hidden size, float32)."""
        first, second = vectors.reshape(-1, 2, vectors.shape[1]).unbind(1)
        return torch.nn.functional.cosine_similarity(first, second)[:, None]

    def mapped_back(self, tensors, scale):
        """Refuse: a cosine can't be moved to another unit.

        Raises:
            ValueError: always.
        """
        raise ValueError("a cosine has no scale of labels; train it with `label_scale: raw`")
