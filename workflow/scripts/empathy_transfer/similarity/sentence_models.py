"""An encoder as a model of sentence-transformers: the mean over all tokens, and the cosine of two texts.

Models are kept as safetensors of their weights. The library's own way to save them, and its trainer's, would write
other files beside them, one of which is a pickle.
"""

import numpy as np

from empathy_transfer.errors import DataError
from empathy_transfer.models.hardware import choose_device
from empathy_transfer.models.pretrained import load_pretrained
from empathy_transfer.records.artefacts import read_tensors, write_tensors
from empathy_transfer.records.encoder_config import check_length
from empathy_transfer.records.encoders import find_encoder

BATCH = 32


def sentence_model(encoder_settings, dropout=None):
    """Return (`SentenceTransformer`, `encoders.Encoder`).

    Args:
        encoder_settings: `name`, `revision`, and `max_length` in tokens. dropout: share of activations dropped in
            training; None leaves what the encoder's configuration says.

    Raises:
        EncoderNotFoundError, EncoderError: the encoder is not here, or can't be used.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import AutoModel

    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    check_length(encoder, encoder_settings["max_length"], "similarity: encoders")
    changes = {}
    if dropout is not None:
        changes = {
            "hidden_dropout_prob": dropout,
            "attention_probs_dropout_prob": dropout,
            "attention_dropout": dropout,
        }
    safe = {"use_safetensors": True, "trust_remote_code": False}
    transformer = Transformer(str(encoder.folder), max_seq_length=encoder_settings["max_length"], model_kwargs=safe)
    # The library only warns of tensors that the file lacks, and draws them at random.
    # On a CPU, torch's fused attention takes half of a training step: its backward is several times as slow as plain
    # matrix products.
    plain = {"attn_implementation": "eager"} if choose_device() == "cpu" else {}
    transformer.model = load_pretrained(AutoModel, encoder, changes, **plain)
    pooling = Pooling(encoder.config["hidden_size"], pooling_mode="mean")
    return SentenceTransformer(modules=[transformer, pooling], device=choose_device()), encoder


def story_cosines(model, pairs):
    """Cosine of the two texts of each pair: an array (pairs, float64).

    Args:
        model: from `sentence_model`. pairs: a frame with `first` and `second`. Each text is embedded once.
    """
    texts = sorted({*pairs["first"], *pairs["second"]})
    found = model.encode(texts, batch_size=BATCH, show_progress_bar=False, normalize_embeddings=True)
    found = np.asarray(found, dtype=float)
    if not np.isfinite(found).all():
        raise FloatingPointError("the model's embeddings are not finite: its training diverged. Lower learning_rate.")
    place = {text: number for number, text in enumerate(texts)}
    sides = [found[[place[text] for text in pairs[side]]] for side in ("first", "second")]
    return np.clip((sides[0] * sides[1]).sum(axis=1), -1.0, 1.0)


def save_sentence_model(path, model, encoder, max_length, **about):
    """Write a trained model's weights as one safetensors file, with what loading it needs; `about`: plain values."""
    about |= {"type": "sentence_model", "encoder_sha256": encoder.weights_sha256, "max_length": max_length}
    write_tensors(path, model[0].model.state_dict(), about)


def load_sentence_model(path, encoder_settings, verify=True):
    """Return the `SentenceTransformer` that `save_sentence_model` wrote.

    Raises:
        ArtefactError: the file is damaged. DataError: it belongs to another encoder, or to other lengths of texts.
    """
    tensors, about = read_tensors(path, verify)
    model, encoder = sentence_model(encoder_settings)
    if about.get("encoder_sha256") != encoder.weights_sha256:
        raise DataError(f"{path}: trained from another encoder than {encoder.name}. Name that one.")
    if about.get("max_length") != encoder_settings["max_length"]:
        raise DataError(f"{path}: trained with max_length {about.get('max_length')}. Set max_length to that.")
    model[0].model.load_state_dict(tensors)
    return model
