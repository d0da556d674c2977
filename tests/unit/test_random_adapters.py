"""Random frozen adapters: their format, their size, and that they hang on the seed alone."""

import pytest
import torch

from empathy_transfer.data.batches import batch_of
from empathy_transfer.frame.job import open_job
from empathy_transfer.models.random_adapters import draw_adapter, full_variance
from empathy_transfer.records.artefacts import read_tensors
from empathy_transfer.records.encoders import find_encoder
from fake_jobs import fake_snakemake
from tiny_encoders import ADAPTER, items_of, make_encoder, make_model


@pytest.fixture(params=["bert", "roberta"])
def encoder(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_encoder(request.param, "encoder")
    return find_encoder("encoder")


def draw(control, seed=1, folder="drawn"):
    output = {"adapter": f"{folder}/adapter.safetensors", "provenance": f"{folder}/provenance.json"}
    with open_job(fake_snakemake("draw_adapter", output)) as job:
        draw_adapter(control, seed, {"name": "encoder", "revision": None}, ADAPTER, job.output["adapter"])
    return output["adapter"]


def engine_on(encoder, adapter, engine="fast"):
    return make_model(encoder, sources=[adapter] if adapter else [], seed=7, engine=engine)


@pytest.mark.parametrize("control", ["random_identity", "random_full"])
def test_every_engine_takes_it_as_a_source(encoder, control):
    path = draw(control)
    (source,) = engine_on(encoder, path).sources()
    assert source.keys() == engine_on(encoder, None).adapter().keys()
    (given,) = engine_on(encoder, path, "reference").sources()
    assert given.keys() == source.keys()
    assert all(torch.equal(tensor, given[name]) for name, tensor in source.items())
    _, metadata = read_tensors(path)
    assert metadata.items() >= {"type": "adapter", "task": control, "seed": 1}.items()
    assert metadata.items() >= {"adapter_config": "seq_bn", "reduction_factor": 4}.items()


def test_it_hangs_on_seed_and_kind_alone(encoder):
    again = [read_tensors(draw("random_full", folder=name))[0] for name in ("one", "two")]
    assert all(torch.equal(again[0][name], again[1][name]) for name in again[0])
    for other in (draw("random_full", seed=2, folder="three"), draw("random_identity", folder="four")):
        tensors, _ = read_tensors(other)
        assert not any(torch.equal(tensors[name], again[0][name]) for name in tensors if name.endswith("weight"))


def test_the_small_one_changes_answers_little_and_the_large_one_much(encoder):
    items = items_of([9, 12, 5, 8])
    batch = batch_of(items, "test", items.rows)

    def answers(adapter):
        with torch.inference_mode():
            return engine_on(encoder, adapter).logits(batch)

    alone, small, large = (
        answers(path) for path in (None, draw("random_identity"), draw("random_full", folder="full"))
    )
    assert (small - alone).abs().max() < 0.1 * (large - alone).abs().max()


def test_full_variance_keeps_the_variance_of_the_stream():
    shapes = {"x.adapter_down.0.weight": (64, 1024), "x.adapter_down.0.bias": (64,), "x.adapter_up.weight": (1024, 64)}
    drawn = full_variance({name: torch.empty(shape) for name, shape in shapes.items()}, seed=0)
    x = torch.randn(2000, 1024, generator=torch.Generator().manual_seed(1))
    narrow = torch.relu(x @ drawn["x.adapter_down.0.weight"].T)
    assert float((narrow**2).mean()) == pytest.approx(1, abs=0.05)
    assert float((narrow @ drawn["x.adapter_up.weight"].T).var()) == pytest.approx(1, abs=0.05)
    assert not drawn["x.adapter_down.0.bias"].any()


def test_an_unknown_control_is_refused():
    with pytest.raises(ValueError, match="random_identity, random_full"):
        draw_adapter("self", 1, {}, ADAPTER, "adapter.safetensors")
