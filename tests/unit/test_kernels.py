"""The kernels in C against torch in float, and the library that holds them."""

import os
import shutil
import subprocess
import sys

import pytest
import torch
from torch.nn import functional

from empathy_transfer.models import attention
from empathy_transfer.models import kernel_library as library
from empathy_transfer.models.kernels import functions
from empathy_transfer.records.files import write_with_digest
from tiny_encoders import batch

PATH, REASON = library.find()
needs_kernels = pytest.mark.skipif(PATH is None, reason=f"no kernels: {REASON}")
needs_tiles = pytest.mark.skipif(
    PATH is None or not library.library().has_tiles, reason="no kernels, or a processor without AMX"
)
EVERY = torch.arange(1 << 16, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)


@pytest.fixture(autouse=True)
def one_thread():
    """Let a test compute on one thread, as the kernels do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).bfloat16()


@needs_kernels
def test_gelu_and_its_slope_are_torchs_for_every_number():
    every = EVERY[EVERY.isfinite()]
    direction = draw(len(every))
    results = []
    for layer in (functions.gelu, functional.gelu):
        x = every.clone().requires_grad_()
        result = layer(x)
        results.append((result.detach(), torch.autograd.grad(result, x, direction)[0]))
    for own, theirs in zip(*results, strict=True):
        assert torch.equal(own.view(torch.int16), theirs.view(torch.int16))


@needs_kernels
def test_gelu_keeps_what_is_no_number():
    x = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0]).bfloat16()
    found = functions.gelu(x)
    assert found[0].isnan()
    assert torch.equal(found[1:].nan_to_num(7), functional.gelu(x)[1:].nan_to_num(7))


# 384 numbers of a row are whole vectors, 40 and 3 are not.
@needs_kernels
@pytest.mark.parametrize("columns", [384, 40, 3])
@pytest.mark.parametrize("with_added", [True, False], ids=["two summands", "one"])
def test_sum_norm_and_gradients_are_those_of_float(columns, with_added):
    x, added = draw(17, columns), draw(17, columns, seed=1) if with_added else None
    weight, bias = draw(columns, seed=2), draw(columns, seed=3)
    of_total, of_normal = draw(17, columns, seed=4), draw(17, columns, seed=5)
    found = []
    for kind in (torch.bfloat16, torch.float32):
        wanted = [part.detach().to(kind).requires_grad_() for part in (x, added) if part is not None]
        # Both round the sum, from which all else follows.
        total, normal = functions.add_norm(*wanted[:1], *(wanted[1:] or [None]), weight.to(kind), bias.to(kind), 1e-5)
        if kind == torch.float32 and with_added:
            rounded = total.detach().bfloat16().float() - total.detach()
            total, normal = functions.add_norm(wanted[0], wanted[1] + rounded, weight.float(), bias.float(), 1e-5)
        directions = of_total.to(kind), of_normal.to(kind)
        found.append([total, normal, *torch.autograd.grad([total, normal], wanted, directions)])
    assert len(found[0]) == 2 + 1 + with_added
    for own, expected in zip(*found, strict=True):
        torch.testing.assert_close(own.float(), expected, rtol=2**-8, atol=2**-8)


@needs_kernels
def test_a_small_norm_by_hand():
    """4 + -2 and 1 + 3 are 2 and 4: mean 3, deviation 1."""
    x, added = torch.tensor([[4.0, 1.0]]).bfloat16(), torch.tensor([[-2.0, 3.0]]).bfloat16()
    total, normal = functions.add_norm(x, added, torch.tensor([1.0, 2.0]).bfloat16(), torch.ones(2).bfloat16(), 0.0)
    assert total.tolist() == [[2.0, 4.0]]
    assert normal.tolist() == [[0.0, 3.0]]


@needs_kernels
def test_only_one_of_the_two_results_may_be_used():
    x, weight = draw(5, 64).requires_grad_(), torch.ones(64).bfloat16()
    total, normal = functions.add_norm(x, None, weight, torch.zeros(64).bfloat16(), 1e-5)
    assert torch.equal(torch.autograd.grad(total, x, torch.ones_like(x), retain_graph=True)[0], torch.ones_like(x))
    both = torch.autograd.grad([total, normal], x, [torch.ones_like(x)] * 2, retain_graph=True)[0]
    alone = torch.autograd.grad(normal, x, torch.ones_like(x))[0]
    torch.testing.assert_close(both, alone + 1, rtol=0, atol=2**-7)


# Items of one block of 16 tokens, of whole steps of 32, between them, and longer than one multiplication takes.
@needs_tiles
@pytest.mark.parametrize("lengths", [[1], [16], [5, 31, 32, 33, 48, 64, 65], [200, 3, 200]], ids=str)
@pytest.mark.parametrize("size", [32, 64, 96])
@pytest.mark.parametrize("only_first", [False, True], ids=["all tokens", "first tokens"])
def test_attention_and_its_gradients_are_those_of_float(lengths, size, only_first):
    heads, tokens = 3, sum(lengths) + 5
    projected = draw(tokens, (2 if only_first else 3) * heads * size)
    first = draw(len(lengths), heads * size, seed=1) / size if only_first else None
    if not only_first:
        projected[:, : heads * size] /= size
    used = len(lengths) if only_first else sum(lengths)
    # The gradient of filling rows counts for nothing, so whatever stands there must not be read.
    direction = draw(used if only_first else tokens, heads * size, seed=2)
    direction[used:] = float("nan")
    found = []
    for kind in (torch.bfloat16, torch.float32):
        inputs = [part.to(kind, copy=True).requires_grad_() for part in (projected, first) if part is not None]
        assert functions.offers_attention(inputs[0], size) == (kind == torch.bfloat16)
        result = attention.attend(inputs[0], batch(lengths), heads, *inputs[1:])
        gradients = torch.autograd.grad(result, inputs, direction.to(kind))
        found.append([result[:used].float(), *(part.float() for part in gradients)])
    for own, expected in zip(*found, strict=True):
        # Shares and results are rounded to eight bits each; torch's operators in bf16 differ by up to .008.
        assert (own - expected).norm() <= 0.005 * expected.norm()
    assert not found[0][1][sum(lengths) :].any()


@needs_tiles
def test_attention_of_equal_items_is_the_same_bits_wherever_they_stand():
    rows = draw(40, 3 * 64)
    alone = attention.attend(rows, batch([40]), 2)
    among = attention.attend(torch.cat([draw(7, 192, seed=1), rows, rows]), batch([7, 40, 40]), 2)
    assert torch.equal(among[7:47], alone)
    assert torch.equal(among[47:], alone)


@needs_tiles
def test_matrix_products_of_torch_go_on_beside_the_kernels():
    """Both shape the processor's tiles, each in its own way."""
    x, weight = draw(64, 384), draw(64, 384, seed=1)
    before = x @ weight.t()
    for length in (3, 70, 129):
        attention.attend(draw(length, 3 * 64, seed=length), batch([length]), 2)
        assert torch.equal(x @ weight.t(), before)


