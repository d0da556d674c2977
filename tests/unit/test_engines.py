"""The packed engine against the library's engine: the same models, and which engine computes which."""

import json
import sys
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file

from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.compose import is_packable
from empathy_transfer.records.encoders import MINILM, Encoder, find_encoder
from empathy_transfer.training.optimizer import AdamW
from tiny_encoders import ADAPTER, batch, loss_of, make_encoder, make_model, randomise, save_as_job

ENGINES = ("reference", "fast")
STACKS = pytest.mark.parametrize("stacked", [False, True], ids=["baseline", "transfer"])


@pytest.fixture(scope="module", params=["bert", "roberta"])
def encoder(request, tmp_path_factory):
    """A tiny random encoder of each type, in a folder."""
    return make_encoder(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """Jobs write below the working folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def source(encoder):
    """An adapter file of the encoder with random weights."""
    return random_adapter(encoder)


def random_adapter(encoder, folder="source", seed=5, settings=ADAPTER):
    """Let a job write an adapter with random weights; returns its path."""
    model = randomise(make_model(encoder, settings=settings), 0.2, seed)
    return save_as_job(model, encoder, folder, settings=settings)[0]


def both(encoder, sources=(), outputs=3, **options):
    """The library's model and the packed one, with the same weights (see the test of their beginning)."""
    return [make_model(encoder, outputs, sources, engine=engine, **options) for engine in ENGINES]


def tensors_of(model):
    """All trained tensors of a model without a trained encoder, by part and name."""
    return {"adapter": model.adapter(), "head": model.head()}


def assert_gradients_agree(reference, fast):
    """Every trained tensor has the same gradient in both engines, up to 1e-5 of its largest entry."""
    own = {name: gradient for part in fast.named(fast.flat.grad).values() for name, gradient in part.items()}
    trained = {name.replace(".adapters.target.", ".adapters."): part for name, part in reference.trained().items()}
    assert own.keys() == trained.keys()
    for name, parameter in trained.items():
        scale = parameter.grad.abs().max().clamp(min=1e-6)
        assert (own[name] - parameter.grad).abs().max() <= 1e-5 * scale + 1e-7, name


def assert_models_agree(models, inputs, kind="classification"):
    """The same outputs, up to 1e-5, and the same gradients."""
    logits = [model.logits(inputs) for model in models]
    torch.testing.assert_close(logits[1], logits[0], rtol=1e-5, atol=1e-5)
    for result in logits:
        loss_of(result, inputs.labels, kind).backward()
    assert_gradients_agree(*models)


@STACKS
def test_from_one_seed_both_engines_begin_with_the_same_bits(encoder, source, stacked):
    reference, fast = both(encoder, [source] if stacked else [], seed=8)
    for part, tensors in tensors_of(fast).items():
        given = tensors_of(reference)[part]
        assert {name: tensor.shape for name, tensor in tensors.items()} == {
            name: tensor.shape for name, tensor in given.items()
        }
        assert all(torch.equal(tensor, given[name]) for name, tensor in tensors.items())
        assert any(tensor.any() for tensor in tensors.values())


@STACKS
@pytest.mark.parametrize("context", [False, True], ids=["plain", "context"])
@pytest.mark.parametrize("lengths", [[1], [7, 3, 12], [256, 40]], ids=str)
@pytest.mark.parametrize("kind", ["classification", "regression", "multilabel"])
def test_logits_and_gradients_equal_the_reference(encoder, source, stacked, context, lengths, kind):
    models = both(encoder, [source] if stacked else [], 1 if kind == "regression" else 3)
    assert_models_agree(models, batch(lengths, context and encoder.name == "bert", kind), kind)


@STACKS
def test_twenty_steps_end_in_the_weights_of_the_reference(encoder, source, stacked):
    models = both(encoder, [source] if stacked else [])
    for model in models:
        optimizer = AdamW(model.parameters(), 1e-3, 0.01, 20, 0.1, 1.0)
        for step in range(20):
            inputs = batch([9, 4, 30, 17], context=encoder.name == "bert", seed=step)
            loss_of(model.logits(inputs), inputs.labels, "classification").backward()
            optimizer.step()
    reference, fast = map(tensors_of, models)
    for part, tensors in reference.items():
        for name, tensor in tensors.items():
            assert (fast[part][name] - tensor).abs().max() <= 1e-4 * tensor.abs().max().clamp(min=1e-3), name


@STACKS
def test_minilm_gives_the_logits_and_gradients_of_the_reference(stacked):
    encoder, settings = find_encoder(MINILM), ADAPTER | {"reduction_factor": 16}
    sources = [random_adapter(encoder, settings=settings)] if stacked else []
    inputs = batch([1, 256, 40, 77], context=True, vocabulary=30000)
    assert_models_agree(both(encoder, sources, settings=settings), inputs)


def test_two_sources_give_what_the_library_s_stack_of_them_gives(encoder, source):
    sources = [source, random_adapter(encoder, "other", seed=6)]
    reference, fast = both(encoder, sources)
    assert list(reference.model.active_adapters) == ["source_0", "source_1", "target"]
    for model in (reference, fast):
        assert [tensors.keys() for tensors in model.sources()] == [model.adapter().keys()] * 2
    assert_models_agree([reference, fast], batch([9, 4, 30]))
    turned = make_model(encoder, sources=sources[::-1])
    assert not torch.allclose(turned.logits(batch([9, 4, 30])), fast.logits(batch([9, 4, 30])), atol=1e-4)


@pytest.mark.parametrize("count", [1, 2], ids=["source", "two sources"])
def test_source_adapters_get_no_gradient_and_stay_as_they_are(encoder, source, count):
    for model in both(encoder, [source] * count):
        before = [{name: tensor.clone() for name, tensor in one.items()} for one in model.sources()]
        optimizer = AdamW(model.parameters(), 0.1, 0.0, 5, 0.0, 1.0)
        inputs = batch([5, 9])
        loss_of(model.logits(inputs), inputs.labels, "classification").backward()
        optimizer.step()
        assert len(before) == count
        for one, tensors in zip(before, model.sources(), strict=True):
            assert one
            assert all(torch.equal(tensor, one[name]) for name, tensor in tensors.items())


def test_a_transfer_trains_as_many_parameters_as_a_baseline(encoder, source):
    for engine in ENGINES:
        counts = [
            sum(p.numel() for p in make_model(encoder, sources=sources, engine=engine).parameters())
            for sources in ([], [source])
        ]
        assert counts[0] == counts[1] > 0


def test_new_weights_do_not_depend_on_the_source(encoder, source):
    for engine in ENGINES:
        without, stacked = (
            tensors_of(make_model(encoder, sources=sources, engine=engine, seed=7)) for sources in ([], [source])
        )
        for part, tensors in stacked.items():
            assert all(torch.equal(without[part][name], tensor) for name, tensor in tensors.items())


def test_the_stack_applies_the_source_before_the_target(encoder, source):
    reference, _ = both(encoder, [source])
    assert list(reference.model.active_adapters) == ["source_0", "target"]
    other = random_adapter(encoder, "other", seed=6)
    results = []
    for below, above in ((source, other), (other, source)):
        fast, (given,) = make_model(encoder, sources=[below]), make_model(encoder, sources=[above]).sources()
        for name, tensor in fast.adapter().items():
            tensor.copy_(given[name])
        fast.head()["4.weight"].normal_(generator=torch.Generator().manual_seed(1))
        results.append(fast.logits(batch([6, 6])))
    assert not torch.allclose(*results, atol=1e-4)


def test_dropout_acts_in_training_only(encoder):
    model = make_model(encoder, dropout=0.5)
    inputs = batch([6, 6])
    assert torch.equal(model.logits(inputs), model.logits(inputs))
    model.train()
    model.seed(1)
    first, second = model.logits(inputs), model.logits(inputs)
    assert not torch.equal(first, second)
    model.seed(1)
    assert torch.equal(first, model.logits(inputs))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_head_reads_the_vectors_that_are_encoded(encoder, engine):
    model, inputs = make_model(encoder, engine=engine), batch([6, 9])
    model.train(False)
    vectors = model.encode(inputs).float()
    head = model.head()
    dense = torch.tanh(vectors @ head["1.weight"].T + head["1.bias"])
    torch.testing.assert_close(model.logits(inputs), dense @ head["4.weight"].T + head["4.bias"])


# The encoder as it is ------------------------------------------------------------------------------------------------


def test_without_an_adaptation_the_head_alone_is_trained(encoder):
    models = both(encoder, settings={"type": "none"})
    inputs, before = batch([9, 4, 30, 17], context=encoder.name == "bert"), []
    for model in models:
        assert (model.adapter(), model.sources()) == ({}, [])
        assert sum(p.numel() for p in model.parameters()) == sum(tensor.numel() for tensor in model.head().values())
        before.append({name: tensor.clone() for name, tensor in model.head().items()})
    vectors = [model.encode(inputs).detach() for model in models]
    assert before[0].keys() == before[1].keys()
    assert all(torch.equal(tensor, before[1][name]) for name, tensor in before[0].items())
    assert_models_agree(models, inputs)
    for model, first, encoded in zip(models, before, vectors, strict=True):
        AdamW(model.parameters(), 0.1, 0.0, 5, 0.0, 1.0).step()
        assert not any(torch.equal(tensor, first[name]) for name, tensor in model.head().items())
        assert torch.equal(model.encode(inputs), encoded)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["none", "full"])
