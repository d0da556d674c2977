"""Adapter files are read strictly: by whom, of which type and settings, and every tensor as expected."""

from dataclasses import replace

import pytest
import torch

from empathy_transfer.models.adapter_files import read_adapter, settings_in
from empathy_transfer.models.parameters import shapes_of
from empathy_transfer.records.artefacts import ArtefactError, read_tensors
from tiny_encoders import ADAPTER, make_encoder, make_model, save_as_job


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny random BERT."""
    return make_encoder("bert", tmp_path_factory.mktemp("bert"))


@pytest.fixture
def model(encoder, tmp_path, monkeypatch):
    """A new model; jobs write below the working folder."""
    monkeypatch.chdir(tmp_path)
    return make_model(encoder)


def read(path, model, encoder, settings=ADAPTER):
    return read_adapter(path, shapes_of(model.adapter()), encoder, settings)


def test_what_was_saved_is_read(model, encoder):
    path, _ = save_as_job(model, encoder, "run", task="mood", seed=1)
    found = read(path, model, encoder)
    assert found.keys() == model.adapter().keys()
    assert all(torch.equal(tensor, model.adapter()[name]) for name, tensor in found.items())


def test_a_file_tells_the_settings_of_its_adapter(model, encoder):
    path, _ = save_as_job(model, encoder, "run", task="mood", seed=1)
    metadata = read_tensors(path)[1]
    assert (metadata["encoder"], metadata["task"], metadata["seed"]) == ("bert", "mood", 1)
    assert settings_in(metadata) == ADAPTER


def test_an_adapter_of_another_type_is_refused_by_name(model, encoder):
    path, _ = save_as_job(model, encoder, "run", settings=ADAPTER | {"type": "double_seq_bn"})
    with pytest.raises(ArtefactError, match="adapter_config is 'double_seq_bn', but this run needs 'seq_bn'"):
        read(path, model, encoder)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (ADAPTER | {"reduction_factor": 8}, "reduction_factor is 4, but this run needs 8"),
        (ADAPTER | {"scaling": 2.0}, "scaling is None, but this run needs 2.0"),
    ],
)
def test_an_adapter_of_other_settings_is_refused(model, encoder, settings, problem):
    path, _ = save_as_job(model, encoder, "run")
    with pytest.raises(ArtefactError, match=problem):
        read(path, model, encoder, settings)


@pytest.mark.parametrize("more", [{"scaling": 2.0}, {"non_linearity": "gelu"}, {"dropout": 0}])
def test_an_adapter_with_a_setting_that_the_run_does_not_have_is_refused(model, encoder, more):
    path, _ = save_as_job(model, encoder, "run", settings=ADAPTER | more)
    ((name, value),) = more.items()
    with pytest.raises(ArtefactError, match=f"{name} is {value!r}, but this run needs None"):
        read(path, model, encoder)
    assert read(path, model, encoder, ADAPTER | more).keys() == model.adapter().keys()


def test_an_adapter_of_another_encoder_and_a_head_are_refused(model, encoder):
    adapter, head = save_as_job(model, encoder, "run")
    with pytest.raises(ArtefactError, match="encoder_sha256 is '0000"):
        read(adapter, model, replace(encoder, weights_sha256="1" * 64))
    with pytest.raises(ArtefactError, match="type is 'head', but this run needs 'adapter'"):
        read(head, model, encoder)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda name, tensors: tensors.pop(name), "1 tensors are missing, the first is bert"),
        (lambda name, tensors: tensors.update(more=torch.zeros(1)), "1 tensors are not expected, the first is more"),
        (lambda name, tensors: tensors.update({name: torch.zeros(2)}), r"has shape \(2,\), expected \(8, 32\)"),
        (lambda name, tensors: tensors.update({name: torch.full((8, 32), torch.inf)}), "numbers that are not finite"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(model, encoder, change, problem):
    wrong, tensors = make_model(encoder), model.adapter()
    change(next(iter(tensors)), tensors)
    wrong.adapter = lambda: tensors
    path, _ = save_as_job(wrong, encoder, "run")
    with pytest.raises(ArtefactError, match=problem):
        read(path, make_model(encoder), encoder)
