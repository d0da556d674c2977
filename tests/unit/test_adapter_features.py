"""What adapters make of texts: against the models that trained them."""

import numpy as np
import pytest
import torch

from empathy_transfer.features.adapter_features import head_probabilities, vectors
from empathy_transfer.models.trained_models import load_adapter, load_trained, read_head
from empathy_transfer.records.artefacts import ArtefactError
from empathy_transfer.training.evaluation import predict
from tiny_encoders import ADAPTER, items_of, make_encoder, make_model, randomise, save_as_job

SETTINGS = {"adapter": ADAPTER, "engine": "fast", "precision": "fp32"}


@pytest.fixture(scope="module", params=["bert", "roberta"])
def encoder(request, tmp_path_factory):
    """A tiny random encoder."""
    return make_encoder(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """Jobs write below the working folder."""
    monkeypatch.chdir(tmp_path)


def trained(encoder, name, labels):
    """A model with random weights, and its files as those of a finished baseline."""
    model = randomise(make_model(encoder, len(labels or [None])), 0.2, len(name))
    return model, *save_as_job(model, encoder, name, labels, task=name)


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_vectors_and_head_give_what_the_trained_model_answers(encoder, engine):
    items = items_of([5, 40, 1, 17, 9])
    features = make_model(encoder, 1, engine=engine)
    for name, labels in (("a", ["x", "y", "z"]), ("bb", ["x", "y"])):
        model, adapter, head = trained(encoder, name, labels)
        expected = predict(model, items, "train")
        features.train(False)
        load_adapter(features, adapter, encoder, ADAPTER)
        read = vectors(features, items, "train")
        tensors, metadata = read_head(head, 32)
        assert metadata["labels"] == labels
        assert read.shape == (5, 32)
        softmax = torch.from_numpy(expected).double().softmax(1).numpy()
        np.testing.assert_allclose(head_probabilities(read, tensors), softmax, atol=1e-5)
        again = load_trained(adapter, head, encoder, SETTINGS | {"engine": engine})
        np.testing.assert_allclose(predict(again, items, "train"), expected, atol=1e-6 if engine == "fast" else 1e-5)


def test_a_file_that_is_no_head_is_refused(encoder):
    model, adapter, head = trained(encoder, "c", None)
    assert read_head(head)[1]["labels"] is None
    with pytest.raises(ArtefactError, match="not a head"):
        read_head(adapter)
    with pytest.raises(ArtefactError, match=r"1\.weight has shape \(32, 32\), expected \(16, 16\)"):
        read_head(head, 16)
    adapter, head = save_as_job(model, encoder, "d", ["x", "y"])
    with pytest.raises(ArtefactError, match=r"4\.bias|4\.weight"):
        read_head(head, 32)
    with pytest.raises(ArtefactError, match=r"4\.bias|4\.weight"):
        load_trained(adapter, head, encoder, SETTINGS)
