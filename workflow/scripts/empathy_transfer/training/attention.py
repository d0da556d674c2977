"""Multi-head attention over packed tokens: the items of a batch lie behind one another, without padding between them.

Forward and backward are written out, as matrix product, softmax and matrix product: on a CPU torch's fused kernel is
slow in bf16 and has no backward with dropout. Inside attention alone, a few neighbours are padded to the longest one.
On a GPU the flash kernel takes the packed tokens as they are, in bf16, with dropout and without.
"""

import itertools

import torch
from torch.autograd.function import once_differentiable

# The width of a padded batch is a multiple of this, since every new shape of a matrix product is prepared anew.
WIDTH_STEP = 8
# Scores of this many bytes are computed at a time, so that they stay in the processor's cache.
CACHE_BYTES = 1 << 19
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
    mask = None if dropout is None else dropout.mask
    return _Attention.apply(projected, first, tuple(batch.lengths), heads, mask)


class _Attention(torch.autograd.Function):
    """Attention with its backward written out."""

    @staticmethod
    def forward(context, projected, first, lengths, heads, dropout):
        """Compute the result, a few items at a time, and keep what the backward needs."""
        hidden = projected.shape[1] // (3 if first is None else 2)
        result = projected.new_zeros(len(projected) if first is None else len(lengths), hidden)
        saved, context.groups = [], list(_groups(lengths, heads, projected.element_size()))
        for items, tokens in context.groups:
            parts = _to_heads(projected[tokens], lengths[items], heads, 3 if first is None else 2)
            key, value = parts[-2:]
            query = parts[0] if first is None else first[items].view(len(key), heads, 1, -1)
            scores = query @ key.transpose(-1, -2)
            for item, length in enumerate(lengths[items]):
                scores[item, :, :, length:] = -torch.inf
            shares = torch.softmax(scores, -1)
            mask = None if dropout is None else dropout(shares.shape)
            attended = (shares if mask is None else shares * mask) @ value
            if first is None:
                _from_heads(attended[None], lengths[items], result[tokens])
            else:
                result[items] = attended.flatten(1)
            saved += [query, key, value, shares, mask]
        context.save_for_backward(*saved)
        context.lengths, context.with_first, context.shape = lengths, first is not None, projected.shape
        return result

    @staticmethod
    @once_differentiable
    def backward(context, gradient):
        """Return the gradients of the projections."""
        of_projected = gradient.new_zeros(context.shape)
        of_first = torch.empty_like(gradient) if context.with_first else None
        saved = iter(context.saved_tensors)
        for items, tokens in context.groups:
            query, key, value, shares, mask = itertools.islice(saved, 5)
            if context.with_first:
                of_attended = gradient[items].view(query.shape)
            else:
                of_attended = _to_heads(gradient[tokens], context.lengths[items], query.shape[1], 1)[0]
            of_shares = of_attended @ value.transpose(-1, -2)
            of_value = (shares if mask is None else shares * mask).transpose(-1, -2) @ of_attended
            of_shares = of_shares if mask is None else of_shares.mul_(mask)
            of_scores = torch._softmax_backward_data(of_shares, shares, -1, shares.dtype)
            of_query, of_key = of_scores @ key, of_scores.transpose(-1, -2) @ query
            if context.with_first:
                of_first[items] = of_query.flatten(1)
                found = torch.stack([of_key, of_value])
            else:
                found = torch.stack([of_query, of_key, of_value])
            _from_heads(found, context.lengths[items], of_projected[tokens])
        return of_projected, of_first, None, None, None


def _groups(lengths, heads, size):
    """Yield (slice of items, slice of tokens): neighbours whose scores fit into the processor's cache together."""
    start, first_token = 0, 0
    while start < len(lengths):
        end, width = start + 1, lengths[start]
        while end < len(lengths):
            width = max(width, lengths[end])
            if (end + 1 - start) * heads * width * width * size > CACHE_BYTES:
                break
            end += 1
        last_token = first_token + sum(lengths[start:end])
        yield slice(start, end), slice(first_token, last_token)
        start, first_token = end, last_token


def _to_heads(packed, lengths, heads, parts):
    """Unpack (tokens x parts * hidden size) to (parts x items x heads x width x head size), filled up with zeros."""
    width = -(-max(lengths) // WIDTH_STEP) * WIDTH_STEP
    size = packed.shape[1] // (parts * heads)
    result = packed.new_zeros(parts, len(lengths), heads, width, size)
    for item, rows in enumerate(packed.split(lengths)):
        result[:, item, :, : len(rows)] = rows.view(len(rows), parts, heads, size).permute(1, 2, 0, 3)
    return result


def _from_heads(unpacked, lengths, packed):
    """Write (parts x items x heads x width x head size) to rows of (tokens x parts * hidden size)."""
    parts, _, heads, _, size = unpacked.shape
    for item, rows in enumerate(packed.split(lengths)):
        rows.view(len(rows), parts, heads, size).copy_(unpacked[:, item, :, : len(rows)].permute(2, 0, 1, 3))


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
