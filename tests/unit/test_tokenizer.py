"""Tokenising: what is cut, and the same ids as the library `transformers` gives."""

import json

import pytest

from empathy_transfer.data.tokenizer import encode_pairs, load_tokenizer
from empathy_transfer.records.encoders import MINILM, find_encoder
from tiny_encoders import write_vocabulary_encoder

WORDS = ["i", "am", "bad", "good", "night", "day"]
TEXTS = [
    "I am  good",
    "naïve ÉCOLE, don't…",
    "日本 day",
    "[SEP] [MASK]",
    "",
    "\u200bnight\x00 \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "good " * 40,
]
CONTEXTS = ["bad good night", None, "", "am " * 30, None, "I\nam", "bad"]


@pytest.fixture
def words(tmp_path):
    write_vocabulary_encoder(tmp_path, WORDS)
    return tmp_path


def make_byte_pairs(folder):
    """Write a tokenizer of byte pairs, as RoBERTa has, learnt from a few words."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaTokenizerFast

    tokenizer = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator([" ".join(WORDS)] * 3, vocab_size=300, special_tokens=special, show_progress=False)
    tokenizer.save_model(str(folder))
    RobertaTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "roberta"}))
    return folder


def test_the_context_is_cut_from_the_left_and_the_text_kept(words):
    tokenizer = load_tokenizer(words)
    rows, cut = encode_pairs(tokenizer, ["bad good night", None, "bad"], ["i am good", "i am", "day " * 9], 8)
    tokens = [[tokenizer.id_to_token(number) for number in ids] for ids, _ in rows]
    assert tokens[0] == ["[CLS]", "good", "night", "[SEP]", "i", "am", "good", "[SEP]"]
    assert rows[0][1] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert tokens[1] == ["[CLS]", "i", "am", "[SEP]"]
    assert tokens[2] == ["[CLS]", *["day"] * 6, "[SEP]"]
    assert cut == 1


def assert_as_transformers(folder, length=16):
    """All rows have the ids and kinds that `transformers` gives, cut in the same way."""
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(folder, use_fast=True)
    rows, _ = encode_pairs(load_tokenizer(folder), CONTEXTS, TEXTS, length)
    for (ids, kinds), context, text in zip(rows, CONTEXTS, TEXTS, strict=True):
        both = (text,)
        if context and len(theirs.tokenize(text)) < length - theirs.num_special_tokens_to_add(pair=True):
            both = (context, text)
        cut = {} if len(both) == 1 else {"truncation": "only_first"}
        theirs.truncation_side = "right" if len(both) == 1 else "left"
        expected = theirs(*both, **({"truncation": True} | cut), max_length=length, return_token_type_ids=True)
        assert ids == expected["input_ids"]
        assert kinds == expected["token_type_ids"]


def test_ids_are_those_of_transformers_for_word_pieces(words):
    assert_as_transformers(words)


def test_ids_are_those_of_transformers_for_byte_pairs(tmp_path):
    assert_as_transformers(make_byte_pairs(tmp_path))


def test_ids_are_those_of_transformers_for_minilm():
    assert_as_transformers(find_encoder(MINILM).folder)


def test_a_vocabulary_alone_will_do(words):
    expected = encode_pairs(load_tokenizer(words), CONTEXTS, TEXTS, 16)
    (words / "tokenizer.json").unlink()
    assert encode_pairs(load_tokenizer(words), CONTEXTS, TEXTS, 16) == expected
