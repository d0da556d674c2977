"""Dataset embeddings: the mean of sentence embeddings of a task's texts.

Section 6 of the study compares datasets by the mean embedding of all their instances. A target's test texts are not to
be looked at when a source is chosen, so the mean over training texts stands first, and that over all texts beside it.
"""

import numpy
import torch

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.tokenizer import encode_pairs, load_tokenizer
from empathy_transfer.models.hardware import choose_device
from empathy_transfer.models.pretrained import load_pretrained
from empathy_transfer.records.artefacts import read_table, write_tensors
from empathy_transfer.records.encoders import EncoderNotFoundError, find_encoder

BATCH = 64


def embed_dataset(splits, model, max_texts, seed, embedding_path, threads=1):
    """Write the embedding of a task's texts: a safetensors file with `train` and `all` (hidden size, float32).

    Each text is embedded with its context, and the embedding brought to length 1. `train` is the mean over the
    training texts, `all` over the texts of all splits.

    Args:
        splits: paths of the split tables by split name.
        model: `name`, `revision` and `max_length` of the sentence encoder.
        max_texts: greatest number of texts of each split, drawn with `seed`; None takes all. In `all`, each split
            counts with its true number of texts.
        embedding_path: the file to write.
        threads: CPU threads.
    """
    torch.set_num_threads(threads)
    embedder = SentenceEmbedder(model)
    means, counts, used = {}, {}, {}
    for split in SPLITS:
        frame = read_table(splits[split], columns=["context", "text"])
        counts[split] = len(frame)
        if max_texts is not None and len(frame) > max_texts:
            rows = numpy.random.default_rng([seed, SPLITS.index(split)]).choice(len(frame), max_texts, replace=False)
            frame = frame.iloc[numpy.sort(rows)]
        used[split] = len(frame)
        means[split] = embedder.embed(frame["context"], frame["text"]).mean(axis=0)
        print(f"{split}: {used[split]:,} of {counts[split]:,} texts embedded", flush=True)
    total = sum(counts.values())
    whole = sum(means[split] * (counts[split] / total) for split in SPLITS)
    tensors = {
        name: torch.tensor(mean, dtype=torch.float32) for name, mean in (("train", means["train"]), ("all", whole))
    }
    write_tensors(embedding_path, tensors, {"type": "dataset_embedding", "model": model["name"], "texts": used})


class SentenceEmbedder:
    """A sentence-transformers model: mean of the last layer over all tokens, brought to length 1."""

    def __init__(self, model):
        """Load the model; `model` has `name`, `revision` and `max_length`.

        Raises:
            EncoderNotFoundError: the model is not here; says what to do.
            EncoderError: the model can't be used, or `max_length` is more than its positions hold.
        """
        from transformers import AutoModel

        try:
            encoder = find_encoder(model["name"], model["revision"])
        except EncoderNotFoundError as error:
            where = "analysis: features: embedding: name:"
            raise EncoderNotFoundError(str(error).replace("encoder: name:", where)) from None
        self.max_length = model["max_length"]
        self.device = torch.device(choose_device())
        self.tokenizer = load_tokenizer(encoder, self.max_length, "analysis: features: embedding")
        self.model = load_pretrained(AutoModel, encoder).eval().to(self.device)
        self.takes_token_types = encoder.config.get("type_vocab_size", 1) > 1

    @torch.inference_mode()
    def embed(self, contexts, texts):
        """Return the embeddings (texts x hidden size, float64 array) of texts with their contexts, in their order.

        The context is cut from the left, so that no text is cut unless it is longer than `max_length` alone.
        """
        rows, _ = encode_pairs(self.tokenizer, contexts, texts, self.max_length)
        order = sorted(range(len(rows)), key=lambda row: len(rows[row][0]))
        found = numpy.zeros((len(rows), self.model.config.hidden_size))
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            found[places] = self._embed([rows[place] for place in places]).double().cpu().numpy()
        return found

    def _embed(self, rows):
        """Embed one batch of (input ids, token type ids)."""
        pad = torch.nn.utils.rnn.pad_sequence
        ids = [torch.tensor(ids) for ids, _ in rows]
        mask = pad([torch.ones_like(row) for row in ids], batch_first=True).to(self.device)
        ids = pad(ids, batch_first=True, padding_value=self.model.config.pad_token_id).to(self.device)
        kinds = {}
        if self.takes_token_types:
            kinds["token_type_ids"] = pad([torch.tensor(kind) for _, kind in rows], batch_first=True).to(self.device)
        hidden = self.model(input_ids=ids, attention_mask=mask, **kinds).last_hidden_state.float()
        mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        return torch.nn.functional.normalize(mean, dim=1)
