"""Tiny random encoders, models on them, and items of random tokens, for tests of the engines."""

import numpy as np
import torch

from empathy_transfer.data.batches import Items, batch_of
from empathy_transfer.frame.job import open_job
from empathy_transfer.losses import loss_function
from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.adapter_files import save_adapter, save_head
from empathy_transfer.models.compose import compose
from empathy_transfer.models.heads import PooledHead
from empathy_transfer.records.encoders import Encoder
from fake_jobs import fake_snakemake

SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
SIZES |= {"vocab_size": 50, "max_position_embeddings": 300}
ADAPTER = {"type": "seq_bn", "reduction_factor": 4}
LOSSES = {"classification": "cross_entropy", "regression": "squared_error", "multilabel": "binary_cross_entropy"}
# How such an encoder is trained, but for what a test says itself, and what the settings of a job have besides.
SCHEDULE = {"epochs": 4, "batch_size": 4, "learning_rate": 0.01, "weight_decay": 0.0, "warmup_share": 0.1}
SCHEDULE |= {"max_gradient_norm": 1.0, "patience": None}
OF_A_JOB = {"adapter": ADAPTER, "precision": "fp32", "engine": "auto", "label_scale": "standardised"}
OF_A_JOB |= {"max_train": None, "max_validation": None}


def make_encoder(kind, folder, with_head=False):
    """Write a tiny random encoder of a family to a folder and describe it; `with_head`: as pretraining leaves it."""
    from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM

    torch.manual_seed(0)
    sizes = SIZES | {"type_vocab_size": {"bert": 2, "electra": 2, "albert": 2, "roberta": 1}.get(kind, 0)}
    if kind in ("camembert", "xlm-roberta"):
        sizes["type_vocab_size"] = 1
    if kind in ("mpnet", "modernbert"):
        sizes.pop("type_vocab_size")
    if kind in ("albert", "electra"):
        sizes["embedding_size"] = 16
    if kind == "modernbert":
        sizes |= {name: number for number, name in enumerate(("pad_token_id", "cls_token_id", "sep_token_id"))}
        sizes |= {"bos_token_id": 1, "eos_token_id": 2}
    if kind == "distilbert":
        sizes = {"vocab_size": 50, "dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 64}
    model = (AutoModelForMaskedLM if with_head else AutoModel).from_config(AutoConfig.for_model(kind, **sizes))
    for parameter in model.parameters():  # so that no bias is zero and no layer norm is the identity
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    return Encoder(name=kind, folder=folder, weights_sha256="0" * 64)


def make_model(
    encoder,
    outputs=3,
    sources=(),
    dropout=0.0,
    seed=1,
    engine="fast",
    precision="fp32",
    settings=ADAPTER,
    head=None,
    device="cpu",
):
    """A model on an encoder, with the frozen adapters of the files `sources` below its own."""
    options = {"dropout": dropout, "seed": seed, "device": device, "precision": precision}
    return compose(engine, encoder, Adaptation(settings, tuple(sources)), head or PooledHead(outputs), **options)


@torch.no_grad()
def randomise(model, std, seed):
    """Take all trained weights of a packed model far from their first values; returns the model."""
    model.flat.normal_(std=std, generator=torch.Generator().manual_seed(seed))
    return model


def save_as_job(model, encoder, folder, labels=None, settings=ADAPTER, head=None, label_scale=None, **keys):
    """Save a model's adapter and head as a finished training does, below the working folder; returns both paths.

    `head` are tensors in place of the model's own, `label_scale` is told in its file.
    """
    output = {name: f"{folder}/{name}.safetensors" for name in ("adapter", "head")}
    kind = "classification" if labels else "regression"
    with open_job(fake_snakemake("train", output | {"provenance": f"{folder}/provenance.json"})) as job:
        save_adapter(job.output["adapter"], model.adapter(), encoder, settings, **keys)
        about = {"labels": labels, "kind": kind, "label_scale": label_scale}
        save_head(job.output["head"], head or model.head(), **about, **keys)
    return output["adapter"], output["head"]


def loss_of(outputs, labels, kind):
    """The loss that the tasks of a kind are trained with."""
    return loss_function({"name": LOSSES[kind]})(outputs, labels)


def encoder_in(folder):
    """Describe the encoder of a folder, whose weights need not be there."""
    return Encoder(name=str(folder), folder=folder, weights_sha256="0" * 64)


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
