"""Exchange trained adapters and heads with the `adapters` library, in its own layout of a folder.

Only safetensors files are written and read: the library's other format is pickled and can run code.
"""

import json
import re
from pathlib import Path

from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.adapter_files import check_tensors, read_adapter, settings_in
from empathy_transfer.models.parameters import fill, shapes_of
from empathy_transfer.models.pretrained import load_pretrained
from empathy_transfer.records.artefacts import ArtefactError, read_tensors, write_text

ADAPTER_FILE, HEAD_FILE = "adapter.safetensors", "model_head.safetensors"
CONFIG_FILE, HEAD_CONFIG_FILE = "adapter_config.json", "head_config.json"
# The library takes no notice of this key: weights of one name may be of several revisions.
WEIGHTS_KEY = "model_weights_sha256"


def export_adapter(adapter_path, head_path, encoder, folder, name=None):
    """Write an adapter and its head to a folder from which `model.load_adapter(folder, use_safetensors=True)` loads.

    A regression's head answers in the label's unit. Mean and SD of the labels that it was trained on stand as
    `label_scale` in `head_config.json`; they are information, and no answer has to be mapped by them.

    Args:
        adapter_path: the run's `adapter.safetensors`. head_path: its `head.safetensors`.
        encoder: the `encoders.Encoder` that they were trained on.
        folder: the folder to write. name: the adapter's name in the library; the task when None.

    Raises:
        ArtefactError: a file is damaged, or belongs to another encoder.
    """
    from adapters import AutoAdapterModel

    from empathy_transfer.models.engines.library import adapter_tensors

    _, metadata = read_tensors(adapter_path)
    head, head_metadata = read_tensors(head_path)
    name, settings = name or metadata["task"], settings_in(metadata)
    model = load_pretrained(AutoAdapterModel, encoder)
    model.add_adapter(name, config=Adaptation(settings).type.library_config(settings))
    labels = head_metadata.get("labels")
    model.add_classification_head(
        name,
        num_labels=len(labels or [None]),
        multilabel=head_metadata["kind"] == "multilabel",
        id2label=dict(enumerate(labels)) if labels else None,
    )
    own, own_head = adapter_tensors(model, name), dict(model.heads[name].state_dict())
    fill(own, read_adapter(adapter_path, shapes_of(own), encoder, settings))
    check_tensors(head_path, head, shapes_of(own_head))
    fill(own_head, head)
    model.save_adapter(str(folder), name, with_head=True, use_safetensors=True)
    _name_encoder(Path(folder), encoder)
    _describe(Path(folder) / HEAD_CONFIG_FILE, label_scale=head_metadata.get("label_scale"))


def _describe(path, **facts):
    """Add facts to a description that the library wrote."""
    description = json.loads(path.read_text(encoding="utf-8")) | facts
    write_text(path, json.dumps(description, indent=2, sort_keys=True))


def _name_encoder(folder, encoder):
    """Put the encoder's public name and the digest of its weights in place of its path, which the library writes."""
    for path in folder.glob("*_config.json"):
        description = json.loads(path.read_text(encoding="utf-8"))
        if "model_name" in description:
            _describe(path, **{"model_name": encoder.public_name, WEIGHTS_KEY: encoder.weights_sha256})


def import_adapter(folder):
    """Read an adapter and its head that the `adapters` library saved with `use_safetensors=True`.

    Args:
        folder: the folder that `model.save_adapter` wrote.

    Returns:
        tuple: the adapter's tensors and the head's (empty without one), named as in our files, and the adapter's
        settings; `adapter_files.save_adapter` and `save_head` write them.

    Raises:
        ArtefactError: a file is missing or unreadable, the adapter is not of type `seq_bn`, or its weights are pickled.
    """
    folder = Path(folder)
    if not (folder / ADAPTER_FILE).is_file():
        raise ArtefactError(
            f"{folder} has no {ADAPTER_FILE}. Pickled weights are not read, since they can run code: save the adapter "
            "with `model.save_adapter(folder, name, use_safetensors=True)`."
        )
    try:
        description = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        name, config = description["name"], description["config"]
        settings = {"type": "seq_bn", "reduction_factor": config["reduction_factor"]}
        expected = Adaptation(settings).type.library_config(settings).to_dict()
        unlike = [key for key, value in expected.items() if key in config and config[key] != value]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{folder / CONFIG_FILE}: this describes no adapter ({error!r})") from error
    if unlike:
        raise ArtefactError(f"{folder}: only bottleneck adapters of type seq_bn are read; this differs in {unlike[0]}.")
    adapter, _ = read_tensors(folder / ADAPTER_FILE, verify=False)
    inner = re.compile(rf"\.adapters\.{re.escape(name)}\.")
    head = {}
    if (folder / HEAD_FILE).is_file():
        tensors, _ = read_tensors(folder / HEAD_FILE, verify=False)
        head = {key.removeprefix(f"heads.{name}."): tensor for key, tensor in tensors.items()}
    return {inner.sub(".adapters.", key): tensor for key, tensor in adapter.items()}, head, settings
