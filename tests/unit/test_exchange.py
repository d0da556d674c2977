"""Adapters and heads go to the `adapters` library and back, and give the same logits there."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from adapters import AutoAdapterModel

from empathy_transfer.kinds import LabelScale
from empathy_transfer.models.exchange import export_adapter, import_adapter
from empathy_transfer.models.heads import PooledHead
from empathy_transfer.records.artefacts import ArtefactError
from empathy_transfer.records.encoders import MINILM, MINILM_WEIGHTS_SHA256
from tiny_encoders import ADAPTER, batch, make_encoder, make_model, randomise, save_as_job

LABELS = ["a", "b", "c"]


@pytest.fixture(scope="module", params=["bert", "roberta"])
def encoder(request, tmp_path_factory):
    """A tiny random encoder of each type."""
    return make_encoder(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture
def engine(encoder):
    """An engine whose adapter and head are far from their first values."""
    return randomise(make_model(encoder), 0.3, 2)


@pytest.fixture
def exported(encoder, engine, tmp_path, monkeypatch):
    """The folder that the library reads, made from our files."""
    monkeypatch.chdir(tmp_path)
    export_adapter(*saved(engine, encoder), encoder, tmp_path / "exported")
    return tmp_path / "exported"


def saved(engine, encoder):
    """Our files of the adapter and the head of an engine."""
    return save_as_job(engine, encoder, "run", LABELS, task="mood", seed=1)


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
    adapter, head, settings = import_adapter(tmp_path / "theirs")
    assert settings == ADAPTER
    for own, given in ((engine.adapter(), adapter), (engine.head(), head)):
        assert own.keys() == given.keys()
        assert all(torch.equal(own[key], given[key]) for key in own)


# The name in the config, `{}` being the folder; the digest of the weights, None the own; the name that is told.
NAMED = {
    "a name of the hub": ("someone/an-encoder", None, "someone/an-encoder"),
    "a folder": ("{}", None, "{name}"),
    "a folder with an ending": ("{}/", None, "{name}"),
    "a folder by another way": ("{}/../{name}", None, "{name}"),
    "a folder of known weights": ("{}", MINILM_WEIGHTS_SHA256, MINILM),
    "MiniLM": (MINILM, MINILM_WEIGHTS_SHA256, MINILM),
}


@pytest.mark.parametrize("case", NAMED)
def test_an_exported_adapter_names_its_encoder_and_no_place_of_this_machine(
    encoder, engine, tmp_path, monkeypatch, case
):
    monkeypatch.chdir(tmp_path)
    name, digest, expected = (part and part.format(encoder.folder, name=encoder.folder.name) for part in NAMED[case])
    named = replace(encoder, name=name, weights_sha256=digest or encoder.weights_sha256)
    export_adapter(*saved(engine, named), named, tmp_path / "named")
    described = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("named/*.json")}
    for file in ("adapter_config.json", "head_config.json"):
        assert described[file]["model_name"] == expected
        assert described[file]["model_weights_sha256"] == named.weights_sha256
    for text in map(json.dumps, described.values()):
        assert not any(str(place) in text for place in (encoder.folder, encoder.folder.parent, tmp_path, Path.home()))


def test_an_exported_adapter_may_have_another_name(encoder, engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export_adapter(*saved(engine, encoder), encoder, tmp_path / "named", name="better")
    assert json.loads((tmp_path / "named/adapter_config.json").read_text())["name"] == "better"
    assert import_adapter(tmp_path / "named")[0].keys() == engine.adapter().keys()


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


def test_a_regression_answers_in_the_label_s_unit_in_the_library_too(encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scale, inputs = LabelScale(40.0, 25.0), batch([7, 3, 12], context=encoder.name == "bert")
    engine = randomise(make_model(encoder, outputs=1), 0.3, 2)
    expected = scale.mapped_back(engine.logits(inputs).detach())
    head = PooledHead(1).mapped_back(engine.head(), scale)
    files = save_as_job(engine, encoder, "run", head=head, task="warmth", label_scale={"mean": 40.0, "sd": 25.0})
    export_adapter(*files, encoder, tmp_path / "exported")
    described = json.loads((tmp_path / "exported/head_config.json").read_text(encoding="utf-8"))
    assert described["label_scale"] == {"mean": 40, "sd": 25}
    model = AutoAdapterModel.from_pretrained(str(encoder.folder), use_safetensors=True)
    model.load_adapter(str(tmp_path / "exported"), use_safetensors=True, set_active=True)
    model.eval()
    ids, kinds, mask = inputs.padded()
    with torch.no_grad():
        theirs = model(input_ids=ids, token_type_ids=kinds, attention_mask=mask).logits
    torch.testing.assert_close(theirs, expected, rtol=1e-5, atol=1e-3)
    assert all(torch.equal(head[key], tensor) for key, tensor in import_adapter(tmp_path / "exported")[1].items())
