"""Causal language models: found on this machine or the hub, read from safetensors or GGUF, adapted with LoRA.

Adapters are kept as safetensors with what is needed to load them. trl's own way to save a model writes a pickle beside
it and is never called.
"""

import json
from pathlib import Path

import torch

from empathy_transfer.errors import DataError
from empathy_transfer.models.hardware import choose_device
from empathy_transfer.records.artefacts import read_tensors, write_tensors
from empathy_transfer.records.encoder_config import refuse_kernels
from empathy_transfer.records.encoder_weights import weight_files
from empathy_transfer.records.encoders import EncoderNotFoundError, find_folder
from empathy_transfer.records.files import sha256_bytes, sha256_file

# What is fetched from the hub: no code, and no weights but safetensors and the GGUF file that is asked for.
FETCHED = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]


def model_folder(settings):
    """The folder of a language model, fetched from the hub if it is not here.

    Args:
        settings: `name` (a folder, or a name on the hub), and perhaps `revision` and `gguf_file`.

    Raises:
        EncoderNotFoundError: it is not here and can't be fetched, or has no weights that are read.
    """
    name, gguf = settings["name"], settings.get("gguf_file")
    folder = find_folder(name, settings.get("revision")) if gguf is None or Path(name).is_dir() else None
    if folder is None:
        from huggingface_hub import snapshot_download

        wanted = [*FETCHED[:1], *FETCHED[2:], gguf] if gguf else FETCHED
        try:
            folder = Path(snapshot_download(name, revision=settings.get("revision"), allow_patterns=wanted))
        except Exception as error:  # whatever the network, the hub or the name make the library raise
            raise EncoderNotFoundError(
                f"Language model '{name}' was not found here, and not fetched ({type(error).__name__}). Connect to the "
                f"internet once and run `hf download {name}`, or name a folder in similarity: fine_tuning: models."
            ) from None
    if not (weight_files(folder) if gguf is None else (Path(folder) / gguf).is_file()):
        wanted = gguf or "model.safetensors (pickled weights are not read)"
        raise EncoderNotFoundError(f"Language model '{name}': {folder} has no {wanted}.")
    return Path(folder)


def load_causal_model(settings, precision="fp32"):
    """Return (model, tokenizer, SHA-256 of the weights) of a language model, on the device of this job.

    Args:
        settings: see `model_folder`. precision: `bf16` keeps the weights so on a GPU; a CPU computes from fp32 weights.

    Raises:
        EncoderNotFoundError: see `model_folder`. EncoderError: the package `kernels` is installed.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    refuse_kernels()
    folder, gguf, device = model_folder(settings), settings.get("gguf_file"), choose_device()
    options = {"gguf_file": gguf} if gguf else {"use_safetensors": True}
    kind = torch.bfloat16 if precision == "bf16" and device == "cuda" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=kind, trust_remote_code=False, **options).to(device)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, **({"gguf_file": gguf} if gguf else {}))
    files = [folder / gguf] if gguf else weight_files(folder)
    digests = {path.name: sha256_file(path) for path in files}
    return model, tokenizer, sha256_bytes(json.dumps(digests, sort_keys=True).encode())


def with_lora(model, lora, seed):
    """A model with a new LoRA adapter on all its linear layers, whose first weights the seed decides.

    ``lora`` has the rank `r`, `alpha` (the adapter's output is scaled by alpha / r) and `dropout`.
    """
    from peft import LoraConfig, TaskType, get_peft_model

    torch.manual_seed(seed)
    sizes = {"r": lora["r"], "lora_alpha": lora["alpha"], "lora_dropout": lora["dropout"]}
    return get_peft_model(model, LoraConfig(task_type=TaskType.CAUSAL_LM, target_modules="all-linear", **sizes))


def save_lora(path, model, lora, weights_sha256, **about):
    """Write a trained adapter as safetensors; `about` are plain values that are kept with it."""
    from peft import get_peft_model_state_dict

    about |= {"type": "lora", "lora": lora, "weights_sha256": weights_sha256}
    write_tensors(path, get_peft_model_state_dict(model), about)


def load_lora(path, settings, verify=True):
    """Return (model with its trained adapter, tokenizer) of a file of `save_lora`.

    Raises:
        ArtefactError: the file is damaged. DataError: it was trained on other weights than those of `settings`.
    """
    from peft import set_peft_model_state_dict

    tensors, about = read_tensors(path, verify)
    model, tokenizer, digest = load_causal_model(settings)
    if about.get("weights_sha256") != digest:
        raise DataError(f"{path}: this adapter was trained on other weights than those of {settings['name']}.")
    model = with_lora(model, about["lora"], seed=0)
    set_peft_model_state_dict(model, {name: tensor.to(model.device) for name, tensor in tensors.items()})
    return model.eval(), tokenizer
