"""Heads: what makes a task's outputs of the vector that an encoder gives for a text (that of [CLS])."""

from dataclasses import dataclass

import torch

from empathy_transfer.models.linear import linear
from empathy_transfer.models.parameters import draw


@dataclass(frozen=True)
class PooledHead:
    """Dense layer, tanh, output layer, with dropout before each: the classification head of the `adapters` library."""

    outputs: int

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
class LinearHead:
    """One linear layer behind dropout.

    `bias` is where its biases begin, best the mean of the training labels: from 0 a small learning rate would need many
    epochs to reach a scale's middle.
    """

    outputs: int
    bias: float = 0.0

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
