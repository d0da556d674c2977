"""Tiny random encoders, and items of random tokens, for tests of the engines."""

import numpy as np
import torch

from empathy_transfer.data.batches import Items, batch_of
from empathy_transfer.records.encoders import Encoder

SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
SIZES |= {"vocab_size": 50, "max_position_embeddings": 300}
# How such an encoder is trained, but for what a test says itself, and what the settings of a job have besides.
SCHEDULE = {"epochs": 4, "batch_size": 4, "learning_rate": 0.01, "weight_decay": 0.0, "warmup_share": 0.1}
SCHEDULE |= {"max_gradient_norm": 1.0, "patience": None}
OF_A_JOB = {"reduction_factor": 4, "precision": "fp32", "engine": "auto", "max_train": None, "max_validation": None}


def make_encoder(kind, folder):
    """Write a tiny random encoder (`bert` or `roberta`) to a folder and describe it."""
    from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

    torch.manual_seed(0)
    make_config, make_model = {"bert": (BertConfig, BertModel), "roberta": (RobertaConfig, RobertaModel)}[kind]
    model = make_model(make_config(**SIZES, type_vocab_size=2 if kind == "bert" else 1))
    for parameter in model.parameters():  # so that no bias is zero and no layer norm is the identity
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    return Encoder(name=kind, folder=folder, weights_sha256="0" * 64)


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def write_vocabulary_encoder(folder, words):
    """Write a tiny random BERT of 32 positions to a folder, with a tokenizer of these words."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    words = [*SPECIAL, *words]
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=32, **sizes)).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)


def items_of(lengths, context=False, kind="classification", seed=3, vocabulary=50):
    """Items with random token ids of these lengths; the first half of each is its context if there is one."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, vocabulary, (sum(lengths),), generator=generator, dtype=torch.int32)
    kinds = [(torch.arange(length) >= length // 2) & context for length in lengths]
    labels = {
        "classification": torch.arange(len(lengths)) % 3,
        "regression": torch.linspace(-1, 1, len(lengths)),
        "multilabel": (torch.arange(len(lengths) * 3).view(-1, 3) % 2).float(),
    }[kind]
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    return Items(ids, torch.cat(kinds).to(torch.uint8), offsets, labels, np.arange(len(lengths)))


def batch(lengths, context=False, kind="classification", **options):
    """One batch of `items_of` these lengths."""
    return batch_of(items_of(lengths, context, kind, **options), "train", np.arange(len(lengths)))
