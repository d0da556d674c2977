"""The loop of every training: when it ends, what it keeps, and what it tells on the way."""

from dataclasses import replace

import pytest
import torch

from empathy_transfer.training.checkpoints import NoCheckpoint
from empathy_transfer.training.loop import fit, is_exhausted
from tiny_encoders import SCHEDULE, items_of, loss_of, make_encoder, make_model
from tiny_objectives import objective_for

TASK = {"kind": "classification", "metric": "f1_macro", "labels": ["a", "b", "c"]}
ITEMS = {
    "train": items_of([3 + place % 9 for place in range(26)]),
    "validation": items_of([4 + place % 5 for place in range(12)], seed=9),
}
# With a rate of nearly 0 no epoch is better than the first.
STILL = SCHEDULE | {"learning_rate": 1e-12}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny random BERT."""
    return make_encoder("bert", tmp_path_factory.mktemp("bert"))


def train(encoder, settings=SCHEDULE, hooks=(), objective=None, engine="fast"):
    """Train a model; returns it, the log and the best epoch."""
    model = make_model(encoder, engine=engine)
    objective = objective or objective_for(ITEMS, TASK)
    return model, *fit(model, ITEMS, objective, settings, 7, NoCheckpoint(), hooks)


def scored(*values):
    """An objective with these scores of the epochs."""
    left = iter(values)
    return replace(objective_for(ITEMS, TASK), score=lambda outputs: next(left))


@pytest.mark.parametrize(
    ("epochs", "best", "stops"), [(3, 0, False), (5, 2, True), (5, 3, False), (4, 1, False), (7, 4, True)]
)
def test_training_ends_early_only_after_the_least_epochs(epochs, best, stops):
    assert is_exhausted(epochs, best, {"patience": 2, "least_epochs": 5}) is stops


def test_without_patience_training_never_ends_early():
    assert not is_exhausted(50, 0, {"patience": None})


def test_training_ends_early_only_when_asked(encoder):
    assert len(train(encoder, STILL)[1]) == 4
    assert len(train(encoder, STILL | {"patience": 2})[1]) == 3


def test_the_best_epoch_is_restored_and_of_equal_ones_the_first(encoder):
    model, log, best = train(encoder, objective=scored(0.1, 0.5, 0.5, 0.2))
    assert [row["validation"] for row in log] == [0.1, 0.5, 0.5, 0.2]
    assert best == 1
    # Order and dropout of an epoch hang on its number alone, so the second epoch is the same where a hook ends there.
    stopped, _, _ = train(encoder, objective=scored(0.1, 0.5), hooks=[lambda log: len(log) == 2])
    assert torch.equal(model.flat, stopped.flat)


def test_the_last_epoch_is_tested_where_that_is_asked_for(encoder):
    model, log, last = train(encoder, SCHEDULE | {"tested_epoch": "last"}, objective=scored(0.9, 0.1, 0.1, 0.2))
    assert last == len(log) - 1 == 3
    best, _, _ = train(encoder, objective=scored(0.1, 0.2, 0.3, 0.4))
    assert torch.equal(model.flat, best.flat)


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_hooks_are_called_with_the_log_after_each_epoch(encoder, engine):
    seen, others = [], []
    hooks = [lambda log: seen.append([row["epoch"] for row in log]), lambda log: others.append(log[-1]["validation"])]
    _, log, _ = train(encoder, hooks=hooks, engine=engine)
    assert seen == [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]
    assert others == [row["validation"] for row in log]


@pytest.mark.parametrize("place", [0, 1])
def test_a_true_answer_of_any_hook_ends_training(encoder, place):
    asked = []
    hooks = [lambda log: asked.append(len(log))]
    hooks.insert(place, lambda log: len(log) == 2)
    _, log, best = train(encoder, hooks=hooks, objective=scored(0.5, 0.1))
    assert (len(log), best) == (2, 0)
    assert asked == [1, 2]


def test_hooks_change_nothing_of_a_training_that_they_leave_alone(encoder):
    plain, hooked = train(encoder)[0], train(encoder, hooks=[lambda log: False])[0]
    assert torch.equal(plain.flat, hooked.flat)


def test_a_loss_that_is_not_finite_names_its_step_and_the_settings(encoder):
    steps = iter(range(1, 99))

    def loss(outputs, labels):
        return loss_of(outputs, labels, "classification") * (torch.nan if next(steps) == 10 else 1)

    with pytest.raises(FloatingPointError, match=r"step 3 of 7 of epoch 2 \(learning_rate 0.01, batch_size 4, "):
        train(encoder, objective=objective_for(ITEMS, TASK, loss))
