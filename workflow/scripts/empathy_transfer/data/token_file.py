"""The layout of a task's tokens file: everything that a training job needs to know about the task's items.

One safetensors file with the tensors below for each split (names begin with the split, e.g. `train.`), n rows and T
tokens in all, rows in the order of the Parquet files:

- `input_ids` (T, int32), `token_type_ids` (T, uint8), without padding, and `offsets` (n + 1, int64) of the rows in them
- `labels` (n: int64 class index, float32 value; n x labels: float32 indicators)
- `ids`, `groups` (uint8) and `ids_offsets`, `groups_offsets` (n + 1, int64): text as UTF-8, row behind row

Training jobs import this module: torch and numpy only.
"""

import itertools

import torch


def pack_rows(rows):
    """Join rows of (input ids, token type ids) into flat tensors and their offsets."""
    return {
        "input_ids": torch.tensor([token for ids, _ in rows for token in ids], dtype=torch.int32),
        "token_type_ids": torch.tensor([kind for _, kinds in rows for kind in kinds], dtype=torch.uint8),
        "offsets": _offsets([len(ids) for ids, _ in rows]),
    }


def pack_texts(name, texts):
    """Join texts into the tensors `name` and `name_offsets`."""
    encoded = [text.encode() for text in texts]
    joined = torch.frombuffer(bytearray(b"".join(encoded) or b"\0"), dtype=torch.uint8)
    return {name: joined, f"{name}_offsets": _offsets([len(text) for text in encoded])}


def unpack_texts(tensors, name):
    """Return the texts of the tensors `name` and `name_offsets` as a list."""
    joined, offsets = tensors[name].numpy().tobytes(), tensors[f"{name}_offsets"].tolist()
    return [joined[start:end].decode() for start, end in itertools.pairwise(offsets)]


def _offsets(lengths):
    """Where rows of these lengths begin and end."""
    return torch.tensor([0, *lengths], dtype=torch.int64).cumsum(0)
