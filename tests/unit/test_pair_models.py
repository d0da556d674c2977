"""Models of pairs of texts: two sequences for each item, heads that put them together, whole models as files."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from empathy_transfer.data.batches import Items, batch_of
from empathy_transfer.frame.job import open_job
from empathy_transfer.models.first_layer import FirstLayer
from empathy_transfer.models.heads import CosineHead, PairHead
from empathy_transfer.models.model_files import load_model, save_model
from empathy_transfer.models.parameters import fill
from empathy_transfer.records.artefacts import ArtefactError
from empathy_transfer.training.evaluation import predict
from fake_jobs import fake_snakemake
from tiny_encoders import ADAPTER, items_of, make_encoder, make_model, randomise, save_as_job

LENGTHS = [5, 9, 3, 7, 8, 4, 6, 6]
HEADS = {"classes": PairHead(3), "cosine": CosineHead()}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny random BERT."""
    return make_encoder("bert", tmp_path_factory.mktemp("bert"))


def pairs():
    """Four items of two sequences each."""
    items = items_of(LENGTHS)
    return replace(items, labels=torch.tensor([0, 2, 1, 0]), rows=np.arange(4), sequences=2)


def test_an_item_of_two_sequences_keeps_them_together():
    items = pairs()
    assert items.lengths.tolist() == [14, 10, 12, 12]
    batch = batch_of(items, "train", [2, 0])
    assert batch.lengths == [8, 4, 5, 9]
    assert batch.places == [24, 32, 0, 5]
    assert batch.labels.tolist() == [1, 0]
    assert torch.equal(batch.input_ids[:12], items.input_ids[24:36].long())
    assert batch.padded()[0].shape == (4, 9)


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("settings", [ADAPTER, {"type": "full"}], ids=["adapter", "whole encoder"])
def test_a_bi_encoder_reads_each_text_for_itself_in_both_engines(encoder, head, settings):
    models = [make_model(encoder, engine=engine, settings=settings, head=head) for engine in ("fast", "reference")]
    batch = batch_of(pairs(), "train", [0, 1, 2, 3])
    outputs = [model.logits(batch) for model in models]
    torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-4)
    assert outputs[0].shape == (4, head.outputs)
    alone = Items(
        *(getattr(pairs(), name) for name in ("input_ids", "token_type_ids", "offsets")), torch.zeros(8), None
    )
    vectors = models[0].encode(batch_of(alone, "train", range(8))).float()
    if isinstance(head, CosineHead):
        expected = torch.nn.functional.cosine_similarity(vectors[::2], vectors[1::2])[:, None]
        assert models[0].head() == models[1].head() == {}
    else:
        named = models[0].head()
        both = torch.cat([vectors[::2], vectors[1::2]], dim=1)
        expected = both @ named["head.weight"].T + named["head.bias"]
        assert named["head.weight"].shape == (3, 64)
    torch.testing.assert_close(outputs[0], expected, rtol=1e-4, atol=1e-5)


def test_the_kept_first_layer_knows_items_of_two_sequences(encoder, tmp_path):
    plain, keeping = (make_model(encoder, head=PairHead(3)) for _ in range(2))
    keeping.first_layer = FirstLayer(keeping.body, {"train": pairs()}, "tokens", tmp_path, 1e9)
    batch = batch_of(pairs(), "train", [3, 1])
    torch.testing.assert_close(keeping.logits(batch), plain.logits(batch), rtol=1e-5, atol=1e-5)


def save(encoder, model, head, settings, complete=True):
    """Let a job save a model; returns the path of its file."""
    from empathy_transfer.models.adaptations import Adaptation

    output = {"model": "run/model.safetensors", "provenance": "run/provenance.json"}
    with open_job(fake_snakemake("train", output)) as job:
        save_model(job.output["model"], model, encoder, Adaptation(settings), head, complete, layout="bi")
    return "run/model.safetensors"


READ = """
import sys
from pathlib import Path

import numpy as np

from empathy_transfer.models.model_files import load_model
from empathy_transfer.records.encoders import Encoder
from empathy_transfer.training.evaluation import predict
from test_pair_models import pairs

encoder = Encoder(name="bert", folder=Path(sys.argv[1]), weights_sha256="0" * 64)
np.save("answers.npy", predict(load_model("run/model.safetensors", encoder, "auto", "cpu", "fp32")[0], pairs(), "test"))
"""


@pytest.mark.parametrize(
    ("settings", "head", "stacked"),
    [(ADAPTER, PairHead(3), True), ({"type": "full"}, CosineHead(), False)],
    ids=["adapter on a source", "whole encoder"],
)
def test_a_saved_model_answers_the_same_in_a_new_process(encoder, tmp_path, monkeypatch, settings, head, stacked):
    monkeypatch.chdir(tmp_path)
    sources = [save_as_job(randomise(make_model(encoder), 0.2, 3), encoder, "source")[0]] if stacked else []
    model = make_model(encoder, head=head, settings=settings, sources=sources)
    with torch.no_grad():
        for tensors in model.trained_tensors().values():
            fill(tensors, {name: tensor + 0.01 * torch.randn_like(tensor) for name, tensor in tensors.items()})
    expected = predict(model, pairs(), "test")
    save(encoder, model, head, settings)
    path = ":".join(path for path in sys.path if path)
    command = [sys.executable, "-c", READ, str(encoder.folder)]
    subprocess.run(command, check=True, env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin"})
    assert np.array_equal(np.load("answers.npy"), expected)


def test_a_model_without_its_encoder_says_how_to_keep_it(encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = make_model(encoder, head=PairHead(3), settings={"type": "full"})
    path = save(encoder, model, PairHead(3), {"type": "full"}, complete=False)
    with pytest.raises(ArtefactError, match="kept_seeds"):
        load_model(path, encoder, "auto", "cpu", "fp32")
