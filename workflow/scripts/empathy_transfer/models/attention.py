"""Multi-head attention over packed tokens: the items of a batch lie behind one another, without padding between them.

Forward and backward are written out, as matrix product, softmax and matrix product: on a CPU torch's fused kernel is
slow in bf16 and has no backward with dropout. Inside attention alone, neighbours are padded to a common width.
Without dropout a kernel of our own does it where the processor has AMX, item by item and without padding to others.
On a GPU the flash kernel takes the packed tokens as they are, in bf16, with dropout and without.
"""

import itertools
import math
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch.autograd.function import once_differentiable

from empathy_transfer.models.kernels import functions as kernels

# Padded widths are multiples of this: torch's softmax in bf16 takes twice as long for each number of a row whose length
# is no multiple of a vector, and every new shape of a matrix product is prepared anew.
WIDTH_STEP = 32
# Scores of this many bytes are computed at a time, so that they stay in the processor's cache.
CACHE_BYTES = 1 << 21
# The flash kernel takes heads whose size is a multiple of this.
FLASH_STEP = 8


def attend(projected, batch, heads, first=None, dropout=None):
    """Return the attention's result (tokens x hidden size; items x hidden size with `first`), before its dense layer.

    Args:
        projected: queries, keys and values side by side (tokens x 3 hidden sizes), or keys and values alone with
            `first`. Queries are scaled already. Rows behind the last item are filling: nothing attends to them.
        batch: the `batches.Batch` that the tokens are of. heads: number of heads.
        first: queries (items x hidden size) of each item's first token, where only that is wanted.
        dropout: a `dropout.Dropout` for the attention's shares; None keeps all.
    """
    size = projected.shape[1] // (heads * (3 if first is None else 2))
    if projected.is_cuda and projected.dtype == torch.bfloat16 and size % FLASH_STEP == 0:
        return _attend_on_gpu(projected, batch, heads, first, dropout)
    if dropout is None and kernels.offers_attention(projected, size):
        return kernels.attention(projected, tuple(batch.lengths), heads, first)
    mask = None if dropout is None else dropout.mask
    return _Attention.apply(projected, first, tuple(batch.lengths), heads, mask)


class _Attention(torch.autograd.Function):
    """Attention with its backward written out."""

    @staticmethod
    def forward(context, projected, first, lengths, heads, dropout):
        """Compute the result, a few items at a time, and keep what the backward needs."""
        parts = 3 if first is None else 2
        hidden = projected.shape[1] // parts
        result = projected.new_zeros(len(projected) if first is None else len(lengths), hidden)
        saved, context.groups = [], _groups(lengths, heads, projected.element_size(), projected.device)
        for group in context.groups:
            *query, key, value = group.to_heads(projected, parts)
            query = query[0] if first is None else first[group.items].view(len(key), 1, -1)
            scores = torch.bmm(query, key.transpose(1, 2))
            group.fill(scores, -1, -torch.inf)
            shares = torch.softmax(scores, -1)
            mask = None if dropout is None else dropout(shares.shape)
            attended = torch.bmm(shares if mask is None else shares * mask, value)
            if first is None:
                group.from_heads(attended[None], result)
            else:
                result[group.items] = attended.view(-1, hidden)
            saved += [query, key, value, shares, mask]
        context.save_for_backward(*saved)
        context.with_first, context.shape = first is not None, projected.shape
        return result

    @staticmethod
    @once_differentiable
    def backward(context, gradient):
        """Return the gradients of the projections."""
        of_projected = gradient.new_zeros(context.shape)
        of_first = torch.empty_like(gradient) if context.with_first else None
        saved = iter(context.saved_tensors)
        for group in context.groups:
            query, key, value, shares, mask = itertools.islice(saved, 5)
            if context.with_first:
                of_attended = gradient[group.items].view(query.shape)
            else:
                (of_attended,) = group.to_heads(gradient.contiguous(), 1)
                group.fill(of_attended, -2, 0)
            of_shares = torch.bmm(of_attended, value.transpose(1, 2))
            of_value = torch.bmm((shares if mask is None else shares * mask).transpose(1, 2), of_attended)
            of_shares = of_shares if mask is None else of_shares.mul_(mask)
            of_scores = torch._softmax_backward_data(of_shares, shares, -1, shares.dtype)
            of_query, of_key = torch.bmm(of_scores, key), torch.bmm(of_scores.transpose(1, 2), query)
            if context.with_first:
                of_first[group.items] = of_query.view(len(group.lengths), -1)
                found = torch.stack([of_key, of_value])
            else:
                found = torch.stack([of_query, of_key, of_value])
            group.from_heads(found, of_projected)
        return of_projected, of_first, None, None, None


