"""Gradients per example against a loop over single examples, and against the reference model."""

import pytest
import torch
from empathy_transfer.models.fast import FastEngine

from empathy_transfer.data.batches import batch_of
from empathy_transfer.features.fisher import log_likelihood, squared_gradients
from tiny_encoders import items_of, make_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny random BERT."""
    return make_encoder("bert", tmp_path_factory.mktemp("bert"))


@pytest.mark.parametrize("kind", ["classification", "regression", "multilabel"])
def test_a_batch_gives_what_a_loop_over_single_items_gives(encoder, kind):
    engine = FastEngine(encoder, 1 if kind == "regression" else 3, 4, 0.0, None, 1, "cpu", "fp32")
    items = items_of([5, 40, 1, 17], kind=kind)
    together = squared_gradients(engine, batch_of(items, "train", range(4)), kind, variance=2.0)
    assert together.shape == (2 * 3, 4, 32)
    for row in range(4):
        alone = squared_gradients(engine, batch_of(items, "train", [row]), kind, variance=2.0)
        scale = alone.abs().max()
        assert (together[:, row] - alone[:, 0]).abs().max() <= 1e-5 * scale


def test_they_are_the_gradients_of_what_is_added_to_the_stream(encoder):
    """A change of an activation changes the log-likelihood as the gradient says."""
    engine = FastEngine(encoder, 3, 4, 0.0, None, 1, "cpu", "fp32")
    with torch.no_grad():  # large enough for differences that single precision can tell
        engine.flat.normal_(std=0.3, generator=torch.Generator().manual_seed(4))
    batch = batch_of(items_of([6]), "train", [0])
    record = []
    likelihood = log_likelihood(engine.logits(batch, record), batch.labels, "classification").sum()
    gradient = torch.autograd.grad(likelihood, record)[3]  # the feed-forward block of the second layer
    expected = (gradient[:6] ** 2).mean(0)
    torch.testing.assert_close(squared_gradients(engine, batch, "classification")[3, 0], expected)

    bias = engine.weights["encoder.layer.1.output.dense.bias"]
    values = []
    place = int(gradient[:6].sum(0).abs().argmax())
    for step in (0.01, -0.01):
        bias[place] += step  # added to every token alike, so it moves by the sum over tokens
        values.append(log_likelihood(engine.logits(batch), batch.labels, "classification").item())
        bias[place] -= step
    assert (values[0] - values[1]) / 0.02 == pytest.approx(gradient[:6, place].sum().item(), rel=2e-2)
