"""What adapters make of texts: against the engine that trained them."""

import numpy as np
import pytest
import torch
from empathy_transfer.models.fast import FastEngine

from empathy_transfer.features.adapter_features import FeatureEngine, head_probabilities, read_head, trained_engine
from empathy_transfer.models import adapter_files
from empathy_transfer.records import artefacts
from empathy_transfer.records.artefacts import ArtefactError
from empathy_transfer.training.evaluation import predict
from tiny_encoders import items_of, make_encoder


@pytest.fixture(scope="module", params=["bert", "roberta"])
def encoder(request, tmp_path_factory):
    """A tiny random encoder."""
    return make_encoder(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture
def unverified(monkeypatch):
    """Files of tests have no provenance."""
    read = artefacts.read_tensors
    for module in ("models.adapter_files", "features.adapter_features"):
        monkeypatch.setattr(f"empathy_transfer.{module}.read_tensors", lambda path: read(path, verify=False))


def save_trained(engine, encoder, folder, name, labels):
    """Give an engine random weights and save them as a finished baseline's."""
    with torch.no_grad():
        engine.flat.normal_(std=0.2, generator=torch.Generator().manual_seed(len(name)))
    adapter, head = folder / f"{name}.safetensors", folder / f"{name}_head.safetensors"
    adapter_files.save_adapter(adapter, engine.adapter(), encoder, 4, task=name)
    kind = "classification" if labels else "regression"
    adapter_files.save_head(head, engine.head(), labels=labels, kind=kind, task=name)
    return adapter, head


def test_vectors_and_head_give_what_the_trained_engine_answers(encoder, tmp_path, unverified):
    items = items_of([5, 40, 1, 17, 9])
    features = FeatureEngine(encoder, 4, "cpu", "fp32")
    for name, labels in (("a", ["x", "y", "z"]), ("bb", ["x", "y"])):
        engine = FastEngine(encoder, len(labels), 4, 0.0, None, 1, "cpu", "fp32")
        adapter, head = save_trained(engine, encoder, tmp_path, name, labels)
        expected = predict(engine, items, "train")
        features.load_adapter(adapter)
        vectors = features.vectors(items, "train")
        tensors, metadata = read_head(head, encoder)
        assert metadata["labels"] == labels
        assert vectors.shape == (5, 32)
        softmax = torch.from_numpy(expected).double().softmax(1).numpy()
        np.testing.assert_allclose(head_probabilities(vectors, tensors), softmax, atol=1e-5)
        again = trained_engine(encoder, adapter, head, 4, "cpu")
        np.testing.assert_allclose(predict(again, items, "train"), expected, atol=1e-6)


def test_a_file_that_is_no_head_is_refused(encoder, tmp_path, unverified):
    engine = FastEngine(encoder, 1, 4, 0.0, None, 1, "cpu", "fp32")
    adapter, head = save_trained(engine, encoder, tmp_path, "c", None)
    assert read_head(head, encoder)[1]["labels"] is None
    with pytest.raises(ArtefactError, match="not a head"):
        read_head(adapter, encoder)
    adapter_files.save_head(head, engine.head(), labels=["x", "y"], kind="classification")
    with pytest.raises(ArtefactError, match=r"4\.bias|4\.weight"):
        read_head(head, encoder)
