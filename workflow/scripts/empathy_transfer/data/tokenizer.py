"""The tokenizer of an encoder, where it can be without the library `transformers`: its import takes longer than a task.

The library makes a tokenizer of several files and lets `tokenizer_config.json` win over `tokenizer.json`. Where the two
say the same, `tokenizer.json` alone gives the same token ids; anywhere else the library is asked.
"""

import json
from pathlib import Path

from empathy_transfer.errors import EncoderError
from empathy_transfer.records.encoder_config import check_length

# Tokenizers whose own settings are known here, and which of them a family has by default.
WORD_PIECES, BYTE_PAIRS = {"BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer"}, {"RobertaTokenizer"}
DEFAULTS = {"bert": "BertTokenizer", "distilbert": "DistilBertTokenizer", "electra": "ElectraTokenizer"}
DEFAULTS |= {"roberta": "RobertaTokenizer"}
SPECIAL = ("bos_token", "cls_token", "eos_token", "mask_token", "pad_token", "sep_token", "unk_token")
# Settings that change no token id where `tokenizer.json` is there.
HARMLESS = {"clean_up_tokenization_spaces", "do_basic_tokenize", "errors", "max_length", "model_input_names"}
HARMLESS |= {"model_max_length", "name_or_path", "never_split", "pad_to_multiple_of", "pad_token_type_id"}
HARMLESS |= {"padding_side", "special_tokens_map_file", "stride", "tokenizer_class", "trim_offsets", "truncation_side"}
HARMLESS |= {"truncation_strategy"}
FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


def load_tokenizer(encoder, max_length, setting="encoder"):
    """Return the `tokenizers.Tokenizer` of an `encoders.Encoder`, which neither cuts nor pads.

    Its token ids are those of `transformers.AutoTokenizer`.

    Args:
        encoder: an `encoders.Encoder`. max_length: tokens that texts will be cut to. setting: where the config says it.

    Raises:
        EncoderError: there is no tokenizer that can be used, it has tokens beyond the encoder's embeddings, texts of
            `max_length` have more tokens than it has positions, or nothing says whether a vocabulary with capitals is
            to be read in lower case.
    """
    check_length(encoder, max_length, setting)
    tokenizer = _plain(encoder) or _by_library(encoder)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    check_token_ids(encoder, tokenizer.get_vocab(with_added_tokens=True))
    return tokenizer


def check_token_ids(encoder, ids):
    """Raise EncoderError if a token, of {token: id}, has an id for which the encoder has no embedding."""
    token, greatest = max(ids.items(), key=lambda item: item[1], default=("", -1))
    if greatest >= encoder.config["vocab_size"]:
        raise EncoderError(
            f"Encoder '{encoder.name}': its tokenizer has the token {token!r} with the number {greatest}, but there "
            f"are {encoder.config['vocab_size']} embeddings. Take added tokens out of the tokenizer's files in "
            f"{encoder.folder}, or save the encoder after `resize_token_embeddings`."
        )


def read_settings(encoder, name):
    """Return the JSON object in a file of an encoder's tokenizer; empty without the file.

    Raises:
        EncoderError: the file can't be read.
    """
    path = Path(encoder.folder) / name
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EncoderError(
            f"Encoder '{encoder.name}': {path} can't be read as JSON ({error}). Fetch it anew."
        ) from None
    if not isinstance(found, dict):
        raise EncoderError(f"Encoder '{encoder.name}': {path} holds no JSON object. Fetch it anew.")
    return found


