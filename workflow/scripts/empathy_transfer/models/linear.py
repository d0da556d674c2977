"""Linear layers at the speed of their matrix products.

On a CPU torch writes a layer's bias to all rows of the result before it multiplies in bf16, which costs up to half of
the product again. oneDNN adds the bias while it multiplies; torch has that as an operator without a backward, which is
written out here.
"""

from functools import cache

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional


def linear(x, weight, bias):
    """Return `x @ weight.T + bias` (rows x outputs), as `torch.nn.functional.linear` does."""
    if x.device.type == "cpu" and x.dtype == torch.bfloat16 and _is_offered():
        return _Linear.apply(x, weight, bias)
    return functional.linear(x, weight, bias)


@cache
def _is_offered():
    """Whether this torch has the operator, and this processor the instructions that it needs for bf16."""
    operators = torch.ops.mkldnn
    return hasattr(operators, "_linear_pointwise") and operators._is_mkldnn_bf16_supported()


class _Linear(torch.autograd.Function):
    """A linear layer by oneDNN."""

    @staticmethod
    def forward(context, x, weight, bias):
        """Compute the layer, and keep what the backward needs."""
        context.save_for_backward(x if weight.requires_grad else None, weight)
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")

    @staticmethod
    @once_differentiable
    def backward(context, gradient):
        """Return the gradients of the input, the weight and the bias, where they are wanted."""
        x, weight = context.saved_tensors
        of_x, of_weight, of_bias = context.needs_input_grad
        return (
            gradient @ weight if of_x else None,
            gradient.t() @ x if of_weight else None,
            gradient.sum(0) if of_bias else None,
        )
