"""Tokenising: what is cut, and the same ids as the library `transformers` gives."""

import json
import sys
from itertools import product

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoTokenizer

from empathy_transfer.data.tokenizer import encode_pairs, load_tokenizer
from empathy_transfer.errors import EncoderError
from empathy_transfer.records.encoders import MINILM, find_encoder
from tiny_encoders import SPECIAL, encoder_in, write_vocabulary_encoder

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


LENGTH = 16


@pytest.fixture
def words(tmp_path):
    """A folder with a tokenizer of word pieces."""
    write_vocabulary_encoder(tmp_path, WORDS)
    return tmp_path


@pytest.fixture
def byte_pairs(tmp_path):
    """A folder with a tokenizer of byte pairs, as RoBERTa has, learnt from a few words."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaTokenizerFast

    tokenizer = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator([" ".join(WORDS)] * 3, vocab_size=300, special_tokens=special, show_progress=False)
    tokenizer.save_model(str(tmp_path))
    RobertaTokenizerFast(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt")).save_pretrained(tmp_path)
    write_config(tmp_path, "roberta")
    return tmp_path


def write_config(folder, kind, vocab_size=400):
    """Write the configuration of an encoder of a family, without weights."""
    sizes = {"vocab_size": vocab_size, "max_position_embeddings": 40, "pad_token_id": 1}
    (folder / "config.json").write_text(json.dumps({"model_type": kind} | sizes))


def load(folder, length=LENGTH):
    """The tokenizer of a folder."""
    return load_tokenizer(encoder_in(folder), length)


def edit(path, **changes):
    """Change keys of a JSON file, which need not be there."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps(known | changes), encoding="utf-8")


def test_the_context_is_cut_from_the_left_and_the_text_kept(words):
    tokenizer = load(words)
    rows, cut = encode_pairs(tokenizer, ["bad good night", None, "bad"], ["i am good", "i am", "day " * 9], 8)
    tokens = [[tokenizer.id_to_token(number) for number in ids] for ids, _ in rows]
    assert tokens[0] == ["[CLS]", "good", "night", "[SEP]", "i", "am", "good", "[SEP]"]
    assert rows[0][1] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert tokens[1] == ["[CLS]", "i", "am", "[SEP]"]
    assert tokens[2] == ["[CLS]", *["day"] * 6, "[SEP]"]
    assert cut == 1


def assert_as_transformers(folder, length=16):
    """All rows have the ids and kinds that `transformers` gives, cut in the same way."""
    theirs = AutoTokenizer.from_pretrained(folder, use_fast=True)
    rows, _ = encode_pairs(load(folder), CONTEXTS, TEXTS, length)
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


def test_ids_are_those_of_transformers_for_byte_pairs(byte_pairs):
    assert_as_transformers(byte_pairs)


def test_ids_are_those_of_transformers_for_minilm():
    assert_as_transformers(find_encoder(MINILM).folder)


def test_a_vocabulary_alone_will_do(words):
    expected = encode_pairs(load(words), CONTEXTS, TEXTS, 16)
    (words / "tokenizer.json").unlink()
    assert encode_pairs(load(words), CONTEXTS, TEXTS, 16) == expected


def test_minilm_s_tokenizer_is_read_without_the_library():
    """The import of `transformers` takes longer than tokenising a task."""
    theirs = sys.modules.pop("transformers")
    sys.modules["transformers"] = None
    try:
        assert load(find_encoder(MINILM).folder).get_vocab_size() == 30522
    finally:
        sys.modules["transformers"] = theirs


OPTIONS = {
    "do_lower_case": [True, False],
    "strip_accents": [None, True, False],
    "tokenize_chinese_chars": [True, False],
}
CASES = [dict(zip(OPTIONS, values, strict=True)) for values in product(*OPTIONS.values())]


@pytest.mark.parametrize("options", CASES, ids=str)
@pytest.mark.parametrize("kind", ["bert", "distilbert", "electra", "mpnet"])
def test_settings_of_word_pieces_win_over_the_file_as_in_transformers(words, kind, options):
    edit(words / "config.json", model_type=kind, vocab_size=40)
    edit(words / "tokenizer_config.json", tokenizer_class=None, **options)
    assert_as_transformers(words)


@pytest.mark.parametrize("lower", [True, False])
def test_a_vocabulary_alone_is_read_as_its_settings_say(words, lower):
    words.joinpath("vocab.txt").write_text("\n".join([*SPECIAL, *WORDS, "I", "Good", "Day"]))
    (words / "tokenizer.json").unlink()
    edit(words / "config.json", vocab_size=14)
    edit(words / "tokenizer_config.json", do_lower_case=lower)
    assert_as_transformers(words)
    ids = encode_pairs(load(words), [None], ["I Good day"], 16)[0][0][0]
    assert ids == ([2, 5, 8, 10, 3] if lower else [2, 11, 12, 10, 3])


