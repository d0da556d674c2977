"""The tokenizer of an encoder, without the library `transformers`: its import takes longer than tokenising a task."""

from pathlib import Path


def load_tokenizer(folder):
    """Return the `tokenizers.Tokenizer` of an encoder's folder, which neither cuts nor pads.

    Where there is no `tokenizer.json`, `transformers` makes one from the vocabulary.
    """
    path = Path(folder) / "tokenizer.json"
    if path.is_file():
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(path))
    else:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True).backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def encode_pairs(tokenizer, contexts, texts, max_length):
    """Return ([(input ids, token type ids)], number of texts cut) for pairs of context and text.

    The context is cut from the left, so that the turns nearest to the text stay; the text is cut, from the right,
    only where it alone is longer than `max_length`, and such rows are counted. Rows without a context are single
    sequences.
    """
    given = [context if isinstance(context, str) else "" for context in contexts]
    context_rows, text_rows = (tokenizer.encode_batch(list(side), add_special_tokens=False) for side in (given, texts))
    room_single = max_length - tokenizer.num_special_tokens_to_add(is_pair=False)
    room_pair = max_length - tokenizer.num_special_tokens_to_add(is_pair=True)
    rows, cut = [], 0
    for context, text in zip(context_rows, text_rows, strict=True):
        cut += len(text) > room_single
        left = room_pair - len(text)
        if left > 0 and len(context):
            context.truncate(left, direction="left")
            whole = tokenizer.post_process(context, text)
        else:
            text.truncate(room_single)
            whole = tokenizer.post_process(text)
        rows.append((whole.ids, whole.type_ids))
    return rows, cut
