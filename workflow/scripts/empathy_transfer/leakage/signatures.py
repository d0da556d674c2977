"""Signatures of a task's texts: what the audit of leakage compares instead of the texts (job of rule sign_task).

A text is compared in three ways: as it stands (`exact`), by its words alone (`normalised`: Unicode NFKC, lower case,
letters and digits only), and by the set of its shingles, which are pairs of neighbouring words, beginning and end
included (Broder 1997).
It is compared in four fields: the `text` to be labelled, its `context`, the `input` as a model sees it, context and
text together, and the `dialogue`, which is all texts of the item's group in its split. A dialogue is compared as the
set of its texts: each of them is one shingle. Signatures are hash values: no text can be read from them, but whoever
has a text can tell that it was there, so they are to be kept as the data are.
"""

import re
import unicodedata

import numpy as np
import pandas

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.errors import DataError
from empathy_transfer.leakage.information import text_bits, word_bits
from empathy_transfer.leakage.shared_ids import SHARED_IDS, row_ids
from empathy_transfer.records.artefacts import read_table, write_table

FIELDS = ("text", "context", "input", "dialogue")
NO_PIECE = -1
BORDER = np.uint64(0)  # beginning or end of a text, in place of a word's hash
_WORD = re.compile(r"[^\W_]+")
# Between context and text, and between the texts of a dialogue: no reader puts this control character into either.
_BETWEEN = "\x1f"
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def sign_task(splits, shared_ids, raw_files, items_path, pieces_path, shingles_path):
    """Write the signatures of one task.

    Args:
        splits: paths of the split tables by split name.
        shared_ids: the dataset's `shared_ids`, or None; see `shared_ids.row_ids`.
        raw_files: raw files by name, where `shared_ids` reads columns of them.
        items_path: table of one row per item: split, id, group, article, author (empty where unknown), and for each
            field its exact hash `<field>_exact` and the number of its piece `<field>_piece`, -1 without a context, and
            for the dialogue of a group with one text.
        pieces_path: table of the distinct normalised fields: `key` (hash) and `words` (how many; 0 for dialogues).
        shingles_path: table with a row for each distinct shingle of each piece: `piece`, `shingle` (32 bits), in this
            order, and in `bits` the information of its second word among the groups of the task (`information.py`).

    Raises DataError where an item of the task has no row in the files of `shared_ids`.
    """
    parts = [
        read_table(splits[split], columns=["id", "group", "context", "text"]).assign(split=split) for split in SPLITS
    ]
    frame = pandas.concat(parts, ignore_index=True)
    items, pieces, shingles = signatures_of(frame, row_ids(shared_ids, frame["id"], frame["group"], raw_files))
    write_table(items_path, items)
    write_table(pieces_path, pieces)
    write_table(shingles_path, shingles)
    print(f"{len(items):,} items, {len(pieces):,} distinct pieces of text")


def signatures_of(frame, ids):
    """(items, pieces, shingles), the three tables of `sign_task`.

    ``frame`` has the columns split, id, group, context and text; ``ids`` are the shared ids as from `row_ids`.
    """
    items = frame[["split", "id", "group"]].copy()
    for kind in SHARED_IDS:
        items[kind] = ids.get(kind, pandas.Series([None] * len(frame), dtype="object"))
    fields = _fields(frame)
    everything = pandas.Series([words for normalised, _ in fields.values() for words in normalised if words])
    texts = sorted(everything.unique(), key=lambda text: (_BETWEEN in text, text))  # dialogues last
    number = {words: place for place, words in enumerate(texts)}
    for field, (normalised, exact) in fields.items():
        items[f"{field}_exact"] = hashes(exact)
        items[f"{field}_piece"] = np.array([number.get(words, NO_PIECE) for words in normalised], dtype="int32")
    simple = [text.split(" ") for text in texts if _BETWEEN not in text]
    dialogues = [[number[turn] for turn in text.split(_BETWEEN)] for text in texts[len(simple) :]]
    keys = hashes(texts)
    tables = [
        shingle_table(simple, *_used(items, "text", "input")),
        dialogue_table(dialogues, keys, *_used(items, "text"), first=len(simple)),
    ]
    words = np.array([*map(len, simple), *(0 for _ in dialogues)], dtype="int32")
    return items, pandas.DataFrame({"key": keys, "words": words}), pandas.concat(tables, ignore_index=True)


