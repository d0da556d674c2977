"""Losses, by hand."""

import importlib
import math
import pkgutil

import pandas
import pytest
import torch

from empathy_transfer import kinds, losses
from empathy_transfer.kinds import kind_of
from empathy_transfer.losses import head_outputs, kind_outputs, loss_function
from empathy_transfer.losses.kl_divergence import soft_targets

PREDICTIONS, LABELS = torch.tensor([[1.0], [2.0], [3.0], [9.0]]), torch.tensor([1.5, 2.0, 2.0, 4.0])
NAMES = [module.name for module in pkgutil.iter_modules(losses.__path__)]
# Settings without which a loss can't be computed.
NEEDED = {"huber": {"delta": 1.0}, "trimmed": {"share": 0.1}, "focal": {"alpha": 0.25, "gamma": 2.0}}
NEEDED |= {"kl_divergence": {"smoothing": 0.2, "spread": "neighbours"}, "contrastive": {"margin": 0.5}}
NEEDED |= {"contrastive_released": {"margin": 0.5, "architecture": "bi"}, "cosine_embedding": {"margin": 0.0}}
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
        settings = {"name": name} | NEEDED.get(name, {})
        outputs = torch.zeros(2, head_outputs(settings, kind_of(task).outputs(task)), requires_grad=True)
        loss = loss_function(settings)(outputs, encoded)
        assert loss.shape == ()
        loss.backward()
        assert outputs.grad.any()


LOGITS, LEVELS = (
    torch.tensor([[0.3, -1.0, 2.0, 0.5], [1.0, 0.2, -0.4, 0.1], [0.0, 0.0, 3.0, 1.0]]),
    torch.tensor([2, 0, 1]),
)


def test_focal_and_divergence_from_hard_targets_are_cross_entropy():
    expected = value(LOGITS, LEVELS, name="cross_entropy")
    assert value(LOGITS, LEVELS, name="focal", alpha=1.0, gamma=0.0) == pytest.approx(expected, abs=1e-6)
    for spread in ("neighbours", "all"):
        found = value(LOGITS, LEVELS, name="kl_divergence", smoothing=0.0, spread=spread)
        assert found == pytest.approx(expected, abs=1e-6)


def test_focal_counts_what_is_answered_well_less():
    logits = torch.tensor([[math.log(3), 0.0], [0.0, 0.0]])  # own classes have 3/4 and 1/2
    expected = 0.25 * ((1 / 4) ** 2 * math.log(4 / 3) + (1 / 2) ** 2 * math.log(2)) / 2
    assert value(logits, torch.tensor([0, 1]), name="focal", alpha=0.25, gamma=2.0) == pytest.approx(expected)


def test_soft_targets_go_to_neighbours_or_to_all():
    levels = torch.tensor([0, 2])
    neighbours = [[0.8, 0.2, 0, 0], [0, 0.1, 0.8, 0.1]]
    assert soft_targets(levels, 4, 0.2, "neighbours").tolist() == [pytest.approx(row) for row in neighbours]
    everybody = [[0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.7, 0.1]]
    assert soft_targets(levels, 4, 0.3, "all").tolist() == [pytest.approx(row) for row in everybody]
    # sum y log(y / p) with p = 1/4 each: log 4 less the entropy of the targets.
    entropy = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    found = value(torch.zeros(1, 4), levels[:1], name="kl_divergence", smoothing=0.2, spread="neighbours")
    assert found == pytest.approx(math.log(4) - entropy, abs=1e-6)
    with pytest.raises(ValueError, match="some"):
        soft_targets(levels, 4, 0.2, "some")


def test_corn_by_hand():
    settings = {"name": "corn"}
    assert head_outputs(settings, 4) == 3
    assert head_outputs({"name": "focal"}, 4) == 4
    odds = torch.tensor([[math.log(3), 0.0, -math.log(3)]] * 2)  # 3/4 go beyond level 0, of them 1/2, of them 1/4
    shares = torch.from_numpy(kind_outputs(settings, odds.numpy())).softmax(1)
    expected = [1 / 4, 3 / 4 * 1 / 2, 3 / 4 * 1 / 2 * 3 / 4, 3 / 4 * 1 / 2 * 1 / 4]
    assert shares.tolist() == [pytest.approx(expected)] * 2
    # Level 1 goes beyond 0 and not beyond 1, level 0 does not go beyond 0: three steps count.
    found = value(odds, torch.tensor([1, 0]), name="corn")
    assert found == pytest.approx((math.log(4 / 3) + math.log(2) + math.log(4)) / 3)


COSINES, CLOSE = torch.tensor([[0.9], [0.2], [-0.5]]), torch.tensor([1.0, 0.25, 0.0])


def test_absolute_error_is_the_mean():
    assert value(PREDICTIONS, LABELS, name="absolute_error") == pytest.approx((0.5 + 0 + 1 + 5) / 4)


def test_contrastive_losses_by_hand():
    # Distances .1, .8, 1.5; only y = 1 and y = .25 cost something: beyond the margin of .5 the rest is free.
    expected = (0.1**2 + 0.25 * 0.8**2) / 3
    assert value(COSINES, CLOSE, name="contrastive", margin=0.5) == pytest.approx(expected)
    near = value(torch.tensor([[0.8]]), torch.tensor([0.0]), name="contrastive", margin=0.5)
    assert near == pytest.approx(0.3**2)
    # Released for bi-encoders: (1 - y) c^2 + y max(0, .5 - c)^2.
    expected = (0 + 0.75 * 0.2**2 + 0.25 * 0.3**2 + 0.5**2) / 3
    released = {"name": "contrastive_released", "margin": 0.5}
    assert value(COSINES, CLOSE, architecture="bi", **released) == pytest.approx(expected)
    # For cross-encoders: y (1 - z)^2 + (1 - y) max(0, .5 - z)^2.
    expected = (0.1**2 + 0.25 * 0.8**2 + 0.75 * 0.3**2 + 1.0**2) / 3
    assert value(COSINES, CLOSE, architecture="cross", **released) == pytest.approx(expected)


def test_cosine_embedding_takes_labels_as_close_or_apart():
    assert value(COSINES, CLOSE, name="cosine_embedding", margin=0.0) == pytest.approx((0.1 + 0.2 + 0) / 3)
    expected = torch.nn.functional.cosine_embedding_loss
    first, second = torch.randn(4, 5), torch.randn(4, 5)
    labels = torch.tensor([0.9, 0.5, 0.51, 0.1])
    cosines = torch.nn.functional.cosine_similarity(first, second)[:, None]
    theirs = expected(first, second, torch.where(labels > 0.5, 1, -1))
    assert value(cosines, labels, name="cosine_embedding", margin=0.0) == pytest.approx(float(theirs))
