"""What an encoder's `config.json` says, by one set of names for all families, and which encoders can be used at all.

Most errors of a configuration would not stop the libraries: they would compute another model, or draw weights at
random. So every value that decides about the numbers is checked, and what isn't understood is refused.
"""

import importlib.util
import json
from dataclasses import dataclass, field
from pathlib import Path

from empathy_transfer.errors import EncoderError

# Names that the sizes of an encoder have in most families.
SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
SIZES += ("vocab_size", "max_position_embeddings")
# No encoder is larger; a number beyond would take all memory before anything else fails.
MOST, MOST_LAYERS = 10_000_000, 1_000
# Keys that make another model of the same weights, and what is done with an encoder that has them.
REFUSED = {
    "is_decoder": "a decoder reads each text from the left only; set it to false if this is an encoder",
    "is_encoder_decoder": "encoders alone are computed",
    "add_cross_attention": "encoders alone are computed",
    "pruned_heads": "save the encoder with its heads pruned into its weights",
    "quantization_config": "save the encoder with plain weights",
    "adapters": "save the encoder without adapters",
}
FALSE_ONLY = ("is_decoder", "is_encoder_decoder", "add_cross_attention")  # the others may be empty
# Words in keys that let `transformers` fetch and run foreign code, but for one that it writes itself.
KERNEL_KEYS, HARMLESS_KERNEL_KEY = "attn_implementation", "_attn_implementation_autoset"


@dataclass(frozen=True)
class Family:
    """What encoders of one `model_type` have in common.

    `prefix` may stand before each tensor's name. `defaults` are those of the family's configuration, where a file lacks
    a key. `names` are other names of keys. `counts_from_padding`: its first position is the one behind that of the
    padding token. `takes_adapters`: whether the `adapters` library adapts it. `words` is the tensor of word embeddings.
    """

    prefix: str
    defaults: dict
    names: dict = field(default_factory=dict)
    counts_from_padding: bool = False
    has_embedding_size: bool = False
    takes_adapters: bool = True
    words: str = "embeddings.word_embeddings.weight"


_BASE = dict(zip(SIZES, (768, 12, 12, 3072, 30522, 512), strict=True)) | {"layer_norm_eps": 1e-12, "pad_token_id": 0}
_BASE |= {"type_vocab_size": 2, "hidden_act": "gelu", "position_embedding_type": "absolute"}
_ROBERTA = _BASE | {"pad_token_id": 1}
_DEBERTA = {key: value for key, value in _BASE.items() if key != "position_embedding_type"}
_DEBERTA |= {"vocab_size": 50265, "type_vocab_size": 0, "layer_norm_eps": 1e-7}
_DISTILBERT_NAMES = {"hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads"}
_DISTILBERT_NAMES |= {"intermediate_size": "hidden_dim", "hidden_act": "activation"}
_MODERNBERT_NAMES = {"hidden_act": "hidden_activation", "layer_norm_eps": "norm_eps"}

FAMILIES = {
    "albert": Family(
        "albert",
        _BASE
        | dict(zip(SIZES, (4096, 12, 64, 16384, 30000, 512), strict=True))
        | {"hidden_act": "gelu_new", "embedding_size": 128},
        has_embedding_size=True,
    ),
    "bert": Family("bert", _BASE),
    "camembert": Family("roberta", _ROBERTA, counts_from_padding=True, takes_adapters=False),
    # The `adapters` library gives it biases that no file has.
    "deberta": Family("deberta", _DEBERTA, has_embedding_size=True, takes_adapters=False),
    "deberta-v2": Family(
        "deberta",
        _DEBERTA | dict(zip(SIZES, (1536, 24, 24, 6144, 128100, 512), strict=True)),
        has_embedding_size=True,
    ),
    "distilbert": Family(
        "distilbert",
        {key: _BASE[key] for key in (*SIZES, "pad_token_id", "hidden_act")} | {"num_hidden_layers": 6},
        _DISTILBERT_NAMES,
    ),
    "electra": Family(
        "electra",
        _BASE | dict(zip(SIZES, (256, 12, 4, 1024, 30522, 512), strict=True)) | {"embedding_size": 128},
        has_embedding_size=True,
    ),
    "modernbert": Family(
        "model",
        dict(zip(SIZES, (768, 22, 12, 1152, 50368, 8192), strict=True))
        | {"pad_token_id": 50283, "hidden_act": "gelu", "layer_norm_eps": 1e-5},
        _MODERNBERT_NAMES,
        takes_adapters=False,
        words="embeddings.tok_embeddings.weight",
    ),
    "mpnet": Family(
        "mpnet",
        {key: _ROBERTA[key] for key in (*SIZES, "layer_norm_eps", "pad_token_id", "hidden_act")}
        | {"vocab_size": 30527},
        counts_from_padding=True,
        takes_adapters=False,
    ),
    "roberta": Family("roberta", _ROBERTA | {"vocab_size": 50265}, counts_from_padding=True),
    "xlm-roberta": Family("roberta", _ROBERTA, counts_from_padding=True),
}