def _used(items, *fields):
    """Which piece is used by which group in these fields, as two arrays; each pair once."""
    pairs = [items[[f"{field}_piece", "group"]].set_axis(["piece", "group"], axis=1) for field in fields]
    pairs = pandas.concat(pairs).drop_duplicates()
    return pairs["piece"].to_numpy(), pairs["group"].to_numpy()


def normalise(text):
    """The words of a text in lower case, with one space between them; the text itself where it has no words."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_WORD.findall(plain)) or " ".join(plain.split())


def hashes(texts):
    """Hash values of texts, 64 bits each, the same on every machine."""
    return pandas.util.hash_array(np.asarray(list(texts), dtype=object), categorize=True)


def shingle_table(pieces, used, groups):
    """The distinct shingles of each piece: a frame with piece (int32), shingle (uint32) and bits (float32), so ordered.

    Args:
        pieces: list of lists of words, none empty. Beginning and end make shingles with the first and the last word.
        used, groups: which piece is used by which group, as two arrays of one length, each pair once.
    """
    lengths = np.array([len(words) for words in pieces], dtype=np.int64)
    words = hashes(word for words in pieces for word in words)
    # A border before and after each piece: 0 a b 0 has the shingles 0a, ab and b0.
    ends = np.cumsum(lengths)
    bordered = np.insert(words, np.stack([ends - lengths, ends], axis=1).ravel(), BORDER)
    place = np.repeat(np.arange(len(pieces)), lengths + 2)
    bits = word_bits(bordered, place, used, groups)
    inner = np.flatnonzero(place[1:] == place[:-1]) + 1
    shingle = (bordered[inner - 1] * _FACTOR + bordered[inner]) >> np.uint64(32)  # modulo 2**64
    joined = (place[inner].astype(np.uint64) << np.uint64(32)) | shingle
    order = np.argsort(joined, kind="stable")
    first = np.flatnonzero(np.append(True, joined[order][1:] != joined[order][:-1])[: len(order)])
    # Where a shingle stands twice in a piece, it says as much as where it says least.
    least = np.minimum.reduceat(bits[inner][order], first) if len(first) else bits[:0]
    joined = joined[order][first]
    return pandas.DataFrame(
        {
            "piece": (joined >> np.uint64(32)).astype("int32"),
            "shingle": (joined & np.uint64(0xFFFFFFFF)).astype("uint32"),
            "bits": least,
        }
    )


def dialogue_table(dialogues, keys, used, groups, first):
    """As `shingle_table`, for dialogues.

    Args:
        dialogues: lists of the numbers of the pieces that are their texts. keys: hash of each piece.
        used, groups: which text is used by which group. first: number of the first dialogue.
    """
    bits = text_bits(len(keys), used, groups)
    piece = np.repeat(np.arange(len(dialogues)) + first, [len(texts) for texts in dialogues])
    text = np.array([text for texts in dialogues for text in texts], dtype=np.int64)
    table = {"piece": piece.astype("int32"), "shingle": (keys[text] >> np.uint64(32)).astype("uint32")}
    return pandas.DataFrame(table | {"bits": bits[text]}).sort_values(["piece", "shingle"], ignore_index=True)


def _fields(frame):
    """{field: (normalised form, form as it stands)} of all rows; "" where a row has no context or no dialogue."""
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
        "dialogue": (
            _dialogues(frame, [normal[text] for text in texts]),
            _dialogues(frame, texts),
        ),
    }


def _dialogues(frame, texts):
    """For each row the distinct texts of its group in its split, joined in order of the alphabet; "" for one alone."""
    keys = [frame["split"].to_numpy(), frame["group"].to_numpy()]
    together = pandas.Series(texts, dtype="object").groupby(keys, sort=False)
    joined = together.agg(lambda part: _BETWEEN.join(sorted(set(part))) if len(set(part)) > 1 else "")
    return joined.reindex(pandas.MultiIndex.from_arrays(keys)).tolist()


def read_signatures(items_path, pieces_path, shingles_path):
    """(items, pieces, shingles) of a task as written by `sign_task`.

    Raises DataError if the three don't belong together.
    """
    items, pieces, shingles = (read_table(path) for path in (items_path, pieces_path, shingles_path))
    highest = max((int(items[f"{field}_piece"].max()) for field in FIELDS), default=NO_PIECE)
    if highest >= len(pieces) or shingles["piece"].nunique() != len(pieces):
        raise DataError(f"{pieces_path}: these pieces are not those of the items beside them. Remove the folder.")
    return items, pieces, shingles
