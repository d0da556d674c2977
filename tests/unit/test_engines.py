"""The fast engine against the reference engine on the `adapters` library."""

import json

import pytest
import torch
from empathy_transfer.models.fast import FastEngine, applies_to
from empathy_transfer.models.reference import ReferenceEngine
from empathy_transfer.training.train import task_loss
from safetensors.torch import save_file

from empathy_transfer.frame.job import open_job
from empathy_transfer.models.adapter_files import save_adapter
from empathy_transfer.records.encoders import MINILM, Encoder, find_encoder
from empathy_transfer.training.optimizer import AdamW
from fake_jobs import fake_snakemake
from tiny_encoders import batch, make_encoder


@pytest.fixture(scope="module", params=["bert", "roberta"])
def encoder(request, tmp_path_factory):
    """A tiny random encoder of each type, in a folder."""
    return make_encoder(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture
def source(encoder, tmp_path, monkeypatch):
    """An adapter file of the encoder with random weights."""
    return random_adapter(encoder, 4, tmp_path, monkeypatch)


def random_adapter(encoder, reduction_factor, tmp_path, monkeypatch):
    """Let a job write an adapter with random weights; returns its path."""
    monkeypatch.chdir(tmp_path)
    shapes = FastEngine(encoder, 2, 4, 0.0, None, 0, "cpu", "fp32").adapter_shapes(reduction_factor)
    generator = torch.Generator().manual_seed(5)
    tensors = {name: 0.2 * torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    output = {"adapter": "run/adapter.safetensors", "provenance": "run/provenance.json"}
    with open_job(fake_snakemake("train_baseline", output)) as job:
        save_adapter(job.output["adapter"], tensors, encoder, reduction_factor)
    return tmp_path / "run/adapter.safetensors"


def both(encoder, source, outputs):
    """The two engines with the same weights."""
    arguments = {"reduction_factor": 4, "dropout": 0.0, "source_adapter": source}
    arguments |= {"device": "cpu", "precision": "fp32", "seed": 1}
    reference = ReferenceEngine(encoder, outputs, **arguments)
    fast = FastEngine(encoder, outputs, **arguments)
    give_the_weights_of(reference, fast)
    return reference, fast


def give_the_weights_of(reference, fast):
    """Let the fast engine go on from the reference engine's adapter and head."""
    for own, given in ((fast.adapter(), reference.adapter()), (fast.head(), reference.head())):
        assert {name: tensor.shape for name, tensor in own.items()} == {
            name: tensor.shape for name, tensor in given.items()
        }
        for name, tensor in given.items():
            own[name].copy_(tensor)


def assert_gradients_agree(reference, fast):
    """Every trained tensor has the same gradient in both engines, up to 1e-5 of its largest entry."""
    adapter, head = fast.named(fast.flat.grad)
    for name, parameter in reference.trained().items():
        own = adapter if ".adapters.target." in name else head
        gradient = own[name.replace(".adapters.target.", ".adapters.").removeprefix("heads.target.")]
        scale = parameter.grad.abs().max().clamp(min=1e-6)
        assert (gradient - parameter.grad).abs().max() <= 1e-5 * scale + 1e-7, name


@pytest.mark.parametrize("stacked", [False, True], ids=["baseline", "transfer"])
@pytest.mark.parametrize("context", [False, True], ids=["plain", "context"])
@pytest.mark.parametrize("lengths", [[1], [7, 3, 12], [256, 40]], ids=str)
@pytest.mark.parametrize("kind", ["classification", "regression", "multilabel"])
def test_logits_and_gradients_equal_the_reference(encoder, source, stacked, context, lengths, kind):
    outputs = 1 if kind == "regression" else 3
    reference, fast = both(encoder, source if stacked else None, outputs)
    inputs = batch(lengths, context and encoder.name == "bert", kind)
    logits = [engine.logits(inputs) for engine in (reference, fast)]
    torch.testing.assert_close(logits[1], logits[0], rtol=1e-5, atol=1e-5)
    for result in logits:
        task_loss(result, inputs.labels, kind).backward()
    assert_gradients_agree(reference, fast)


@pytest.mark.parametrize("stacked", [False, True], ids=["baseline", "transfer"])
def test_twenty_steps_end_in_the_weights_of_the_reference(encoder, source, stacked):
    engines = both(encoder, source if stacked else None, 3)
    for engine in engines:
        optimizer = AdamW(engine.parameters(), 1e-3, 0.01, 20, 0.1, 1.0)
        for step in range(20):
            inputs = batch([9, 4, 30, 17], context=encoder.name == "bert", seed=step)
            task_loss(engine.logits(inputs), inputs.labels, "classification").backward()
            optimizer.step()
    reference, fast = engines
    for own, given in ((fast.adapter(), reference.adapter()), (fast.head(), reference.head())):
        for name, tensor in given.items():
            assert (own[name] - tensor).abs().max() <= 1e-4 * tensor.abs().max().clamp(min=1e-3), name


@pytest.mark.parametrize("stacked", [False, True], ids=["baseline", "transfer"])
def test_minilm_gives_the_logits_and_gradients_of_the_reference(stacked, tmp_path, monkeypatch):
    encoder = find_encoder(MINILM)
    source = random_adapter(encoder, 16, tmp_path, monkeypatch) if stacked else None
    arguments = {"reduction_factor": 16, "dropout": 0.0, "source_adapter": source}
    arguments |= {"device": "cpu", "precision": "fp32", "seed": 1}
    reference, fast = ReferenceEngine(encoder, 3, **arguments), FastEngine(encoder, 3, **arguments)
    give_the_weights_of(reference, fast)
    inputs = batch([1, 256, 40, 77], context=True, vocabulary=30000)
    logits = [engine.logits(inputs) for engine in (reference, fast)]
    torch.testing.assert_close(logits[1], logits[0], rtol=1e-5, atol=1e-5)
    for result in logits:
        task_loss(result, inputs.labels, "classification").backward()
    assert_gradients_agree(reference, fast)


def test_the_source_adapter_gets_no_gradient_and_stays_as_it_is(encoder, source):
    for engine in both(encoder, source, 3):
        before = {name: tensor.clone() for name, tensor in engine.source().items()}
        optimizer = AdamW(engine.parameters(), 0.1, 0.0, 5, 0.0, 1.0)
        inputs = batch([5, 9])
        task_loss(engine.logits(inputs), inputs.labels, "classification").backward()
        optimizer.step()
        assert before
        assert all(torch.equal(tensor, before[name]) for name, tensor in engine.source().items())


def test_a_transfer_trains_as_many_parameters_as_a_baseline(encoder, source):
    for engine in (ReferenceEngine, FastEngine):
        counts = [
            sum(p.numel() for p in engine(encoder, 3, 4, 0.0, path, 1, "cpu", "fp32").parameters())
            for path in (None, source)
        ]
        assert counts[0] == counts[1] > 0


def test_new_weights_do_not_depend_on_the_source(encoder, source):
    for engine in (ReferenceEngine, FastEngine):
        without, stacked = (engine(encoder, 3, 4, 0.0, path, 7, "cpu", "fp32") for path in (None, source))
        assert all(torch.equal(without.adapter()[name], tensor) for name, tensor in stacked.adapter().items())
        assert all(torch.equal(without.head()[name], tensor) for name, tensor in stacked.head().items())


def test_the_stack_applies_the_source_before_the_target(encoder, source):
    reference, fast = both(encoder, source, 3)
    assert list(reference.model.active_adapters) == ["source", "target"]
    for tensor in fast.adapter().values():
        tensor.normal_(std=0.5)
    fast.head()["4.weight"].normal_()
    straight = fast.logits(batch([6, 6]))
    own = {name: tensor.clone() for name, tensor in fast.adapter().items()}
    for name, tensor in fast.adapter().items():
        tensor.copy_(fast._source[name])
    fast._source = own
    assert not torch.allclose(straight, fast.logits(batch([6, 6])), atol=1e-4)


def test_dropout_acts_in_training_only(encoder):
    engine = FastEngine(encoder, 3, 4, 0.5, None, 1, "cpu", "fp32")
    inputs = batch([6, 6])
    assert torch.equal(engine.logits(inputs), engine.logits(inputs))
    engine.train()
    engine.seed(1)
    first, second = engine.logits(inputs), engine.logits(inputs)
    assert not torch.equal(first, second)
    engine.seed(1)
    assert torch.equal(first, engine.logits(inputs))


def test_other_encoders_are_left_to_the_reference_engine(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "distilbert"}))
    assert not applies_to(Encoder("other", tmp_path, ""))
