"""Frozen adapters that no task has trained: what a transfer gains from one is due to capacity alone.

Two kinds. `random_identity` is an adapter as training begins with it: weights so small that the stream passes it nearly
unchanged. `random_full` has weights of full variance: for an input of unit variance, the bottleneck's units have a mean
square of 1 behind the ReLU, and what is added to the stream has variance 1 (the scaling of He et al. 2015).
"""

import math

import torch

from empathy_transfer.data.batches import derived_seed
from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.adapter_files import save_adapter
from empathy_transfer.models.compose import compose
from empathy_transfer.models.heads import PooledHead
from empathy_transfer.records.encoders import find_encoder

RANDOM_ADAPTERS = ("random_identity", "random_full")


def draw_adapter(control, seed, encoder_settings, adapter_settings, adapter_path):
    """Draw a random adapter and write it as a baseline writes its own; one for all targets of a seed.

    Args:
        control: `random_identity` or `random_full`. seed: seed of the study.
        encoder_settings: `name`, `revision`. adapter_settings: `type`, and what that takes.
        adapter_path: the file to write.

    Raises:
        ValueError: an unknown control.
    """
    if control not in RANDOM_ADAPTERS:
        raise ValueError(f"no such random adapter: {control!r}; there are {', '.join(RANDOM_ADAPTERS)}")
    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    drawn_with = derived_seed("random adapter", control, seed)
    # A model names the tensors of its adapter, and draws a new one near the identity.
    options = {"dropout": 0.0, "seed": drawn_with, "device": "cpu", "precision": "fp32"}
    new = compose("auto", encoder, Adaptation(adapter_settings), PooledHead(1), **options).adapter()
    tensors = new if control == "random_identity" else full_variance(new, drawn_with)
    save_adapter(adapter_path, tensors, encoder, adapter_settings, task=control, seed=seed)
    print(f"{control}, seed {seed}: {sum(tensor.numel() for tensor in tensors.values()):,} parameters")


def full_variance(tensors, seed):
    """Tensors of these names and shapes with weights of full variance, and biases of zero.

    Args:
        tensors: an adapter by name; weights are (outputs, inputs). seed: of the draw.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = {}
    for name in sorted(tensors):
        drawn[name] = torch.zeros_like(tensors[name], device="cpu")
        if name.endswith("weight"):
            # Half of the units of the bottleneck are cut off by the ReLU behind the projection down.
            gain = 2.0 if ".adapter_down." in name else 1.0
            drawn[name].normal_(std=math.sqrt(gain / tensors[name].shape[1]), generator=generator)
    return drawn
