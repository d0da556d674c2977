"""The fast engine's way on a GPU, without one: its numbers with a stand-in for the kernel, its devices with fakes.

A fake tensor has a shape, a type and a device, and no content. With fakes on `cuda:0`, an operation between devices
fails as on a GPU, and so does whatever would make the processor wait for the GPU: asking a tensor for its content.
"""

import contextlib
import json
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.overrides import TorchFunctionMode

from empathy_transfer.models import attention, packed_encoder
from empathy_transfer.models.attention import attend
from empathy_transfer.models.dropout import Dropout
from empathy_transfer.records.encoders import Encoder
from empathy_transfer.training.optimizer import AdamW
from tiny_encoders import SIZES, batch, loss_of, make_model

GPU = "cuda:0"
HEADS, HIDDEN = 4, 32
LENGTHS = [[1], [7, 3, 12], [40, 24]]  # of two batches with filling, and one without


def shares_of(query, key, scale):
    """Shares of attention of one item (heads x queries x keys)."""
    return torch.softmax(scale * query.transpose(0, 1) @ key.permute(1, 2, 0), -1)


def rows_of(query_ends, ends):
    """Rows of queries and of keys, item by item."""
    for items in zip(query_ends[:-1], query_ends[1:], ends[:-1], ends[1:], strict=True):
        start, end, first, last = (int(place) for place in items)
        yield slice(start, end), slice(first, last)


def forward(asked, query, key, value, query_ends, ends, most_queries, longest, dropout, *flags, scale, **options):
    """What the kernel computes, but without dropout: `asked` takes its share. Rows of no item are not written."""
    asked.append(dropout)
    assert (query_ends.dtype, ends.dtype) == (torch.int32, torch.int32)
    assert (most_queries, longest) == (int(query_ends.diff().max()), int(ends.diff().max()))
    result = torch.full_like(query, torch.nan)
    for rows, keys in rows_of(query_ends, ends):
        result[rows] = (shares_of(query[rows], key[keys], scale) @ value[keys].transpose(0, 1)).transpose(0, 1)
    none = torch.zeros(0)
    return result, none, none, none, none


def backward(gradient, query, key, value, out, sums, query_ends, ends, *rest, scale, **options):
    """The kernel's backward, by the derivative of the softmax."""
    found = [torch.full_like(tensor, torch.nan) for tensor in (query, key, value)]
    for rows, keys in rows_of(query_ends, ends):
        shares, given = shares_of(query[rows], key[keys], scale), gradient[rows].transpose(0, 1)
        of_shares = given @ value[keys].permute(1, 2, 0)
        of_scores = scale * shares * (of_shares - (of_shares * shares).sum(-1, keepdim=True))
        found[0][rows] = (of_scores @ key[keys].transpose(0, 1)).transpose(0, 1)
        found[1][keys] = (of_scores.transpose(1, 2) @ query[rows].transpose(0, 1)).transpose(0, 1)
        found[2][keys] = (shares.transpose(1, 2) @ given).transpose(0, 1)
    return tuple(found)


@pytest.fixture
def kernel():
    """The stand-in in the place of the kernel, which a CPU lacks; gives a list of the shares of dropout asked for."""
    asked = []
    with torch.library._scoped_library("aten", "IMPL") as library:
        library.impl("_flash_attention_forward", partial(forward, asked), "CPU")
        library.impl("_flash_attention_backward", backward, "CPU")
        yield asked


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("only_first", [False, True], ids=["all", "first"])
def test_the_kernel_is_given_what_attention_on_a_cpu_computes_from(kernel, lengths, only_first):
    packed, generator = batch(lengths), torch.Generator().manual_seed(1)
    tokens, items = len(packed.input_ids), len(lengths)
    projected = torch.randn(tokens, (2 if only_first else 3) * HIDDEN, generator=generator)
    first = torch.randn(items, HIDDEN, generator=generator) if only_first else None
    weights = torch.randn(items if only_first else tokens, HIDDEN, generator=generator)
    found = []
    for way in (attend, attention._attend_on_gpu):
        given = [None if tensor is None else tensor.clone().requires_grad_() for tensor in (projected, first)]
        result = way(given[0], packed, HEADS, given[1], None)
        (result * weights).sum().backward()
        found.append([result, *(tensor.grad for tensor in given if tensor is not None)])
    for own, expected in zip(*reversed(found), strict=True):
        torch.testing.assert_close(own, expected)


