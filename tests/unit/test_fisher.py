"""Gradients per example against a loop over single examples, and against the reference model."""

import pytest
import torch

from empathy_transfer.data.batches import batch_of
from empathy_transfer.features.fisher import squared_gradients
from empathy_transfer.kinds import kind_of
from tiny_encoders import items_of, make_encoder, make_model, randomise


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny random BERT."""
    return make_encoder("bert", tmp_path_factory.mktemp("bert"))


@pytest.mark.parametrize("kind", ["classification", "regression", "multilabel"])
def test_a_batch_gives_what_a_loop_over_single_items_gives(encoder, kind):
    engine = make_model(encoder, 1 if kind == "regression" else 3)
    items = items_of([5, 40, 1, 17], kind=kind)
    together = squared_gradients(engine, batch_of(items, "train", range(4)), kind, variance=2.0)
    assert together.shape == (2 * 3, 4, 32)
    for row in range(4):
        alone = squared_gradients(engine, batch_of(items, "train", [row]), kind, variance=2.0)
        scale = alone.abs().max()
        assert (together[:, row] - alone[:, 0]).abs().max() <= 1e-5 * scale


def test_they_are_the_gradients_of_what_is_added_to_the_stream(encoder):
    """A change of an activation changes the log-likelihood as the gradient says."""
    engine = randomise(make_model(encoder), 0.3, 4)  # large enough for differences that single precision can tell
    log_likelihood = kind_of("classification").log_likelihood
    batch = batch_of(items_of([6]), "train", [0])
    record = []
    likelihood = log_likelihood(engine.logits(batch, record), batch.labels).sum()
    gradient = torch.autograd.grad(likelihood, record)[3]  # the feed-forward block of the second layer
    expected = (gradient[:6] ** 2).mean(0)
    torch.testing.assert_close(squared_gradients(engine, batch, "classification")[3, 0], expected)

    bias = engine.body.weights["encoder.layer.1.output.dense.bias"]
    values = []
    place = int(gradient[:6].sum(0).abs().argmax())
    for step in (0.01, -0.01):
        bias[place] += step  # added to every token alike, so it moves by the sum over tokens
        values.append(log_likelihood(engine.logits(batch), batch.labels).item())
        bias[place] -= step
    assert (values[0] - values[1]) / 0.02 == pytest.approx(gradient[:6, place].sum().item(), rel=2e-2)
