"""Linear layers by oneDNN."""

import pytest
import torch
from torch.nn import functional

from empathy_transfer.models.linear import linear


@pytest.mark.parametrize("trained", [False, True], ids=["frozen", "trained"])
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float32], ids=str)
def test_values_and_gradients_are_those_of_torch(kind, trained):
    generator = torch.Generator().manual_seed(0)
    given = [torch.randn(shape, generator=generator).to(kind) for shape in ((7, 24), (40, 24), (40,))]
    direction = torch.randn(7, 40, generator=generator).to(kind)
    found = []
    for layer in (linear, functional.linear):
        x, weight, bias = (tensor.clone() for tensor in given)
        wanted = [x.requires_grad_()] + [tensor.requires_grad_() for tensor in (weight, bias) if trained]
        result = layer(x, weight, bias)
        found.append([result, *torch.autograd.grad(result, wanted, direction)])
    for own, theirs in zip(*found, strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-2 if kind == torch.bfloat16 else 1e-6, atol=1e-2)


def test_a_small_layer_by_hand():
    x, weight, bias = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [-1.0, 0.5]]), torch.tensor([0.5, 1.0])
    assert linear(x.bfloat16(), weight.bfloat16(), bias.bfloat16()).tolist() == [[11.5, 1.0]]