def read_config(name, folder):
    """Read an encoder's `config.json`: a dict with every key of `SIZES` and of its family's defaults, checked.

    Args:
        name: the encoder, for messages. folder: the folder that holds the file.

    Raises:
        EncoderError: the file is missing or damaged, the family is none of `FAMILIES`, or a key has a value that can't
            be, or one that makes this no plain encoder. The message names the key.
    """
    path = Path(folder) / "config.json"
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EncoderError(f"Encoder '{name}': {path} can't be read as JSON ({error}). Fetch it anew.") from None
    family = (
        FAMILIES.get(given.get("model_type")) if isinstance(given, dict) and _is_text(given, "model_type") else None
    )
    if family is None:
        kind = given.get("model_type") if isinstance(given, dict) else None
        raise EncoderError(
            f"Encoder '{name}': model_type {kind!r} in {path} is none of the families that can be used: "
            f"{', '.join(FAMILIES)}."
        )
    _refuse_foreign_code(name, given, path)
    for key, reason in REFUSED.items():
        if not (given.get(key, False) is False or (key not in FALSE_ONLY and _is_empty(given[key]))):
            raise EncoderError(f"Encoder '{name}': {key} in {path} can't be used: {reason}.")
    config = family.defaults | given
    for standard, own in family.names.items():
        if standard not in given and own in given:
            config[standard] = given[own]
    _check_values(name, config, path)
    return config


def embedding_shape(config):
    """The shape of an encoder's word embeddings: (tokens, size)."""
    size = config["hidden_size"]
    if FAMILIES[config["model_type"]].has_embedding_size:
        size = config.get("embedding_size", size)
    return config["vocab_size"], size


def positions_of(config):
    """The greatest number of tokens, special ones included, that an encoder of this configuration has positions for."""
    first = config["pad_token_id"] + 1 if FAMILIES[config["model_type"]].counts_from_padding else 0
    return config["max_position_embeddings"] - first


def check_length(encoder, max_length, setting="encoder"):
    """Raise EncoderError if `max_length` of a setting is more than an `encoders.Encoder` has positions for."""
    room = positions_of(encoder.config)
    if max_length > room:
        raise EncoderError(
            f"{setting}: max_length is at most {room} for encoder '{encoder.name}', which has no more positions; it is "
            f"{max_length}. Set it to {room} or less."
        )


def refuse_kernels():
    """Raise EncoderError where the package `kernels` is installed, by which `transformers` runs foreign code."""
    found = importlib.util.find_spec("kernels")
    if found is not None and found.origin is not None:  # a mere folder of this name is no package
        raise EncoderError(
            "The package `kernels` is installed, by which an encoder's configuration can fetch and run foreign code. "
            "Remove it: pip uninstall kernels"
        )


def _refuse_foreign_code(name, value, path):
    """Raise EncoderError if a key of a configuration, at any depth, names an implementation of attention."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            for key in part:
                if KERNEL_KEYS in key and key != HARMLESS_KERNEL_KEY:
                    raise EncoderError(
                        f"Encoder '{name}': {key} in {path} can make `transformers` fetch and run foreign code. Don't "
                        "use this encoder, or take the key out if you trust it."
                    )
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _is_empty(value):
    """Whether a value holds nothing; the `adapters` library writes its part where there are no adapters, too."""
    return not (value.get("adapters") if isinstance(value, dict) and "adapters" in value else value)


def _check_values(name, config, path):
    """Raise EncoderError unless sizes, padding token and the like have values that can be."""

    def refuse(key, expected):
        """Say what a key must be."""
        raise EncoderError(f"Encoder '{name}': {key} in {path} is {config[key]!r}, but must be {expected}.")

    family = FAMILIES[config["model_type"]]
    for key in (*SIZES, *(["embedding_size"] if family.has_embedding_size and "embedding_size" in config else [])):
        greatest = MOST_LAYERS if key == "num_hidden_layers" else MOST
        if not _is_whole(config[key]) or not 1 <= config[key] <= greatest:
            refuse(key, f"a whole number from 1 to {greatest:,}")
    if config["hidden_size"] % config["num_attention_heads"]:
        refuse("num_attention_heads", f"a divisor of the hidden size, {config['hidden_size']}")
    if not _is_whole(config["pad_token_id"]) or not 0 <= config["pad_token_id"] < config["vocab_size"]:
        refuse("pad_token_id", f"the number of a token, below {config['vocab_size']}")
    if positions_of(config) < 1:
        refuse("max_position_embeddings", "greater than the padding token's number and 1")
    least = family.defaults.get("type_vocab_size")
    if least is not None and (not _is_whole(config["type_vocab_size"]) or config["type_vocab_size"] < min(least, 1)):
        refuse("type_vocab_size", f"a whole number of {min(least, 1)} or more")
    if "layer_norm_eps" in config and not (_is_number(config["layer_norm_eps"]) and 0 <= config["layer_norm_eps"] < 1):
        refuse("layer_norm_eps", "a number between 0 and 1")
    if not _is_text(config, "hidden_act"):
        refuse("hidden_act", "the name of an activation")


def _is_whole(value):
    """Whether a JSON value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value):
    """Whether a JSON value is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(values, key):
    """Whether a key has a text."""
    return isinstance(values.get(key), str)
