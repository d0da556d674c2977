"""Losses, by hand."""

import importlib
import math
import pkgutil

import pandas
import pytest
import torch

from empathy_transfer import kinds, losses
from empathy_transfer.kinds import kind_of
from empathy_transfer.losses import loss_function

PREDICTIONS, LABELS = torch.tensor([[1.0], [2.0], [3.0], [9.0]]), torch.tensor([1.5, 2.0, 2.0, 4.0])
NAMES = [module.name for module in pkgutil.iter_modules(losses.__path__)]
KINDS = {module.name for module in pkgutil.iter_modules(kinds.__path__)}


def kinds_of(name):
    """The kinds of task that a loss says it trains."""
    return importlib.import_module(f"{losses.__name__}.{name}").KINDS


def value(outputs, labels, **settings):
    return float(loss_function(settings)(outputs, labels))


def test_cross_entropy_is_the_mean_surprise_at_the_class():
    logits = torch.tensor([[0.0, math.log(3)], [1.0, 1.0]])
    # Shares 1/4 and 3/4, and 1/2 each.
    expected = (math.log(4 / 3) + math.log(2)) / 2
    assert value(logits, torch.tensor([1, 0]), name="cross_entropy") == pytest.approx(expected)


def test_binary_cross_entropy_is_the_mean_surprise_at_each_label():
    logits = torch.tensor([[0.0, math.log(3)], [math.log(3), -math.log(3)]])
    # Shares 1/2 and 3/4, then 3/4 and 1/4, of labels that are there, not there, there and not there.
    expected = (math.log(2) + math.log(4) + math.log(4 / 3) + math.log(4 / 3)) / 4
    labels = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert value(logits, labels, name="binary_cross_entropy") == pytest.approx(expected)


def test_squared_error_is_the_mean():
    assert value(PREDICTIONS, LABELS, name="squared_error") == pytest.approx((0.25 + 0 + 1 + 25) / 4)


def test_huber_grows_linearly_beyond_delta():
    # 0.5 * 0.5^2, 0, 1 * (1 - 0.5), 1 * (5 - 0.5)
    assert value(PREDICTIONS, LABELS, name="huber", delta=1.0) == pytest.approx((0.125 + 0 + 0.5 + 4.5) / 4)
    # 0.5 * 0.5^2, 0, 0.5 * 1, 2 * (5 - 1)
    assert value(PREDICTIONS, LABELS, name="huber", delta=2.0) == pytest.approx((0.125 + 0 + 0.5 + 8) / 4)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 26.25 / 4), (0.25, 1.25 / 3), (0.5, 0.25 / 2), (0.125, (1.25 + 12.5) / 3.5)]
)
def test_trimming_leaves_out_a_share_of_the_largest_losses(share, expected):
    assert value(PREDICTIONS, LABELS, name="trimmed", share=share) == pytest.approx(expected)


def test_a_trimmed_item_has_no_gradient():
    predictions = PREDICTIONS.clone().requires_grad_()
    loss_function({"name": "trimmed", "share": 0.25})(predictions, LABELS).backward()
    assert predictions.grad[3] == 0
    assert predictions.grad[[0, 2]].all()


def test_an_unknown_loss_is_named():
    with pytest.raises(ValueError, match="unknown loss 'absolute'"):
        loss_function({"name": "absolute"})


def test_a_setting_that_a_loss_does_not_have_is_an_error():
    with pytest.raises(TypeError, match="delta"):
        value(PREDICTIONS, LABELS, name="squared_error", delta=1.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_trains_kinds_of_tasks_that_there_are(name):
    assert kinds_of(name)
    assert set(kinds_of(name)) <= KINDS


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("classification", ["b", "a"]), ("regression", [0.5, 2.0]), ("multilabel", [["a"], ["a", "b"]])],
)
def test_every_kind_is_trained_by_losses_that_take_its_labels(kind, labels):
    task = {"kind": kind, "labels": ["a", "b"]}
    encoded = kind_of(task).encode(pandas.Series(labels), task)
    fitting = [name for name in NAMES if kind in kinds_of(name)]
    assert fitting
    for name in fitting:
        settings = {"huber": {"delta": 1.0}, "trimmed": {"share": 0.1}}.get(name, {})
        outputs = torch.zeros(2, kind_of(task).outputs(task), requires_grad=True)
        loss = loss_function({"name": name} | settings)(outputs, encoded)
        assert loss.shape == ()
        loss.backward()
        assert outputs.grad.any()