def test_what_adds_no_adapter_takes_no_source(encoder, source, engine, kind):
    with pytest.raises(ValueError, match=f"type {kind} has no adapter to put on its sources"):
        make_model(encoder, sources=[source], engine=engine, settings={"type": kind})


# Which engine computes what ------------------------------------------------------------------------------------------


def test_other_encoders_are_left_to_the_reference_engine(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "distilbert"}))
    assert not is_packable(Encoder("other", tmp_path, ""))


@pytest.mark.parametrize("kind", ["deberta-v2", "distilbert"])
@pytest.mark.parametrize("type_", ["seq_bn", "full", "none"])
def test_the_library_s_engine_trains_other_encoders(tmp_path, kind, type_):
    encoder, settings = make_encoder(kind, tmp_path), {"type": type_, "reduction_factor": 4}
    with pytest.raises(ValueError, match=f"the fast engine can't compute {kind}; set `engine: auto`"):
        make_model(encoder, settings=settings)
    model, inputs = make_model(encoder, engine="auto", settings=settings, dropout=0.3), batch([5, 9])
    assert model.name == "reference"
    assert bool(model.adapter()) == (type_ == "seq_bn")
    model.train(False)
    assert torch.equal(model.logits(inputs), model.logits(inputs))
    model.train()
    model.seed(1)
    first = model.logits(inputs)
    assert not torch.equal(first, model.logits(inputs))
    loss_of(first, inputs.labels, "classification").backward()
    without = {name for name, parameter in model.trained().items() if parameter.grad is None}
    assert without == set()


