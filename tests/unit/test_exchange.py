"""Adapters and heads go to the `adapters` library and back, and give the same logits there."""

import json

import pytest
import torch
from adapters import AutoAdapterModel
from empathy_transfer.models.fast import FastEngine

from empathy_transfer.frame.job import open_job
from empathy_transfer.models.adapter_files import save_adapter, save_head
from empathy_transfer.models.exchange import export_adapter, import_adapter
from empathy_transfer.records.artefacts import ArtefactError
from fake_jobs import fake_snakemake
from tiny_encoders import batch, make_encoder

LABELS = ["a", "b", "c"]


@pytest.fixture(scope="module", params=["bert", "roberta"])
def encoder(request, tmp_path_factory):
    """A tiny random encoder of each type."""
    return make_encoder(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture
def engine(encoder):
    """An engine whose adapter and head are far from their first values."""
    engine = FastEngine(encoder, 3, 4, 0.0, None, 1, "cpu", "fp32")
    with torch.no_grad():
        engine.flat.normal_(std=0.3, generator=torch.Generator().manual_seed(2))
    return engine


@pytest.fixture
def exported(encoder, engine, tmp_path, monkeypatch):
    """The folder that the library reads, made from our files."""
    monkeypatch.chdir(tmp_path)
    names = {"adapter": "run/adapter.safetensors", "head": "run/head.safetensors"}
    with open_job(fake_snakemake("train", names | {"provenance": "run/provenance.json"})) as job:
        save_adapter(job.output["adapter"], engine.adapter(), encoder, 4, task="mood", seed=1)
        save_head(job.output["head"], engine.head(), labels=LABELS, kind="classification", task="mood", seed=1)
    export_adapter(names["adapter"], names["head"], encoder, tmp_path / "exported")
    return tmp_path / "exported"


def test_the_library_loads_ours_and_gives_the_same_logits(encoder, engine, exported):
    assert not list(exported.glob("*.bin"))
    model = AutoAdapterModel.from_pretrained(str(encoder.folder), use_safetensors=True)
    name = model.load_adapter(str(exported), use_safetensors=True, set_active=True)
    assert name == "mood"
    assert model.heads[name].config["label2id"] == {"a": 0, "b": 1, "c": 2}
    model.eval()
    inputs = batch([7, 3, 12], context=encoder.name == "bert")
    ids, kinds, mask = inputs.padded()
    with torch.no_grad():
        theirs = model(input_ids=ids, token_type_ids=kinds, attention_mask=mask).logits
        torch.testing.assert_close(engine.logits(inputs), theirs, rtol=1e-5, atol=1e-5)


def test_we_load_theirs_and_get_the_same_tensors(encoder, engine, exported, tmp_path):
    model = AutoAdapterModel.from_pretrained(str(encoder.folder), use_safetensors=True)
    name = model.load_adapter(str(exported), load_as="another", use_safetensors=True)
    model.save_adapter(str(tmp_path / "theirs"), name, use_safetensors=True)
    adapter, head, factor = import_adapter(tmp_path / "theirs")
    assert factor == 4
    for own, given in ((engine.adapter(), adapter), (engine.head(), head)):
        assert own.keys() == given.keys()
        assert all(torch.equal(own[key], given[key]) for key in own)


def test_pickled_and_other_adapters_are_refused(encoder, exported, tmp_path):
    model = AutoAdapterModel.from_pretrained(str(encoder.folder), use_safetensors=True)
    model.add_adapter("mood", config="seq_bn")
    model.save_adapter(str(tmp_path / "pickled"), "mood")
    with pytest.raises(ArtefactError, match=r"no adapter\.safetensors.*Pickled weights are not read"):
        import_adapter(tmp_path / "pickled")
    config = json.loads((exported / "adapter_config.json").read_text())
    config["config"]["mh_adapter"] = True
    (exported / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(ArtefactError, match="are read; this differs in mh_adapter"):
        import_adapter(exported)
