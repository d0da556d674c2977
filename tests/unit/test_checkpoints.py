"""A killed training goes on from its last epoch and ends in the same bits."""

import random

import pytest
import torch

from empathy_transfer.records.files import CHECKPOINT
from empathy_transfer.training import loop
from empathy_transfer.training.checkpoints import Checkpoint, NoCheckpoint
from tiny_encoders import SCHEDULE, items_of, make_encoder, make_model
from tiny_objectives import objective_for

SETTINGS = SCHEDULE | {"dropout": 0.1}
ITEMS = {
    "train": items_of([3 + place % 9 for place in range(26)]),
    "validation": items_of([4 + place % 5 for place in range(12)], seed=9),
}
OBJECTIVE = objective_for(ITEMS, {"kind": "classification", "metric": "f1_macro", "labels": ["a", "b", "c"]})
STEPS = 4 * 7


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny random BERT."""
    return make_encoder("bert", tmp_path_factory.mktemp("bert"))


@pytest.fixture
def kept_at_once(monkeypatch):
    """However short an epoch was, its state is kept."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)


def train(encoder, folder, killed_at=None, settings=SETTINGS, hooks=(), engine="fast"):
    """Train; die before a step if one is given. Returns all trained parameters as one vector, the scores and the best
    epoch."""
    model = make_model(encoder, dropout=settings["dropout"], engine=engine)
    steps, plain = 0, model.logits

    def logits(batch):
        nonlocal steps
        if torch.is_grad_enabled():
            if steps == killed_at:
                raise KeyboardInterrupt
            steps += 1
        return plain(batch)

    model.logits = logits
    checkpoint = Checkpoint(folder, {"settings": settings})
    log, best = loop.fit(model, ITEMS, OBJECTIVE, settings, 7, checkpoint, hooks)
    vector = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    return vector, [row["validation"] for row in log], best


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_killed_at_random_steps_it_ends_in_the_same_bits(encoder, tmp_path, kept_at_once, engine):
    expected = train(encoder, tmp_path / "undisturbed", engine=engine)
    for step in random.Random(5).sample(range(1, STEPS), 4 if engine == "fast" else 2):
        folder = tmp_path / str(step)
        with pytest.raises(KeyboardInterrupt):
            train(encoder, folder, killed_at=step, engine=engine)
        assert (folder / CHECKPOINT).exists() == (step >= 7)
        vector, scores, best = train(encoder, folder, engine=engine)
        assert torch.equal(vector, expected[0])
        assert (scores, best) == expected[1:]


def test_a_training_that_a_hook_has_ended_ends_there_again(encoder, tmp_path, kept_at_once):
    hooks = [lambda log: len(log) == 2]
    expected = train(encoder, tmp_path, hooks=hooks)
    assert len(expected[1]) == 2
    # Its job died before it had written its files.
    assert (tmp_path / CHECKPOINT).exists()
    vector, scores, best = train(encoder, tmp_path, hooks=hooks)
    assert torch.equal(vector, expected[0])
    assert (scores, best) == expected[1:]


def test_a_checkpoint_of_other_settings_or_damaged_is_left_aside(encoder, tmp_path, kept_at_once, capsys):
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


def test_an_epoch_that_is_cheap_to_repeat_is_not_kept(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 3600.0)
    with pytest.raises(KeyboardInterrupt):
        train(encoder, tmp_path, killed_at=20)
    assert not list(tmp_path.iterdir())


def test_where_nothing_is_kept_nothing_is_found():
    nothing = NoCheckpoint()
    nothing.save({}, {})
    assert nothing.load() is None
    nothing.remove()
