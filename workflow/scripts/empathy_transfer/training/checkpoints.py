"""The state of a training between two epochs, kept beside its results until they are written.

A killed job goes on from here. A checkpoint is no result: it is not declared, nobody else reads it, and one that is
damaged or belongs to other settings, code or inputs is left aside.
"""

import hashlib
import json
from pathlib import Path

import safetensors
import safetensors.torch

from empathy_transfer.records.files import CHECKPOINT, write_bytes


class Checkpoint:
    """Where a training job keeps its state, and what the state belongs to.

    Args:
        folder: the folder of the job's results.
        identity: plain values that decide about the training (run, settings, code, inputs).
    """

    def __init__(self, folder, identity):
        """Name the file and the digest of what its content belongs to."""
        self.path = Path(folder) / CHECKPOINT
        self.identity = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    def save(self, tensors, record):
        """Write tensors by name and a record of plain values."""
        tensors = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
        metadata = {"identity": self.identity, "record": json.dumps(record), "digest": _digest(tensors)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(self.path, safetensors.torch.save(tensors, metadata=metadata))

    def load(self):
        """Return (tensors by name, record), or None where there is no usable checkpoint; says why it isn't used."""
        if not self.path.is_file():
            return None
        try:
            with safetensors.safe_open(self.path, framework="pt") as file:
                metadata = file.metadata()
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - no mapping
            whole = metadata["digest"] == _digest(tensors)
        except (safetensors.SafetensorError, KeyError, TypeError, OSError) as error:
            print(f"{self.path} can't be read ({error}); training begins anew")
            return None
        if not whole or metadata["identity"] != self.identity:
            cause = "belongs to other settings, code or data" if whole else "is damaged"
            print(f"{self.path} {cause}; training begins anew")
            return None
        return tensors, json.loads(metadata["record"])

    def remove(self):
        """Delete the checkpoint."""
        self.path.unlink(missing_ok=True)


class NoCheckpoint:
    """In place of a checkpoint: for runs whose state is several times the encoder's size, and that take minutes."""

    def load(self):
        """Find nothing."""

    def save(self, tensors, record):
        """Keep nothing."""

    def remove(self):
        """Have nothing to delete."""


def _digest(tensors):
    """SHA-256 over the names and the bytes of tensors."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name}\n".encode() + tensors[name].numpy().tobytes())
    return digest.hexdigest()
