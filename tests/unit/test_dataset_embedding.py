"""Dataset embeddings: mean pooling against single texts, cut contexts, means over splits, similarities."""

import numpy as np
import pandas as pd
import pytest
import torch

from empathy_transfer.features.dataset_embedding import SentenceEmbedder, embed_dataset
from empathy_transfer.features.dataset_similarity import compare_datasets
from empathy_transfer.records import artefacts
from empathy_transfer.records.encoders import EncoderNotFoundError

WORDS = ["the", "a", "lamp", "goat", "well", "rain", "walked", "stood", "beside", "again"]


def make_model(kind, folder):
    """Write a tiny random sentence encoder with a tokenizer to a folder; describe it as the config does."""
    from transformers import BertConfig, BertModel, BertTokenizerFast, MPNetConfig, MPNetModel, MPNetTokenizerFast

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    if kind == "bert":
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        config, model, tokenizer = BertConfig, BertModel, BertTokenizerFast
    else:
        special = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
        config, model, tokenizer = MPNetConfig, MPNetModel, MPNetTokenizerFast
    words = special + WORDS
    padding = {"pad_token_id": words.index("[PAD]" if kind == "bert" else "<pad>")}
    model = model(config(vocab_size=len(words), max_position_embeddings=40, **sizes, **padding))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return {"name": str(folder), "revision": None, "max_length": 12}


@pytest.fixture(scope="module", params=["bert", "mpnet"])
def model(request, tmp_path_factory):
    """A tiny sentence encoder of either kind."""
    return make_model(request.param, tmp_path_factory.mktemp(request.param))


CONTEXTS = ["the goat stood", None, "", "rain again " * 20]
TEXTS = ["a lamp", "the well", "goat walked beside the lamp again", "the goat stood"]


def test_embeddings_are_those_of_single_texts_without_padding(model):
    from transformers import AutoTokenizer

    embedder, tokenizer = SentenceEmbedder(model), AutoTokenizer.from_pretrained(model["name"])
    found = embedder.embed(CONTEXTS, TEXTS)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)
    # The third context leaves room for 12 - 3 special tokens - 3 words (MPNet: 12 - 4 - 3): the last ones stay.
    room = 12 - tokenizer.num_special_tokens_to_add(pair=True) - 3
    contexts = ["the goat stood", None, None, " ".join(("rain again " * 20).split()[-room:])]
    for row, (context, text) in enumerate(zip(contexts, TEXTS, strict=True)):
        tokens = tokenizer(*([context, text] if context else [text]), return_tensors="pt")
        assert tokens["input_ids"].shape[1] <= 12
        kinds = {} if embedder.takes_token_types else {"token_type_ids"}
        inputs = {name: value for name, value in tokens.items() if name not in kinds}
        with torch.inference_mode():
            mean = embedder.model(**inputs).last_hidden_state[0].mean(0).double().numpy()
        np.testing.assert_allclose(found[row], mean / np.linalg.norm(mean), atol=1e-5)


def test_a_length_that_the_model_can_not_hold_is_refused(model):
    with pytest.raises(ValueError, match="embedding: max_length is at most"):
        SentenceEmbedder(model | {"max_length": 41})


def test_a_missing_model_names_its_own_setting(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EncoderNotFoundError, match="set `analysis: features: embedding: name:`"):
        SentenceEmbedder({"name": "nobody/no-such-model", "revision": None, "max_length": 12})


def test_means_over_training_texts_and_over_all(model, tmp_path, monkeypatch):
    read = artefacts.read_table
    monkeypatch.setattr(
        "empathy_transfer.features.dataset_embedding.read_table",
        lambda path, columns: read(path, verify=False, columns=columns),
    )
    embedder, splits, vectors = SentenceEmbedder(model), {}, {}
    for split, count in (("train", 6), ("validation", 2), ("test", 1)):
        texts = [f"{WORDS[place]} {WORDS[count]}" for place in range(count)]
        splits[split] = tmp_path / f"{split}.parquet"
        artefacts.write_table(splits[split], pd.DataFrame({"context": [None] * count, "text": texts}))
        vectors[split] = embedder.embed([None] * count, texts)
    embed_dataset(splits, model, None, 0, tmp_path / "all.safetensors")
    tensors, metadata = artefacts.read_tensors(tmp_path / "all.safetensors", verify=False)
    np.testing.assert_allclose(tensors["train"], vectors["train"].mean(0), atol=1e-6)
    np.testing.assert_allclose(tensors["all"], np.vstack(list(vectors.values())).mean(0), atol=1e-6)
    assert metadata["texts"] == {"train": 6, "validation": 2, "test": 1}
    # Of three drawn texts the training split still counts six of nine times.
    embed_dataset(splits, model, 3, 0, tmp_path / "some.safetensors")
    some, metadata = artefacts.read_tensors(tmp_path / "some.safetensors", verify=False)
    assert metadata["texts"] == {"train": 3, "validation": 2, "test": 1}
    others = vectors["validation"].sum(0) + vectors["test"].sum(0)
    np.testing.assert_allclose(some["all"], (6 * some["train"].numpy() + others) / 9, atol=1e-6)


def test_similarities_of_tasks(tmp_path, monkeypatch):
    read = artefacts.read_tensors
    monkeypatch.setattr(
        "empathy_transfer.features.dataset_similarity.read_tensors", lambda path: read(path, verify=False)
    )
    paths = []
    for name, train in (("a", [1.0, 0.0]), ("b", [0.6, 0.8]), ("c", [1.0, 0.0])):
        paths.append(tmp_path / f"{name}.safetensors")
        artefacts.write_tensors(paths[-1], {"train": torch.tensor(train), "all": torch.tensor([1.0, 0.0])}, {})
    compare_datasets(["a", "b", "c"], paths, tmp_path / "similarity.csv")
    found = pd.read_csv(tmp_path / "similarity.csv").set_index(["source", "target"])
    assert len(found) == 9
    assert found.loc[("a", "b"), "similarity"] == found.loc[("b", "a"), "similarity"] == pytest.approx(0.6)
    assert found.loc[("a", "c"), ["similarity", "centred", "all_texts"]].tolist() == pytest.approx([1, 1, 1])
    assert found.loc[("a", "b"), "centred"] == pytest.approx(-1)
    # All whole texts are alike, so that nothing sets them apart.
    assert found["all_texts_centred"].isna().all()
    assert (found["reason"] == "constant").all()
