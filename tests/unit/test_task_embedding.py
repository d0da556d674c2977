"""Task embeddings: against a loop over examples, and rankings of sources by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from empathy_transfer.data.batches import batch_of
from empathy_transfer.features.task_embedding import fewest, information, residual_variance
from empathy_transfer.features.task_similarity import (
    compare_task_embeddings,
    component_cosines,
    mean_embeddings,
    task_similarities,
)
from empathy_transfer.features.vector_similarity import centred_cosines, cosines
from empathy_transfer.frame.job import open_job
from empathy_transfer.kinds import kind_of
from empathy_transfer.records.artefacts import write_tensors
from fake_jobs import fake_snakemake
from tiny_encoders import items_of, make_encoder, make_model, randomise


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny random BERT."""
    return make_encoder("bert", tmp_path_factory.mktemp("bert"))


def trained(encoder, outputs):
    """An engine with weights that are not those of a new adapter."""
    return randomise(make_model(encoder, outputs), 0.2, 7)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_information_is_the_mean_over_single_examples(encoder, kind):
    engine = trained(encoder, 1 if kind == "regression" else 3)
    items = items_of([5, 40, 1, 17, 8], kind=kind)
    found = information(engine, items, kind, 0.7)
    assert found.shape == (6, 32)
    expected = torch.zeros(6, 32)
    for row in range(5):
        record, batch = [], batch_of(items, "train", [row])
        with torch.enable_grad():
            value = kind_of(kind).log_likelihood(engine.logits(batch, record), batch.labels, 0.7).sum()
        for place, gradient in enumerate(torch.autograd.grad(value, record)):
            # In the last layer there is one row, that of the first token; the others' gradients are zero.
            used = gradient[: batch.lengths[0]]
            expected[place] += (used**2).sum(0) / batch.lengths[0] / 5
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())


def test_bottleneck_units_in_another_order_change_nothing(encoder):
    engine, items = trained(encoder, 3), items_of([5, 12, 9])
    before = information(engine, items, "classification", 1.0)
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for name, tensor in engine.adapter().items():
            if "adapter_down" in name:
                tensor.copy_(tensor[order].clone())
            elif name.endswith("adapter_up.weight"):
                tensor.copy_(tensor[:, order].clone())
    torch.testing.assert_close(information(engine, items, "classification", 1.0), before)


def test_residual_variance(encoder):
    engine, items = trained(encoder, 1), items_of([5, 12, 9], kind="regression")
    errors = [(engine.logits(batch_of(items, "train", [row]))[0, 0] - items.labels[row]).item() for row in range(3)]
    assert residual_variance(engine, items) == pytest.approx(np.mean(np.square(errors)), rel=1e-5)
    # The variance is one factor of all components: no cosine depends on it.
    parts = [information(engine, items, "regression", variance).numpy() for variance in (1.0, 10.0)]
    np.testing.assert_allclose(parts[0], parts[1] * 100, rtol=1e-4)


def test_sources_are_ranked_for_each_target():
    # Two components of three tasks; in the first a is nearer to b than c is, in the second c is nearer.
    first = np.array([[1.0, 0.8, 0.1], [0.8, 1.0, 0.5], [0.1, 0.5, 1.0]])
    second = np.array([[1.0, 0.2, 0.1], [0.2, 1.0, 0.9], [0.1, 0.9, 1.0]])
    plain = np.stack([first, second, second])
    found = task_similarities(["a", "b", "c"], plain, plain[:1]).set_index(["source", "target"])
    assert len(found) == 6
    assert found.loc[("a", "b"), "score"] == pytest.approx(1 / 61 + 2 / 62)
    assert found.loc[("c", "b"), "score"] == pytest.approx(1 / 62 + 2 / 61)
    assert found.loc[("c", "b"), ["rank", "similarity"]].tolist() == [1, 1]
    assert found.loc[("a", "b"), ["rank", "similarity"]].tolist() == [2, 0]
    assert found.loc[("a", "b"), ["centred_rank", "centred"]].tolist() == [1, 1]
    assert (found["reason"] == "").all()


def test_what_can_not_be_ranked_says_why():
    nothing = task_similarities(["a", "b"], np.zeros((0, 2, 2)), np.zeros((0, 2, 2)))
    assert nothing["reason"].tolist() == ["not_available"] * 2
    equal = np.ones((2, 3, 3))
    constant = task_similarities(["a", "b", "c"], equal, np.full((2, 3, 3), np.nan))
    assert constant["reason"].tolist() == ["constant"] * 6
    assert constant["similarity"].tolist() == [0.5] * 6
    assert task_similarities(["a"], np.ones((2, 1, 1)), np.ones((2, 1, 1))).empty


def embedding_file(components, task, seed):
    """Let a job write the embedding of a task; returns its path."""
    output = {"embedding": f"{task}{seed}/embedding.safetensors", "provenance": f"{task}{seed}/provenance.json"}
    with open_job(fake_snakemake("embed_task", output)) as job:
        write_tensors(job.output["embedding"], {"components": components}, {"task": task, "seed": seed})
    return output["embedding"]


def test_embeddings_are_averaged_over_seeds_and_compared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator, paths, values = torch.Generator().manual_seed(0), [], {}
    for seed in (1, 2):
        for task in ("b", "a"):
            values[task, seed] = torch.rand(4, 8, generator=generator)
            paths.append(embedding_file(values[task, seed], task, seed))
    embeddings = mean_embeddings(["a", "b"], paths)
    np.testing.assert_allclose(embeddings[0], (values["a", 1] + values["a", 2]).numpy() / 2, rtol=1e-6)
    plain = component_cosines(embeddings, cosines)
    assert plain.shape == (4, 2, 2)
    compare_task_embeddings(["a", "b"], paths, tmp_path / "similarity.csv", tmp_path / "components.csv")
    components = pd.read_csv(tmp_path / "components.csv")
    assert components["component"].unique().tolist() == [
        "1_attention",
        "1_feed_forward",
        "2_attention",
        "2_feed_forward",
    ]
    row = components.query("component == '1_feed_forward' and source == 'a' and target == 'b'").iloc[0]
    assert row["cosine"] == pytest.approx(plain[1, 0, 1])
    assert row["centred"] == pytest.approx(component_cosines(embeddings, centred_cosines)[1, 0, 1]) == -1
    embedding_file(torch.zeros(0, 0), "b", 1)
    compare_task_embeddings(["a", "b"], paths, tmp_path / "similarity.csv", tmp_path / "components.csv")
    assert set(pd.read_csv(tmp_path / "similarity.csv")["reason"]) == {"not_available"}


def test_the_fewest_of_several_limits():
    assert fewest(None, 5) == 5
    assert fewest(3, 5) == 3
    assert fewest(None, None) is None
