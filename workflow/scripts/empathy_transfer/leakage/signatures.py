"""Signatures of a task's texts: what the audit of leakage compares instead of the texts (job of rule sign_task).

A text is compared in three ways: as it stands (`exact`), by its words alone (`normalised`: Unicode NFKC, lower case,
letters and digits only), and by the set of its shingles, which are runs of words (Broder 1997).
It is compared in three fields: the `text` to be labelled, its `context`, and the `input` as a model sees it, context
and text together. Signatures are hash values: no text can be read from them, but whoever has a text can tell that it
was there, so they are to be kept as the data are.
"""

import re
import unicodedata

import numpy as np
import pandas

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.errors import DataError
from empathy_transfer.leakage.shared_ids import SHARED_IDS, row_ids
from empathy_transfer.records.artefacts import read_table, write_table

FIELDS = ("text", "context", "input")
NO_PIECE = -1
_WORD = re.compile(r"[^\W_]+")
_BETWEEN = "\x1f"  # between context and text: a control character that no reader puts into either
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def sign_task(splits, shared_ids, raw_files, shingle_words, items_path, pieces_path, shingles_path):
    """Write the signatures of one task.

    Args:
        splits: paths of the split tables by split name.
        shared_ids: the dataset's `shared_ids`, or None; see `shared_ids.row_ids`.
        raw_files: raw files by name, where `shared_ids` reads columns of them.
        shingle_words: words in a shingle, 1 or more.
        items_path: table of one row per item: split, id, group, article, author (empty where unknown), and for each
            field its exact hash `<field>_exact` and the number of its piece `<field>_piece`, -1 without a context.
        pieces_path: table of the distinct normalised fields: `key` (hash) and `words` (how many it has).
        shingles_path: table with a row for each distinct shingle of each piece: `piece`, `shingle` (32 bits), ordered.

    Raises DataError where an item of the task has no row in the files of `shared_ids`.
    """
    parts = [
        read_table(splits[split], columns=["id", "group", "context", "text"]).assign(split=split) for split in SPLITS
    ]
    frame = pandas.concat(parts, ignore_index=True)
    items = frame[["split", "id", "group"]].copy()
    ids = row_ids(shared_ids, frame["id"], frame["group"], raw_files)
    for kind in SHARED_IDS:
        items[kind] = ids.get(kind, pandas.Series([None] * len(frame), dtype="object"))
    fields = _fields(frame)
    everything = pandas.Series([words for normalised, _ in fields.values() for words in normalised if words])
    pieces = everything.drop_duplicates().sort_values(ignore_index=True)
    number = {words: place for place, words in enumerate(pieces)}
    for field, (normalised, exact) in fields.items():
        items[f"{field}_exact"] = hashes(exact)
        items[f"{field}_piece"] = np.array([number.get(words, NO_PIECE) for words in normalised], dtype="int32")
    write_table(items_path, items)
    words = [piece.split(" ") for piece in pieces]
    write_table(pieces_path, pandas.DataFrame({"key": hashes(pieces), "words": np.array([*map(len, words)], "int32")}))
    write_table(shingles_path, shingle_table(words, shingle_words))
    print(f"{len(items):,} items, {len(pieces):,} distinct pieces of text")


def normalise(text):
    """The words of a text in lower case, with one space between them; the text itself where it has no words."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_WORD.findall(plain)) or " ".join(plain.split())


def hashes(texts):
    """Hash values of texts, 64 bits each, the same on every machine."""
    return pandas.util.hash_array(np.asarray(list(texts), dtype=object), categorize=True)


def shingle_table(pieces, shingle_words):
    """The distinct shingles of each piece: a frame with the columns piece (int32) and shingle (uint32), in this order.

    ``pieces`` is a list of lists of words, none empty. A piece with fewer words than a shingle is one shingle.
    """
    lengths = np.array([len(words) for words in pieces], dtype=np.int64)
    codes = hashes(word for words in pieces for word in words)
    counts = np.maximum(lengths - shingle_words + 1, 1)
    piece = np.repeat(np.arange(len(pieces)), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    start = np.repeat(np.cumsum(lengths) - lengths, counts) + offset
    value = np.zeros(len(piece), dtype=np.uint64)
    for place in range(shingle_words):
        inside = offset + place < lengths[piece]
        word = np.where(inside, codes[np.minimum(start + place, max(len(codes) - 1, 0))], np.uint64(0))
        value = value * _FACTOR + word  # modulo 2**64
    joined = np.sort((piece.astype(np.uint64) << np.uint64(32)) | (value >> np.uint64(32)))
    joined = joined[np.concatenate([[True], joined[1:] != joined[:-1]])[: len(joined)]]
    return pandas.DataFrame(
        {
            "piece": (joined >> np.uint64(32)).astype("int32"),
            "shingle": (joined & np.uint64(0xFFFFFFFF)).astype("uint32"),
        }
    )


def _fields(frame):
    """{field: (normalised form, form as it stands)} of all rows; "" where a row has no context."""
    contexts, texts = frame["context"].fillna("").tolist(), frame["text"].tolist()
    # Many rows share a context: each is normalised once.
    normal = {text: normalise(text) if text else "" for text in {*contexts, *texts}}
    both = list(zip(contexts, texts, strict=True))
    return {
        "text": ([normal[text] for text in texts], texts),
        "context": ([normal[context] for context in contexts], contexts),
        "input": (
            [f"{normal[context]} {normal[text]}" if context else normal[text] for context, text in both],
            [f"{context}{_BETWEEN}{text}" if context else text for context, text in both],
        ),
    }


def read_signatures(items_path, pieces_path, shingles_path):
    """(items, pieces, shingles) of a task as written by `sign_task`.

    Raises DataError if the three don't belong together.
    """
    items, pieces, shingles = (read_table(path) for path in (items_path, pieces_path, shingles_path))
    highest = max((int(items[f"{field}_piece"].max()) for field in FIELDS), default=NO_PIECE)
    if highest >= len(pieces) or shingles["piece"].nunique() != len(pieces):
        raise DataError(f"{pieces_path}: these pieces are not those of the items beside them. Remove the folder.")
    return items, pieces, shingles
