"""Engines that train a whole encoder, and the losses they are trained with."""

import numpy as np
import pytest
import torch
from empathy_transfer.models.full_model import LibraryFullModel, PackedFullModel, choose_full_engine
from empathy_transfer.training.losses import regression_loss
from empathy_transfer.training.train import fit, is_exhausted

from tiny_encoders import SCHEDULE, batch, items_of, make_encoder

SETTINGS = SCHEDULE | {"epochs": 3, "learning_rate": 1e-3, "warmup_share": 0.0, "beta_2": 0.98, "epsilon": 1e-6}


class Nowhere:
    """A checkpoint that is never there."""

    def load(self):
        return None

    def save(self, tensors, record):
        raise AssertionError("a training of seconds keeps nothing")


def engines(kind, folder, dropout=0.0):
    encoder = make_encoder(kind, folder)
    return [made(encoder, dropout, 5, 4.2, "cpu", "fp32") for made in (PackedFullModel, LibraryFullModel)]


def weights(packed, gradients=False):
    """The weights of a packed engine by name, or their gradients."""
    flat = packed.flat.grad if gradients else packed.flat.detach()
    embeddings = {name: tensor.grad if gradients else tensor.detach() for name, tensor in packed.embeddings.items()}
    return embeddings | {name: tensor for part in packed.named(flat) for name, tensor in part.items()}


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_the_packed_engine_computes_the_library_s_outputs_and_gradients(kind, tmp_path):
    packed, library = engines(kind, tmp_path)
    texts = batch([5, 9, 17, 3], kind="regression")
    for engine in (packed, library):
        engine.train()
        engine.logits(texts).square().mean().backward()
    assert torch.allclose(packed.logits(texts), library.logits(texts), atol=1e-4)
    found = weights(packed, gradients=True)
    expected = {
        name: parameter.grad for name, parameter in library.model.named_parameters() if not name.startswith("pooler.")
    }
    expected |= {"head.weight": library.head.weight.grad, "head.bias": library.head.bias.grad}
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        if not name.endswith("key.bias"):  # attention doesn't change with it: its gradient is rounding
            assert torch.allclose(found[name], gradient, rtol=0, atol=2e-3 * float(gradient.abs().max())), name


def test_every_weight_of_the_encoder_is_trained(tmp_path):
    packed, _ = engines("bert", tmp_path)
    before = {name: tensor.clone() for name, tensor in weights(packed).items()}
    items = {name: items_of([7, 9, 5, 8, 6, 4, 9, 7], kind="regression") for name in ("train", "validation")}
    fit(packed, items, {"kind": "regression", "metric": "ccc"}, SETTINGS, 1, Nowhere())
    unchanged = [name for name, tensor in weights(packed).items() if torch.equal(tensor, before[name])]
    assert unchanged == []


def test_the_head_starts_at_the_given_mean(tmp_path):
    packed, library = engines("bert", tmp_path)
    assert float(weights(packed)["head.bias"]) == pytest.approx(4.2)
    assert float(library.head.bias.detach()) == pytest.approx(4.2)


def test_the_same_seed_trains_the_same_model(tmp_path):
    items = {name: items_of([7, 9, 5, 8, 6, 4, 9, 7], kind="regression") for name in ("train", "validation")}
    logs = [
        fit(
            engines("bert", tmp_path, dropout=0.1)[0],
            items,
            {"kind": "regression", "metric": "ccc"},
            SETTINGS,
            3,
            Nowhere(),
        )[0]
        for _ in range(2)
    ]
    assert [row["training_loss"] for row in logs[0]] == [row["training_loss"] for row in logs[1]]


def test_the_last_epoch_is_tested_where_that_is_asked_for(tmp_path):
    items = {name: items_of([7, 9, 5, 8, 6, 4, 9, 7], kind="regression") for name in ("train", "validation")}
    task = {"kind": "regression", "metric": "ccc"}
    log, last = fit(engines("bert", tmp_path)[0], items, task, SETTINGS | {"tested_epoch": "last"}, 3, Nowhere())
    assert last == len(log) - 1 == 2


def test_an_encoder_of_another_kind_gets_the_library(tmp_path):
    encoder = make_encoder("bert", tmp_path)
    assert choose_full_engine("auto", encoder) is PackedFullModel
    assert choose_full_engine("reference", encoder) is LibraryFullModel
    path = tmp_path / "config.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"model_type": "bert"', '"model_type": "deberta-v2"'), encoding="utf-8"
    )
    assert choose_full_engine("auto", encoder) is LibraryFullModel
    with pytest.raises(ValueError, match="can't compute"):
        choose_full_engine("fast", encoder)


@pytest.mark.parametrize(
    ("epochs", "best", "stops"), [(3, 0, False), (5, 2, True), (5, 3, False), (4, 1, False), (7, 4, True)]
)
def test_training_ends_early_only_after_the_least_epochs(epochs, best, stops):
    assert is_exhausted(epochs, best, {"patience": 2, "least_epochs": 5}) is stops


def test_without_patience_training_never_ends_early():
    assert not is_exhausted(50, 0, {"patience": None})


# Losses --------------------------------------------------------------------------------------------------------------

PREDICTIONS, LABELS = torch.tensor([1.0, 2.0, 3.0, 9.0]), torch.tensor([1.5, 2.0, 2.0, 4.0])


def test_squared_error_is_the_mean():
    assert float(regression_loss(PREDICTIONS, LABELS, {"name": "squared_error"})) == pytest.approx(
        (0.25 + 0 + 1 + 25) / 4
    )


def test_huber_grows_linearly_beyond_delta():
    # 0.5 * 0.5^2, 0, 1 * (1 - 0.5), 1 * (5 - 0.5)
    expected = (0.125 + 0 + 0.5 + 4.5) / 4
    assert float(regression_loss(PREDICTIONS, LABELS, {"name": "huber", "delta": 1.0})) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 26.25 / 4), (0.25, 1.25 / 3), (0.5, 0.25 / 2), (0.125, (1.25 + 12.5) / 3.5)]
)
def test_trimming_leaves_out_a_share_of_the_largest_losses(share, expected):
    assert float(regression_loss(PREDICTIONS, LABELS, {"name": "trimmed", "share": share})) == pytest.approx(expected)


def test_a_trimmed_item_has_no_gradient():
    predictions = PREDICTIONS.clone().requires_grad_()
    regression_loss(predictions, LABELS, {"name": "trimmed", "share": 0.25}).backward()
    assert predictions.grad[3] == 0
    assert np.all(predictions.grad[[0, 2]].numpy() != 0)


def test_an_unknown_loss_is_named():
    with pytest.raises(ValueError, match="absolute"):
        regression_loss(PREDICTIONS, LABELS, {"name": "absolute"})
