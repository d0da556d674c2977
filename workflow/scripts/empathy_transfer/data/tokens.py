"""Turn the splits of a task into token ids, once per task and encoder, for every job that trains on it."""

import os

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.token_file import pack_rows, pack_texts
from empathy_transfer.data.tokenizer import encode_pairs, load_tokenizer
from empathy_transfer.kinds import kind_of
from empathy_transfer.records.artefacts import read_json, read_table, write_tensors
from empathy_transfer.records.encoders import find_encoder


def tokenise_task(splits, task_path, encoder_settings, tokens_path, threads=1):
    """Tokenise the three splits of a task and write them as one safetensors file (its layout: `token_file`).

    Args:
        splits: paths of the split tables by split name.
        task_path: the task's `task.json`.
        encoder_settings: `name`, `revision`, `max_length` (tokens, special tokens included).
        tokens_path: the file to write.
        threads: threads that the tokenizer may use.
    """
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    tokenizer = load_tokenizer(encoder, encoder_settings["max_length"])
    task = read_json(task_path)
    tensors, metadata = {}, {"max_length": encoder_settings["max_length"], "weights_sha256": encoder.weights_sha256}
    for split in SPLITS:
        frame = read_table(splits[split], columns=["id", "group", "context", "text", "label"])
        rows, cut = encode_pairs(tokenizer, frame["context"], frame["text"], encoder_settings["max_length"])
        packed = pack_rows(rows) | pack_texts("ids", frame["id"]) | pack_texts("groups", frame["group"])
        packed["labels"] = kind_of(task).encode(frame["label"], task)
        tensors |= {f"{split}.{name}": tensor for name, tensor in packed.items()}
        metadata[f"{split}_texts_cut"] = cut
        print(f"{split}: {len(rows):,} texts, {sum(len(ids) for ids, _ in rows):,} tokens, {cut:,} texts cut")
    write_tensors(tokens_path, tensors, metadata)