def test_the_kernel_draws_dropout_by_itself(kernel):
    packed = batch([7, 3, 12])
    projected = torch.zeros(len(packed.input_ids), 3 * HIDDEN)
    for dropout in (None, Dropout(0.1, "cpu", torch.float32)):
        attention._attend_on_gpu(projected, packed, HEADS, None, dropout)
    assert kernel == [0.0, 0.1]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny encoder of zeros: fakes have no content."""
    folder, hidden, inner = tmp_path_factory.mktemp("encoder"), SIZES["hidden_size"], SIZES["intermediate_size"]
    config = SIZES | {"model_type": "bert", "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0}
    config["hidden_act"] = "gelu"
    (folder / "config.json").write_text(json.dumps(config))
    shapes = {"embeddings.LayerNorm": (hidden,)}
    for name, rows in (("word", "vocab_size"), ("position", "max_position_embeddings"), ("token_type", None)):
        shapes[f"embeddings.{name}_embeddings"] = (SIZES[rows] if rows else 2, hidden)
    for layer in range(SIZES["num_hidden_layers"]):
        parts = {f"attention.self.{name}": (hidden, hidden) for name in ("query", "key", "value")}
        parts |= {"attention.output.dense": (hidden, hidden), "intermediate.dense": (inner, hidden)}
        parts |= {
            "output.dense": (hidden, inner),
            "attention.output.LayerNorm": (hidden,),
            "output.LayerNorm": (hidden,),
        }
        shapes |= {f"encoder.layer.{layer}.{name}": shape for name, shape in parts.items()}
    tensors = {f"{name}.weight": torch.zeros(shape) for name, shape in shapes.items()}
    tensors |= {f"{name}.bias": torch.zeros(shape[0]) for name, shape in shapes.items() if "_embeddings" not in name}
    save_file(tensors, folder / "model.safetensors")
    return Encoder(name="zeros", folder=folder, weights_sha256="0" * 64)


class Operators(TorchFunctionMode):
    """Indexing and copying by operators: in a torch that is built without GPUs, Python's own ways look for one."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function == torch.Tensor.__getitem__:
            return part_of(*args)
        if function == torch.Tensor.__setitem__:
            part, value = part_of(*args[:2]), args[2]
            return torch.ops.aten.copy_.default(part, value) if isinstance(value, torch.Tensor) else part.fill_(value)
        if function == torch.Tensor.copy_:
            return torch.ops.aten.copy_.default(*args)
        return function(*args, **(kwargs or {}))


def part_of(tensor, key):
    """A part of a tensor, by None, integers, slices without steps, and tensors of indices."""
    dimension = 0
    for place in key if isinstance(key, tuple) else (key,):
        if place is None:
            tensor = tensor.unsqueeze(dimension)
        elif isinstance(place, int):
            tensor, dimension = tensor.select(dimension, place), dimension - 1
        elif isinstance(place, slice):
            tensor = torch.ops.aten.slice.Tensor(tensor, dimension, place.start, place.stop)
        else:
            tensor = torch.ops.aten.index.Tensor(tensor, [None] * dimension + [place])
        dimension += 1
    return tensor


@contextlib.contextmanager
def fakes():
    """Let all tensors be fakes, without gradients: these need a torch that is built for GPUs."""
    with FakeTensorMode(allow_non_fake_inputs=True), Operators(), torch.no_grad():
        yield


@pytest.fixture
def gpu(monkeypatch, encoder):
    """Gives a context in which tensors are fakes. The encoder is read before: a file's content is no fake."""
    weights = packed_encoder.load_file(encoder.folder / "model.safetensors")
    monkeypatch.setattr(packed_encoder, "load_file", lambda path: dict(weights))
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    return fakes


def test_a_fake_gpu_tells_mixed_devices_and_waiting(gpu):
    with gpu():
        tensor = torch.zeros(3, device=GPU)
        with pytest.raises(RuntimeError, match="same device"):
            tensor + torch.zeros(3)
        with pytest.raises(DataDependentOutputException):
            tensor.sum().item()


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["classification", "regression", "multilabel"])
def test_a_step_stays_on_the_gpu_and_never_waits_for_it(monkeypatch, gpu, encoder, precision, dropout, kind):
    """A step but for its backward (see `fakes`)."""
    packed, calls = batch([7, 3, 12], context=True, kind=kind), []
    by_kernel = attention._attend_on_gpu
    monkeypatch.setattr(attention, "_attend_on_gpu", lambda *given: calls.append(given[-1]) or by_kernel(*given))
    with gpu():
        outputs = 1 if kind == "regression" else 3
        engine = make_model(encoder, outputs, dropout=dropout, precision=precision, device=GPU)
        engine.train()
        engine.seed(7)
        sent = packed.to(engine.device)
        optimizer = AdamW(engine.parameters(), 1e-3, 0.01, steps=10, warmup_share=0.1, max_gradient_norm=1.0)
        loss = loss_of(engine.logits(sent), sent.labels, kind)
        engine.flat.grad = torch.ones_like(engine.flat)
        optimizer.step()
    assert loss.device == engine.flat.device == torch.device(GPU)
    assert len(calls) == (SIZES["num_hidden_layers"] if precision == "bf16" else 0)
    assert all((given is None) == (dropout == 0.0) for given in calls)


@pytest.mark.parametrize("only_first", [False, True], ids=["all", "first"])
def test_attention_in_fp32_and_its_backward_stay_on_the_gpu(gpu, only_first):
    context = SimpleNamespace()
    context.save_for_backward = lambda *tensors: setattr(context, "saved_tensors", tensors)
    with gpu():
        projected = torch.zeros(32, (2 if only_first else 3) * HIDDEN, device=GPU)
        first = torch.zeros(3, HIDDEN, device=GPU) if only_first else None
        mask = Dropout(0.1, GPU, torch.float32).mask
        result = attention._Attention.forward(context, projected, first, (7, 3, 12), HEADS, mask)
        of_projected, of_first = attention._Attention.backward(context, torch.ones_like(result))[:2]
    assert (of_projected.device, of_projected.shape) == (torch.device(GPU), projected.shape)
    assert (of_first is None) if first is None else (of_first.shape == first.shape)
