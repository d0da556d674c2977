"""Token ids of the texts of a label set, for every run that trains on or tests with them."""

import os

from empathy_transfer.data.token_file import pack_rows, pack_texts
from empathy_transfer.data.tokenizer import encode_pairs, load_tokenizer
from empathy_transfer.records.artefacts import read_table, write_tensors
from empathy_transfer.records.encoders import find_encoder


def tokenise_label_set(set_path, encoder_settings, tokens_path, threads=1):
    """Tokenise the texts of a set and write them in the layout of `token_file`, without splits and labels.

    Args:
        set_path: the set. encoder_settings: `name`, `revision`, `max_length` (tokens, special tokens included).
        tokens_path: the file to write. threads: threads that the tokenizer may use.
    """
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"
    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    tokenizer = load_tokenizer(encoder, encoder_settings["max_length"], "relabel: encoders")
    frame = read_table(set_path, columns=["id", "text"])
    rows, cut = encode_pairs(tokenizer, [None] * len(frame), frame["text"], encoder_settings["max_length"])
    metadata = {"max_length": encoder_settings["max_length"], "weights_sha256": encoder.weights_sha256, "cut": cut}
    write_tensors(tokens_path, pack_rows(rows) | pack_texts("ids", frame["id"]), metadata)
    print(f"{len(rows):,} texts, {sum(len(ids) for ids, _ in rows):,} tokens, {cut:,} texts cut")
