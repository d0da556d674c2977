"""The kernels as functions that torch differentiates, and torch's own operators where they don't apply."""

import ctypes
import functools

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from empathy_transfer.models.kernel_library import library

# All numbers that bf16 has, by their bits.
EVERY = 1 << 16
# Attention takes heads whose size is a multiple of what one instruction multiplies.
TILE_NUMBERS = 32


def gelu(x):
    """Return the exact GELU of a tensor; with the kernel the same bits as torch's, by look-up."""
    return _Gelu.apply(x) if _apply_to(x) else functional.gelu(x)


def add_norm(x, added, weight, bias, epsilon):
    """Return the sum of two tensors (rows x columns) and its layer norm, both like `x`.

    Args:
        x, added: the summands; without `added` the sum is `x` itself. weight, bias: of the layer norm; the kernel is
            for frozen ones. epsilon: added to the variance.
    """
    if _apply_to(x) and not weight.requires_grad:
        return _AddNorm.apply(x, added, weight, bias, epsilon)
    total = x if added is None else x + added
    return total, functional.layer_norm(total, (total.shape[-1],), weight, bias, epsilon)


def offers_attention(projected, head_size):
    """Whether `attention` takes such projections."""
    return _apply_to(projected) and library().has_tiles and head_size % TILE_NUMBERS == 0


def attention(projected, lengths, heads, first):
    """Return what `training.attention.attend` does, without dropout; arguments as there, `lengths` as a tuple."""
    return _Attention.apply(projected, lengths, heads, first)


def _apply_to(tensor):
    """Whether the kernels take a tensor: in bf16, on the processor, in a process of one thread."""
    return (
        tensor.dtype == torch.bfloat16
        and tensor.device.type == "cpu"
        and torch.get_num_threads() == 1
        and library() is not None
    )


def _call(name, *arguments):
    """Call a kernel with tensors (None: a null pointer), whole numbers and floats."""
    status = getattr(library(), name)(*map(_as_c, arguments))
    if status:
        raise MemoryError(f"the kernel {name} finds no memory")


def _as_c(value):
    """Return an argument as C takes it."""
    if value is None or isinstance(value, torch.Tensor):
        return ctypes.c_void_p(0 if value is None else value.data_ptr())
    return ctypes.c_float(value) if isinstance(value, float) else ctypes.c_long(value)


class _Gelu(torch.autograd.Function):
    """GELU by a table of torch's results."""

    @staticmethod
    def forward(context, x):
        """Look the results up."""
        x = x.contiguous()
        context.save_for_backward(x)
        result = torch.empty_like(x)
        _call("gelu", x, x.numel(), _gelu_tables()[0], result)
        return result

    @staticmethod
    @once_differentiable
    def backward(context, gradient):
        """Look the slopes up."""
        (x,) = context.saved_tensors
        result = torch.empty_like(x)
        _call("gelu_backward", gradient.contiguous(), x, x.numel(), _gelu_tables()[1], result)
        return result


@functools.cache
def _gelu_tables():
    """Torch's GELU of every number in bf16, as bits in 32-bit integers, and its slope in float."""
    with torch.inference_mode(False):
        every = torch.arange(EVERY, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)
        values = functional.gelu(every).view(torch.int16).to(torch.int32)
        return values, torch.ops.aten.gelu_backward(torch.ones(EVERY), every.float())


class _AddNorm(torch.autograd.Function):
    """A sum and its layer norm."""

    @staticmethod
    def forward(context, x, added, weight, bias, epsilon):
        """Compute both in one pass."""
        x, added = x.contiguous(), None if added is None else added.contiguous()
        rows, columns = x.shape
        total = x if added is None else torch.empty_like(x)
        result = torch.empty_like(x)
        means, scales, row = (torch.empty(size, dtype=torch.float32) for size in (rows, rows, columns))
        arguments = weight, bias, rows, columns, float(epsilon), row, total, result, means, scales
        _call("add_norm", x, added, *arguments)
        context.save_for_backward(total, weight, means, scales)
        context.set_materialize_grads(False)
        return total if added is not None else x.view_as(x), result

    @staticmethod
    @once_differentiable
    def backward(context, of_total, of_result):
        """Return the gradient of both summands, which is one."""
        total, weight, means, scales = context.saved_tensors
        if of_result is None:
            gradient = of_total
        else:
            gradient = torch.empty_like(total)
            given = None if of_total is None else of_total.contiguous()
            arguments = total, weight, means, scales, *total.shape, gradient
            _call("add_norm_backward", given, of_result.contiguous(), *arguments)
        return gradient, gradient if context.needs_input_grad[1] else None, None, None, None


class _Attention(torch.autograd.Function):
    """Attention over packed tokens."""

    @staticmethod
    def forward(context, projected, lengths, heads, first):
        """Compute the result, and keep the shares for the backward."""
        projected, first = projected.contiguous(), None if first is None else first.contiguous()
        hidden = projected.shape[1] // (3 if first is None else 2)
        sizes = _sizes(lengths, len(projected), heads, hidden)
        result = projected.new_empty(len(projected) if first is None else len(lengths), hidden)
        numbers = sum(_padded(length) * _padded(1 if first is not None else length) for length in lengths) * heads
        shares = projected.new_empty(numbers)
        _call("attention", projected, first, *sizes, result, shares)
        context.save_for_backward(projected, first, shares)
        context.sizes = sizes
        return result

    @staticmethod
    @once_differentiable
    def backward(context, gradient):
        """Return the gradients of the projections."""
        projected, first, shares = context.saved_tensors
        of_projected, of_first = torch.empty_like(projected), None if first is None else torch.empty_like(first)
        given = gradient.contiguous(), projected, first, shares
        _call("attention_backward", *given, *context.sizes, of_projected, of_first)
        return of_projected, None, None, of_first


def _sizes(lengths, tokens, heads, hidden):
    """Lengths as an array, and the counts that both directions of attention take."""
    return torch.tensor(lengths, dtype=torch.int32), len(lengths), tokens, heads, hidden // heads, max(lengths)


def _padded(length):
    """Length of an item's rows in the shares."""
    return -(-length // TILE_NUMBERS) * TILE_NUMBERS
