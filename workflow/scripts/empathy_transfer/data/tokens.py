"""Turn the splits of a task into token ids, once per task and encoder, for every job that trains on it."""

import os

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.token_file import pack_rows, pack_texts
from empathy_transfer.data.tokenizer import encode_both, encode_pairs, load_tokenizer
from empathy_transfer.kinds import kind_of
from empathy_transfer.records.artefacts import read_json, read_table, write_tensors
from empathy_transfer.records.encoders import find_encoder

# How the context and the text of a row become sequences of tokens. A task of the transfer study has its context before
# its text, one sequence with room for the text first. Of a pair, both texts are of equal standing: one sequence for a
# cross-encoder, one for each text for a bi-encoder.
LAYOUTS = ("task", "cross", "bi")


def tokenise_task(splits, task_path, encoder_settings, tokens_path, threads=1, layout="task"):
    """Tokenise the three splits of a task and write them as one safetensors file (its layout: `token_file`).

    Args:
        splits: paths of the split tables by split name.
        task_path: the task's `task.json`.
        encoder_settings: `name`, `revision`, `max_length` (tokens, special tokens included).
        tokens_path: the file to write.
        threads: threads that the tokenizer may use.
        layout: one of `LAYOUTS`.
    """
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    tokenizer = load_tokenizer(encoder, encoder_settings["max_length"])
    task = read_json(task_path)
    tensors, metadata = {}, {"max_length": encoder_settings["max_length"], "weights_sha256": encoder.weights_sha256}
    for split in SPLITS:
        frame = read_table(splits[split], columns=["id", "group", "context", "text", "label"])
        rows, cut = rows_of(tokenizer, frame["context"], frame["text"], encoder_settings["max_length"], layout)
        packed = pack_rows(rows) | pack_texts("ids", frame["id"]) | pack_texts("groups", frame["group"])
        packed["labels"] = kind_of(task).encode(frame["label"], task)
        tensors |= {f"{split}.{name}": tensor for name, tensor in packed.items()}
        metadata[f"{split}_texts_cut"] = cut
        print(f"{split}: {len(frame):,} texts, {sum(len(ids) for ids, _ in rows):,} tokens, {cut:,} texts cut")
    write_tensors(tokens_path, tensors, metadata)


def rows_of(tokenizer, contexts, texts, max_length, layout):
    """Return (sequences as (input ids, token type ids), number of those that are cut) of pairs of context and text."""
    if layout == "task":
        return encode_pairs(tokenizer, contexts, texts, max_length)
    if layout == "cross":
        return encode_both(tokenizer, contexts, texts, max_length)
    sides = [encode_pairs(tokenizer, [None] * len(side), side, max_length) for side in (contexts, texts)]
    rows = [row for both in zip(*(rows for rows, _ in sides), strict=True) for row in both]
    return rows, sum(cut for _, cut in sides)