@dataclass(frozen=True, eq=False)
class _Group:
    """Neighbours in a batch that are padded to one width, and the places of their rows.

    A row is one head of one token. In packed tokens the heads of a token lie side by side, part by part (query, key,
    value); in padded ones the tokens of a head. Padding repeats the group's first token, until it is filled.
    """

    items: slice
    tokens: slice
    lengths: tuple
    width: int
    heads: int
    places: torch.Tensor
    _rows: dict = field(default_factory=dict)

    def to_heads(self, packed, parts):
        """Unpack (tokens x parts * hidden size) to (parts x items * heads x width x head size)."""
        if ("to", parts) not in self._rows:
            offsets = torch.arange(parts * self.heads, dtype=torch.int32, device=packed.device)
            offsets = offsets.view(parts, 1, self.heads, 1)
            self._rows["to", parts] = (self.places[:, None] * parts * self.heads + offsets).flatten()
        rows = packed[self.tokens].view(-1, packed.shape[1] // (parts * self.heads))
        found = rows.index_select(0, self._rows["to", parts])
        return found.view(parts, len(self.lengths) * self.heads, self.width, -1)

    def from_heads(self, unpacked, packed):
        """Write (parts x items * heads x width x head size) to the group's rows of (tokens x parts * hidden size)."""
        parts = len(unpacked)
        if ("from", parts) not in self._rows:
            shape = parts, len(self.lengths), self.heads, self.width
            rows = torch.arange(math.prod(shape), dtype=torch.int32, device=packed.device).view(shape)
            rows = [rows[:, item, :, :length] for item, length in enumerate(self.lengths)]
            self._rows["from", parts] = torch.cat(rows, dim=2).permute(2, 0, 1).flatten()
        rows = packed[self.tokens].view(-1, unpacked.shape[-1])
        torch.index_select(unpacked.view(-1, rows.shape[1]), 0, self._rows["from", parts], out=rows)

    def fill(self, unpacked, dimension, value):
        """Write a value over the padding of (items * heads x rows x columns), along the dimension -2 or -1."""
        by_item = unpacked.unflatten(0, (len(self.lengths), self.heads))
        for item, length in enumerate(self.lengths):
            if length < self.width:
                by_item[item].narrow(dimension, length, self.width - length).fill_(value)


@lru_cache(maxsize=8)
def _groups(lengths, heads, size, device):
    """Return the groups of a batch, kept for its other layers: neighbours whose scores fit into the cache together."""
    groups, start, first_token = [], 0, 0
    while start < len(lengths):
        width = _padded(lengths[start])
        most = max(CACHE_BYTES // (heads * width * width * size), 1)
        end = start + 1
        while end < min(start + most, len(lengths)) and _padded(lengths[end]) == width:
            end += 1
        chosen = lengths[start:end]
        last_token = first_token + sum(chosen)
        places = torch.zeros(len(chosen), width, dtype=torch.int32)
        for item, place in enumerate(itertools.accumulate(chosen[:-1], initial=0)):
            places[item, : chosen[item]] = torch.arange(place, place + chosen[item])
        groups.append(
            _Group(slice(start, end), slice(first_token, last_token), chosen, width, heads, places.to(device))
        )
        start, first_token = end, last_token
    return groups


def _padded(length):
    """Return the width to which an item of this length is padded."""
    return -(-length // WIDTH_STEP) * WIDTH_STEP


def _attend_on_gpu(projected, batch, heads, first, dropout):
    """Attention by the flash kernel, which computes scores block by block and draws dropout by itself.

    It is the operator below `torch.nn.attention.varlen`, which has no dropout and imports torch's compiler.
    """
    used, longest, ends = sum(batch.lengths), max(batch.lengths), batch.ends
    # Without the filling: its rows belong to no item, so the kernel would leave their gradients unwritten.
    parts = projected[:used].unflatten(1, (3 if first is None else 2, heads, -1)).unbind(1)
    key, value = parts[-2:]
    if first is None:
        query, query_ends, most_queries = parts[0], ends, longest
    else:
        query, most_queries = first.unflatten(1, (heads, -1)), 1
        query_ends = torch.arange(len(batch) + 1, dtype=torch.int32, device=projected.device)
    share = 0.0 if dropout is None else dropout.probability
    result = torch.ops.aten._flash_attention_forward(
        query, key, value, query_ends, ends, most_queries, longest, share, False, False, scale=1.0
    )[0].flatten(1)
    return result if first is not None else torch.nn.functional.pad(result, (0, 0, 0, len(projected) - used))
