"""The fast engine against the reference engine on the `adapters` library."""

import json

import pytest
import torch
from safetensors.torch import save_file

from empathy_transfer.adapter_files import save_adapter
from empathy_transfer.encoders import Encoder
from empathy_transfer.fast import FastEngine, applies_to
from empathy_transfer.job import open_job
from empathy_transfer.reference import ReferenceEngine
from empathy_transfer.training import task_loss
from fake_jobs import fake_snakemake

SIZES = {
    "vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64,
    "max_position_embeddings": 300,
}  # fmt: skip


@pytest.fixture(scope="module", params=["bert", "roberta"])
def encoder(request, tmp_path_factory):
    """A tiny random encoder of each type, in a folder."""
    from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

    torch.manual_seed(0)
    kinds = {"bert": (BertConfig, BertModel), "roberta": (RobertaConfig, RobertaModel)}
    make_config, make_model = kinds[request.param]
    extra = {"type_vocab_size": 2 if request.param == "bert" else 1}
    folder = tmp_path_factory.mktemp(request.param)
    model = make_model(make_config(**SIZES, **extra))
    for parameter in model.parameters():  # so that no bias is zero and no layer norm is the identity
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    return Encoder(name=request.param, folder=folder, weights_sha256="0" * 64)


@pytest.fixture
def source(encoder, tmp_path, monkeypatch):
    """An adapter file of the encoder with random weights, made by a job."""
    monkeypatch.chdir(tmp_path)
    shapes = FastEngine(encoder, 2, 4, 0.0, None, 0, "cpu", "fp32").adapter_shapes(4)
    generator = torch.Generator().manual_seed(5)
    tensors = {name: 0.2 * torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    output = {"adapter": "run/adapter.safetensors", "provenance": "run/provenance.json"}
    with open_job(fake_snakemake("train_baseline", output)) as job:
        save_adapter(job.output["adapter"], tensors, encoder, 4)
    return tmp_path / "run/adapter.safetensors"


def both(encoder, source, outputs):
    """The two engines with the same weights."""
    arguments = {"reduction_factor": 4, "dropout": 0.0, "source_adapter": source}
    arguments |= {"device": "cpu", "precision": "fp32", "seed": 1}
    reference = ReferenceEngine(encoder, outputs, **arguments)
    fast = FastEngine(encoder, outputs, **arguments)
    with torch.no_grad():
        for name, tensor in reference.adapter().items():
            fast.target[name].copy_(tensor)
        for name, tensor in reference.head().items():
            fast.top[name].copy_(tensor)
    return reference, fast


def batch(lengths, context):
    """Random token ids of these lengths, padded; the first half of each row is its context if there is one."""
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(5, 50, (len(lengths), max(lengths)), generator=generator)
    mask = (torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]).long()
    kinds = (torch.arange(max(lengths))[None] >= torch.tensor(lengths)[:, None] // 2).long() * mask
    return ids * mask, kinds if context else torch.zeros_like(ids), mask


@pytest.mark.parametrize("stacked", [False, True], ids=["baseline", "transfer"])
@pytest.mark.parametrize("context", [False, True], ids=["plain", "context"])
@pytest.mark.parametrize("lengths", [[1], [7, 3, 12], [256, 40]], ids=str)
@pytest.mark.parametrize("kind", ["classification", "regression", "multilabel"])
def test_logits_and_gradients_equal_the_reference(encoder, source, stacked, context, lengths, kind):
    outputs = 1 if kind == "regression" else 3
    reference, fast = both(encoder, source if stacked else None, outputs)
    labels = {
        "classification": torch.arange(len(lengths)) % 3,
        "regression": torch.linspace(-1, 1, len(lengths)),
        "multilabel": (torch.arange(len(lengths) * 3).view(-1, 3) % 2).float(),
    }[kind]
    inputs = batch(lengths, context and encoder.name == "bert")
    logits = [engine.logits(*inputs) for engine in (reference, fast)]
    torch.testing.assert_close(logits[1], logits[0], rtol=1e-5, atol=1e-5)
    for result in logits:
        task_loss(result, labels, kind).backward()
    gradients = {name: tensor.grad for name, tensor in fast.target.items()}
    for name, parameter in reference.model.named_parameters():
        if ".adapters.target." in name:
            own = gradients[name.replace(".adapters.target.", ".adapters.")]
            scale = parameter.grad.abs().max().clamp(min=1e-6)
            assert (own - parameter.grad).abs().max() <= 1e-5 * scale + 1e-7, name


def test_the_source_adapter_gets_no_gradient_and_stays_as_it_is(encoder, source):
    for engine in both(encoder, source, 3):
        before = {name: tensor.clone() for name, tensor in engine.source().items()}
        optimizer = torch.optim.AdamW(engine.trained().values(), lr=0.1)
        task_loss(engine.logits(*batch([5, 9], False)), torch.tensor([0, 2]), "classification").backward()
        optimizer.step()
        assert before
        assert all(torch.equal(tensor, before[name]) for name, tensor in engine.source().items())


def test_a_transfer_trains_as_many_parameters_as_a_baseline(encoder, source):
    for engine in (ReferenceEngine, FastEngine):
        counts = [
            sum(p.numel() for p in engine(encoder, 3, 4, 0.0, path, 1, "cpu", "fp32").trained().values())
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
    with torch.no_grad():
        for tensor in fast.target.values():
            tensor.normal_(std=0.5)
        fast.top["4.weight"].normal_()
    straight = fast.logits(*batch([6, 6], False))
    fast._source, fast.target = fast.target, fast.frozen
    assert not torch.allclose(straight, fast.logits(*batch([6, 6], False)), atol=1e-4)


def test_dropout_acts_in_training_only(encoder):
    engine = FastEngine(encoder, 3, 4, 0.5, None, 1, "cpu", "fp32")
    inputs = batch([6, 6], False)
    assert torch.equal(engine.logits(*inputs), engine.logits(*inputs))
    engine.train()
    assert not torch.equal(engine.logits(*inputs), engine.logits(*inputs))


def test_other_encoders_are_left_to_the_reference_engine(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "distilbert"}))
    assert not applies_to(Encoder("other", tmp_path, ""))