def test_both_engines_offer_both_encoders_by_their_settings(encoder):
    names = [make_model(encoder, engine=engine).name for engine in ("auto", "fast", "reference")]
    assert names == ["fast", "fast", "reference"]


@pytest.fixture
def library_type(monkeypatch):
    """A type of adapter that the library knows and the packed engine doesn't: its file in `models/adaptations`."""
    from adapters import DoubleSeqBnConfig

    module = ModuleType("bottleneck_pairs")
    module.TRAINS_ENCODER = False
    module.library_config = lambda settings: DoubleSeqBnConfig(reduction_factor=settings["reduction_factor"])
    monkeypatch.setitem(sys.modules, "empathy_transfer.models.adaptations.bottleneck_pairs", module)
    return {"type": "bottleneck_pairs", "reduction_factor": 4}


def test_a_type_that_the_packed_engine_lacks_is_left_to_the_library(encoder, library_type):
    with pytest.raises(ValueError, match="the fast engine can't compute adapters of type bottleneck_pairs"):
        make_model(encoder, settings=library_type)
    model = make_model(encoder, engine="auto", settings=library_type)
    assert model.name == "reference"
    assert len(model.adapter()) == 2 * len(make_model(encoder).adapter())
    source = save_as_job(model, encoder, "pairs", settings=library_type)[0]
    stacked = make_model(encoder, engine="auto", settings=library_type, sources=[source], seed=2)
    assert all(torch.equal(tensor, model.adapter()[name]) for name, tensor in stacked.sources()[0].items())
    loss_of(stacked.logits(batch([5, 9])), batch([5, 9]).labels, "classification").backward()
    assert all(parameter.grad.any() for parameter in stacked.trained().values())


def test_an_unknown_type_of_adapter_is_named():
    with pytest.raises(ValueError, match="unknown adapter type 'prefix'"):
        Adaptation({"type": "prefix"}).type  # noqa: B018 - the look-up is what fails
