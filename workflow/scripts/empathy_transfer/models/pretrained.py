"""The one place where the library `transformers` loads an encoder, so that nothing of it is drawn without a word.

The library only warns of tensors that a file lacks and draws them at random, each process others.
"""

import torch

from empathy_transfer.errors import EncoderError
from empathy_transfer.records.encoder_config import positions_of, refuse_kernels
from empathy_transfer.records.encoder_weights import check_tensor_names, check_words

# Values of a configuration that change what a model gives back or how it goes about it, but no number of ours.
PLAIN = {"return_dict": True, "output_attentions": False, "output_hidden_states": False, "chunk_size_feed_forward": 0}
PLAIN |= {"torchscript": False}


def load_pretrained(auto_class, encoder, changes=None, **options):
    """Return an encoder as a model of the library, whose tensors are all those of its file.

    Args:
        auto_class: `transformers.AutoModel` or `adapters.AutoAdapterModel`. encoder: an `encoders.Encoder`.
        changes: values of its configuration to change, by key; keys that its family lacks are left out.
        options: further arguments of `from_pretrained`.

    Raises:
        EncoderError: the library can't load it, or its tensors are not those of its configuration.
    """
    from transformers import AutoConfig

    refuse_kernels()
    check_words(encoder)
    try:
        config = AutoConfig.from_pretrained(str(encoder.folder), trust_remote_code=False)
        for key, value in (PLAIN | (changes or {})).items():
            if hasattr(config, key):
                setattr(config, key, value)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # of a pooler that the file lacks; nothing computes with it
            model, found = auto_class.from_pretrained(
                str(encoder.folder), config=config, use_safetensors=True, output_loading_info=True, **options
            )
        # The `adapters` library makes a head of its own where a file has one, and would give that head's outputs.
        for name in list(getattr(model, "heads", {})):
            model.delete_head(name)
        with torch.no_grad():  # some configurations fail only here
            few = torch.zeros(1, min(2, positions_of(encoder.config)), dtype=torch.long)
            model.eval()(input_ids=few, attention_mask=torch.ones_like(few)).last_hidden_state  # noqa: B018
    except Exception as error:  # whatever a configuration that nobody foresaw makes the library raise
        raise EncoderError(
            f"Encoder '{encoder.name}': the library `transformers` can't load {encoder.folder} "
            f"({type(error).__name__}: {error}). Look into its config.json, or fetch it anew."
        ) from error
    prefix = f"{model.base_model_prefix}."
    missing = [name.removeprefix(prefix) for name in found["missing_keys"] if not name.startswith("heads.")]
    check_tensor_names(encoder, missing, [name.removeprefix(prefix) for name in found["unexpected_keys"]])
    return model
