"""Engines that train a whole encoder."""

import pytest
import torch

from empathy_transfer.models.heads import LinearHead
from empathy_transfer.training.checkpoints import NoCheckpoint
from empathy_transfer.training.loop import fit
from tiny_encoders import SCHEDULE, batch, items_of, make_encoder, make_model
from tiny_objectives import objective_for

SETTINGS = SCHEDULE | {"epochs": 3, "learning_rate": 1e-3, "warmup_share": 0.0, "beta_2": 0.98, "epsilon": 1e-6}
ITEMS = {name: items_of([7, 9, 5, 8, 6, 4, 9, 7], kind="regression") for name in ("train", "validation")}
OBJECTIVE = objective_for(ITEMS, {"kind": "regression", "metric": "ccc"})
FULL = {"settings": {"type": "full"}, "head": LinearHead(1, 4.2), "seed": 5}


def engines(kind, folder):
    encoder = make_encoder(kind, folder)
    return [make_model(encoder, engine=engine, **FULL) for engine in ("fast", "reference")]


def weights(packed, gradients=False):
    """The weights of a packed engine by name, or their gradients."""
    flat = packed.flat.grad if gradients else packed.flat.detach()
    embeddings = packed.body.embeddings.items()
    found = {name: tensor.grad if gradients else tensor.detach() for name, tensor in embeddings}
    return found | {name: tensor for part in packed.named(flat).values() for name, tensor in part.items()}


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_the_packed_engine_computes_the_library_s_outputs_and_gradients(kind, tmp_path):
    packed, library = engines(kind, tmp_path)
    texts = batch([5, 9, 17, 3], kind="regression")
    for engine in (packed, library):
        engine.train()
        engine.logits(texts).square().mean().backward()
    assert torch.allclose(packed.logits(texts), library.logits(texts), atol=1e-4)
    found = weights(packed, gradients=True)
    expected = {name: parameter.grad for name, parameter in library.trained().items()}
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        if not name.endswith("key.bias"):  # attention doesn't change with it: its gradient is rounding
            assert torch.allclose(found[name], gradient, rtol=0, atol=2e-3 * float(gradient.abs().max())), name


def test_the_library_trains_all_but_the_pooler(tmp_path):
    _, library = engines("bert", tmp_path)
    names = {name for name, _ in library.model.named_parameters() if not name.startswith("pooler.")}
    assert library.trained().keys() == names | {"head.weight", "head.bias"}


def test_every_weight_of_the_encoder_is_trained(tmp_path):
    packed, _ = engines("bert", tmp_path)
    before = {name: tensor.clone() for name, tensor in weights(packed).items()}
    fit(packed, ITEMS, OBJECTIVE, SETTINGS, 1, NoCheckpoint())
    unchanged = [name for name, tensor in weights(packed).items() if torch.equal(tensor, before[name])]
    assert unchanged == []


def test_the_head_starts_at_the_given_mean(tmp_path):
    for engine in engines("bert", tmp_path):
        assert float(engine.head()["head.bias"]) == pytest.approx(4.2)


def test_heads_begin_with_the_same_bits_and_no_adapter_is_added(tmp_path):
    packed, library = engines("bert", tmp_path)
    assert packed.head().keys() == library.head().keys()
    assert all(torch.equal(tensor, library.head()[name]) for name, tensor in packed.head().items())
    assert packed.adapter() == library.adapter() == {}


def test_the_same_seed_trains_the_same_model(tmp_path):
    encoder = make_encoder("bert", tmp_path)
    logs = [
        fit(make_model(encoder, dropout=0.1, **FULL), ITEMS, OBJECTIVE, SETTINGS, 3, NoCheckpoint())[0]
        for _ in range(2)
    ]
    assert [row["training_loss"] for row in logs[0]] == [row["training_loss"] for row in logs[1]]


def test_an_encoder_of_another_kind_gets_the_library(tmp_path):
    encoder = make_encoder("bert", tmp_path / "bert")
    assert make_model(encoder, engine="auto", **FULL).name == "fast"
    assert make_model(encoder, engine="reference", **FULL).name == "reference"
    encoder = make_encoder("deberta-v2", tmp_path / "deberta")
    assert make_model(encoder, engine="auto", **FULL).name == "reference"
    with pytest.raises(ValueError, match="can't compute"):
        make_model(encoder, engine="fast", **FULL)
