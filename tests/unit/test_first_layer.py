"""The kept first layer: the same numbers whoever asks first, damage noticed, space bounded."""

import numpy as np
import pytest
import torch

from empathy_transfer.data.batches import batch_of
from empathy_transfer.models.first_layer import FirstLayer
from tiny_encoders import ADAPTER, items_of, make_encoder, make_model

LENGTHS = [5, 40, 1, 17, 33]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny random BERT."""
    return make_encoder("bert", tmp_path_factory.mktemp("bert"))


def engine_of(encoder, precision="fp32", dropout=0.0, settings=ADAPTER):
    """An engine with new weights, the same every time."""
    return make_model(encoder, dropout=dropout, precision=precision, settings=settings)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_logits_are_those_of_the_engine_without_it(encoder, tmp_path, precision):
    items = items_of(LENGTHS, context=True)
    batch = batch_of(items, "train", [3, 0, 4])
    plain, keeping = engine_of(encoder, precision), engine_of(encoder, precision)
    keeping.first_layer = FirstLayer(keeping.body, {"train": items}, "tokens", tmp_path, 1e9)
    tolerance = 1e-5 if precision == "fp32" else 3e-2
    torch.testing.assert_close(keeping.logits(batch), plain.logits(batch), rtol=tolerance, atol=tolerance)


def test_an_items_numbers_do_not_depend_on_the_items_beside_it(encoder, tmp_path):
    items = items_of(LENGTHS)
    engine = engine_of(encoder).body
    alone = [FirstLayer(engine, {"train": part(items, [row])}, "a", tmp_path / str(row), 1e9) for row in range(5)]
    together = FirstLayer(engine, {"train": items}, "a", tmp_path / "all", 1e9)
    for row, states in enumerate(alone):
        one = batch_of(items, "train", [row])
        assert torch.equal(states.read(one), together.read(one))


def test_what_is_there_is_not_computed_again_and_damage_is(encoder, tmp_path):
    items = items_of(LENGTHS)
    engine = engine_of(encoder).body
    whole = batch_of(items, "train", range(5))
    first = FirstLayer(engine, {"train": part(items, [0, 1])}, "a", tmp_path, 1e9)
    computed, plain = [], engine.first_sums
    engine.first_sums = lambda batch: computed.append(batch.lengths) or plain(batch)
    second = FirstLayer(engine, {"train": items}, "a", tmp_path, 1e9)
    assert computed == [[1], [17], [33]]
    expected = second.read(whole).clone()
    del first, second
    (file,) = [path for path in tmp_path.iterdir() if not path.suffix]
    data = bytearray(file.read_bytes())
    data[4 * 32 * 6] ^= 1  # in the second item: the first has five tokens
    file.write_bytes(data)
    computed.clear()
    again = FirstLayer(engine, {"train": items}, "a", tmp_path, 1e9)
    assert computed == [[40]]
    assert torch.equal(again.read(whole), expected)


def test_other_tokens_encoders_and_precisions_have_their_own_files(encoder, tmp_path):
    items = {"train": items_of(LENGTHS)}
    FirstLayer(engine_of(encoder).body, items, "a", tmp_path, 1e9)
    FirstLayer(engine_of(encoder).body, items, "b", tmp_path, 1e9)
    FirstLayer(engine_of(encoder, "bf16").body, items, "a", tmp_path, 1e9)
    assert len([path for path in tmp_path.iterdir() if not path.suffix]) == 3


def test_files_used_least_lately_go_first_and_those_in_use_stay(encoder, tmp_path):
    items = {"train": items_of([200] * 20)}  # 512,000 bytes
    engine = engine_of(encoder).body
    held = FirstLayer(engine, items, "held", tmp_path, 1e9)
    for name in ("old", "new"):
        close(FirstLayer(engine, items, name, tmp_path, 1e9))
    before = set(tmp_path.iterdir())
    close(FirstLayer(engine, items, "newest", tmp_path, 1.6e6))
    gone = before - set(tmp_path.iterdir())
    assert len(gone) == 2  # the file of "old" and its index
    assert torch.equal(held.read(batch_of(items["train"], "train", [0]))[:1].isfinite().all(), torch.tensor(True))


def test_a_task_over_the_limit_leaves_nothing_behind(encoder, tmp_path):
    items = items_of(LENGTHS)
    engine = engine_of(encoder).body
    states = FirstLayer(engine, {"train": items}, "a", tmp_path, 0)
    assert not list(tmp_path.iterdir())
    kept = FirstLayer(engine, {"train": items}, "a", tmp_path / "kept", 1e9)
    whole = batch_of(items, "train", range(5))
    assert torch.equal(states.read(whole), kept.read(whole))


@pytest.mark.parametrize(
    "options", [{"dropout": 0.1}, {"settings": {"type": "full"}}], ids=["dropout", "trained encoder"]
)
def test_nothing_is_kept_that_changes(encoder, tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    engine = engine_of(encoder, **options)
    engine.keep_first_layer({"train": items_of(LENGTHS)}, "a")
    assert engine.first_layer is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("settings", [ADAPTER, {"type": "none"}], ids=lambda settings: settings["type"])
def test_a_model_keeps_the_first_layer_of_its_items(encoder, tmp_path, monkeypatch, settings):
    monkeypatch.setenv("EMPATHY_FIRST_LAYER_FOLDER", str(tmp_path / "kept"))
    items = items_of(LENGTHS)
    plain, keeping = (engine_of(encoder, settings=settings) for _ in range(2))
    keeping.keep_first_layer({"train": items}, "a")
    assert len([path for path in (tmp_path / "kept").iterdir() if not path.suffix]) == 1
    batch = batch_of(items, "train", [1, 3])
    torch.testing.assert_close(keeping.logits(batch), plain.logits(batch), rtol=1e-5, atol=1e-5)


def part(items, rows):
    """The same items, only some of them in use."""
    return type(items)(items.input_ids, items.token_type_ids, items.offsets, items.labels, np.array(rows))


def close(states):
    """Let go of the files, as the end of a job does."""
    import os

    for descriptor in states.held:
        os.close(descriptor)
