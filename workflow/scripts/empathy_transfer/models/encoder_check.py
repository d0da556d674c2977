"""Look at the encoders of a study before its first job: `python -m empathy_transfer.models.encoder_check <JSON>`.

What is on this machine is checked as far as headers and configurations tell, within a fraction of a second and without
the network. What isn't here yet is checked by the first job that needs it.
"""

import json
import sys

from empathy_transfer.data.tokenizer import check_token_ids, read_settings
from empathy_transfer.errors import EncoderError
from empathy_transfer.models.compose import is_packable
from empathy_transfer.records.encoder_config import FAMILIES, check_length
from empathy_transfer.records.encoder_weights import check_words
from empathy_transfer.records.encoders import Encoder, EncoderNotFoundError, check_folder, find_folder

ADAPTED = "adapted"


def check_encoder(setting, name, revision, max_length, use, engine="auto"):
    """Check an encoder of the config, if it is on this machine.

    Args:
        setting: where the config names it, such as `encoder`. name, revision, max_length: what stands there.
        use: `adapted` by adapters, trained as a `whole`, or for `sentences`. engine: the setting of training.

    Raises:
        EncoderError, EncoderNotFoundError: it can't be used; the message says why and what to do.
    """
    folder = find_folder(name, revision)
    if folder is None:
        return
    check_folder(name, folder)
    encoder = Encoder(name, folder, weights_sha256="")  # reading all weights would take too long here
    family = encoder.config["model_type"]
    if use == ADAPTED and not FAMILIES[family].takes_adapters:
        able = [known for known, about in FAMILIES.items() if about.takes_adapters]
        raise EncoderError(
            f"Encoder '{name}' is of the family {family}, which can't take adapters. Those that can: {', '.join(able)}."
        )
    if engine == "fast" and not is_packable(encoder):
        raise EncoderError(
            f"Encoder '{name}': the fast engine can't compute it; set `engine: auto` or `engine: reference` among the "
            "settings of training."
        )
    check_length(encoder, max_length, setting)
    check_words(encoder)
    check_token_ids(encoder, told_ids(encoder))


def told_ids(encoder):
    """Return {token: id} of what the tokenizer's files say of vocabulary and added tokens; nothing is made of them."""
    whole, settings, added = (
        read_settings(encoder, name) for name in ("tokenizer.json", "tokenizer_config.json", "added_tokens.json")
    )
    try:
        vocabulary = (whole.get("model") or {}).get("vocab") or {}
        if isinstance(vocabulary, list):  # of a unigram model: pairs of token and score
            vocabulary = {token: number for number, (token, _) in enumerate(vocabulary)}
        if not whole and (words := encoder.folder / "vocab.txt").is_file():
            lines = words.read_text(encoding="utf-8").rstrip("\n").split("\n")
            vocabulary = {token: number for number, token in enumerate(lines)}
        ids = vocabulary | {token["content"]: token["id"] for token in whole.get("added_tokens") or []}
        ids |= {token["content"]: int(number) for number, token in (settings.get("added_tokens_decoder") or {}).items()}
        return {token: int(number) for token, number in (ids | added).items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise EncoderError(
            f"Encoder '{encoder.name}': the tokenizer's files in {encoder.folder} are damaged ({error!r}). Fetch them "
            "anew."
        ) from None


def main():
    """Check the encoders of the JSON list in the first argument; the first one that can't be used is told, status 1."""
    for about in json.loads(sys.argv[1]):
        try:
            check_encoder(**about)
        except (EncoderError, EncoderNotFoundError) as error:
            sys.exit(f"{about['setting']}: {error}" if not str(error).startswith(about["setting"]) else str(error))


if __name__ == "__main__":
    main()