def _plain(encoder):
    """Return the tokenizer of `tokenizer.json`; None where `transformers` would, or may, make another one of it."""
    path = Path(encoder.folder) / "tokenizer.json"
    if not path.is_file() or (path.parent / "added_tokens.json").is_file():
        return None
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no narrower class
        raise EncoderError(f"Encoder '{encoder.name}': {path} is damaged ({error}). Fetch it anew.") from None
    special, settings = (read_settings(encoder, name) for name in ("special_tokens_map.json", "tokenizer_config.json"))
    if any(settings[key] != special[key] for key in special.keys() & settings.keys()):
        return None
    settings = special | settings
    kind = settings.get("tokenizer_class") or DEFAULTS.get(encoder.config["model_type"], "")
    kind = kind.removesuffix("Fast") if isinstance(kind, str) else ""
    if kind in WORD_PIECES:
        steps = [tokenizer.normalizer]
        own = {"do_lower_case": True, "strip_accents": None, "tokenize_chinese_chars": True}
        names = {"do_lower_case": "lowercase", "tokenize_chinese_chars": "handle_chinese_chars"}
        defaults = dict(zip(SPECIAL[1:], ("[CLS]", None, "[MASK]", "[PAD]", "[SEP]", "[UNK]"), strict=True))
    elif kind in BYTE_PAIRS:
        steps, own, names = [tokenizer.pre_tokenizer, tokenizer.post_processor], {"add_prefix_space": False}, {}
        mask = {"content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False}
        defaults = dict(zip(SPECIAL, ("<s>", "<s>", "</s>", mask, "<pad>", "</s>", "<unk>"), strict=True))
        given = settings.get("mask_token", "<mask>")
        settings["mask_token"] = mask | {"content": given} if isinstance(given, str) else given
    else:
        return None
    extra = settings.keys() - HARMLESS - own.keys() - set(SPECIAL) - {"added_tokens_decoder"}
    if any(settings[key] not in (None, False, [], {}) for key in extra):
        return None
    for step in steps:
        if step is None:
            return None
        state = json.loads(step.__getstate__())
        if any(state.get(names.get(key, key)) != settings.get(key, value) for key, value in own.items()):
            return None
    known = {token.content: (number, token) for number, token in tokenizer.get_added_tokens_decoder().items()}
    tokens = [settings.get(name, default) for name, default in defaults.items()]
    added = settings.get("added_tokens_decoder") or {}
    same = all(_is_known(token, known) for token in tokens if token is not None)
    same = same and all(_is_known(token, known, number) for number, token in added.items())
    return tokenizer if same else None


def _is_known(token, known, number=None):
    """Whether a tokenizer has an added token as some settings want it: a text, or a dict with its flags."""
    content = token.get("content") if isinstance(token, dict) else token
    if not isinstance(content, str) or content not in known:
        return False
    place, own = known[content]
    if not own.special or (number is not None and str(place) != number):
        return False
    wanted = token if isinstance(token, dict) else {}
    return all(getattr(own, flag) == wanted[flag] for flag in FLAGS if flag in wanted)


def _by_library(encoder):
    """Return the tokenizer that `transformers` makes of an encoder's files.

    Raises:
        EncoderError: it makes none, or none of the kind that this project reads.
    """
    from transformers import AutoTokenizer

    try:
        theirs = AutoTokenizer.from_pretrained(str(encoder.folder), use_fast=True, trust_remote_code=False)
        tokenizer = theirs.backend_tokenizer
    except Exception as error:  # whatever files that nobody foresaw make the library raise
        raise EncoderError(
            f"Encoder '{encoder.name}': the library `transformers` makes no fast tokenizer of the files in "
            f"{encoder.folder} ({type(error).__name__}: {error}). A tokenizer.json is missing or can't be used: save "
            "one with `AutoTokenizer.from_pretrained(name).save_pretrained(folder)`."
        ) from error
    tokenizer.encode_special_tokens = theirs.split_special_tokens
    _check_capitals(encoder, theirs)
    return tokenizer


def _check_capitals(encoder, theirs):
    """Raise EncoderError where a vocabulary with capitals is read in lower case because nothing says otherwise."""
    told = (Path(encoder.folder) / "tokenizer.json").is_file()
    told = told or "do_lower_case" in read_settings(encoder, "tokenizer_config.json")
    if told or not getattr(theirs, "do_lower_case", False):
        return
    own = [token for token in theirs.get_vocab() if token not in theirs.all_special_tokens]
    if capitals := [token for token in own if token != token.lower() and not token.startswith("[")]:
        raise EncoderError(
            f"Encoder '{encoder.name}': its vocabulary in {encoder.folder} has {len(capitals)} tokens with capitals, "
            "but would be read in lower case, since no file says otherwise. Add a tokenizer_config.json with "
            '{"do_lower_case": false}, or with true if that is meant.'
        )


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


def encode_both(tokenizer, firsts, seconds, max_length):
    """Return ([(input ids, token type ids)], number of pairs cut) for pairs of texts of equal standing.

    The longer of both is cut, from the right, until the pair has at most `max_length` tokens.
    """
    sides = [tokenizer.encode_batch(list(side), add_special_tokens=False) for side in (firsts, seconds)]
    room = max_length - tokenizer.num_special_tokens_to_add(is_pair=True)
    rows, cut = [], 0
    for first, second in zip(*sides, strict=True):
        if len(first) + len(second) > room:
            cut += 1
            shorter = min(len(first), len(second), room // 2)
            first_room = shorter if len(first) <= len(second) else room - shorter
            first.truncate(first_room)
            second.truncate(room - first_room)
        whole = tokenizer.post_process(first, second)
        rows.append((whole.ids, whole.type_ids))
    return rows, cut
