"""The files that hold an encoder's weights, and whether the tensors in them are those that its configuration tells of.

Only the headers of the files are read here, which takes milliseconds.
"""

import json
from pathlib import Path

from empathy_transfer.errors import EncoderError
from empathy_transfer.records.encoder_config import FAMILIES, embedding_shape

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
# How names of tensors begin that belong to a head of an earlier training: no encoder computes with them.
HEADS = (
    "classifier.",
    "cls.",
    "decoder.",
    "discriminator_predictions.",
    "generator_lm_head.",
    "generator_predictions.",
)
HEADS += ("head.", "lm_head.", "lm_predictions.", "mask_predictions.", "pre_classifier.", "predictions.", "qa_outputs.")
HEADS += ("sop_classifier.", "vocab_layer_norm.", "vocab_projector.", "vocab_transform.")
POOLER = "pooler."
HEADER_BYTES = 100_000_000  # the greatest header that the format allows
# Buffers that old files hold beside the weights; they follow from the configuration.
BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")


def weight_files(folder):
    """Return the safetensors files of an encoder's folder: one, or those that its index names; empty without any.

    Raises:
        EncoderError: the index can't be read, or names a file that isn't there.
    """
    folder = Path(folder)
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        return []
    try:
        names = sorted(set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()))
        inside = all(name == Path(name).name and name.endswith(".safetensors") for name in names)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EncoderError(f"{folder / INDEX} is no index of weights ({error!r}). Fetch it anew.") from None
    if not names or not inside:
        raise EncoderError(f"{folder / INDEX} names no safetensors files of its own folder. Fetch it anew.")
    if missing := [name for name in names if not (folder / name).is_file()]:
        raise EncoderError(f"{folder / missing[0]} is missing, which {INDEX} names. Fetch it anew.")
    return [folder / name for name in names]


def tensor_shapes(files):
    """Return {name: shape} of all tensors of safetensors files, from their headers.

    Raises:
        EncoderError: a file is cut off or damaged, or a tensor is in two of them.
    """
    shapes = {}
    for path in files:
        found = _header(path)
        if twice := sorted(shapes.keys() & found.keys()):
            raise EncoderError(f"{path}: the tensor {twice[0]} stands in another file, too. Fetch the encoder anew.")
        shapes |= found
    return shapes


def _header(path):
    """Return {name: shape} of a safetensors file; by hand, since the library imports numpy or torch for it."""
    try:
        with Path(path).open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 0 < size < HEADER_BYTES:
                raise ValueError("no header of safetensors")
            header = json.loads(file.read(size))
        tensors = {name: about for name, about in header.items() if name != "__metadata__"}
        end = max((about["data_offsets"][1] for about in tensors.values()), default=0)
        if Path(path).stat().st_size != 8 + size + end:
            raise ValueError("not as long as its header says")
        return {name: tuple(about["shape"]) for name, about in tensors.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise EncoderError(f"{path} is cut off or damaged ({error}). Fetch it anew.") from None


def plain_names(encoder, names):
    """Return {plain name: name in the file} of the tensors of an `encoders.Encoder`.

    Plain names lack the family's prefix and have layer norms by the names of today. Raises EncoderError if some of the
    encoder's tensors have the prefix and others don't: the library would leave these out.
    """
    prefix = f"{FAMILIES[encoder.config['model_type']].prefix}."
    inner = [name for name in names if name.startswith(prefix)]
    outer = [name for name in names if not name.startswith(prefix)]
    if inner:
        check_tensor_names(encoder, [], outer)
    plain = {}
    for name in inner or outer:
        short = name.removeprefix(prefix)
        short = short.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
        if short in plain:
            check_tensor_names(encoder, [], [name])
        plain[short] = name
    return plain


def check_words(encoder):
    """Raise EncoderError unless the word embeddings of an `encoders.Encoder` are there, in the size of its vocabulary.

    They stand for all tensors where an encoder is looked at before the first job: what is named in another way, or
    belongs to another configuration, mostly fails here.
    """
    family, shapes = FAMILIES[encoder.config["model_type"]], tensor_shapes(encoder.files)
    found = {plain: shapes[name] for plain, name in plain_names(encoder, shapes).items()}
    check_tensor_names(encoder, [family.words], found.keys() & {family.words})
    check_shapes(encoder, {family.words: embedding_shape(encoder.config)}, found)


def check_tensor_names(encoder, expected, found):
    """Raise EncoderError unless an encoder has the expected tensors and no others.

    A pooler may be missing or there, since nothing here computes with it. Heads of an earlier training may be there.

    Args:
        encoder: an `encoders.Encoder`. expected, found: names, without the family's prefix.
    """
    missing = sorted(name for name in set(expected) - set(found) if not name.startswith(POOLER))
    passed = (POOLER, *HEADS, *BUFFERS)
    unexpected = sorted(name for name in set(found) - set(expected) if not name.startswith(passed))
    if missing or unexpected:
        raise EncoderError(
            f"Encoder '{encoder.name}': the tensors in {encoder.folder} are not those that its config.json tells of. "
            + " ".join(
                f"{len(names)} {what}, the first is {names[0]}."
                for what, names in (("missing", missing), ("not expected", unexpected))
                if names
            )
            + " Fetch the encoder anew, or save it with the `save_pretrained` of its own model."
        )


def check_shapes(encoder, expected, found):
    """Raise EncoderError unless tensors, by name, have the shapes that the encoder's configuration tells of."""
    for name, shape in expected.items():
        if tuple(found[name]) != tuple(shape):
            raise EncoderError(
                f"Encoder '{encoder.name}': the tensor {name} in {encoder.folder} has the shape {tuple(found[name])}, "
                f"but its config.json asks for {tuple(shape)}. Mend the configuration, or fetch the encoder anew."
            )
