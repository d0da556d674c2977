"""Attention over packed tokens, with its written-out backward, against attention item by item."""

import pytest
import torch

from empathy_transfer.data.batches import filling_of
from empathy_transfer.models import attention
from empathy_transfer.models.attention import attend
from tiny_encoders import batch

HEADS, SIZE = 3, 8
HIDDEN = HEADS * SIZE


def one_by_one(projected, lengths, first):
    """Attention of each item by itself, in plain torch."""
    results, start = [], 0
    for item, length in enumerate(lengths):
        parts = projected[start : start + length].unflatten(1, (-1, HEADS, SIZE)).transpose(0, 2)
        query = parts[:, 0] if first is None else first[item].view(HEADS, 1, SIZE)
        key, value = parts[:, -2], parts[:, -1]
        shares = torch.softmax(query @ key.transpose(1, 2), -1)
        results.append((shares @ value).transpose(0, 1).flatten(1))
        start += length
    return torch.cat(results)


# Widths of 32, 64 and 96, of one item and of several, and two groups of one width where the cache holds one item only.
@pytest.mark.parametrize("lengths", [[1], [32], [5, 31, 32, 40, 64, 65], [70, 3, 70]], ids=str)
@pytest.mark.parametrize("cache", [1, attention.CACHE_BYTES], ids=["small cache", "cache"])
@pytest.mark.parametrize("only_first", [False, True], ids=["all tokens", "first tokens"])
def test_results_and_gradients_are_those_of_each_item_alone(monkeypatch, lengths, cache, only_first):
    monkeypatch.setattr(attention, "CACHE_BYTES", cache)
    attention._groups.cache_clear()
    generator = torch.Generator().manual_seed(2)
    tokens = sum(lengths) + filling_of(sum(lengths))
    projected = torch.randn(tokens, (2 if only_first else 3) * HIDDEN, generator=generator).requires_grad_()
    first = torch.randn(len(lengths), HIDDEN, generator=generator).requires_grad_() if only_first else None
    inputs = [projected, first] if only_first else [projected]
    used = len(lengths) if only_first else sum(lengths)
    direction = torch.randn(used, HIDDEN, generator=generator)
    results = [
        attend(projected, batch(lengths), HEADS, first)[:used],
        one_by_one(projected, lengths, first),
    ]
    torch.testing.assert_close(*results, rtol=1e-5, atol=1e-6)
    gradients = [torch.autograd.grad(result, inputs, direction) for result in results]
    for own, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(own, expected, rtol=1e-5, atol=1e-6)
    attention._groups.cache_clear()


def test_what_comes_back_to_the_filling_changes_no_gradient():
    lengths, generator = [5, 3], torch.Generator().manual_seed(3)
    projected = torch.randn(32, 3 * HIDDEN, generator=generator).requires_grad_()
    direction = torch.randn(32, HIDDEN, generator=generator)
    without = direction.clone()
    without[8:] = 0
    found = [
        torch.autograd.grad(attend(projected, batch(lengths), HEADS), projected, way) for way in (direction, without)
    ]
    assert torch.equal(found[0][0], found[1][0])
    assert not found[0][0][8:].any()


@pytest.mark.parametrize(
    ("tokens", "filling"),
    [(1, 31), (32, 0), (100, 28), (1023, 1), (1024, 0), (1025, 63), (2047, 1), (2049, 127), (3170, 30)],
)
def test_larger_batches_are_filled_up_to_larger_steps(tokens, filling):
    """Steps of 32 up to 1,023 tokens, of 64 up to 2,047, of 128 up to 4,095."""
    assert filling_of(tokens) == filling
