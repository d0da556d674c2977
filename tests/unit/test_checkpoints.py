"""A killed training goes on from its last epoch and ends in the same bits."""

import random

import pytest
import torch
from empathy_transfer.models.fast import FastEngine

from empathy_transfer.records.files import CHECKPOINT
from empathy_transfer.training import train as training
from empathy_transfer.training.checkpoints import Checkpoint
from tiny_encoders import SCHEDULE, items_of, make_encoder

SETTINGS = SCHEDULE | {"dropout": 0.1}
TASK = {"kind": "classification", "metric": "f1_macro", "labels": ["a", "b", "c"]}
ITEMS = {
    "train": items_of([3 + place % 9 for place in range(26)]),
    "validation": items_of([4 + place % 5 for place in range(12)], seed=9),
}
STEPS = 4 * 7


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny random BERT."""
    return make_encoder("bert", tmp_path_factory.mktemp("bert"))


def train(encoder, folder, killed_at=None, settings=SETTINGS):
    """Train; die before a step if one is given. Returns the adapter and head as one vector, and the log."""
    engine = FastEngine(encoder, 3, 4, settings["dropout"], None, 1, "cpu", "fp32")
    steps = 0
    plain = engine.logits

    def logits(batch):
        nonlocal steps
        if engine.training:
            if steps == killed_at:
                raise KeyboardInterrupt
            steps += 1
        return plain(batch)

    engine.logits = logits
    log, best = training.fit(engine, ITEMS, TASK, settings, 7, Checkpoint(folder, {"settings": settings}))
    return engine.flat.detach().clone(), [row["validation"] for row in log], best


def test_killed_at_ten_random_steps_it_ends_in_the_same_bits(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    expected = train(encoder, tmp_path / "undisturbed")
    for step in random.Random(5).sample(range(1, STEPS), 10):
        folder = tmp_path / str(step)
        with pytest.raises(KeyboardInterrupt):
            train(encoder, folder, killed_at=step)
        assert (folder / CHECKPOINT).exists() == (step >= 7)
        vector, scores, best = train(encoder, folder)
        assert torch.equal(vector, expected[0])
        assert (scores, best) == expected[1:]


def test_a_checkpoint_of_other_settings_or_damaged_is_left_aside(encoder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        train(encoder, tmp_path, killed_at=20)
    others = SETTINGS | {"learning_rate": 0.02}
    fresh = train(encoder, tmp_path / "fresh", settings=others)
    assert torch.equal(train(encoder, tmp_path, settings=others)[0], fresh[0])
    assert "belongs to other settings" in capsys.readouterr().out
    data = bytearray((tmp_path / CHECKPOINT).read_bytes())
    data[-5] ^= 1
    (tmp_path / CHECKPOINT).write_bytes(data)
    assert Checkpoint(tmp_path, {"settings": others}).load() is None
    assert "is damaged" in capsys.readouterr().out
    (tmp_path / CHECKPOINT).write_bytes(b"no tensors")
    assert Checkpoint(tmp_path, {"settings": others}).load() is None


def test_training_ends_early_only_when_asked(encoder, tmp_path):
    # With a rate of nearly 0 no epoch is better than the first.
    still = SETTINGS | {"learning_rate": 1e-12}
    assert len(train(encoder, tmp_path / "a", settings=still)[1]) == 4
    assert len(train(encoder, tmp_path / "b", settings=still | {"patience": 2})[1]) == 3


def test_a_loss_that_is_not_finite_names_its_step_and_the_settings(encoder, tmp_path, monkeypatch):
    plain = training.task_loss
    steps = iter(range(1, 99))
    monkeypatch.setattr(training, "task_loss", lambda *given: plain(*given) * (torch.nan if next(steps) == 10 else 1))
    with pytest.raises(FloatingPointError, match=r"step 3 of 7 of epoch 2 \(learning_rate 0.01, batch_size 4, "):
        train(encoder, tmp_path)