@needs_kernels
def test_what_the_kernels_are_not_for_is_left_to_torch():
    x, weight = draw(4, 32), torch.ones(32).bfloat16()
    names = lambda result: type(result.grad_fn).__name__  # noqa: E731
    assert "_Gelu" in names(functions.gelu(x.clone().requires_grad_()))
    assert "_Gelu" not in names(functions.gelu(x.float().requires_grad_()))
    trained = functions.add_norm(x, None, weight.clone().requires_grad_(), weight, 1e-5)[1]
    assert "_AddNorm" not in names(trained)
    assert not functions.offers_attention(draw(4, 96), 24)
    torch.set_num_threads(2)
    assert "_Gelu" not in names(functions.gelu(x.clone().requires_grad_()))


@pytest.fixture
def afresh(monkeypatch, tmp_path):
    """An empty cache of compiled libraries, and nothing remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    remembered = library.find, library.library
    for function in remembered:
        function.cache_clear()
    yield tmp_path
    for function in remembered:
        function.cache_clear()


needs_compiler = pytest.mark.skipif(
    PATH is None or not any(map(shutil.which, library.COMPILERS)), reason=f"no compiler, or no kernels: {REASON}"
)


@needs_compiler
def test_the_library_is_compiled_once_and_under_the_digest_of_its_source(afresh, monkeypatch):
    path, _ = library.find()
    assert path.parent == afresh / "cache/empathy-transfer/kernels"
    name = f"{library.kernels_in_use()}.so"
    assert sorted(entry.name for entry in path.parent.iterdir()) == [name, f"{name}.sha256"]
    monkeypatch.setattr(library, "COMPILERS", ())
    library.find.cache_clear()
    assert library.find() == (path, "")
    monkeypatch.setattr(library, "FLAGS", [*library.FLAGS, "-DOTHER"])
    library.find.cache_clear()
    assert library.find() == (None, "no C compiler is found (CC or one of )")
    assert library.kernels_in_use() == "none"


def flip(position):
    """Damage that flips a bit somewhere: in the header, in code or numbers, at the end."""

    def damage(path):
        data = bytearray(path.read_bytes())
        data[int(position * (len(data) - 1))] ^= 4
        path.write_bytes(data)

    return damage


DAMAGE = {f"a bit at {position:.0%}": flip(position) for position in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)} | {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-512]),
    "emptied": lambda path: path.write_bytes(b""),
    "other bytes": lambda path: path.write_bytes(b"damaged"),
    "a bit of the digest": lambda path: flip(0.2)(path.with_name(f"{path.name}.sha256")),
    "no digest": lambda path: path.with_name(f"{path.name}.sha256").unlink(),
}


@needs_compiler
def test_a_damaged_library_is_never_loaded_but_compiled_anew(afresh, monkeypatch):
    """A flipped bit loads as well as the library itself; then it kills the job, or computes something else."""
    path, _ = library.find()
    whole = path.read_bytes()
    loaded, loads = [], library._loads
    monkeypatch.setattr(library, "_loads", lambda path: loaded.append(path.read_bytes()) or loads(path))
    monkeypatch.setattr(library, "_compile", lambda compiler, path: (path, write_with_digest(path, whole) or ""))
    for name, damage in DAMAGE.items():
        damage(path)
        library.find.cache_clear()
        assert library.find() == (path, ""), name
        assert path.read_bytes() == whole, name
        assert set(loaded) <= {whole}, name
    damage = DAMAGE["a bit at 50%"]
    damage(path)
    monkeypatch.setattr(library, "COMPILERS", ())
    library.find.cache_clear()
    assert library.find()[0] is None


@pytest.mark.parametrize("trouble", ["switched off", "no compiler", "compiler fails", "folder is a file", "processor"])
def test_without_a_library_torch_computes_the_same_and_the_reason_is_told_once(afresh, monkeypatch, capsys, trouble):
    broken = afresh / "cc"
    broken.write_text("#!/bin/sh\necho 'activation.c: no immintrin.h' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(library, "instructions", lambda: library.NEEDED)
    monkeypatch.setattr(library, "COMPILERS", [str(broken)])
    expected = f"{broken} can't compile them: activation.c: no immintrin.h"
    if trouble == "switched off":
        monkeypatch.setenv("EMPATHY_KERNELS", "off")
        expected = "EMPATHY_KERNELS=off"
    elif trouble == "no compiler":
        monkeypatch.setattr(library, "COMPILERS", ["nobody-has-this"])
        expected = "no C compiler is found (CC or one of nobody-has-this)"
    elif trouble == "folder is a file":
        (afresh / "cache").write_text("")
        expected = "they can't be compiled: [Errno 20] Not a directory"
    elif trouble == "processor":
        monkeypatch.setattr(library, "instructions", lambda: {"avx2"})
        expected = "they are for Linux on processors with AVX-512"
    x = draw(3, 32)
    for _ in range(2):
        assert torch.equal(functions.gelu(x), functional.gelu(x))
    told = capsys.readouterr().out
    assert told.count("Without compiled kernels") == 1
    assert expected in told


@needs_compiler
def test_a_run_compiles_beforehand_and_says_where_a_compiler_is_missed(afresh):
    command = [sys.executable, "-m", "empathy_transfer.models.kernel_library"]
    environment = os.environ | {"PYTHONPATH": str(library.SOURCE.parents[2])}
    without = subprocess.run(command, env=environment | {"PATH": ""}, capture_output=True, text=True)
    missed = "avx512_bf16" in library.instructions()
    assert ("no C compiler is found" in without.stderr) == missed
    # With one it is silent, and what it compiled needs no compiler any more.
    for path in (os.environ["PATH"], ""):
        ran = subprocess.run(command, env=environment | {"PATH": path}, capture_output=True, text=True)
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