def test_a_vocabulary_with_capitals_needs_a_word_on_them(words):
    words.joinpath("vocab.txt").write_text("\n".join([*SPECIAL, *WORDS, "I", "Good"]))
    edit(words / "config.json", vocab_size=13)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (words / name).unlink()
    with pytest.raises(EncoderError, match=r"has 2 tokens with capitals.*\{\"do_lower_case\": false\}"):
        load(words)
    words.joinpath("vocab.txt").write_text("\n".join([*SPECIAL, *WORDS]))
    assert_as_transformers(words)


@pytest.mark.parametrize("prefix", [True, False])
@pytest.mark.parametrize("in_file", [True, False])
@pytest.mark.parametrize("kind", ["roberta", "deberta", "xlm-roberta", "modernbert"])
def test_settings_of_byte_pairs_win_over_the_file_as_in_transformers(byte_pairs, kind, in_file, prefix):
    write_config(byte_pairs, kind)
    tokenizer = json.loads((byte_pairs / "tokenizer.json").read_text())
    tokenizer["pre_tokenizer"]["add_prefix_space"] = in_file
    (byte_pairs / "tokenizer.json").write_text(json.dumps(tokenizer))
    if kind in ("deberta", "modernbert"):
        edit(byte_pairs / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    edit(byte_pairs / "tokenizer_config.json", add_prefix_space=prefix)
    assert_as_transformers(byte_pairs)


TOKENS = {
    "another mask": {"mask_token": "good"},
    "a token of its own": {"additional_special_tokens": ["<care>"]},
    "flags": {"mask_token": {"__type": "AddedToken", "content": "[MASK]", "lstrip": True, "rstrip": True}},
    "unknown separator": {"sep_token": "[END]"},
    "split": {"split_special_tokens": True},
    "no padding token": {"pad_token": None},
    "decoder": {"added_tokens_decoder": {"11": {"content": "good night", "special": False, "normalized": True}}},
    "decoder of a word": {"added_tokens_decoder": {"8": {"content": "good", "special": True, "single_word": True}}},
    "another class": {"tokenizer_class": "PreTrainedTokenizerFast"},
    "a slow class": {"tokenizer_class": "BertTokenizer"},
}


@pytest.mark.parametrize("case", TOKENS)
@pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json"])
def test_tokens_of_other_files_are_those_of_transformers(words, name, case):
    edit(words / "config.json", vocab_size=40)
    edit(words / name, **TOKENS[case])
    assert_as_transformers(words)


def test_added_tokens_are_those_of_transformers(words):
    edit(words / "config.json", vocab_size=40)
    edit(words / "added_tokens.json", **{"good night": 11})
    assert_as_transformers(words)


@pytest.mark.parametrize("kind", ["xlm-roberta", "camembert", "albert", "deberta-v2"])
@pytest.mark.parametrize(
    "options", [{}, {"do_lower_case": True}, {"add_prefix_space": False}, {"split_by_punct": True}], ids=str
)
def test_ids_are_those_of_transformers_for_pieces_with_scores(tmp_path, kind, options):
    pieces = [
        *(("<s>", "<pad>", "</s>", "<unk>", "<mask>")),
        "[CLS]",
        "[SEP]",
        "[PAD]",
        "[UNK]",
        "[MASK]",
        "▁",
        *"abcdefghijklmnopqrstuvwxyzIG",
    ]
    pieces += [f"▁{word}" for word in WORDS]
    tokenizer = Tokenizer(models.Unigram([(piece, -float(place)) for place, piece in enumerate(pieces)], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    edit(tmp_path / "tokenizer_config.json", **options)
    write_config(tmp_path, kind)
    assert_as_transformers(tmp_path)


FILES = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", ["", "{", "[]", '{"model": 7}', "7"])
def test_a_damaged_file_stops_with_the_encoder_s_name(words, name, content):
    (words / name).write_text(content)
    if (name, content) in {(name, '{"model": 7}') for name in FILES[1:]}:
        assert_as_transformers(words)  # a key without a meaning
        return
    with pytest.raises(EncoderError, match=rf"Encoder '{words}'"):
        load(words)


def test_a_folder_without_a_tokenizer_says_what_to_do(tmp_path):
    write_config(tmp_path, "roberta")
    with pytest.raises(EncoderError, match=r"tokenizer\.json is missing.*save_pretrained"):
        load(tmp_path)


@pytest.mark.parametrize("more", [1, 5])
def test_tokens_beyond_the_embeddings_are_refused(words, more):
    edit(words / "config.json", vocab_size=11 - more)
    with pytest.raises(EncoderError, match=rf"'day' with the number 10, but there are {11 - more} embeddings"):
        load(words)


@pytest.mark.parametrize("length", [33, 512])
def test_more_tokens_than_positions_are_refused(words, length):
    with pytest.raises(EncoderError, match=rf"encoder: max_length is at most 32 for encoder .* it is {length}"):
        load(words, length)
    assert load(words, 32)
