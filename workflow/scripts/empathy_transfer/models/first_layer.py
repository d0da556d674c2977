"""The first layer's results, computed once per item and kept in a file that all jobs of a task share.

No adapter touches an encoder's first layer before its feed-forward output has been added, so without dropout its sums
are the same for every source, seed and share of the data. Each item is computed by itself, so that its numbers never
depend on who asked for it first: a kept item and one computed anew are the same bits.

A file holds the sums of all tokens of a task (sparse: items that nobody asked for take no space), its index a digest
per item. Items are checked against their digests when a job begins; a damaged one is computed anew. The files hold
nothing that can't be made again, so the folder may be deleted while no job runs.
"""

import fcntl
import hashlib
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from empathy_transfer.data.batches import batch_of
from empathy_transfer.models.kernel_library import kernels_in_use
from empathy_transfer.records.files import sha256_file

# The modules that compute what is kept: an edit of one leaves the files of the earlier code aside.
CODE = (
    "data/batches.py",
    "models/attention.py",
    "models/first_layer.py",
    "models/kernels/functions.py",
    "models/linear.py",
    "models/packed_encoder.py",
)
LIBRARY = Path(__file__).parents[1]
DIGEST_BYTES = 16
PROGRESS_SECONDS = 10.0


class FirstLayer:
    """The first layer's sums of the items of a job, by split; `read` gives those of a batch."""

    def __init__(self, engine, splits, tokens_digest, folder, limit):
        """Compute what is missing, and open the files.

        Args:
            engine: a `packed_encoder.PackedEncoder`.
            splits: `batches.Items` by split.
            tokens_digest: SHA-256 of the tokens file, which names the items.
            folder: where the files lie. limit: bytes that all of them may take; the ones used least lately are deleted
                for new ones. Where a task alone needs more, its file lasts as long as the job.
        """
        self.engine, self.type = engine, engine.type
        self.hidden = engine.config["hidden_size"]
        self.states, self.held = {}, []
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        # Everything that the numbers depend on, from the code down to the instructions that the processor has.
        parts = [
            tokens_digest,
            engine.encoder.weights_sha256,
            json.dumps(engine.config, sort_keys=True),
            engine.precision,
            torch.__version__,
            _processor(),
            kernels_in_use(),
        ]
        parts += [sha256_file(LIBRARY / name) for name in CODE]
        for split, items in splits.items():
            name = hashlib.sha256("\n".join([*parts, split]).encode()).hexdigest()[:32]
            self.states[split] = self._open(folder / name, split, items, limit)

    def read(self, batch):
        """Return the sums (tokens x hidden size, filling rows zero) of a batch."""
        states = self.states[batch.split]
        rows = [states[start : start + length] for start, length in zip(batch.places, batch.lengths, strict=True)]
        filling = len(batch.input_ids) - sum(batch.lengths)
        return torch.cat([*rows, states.new_zeros(filling, self.hidden)])

    def _open(self, path, split, items, limit):
        """Open the file of a split with all of its items in it; returns the sums of all tokens as a tensor."""
        row_bytes = self.hidden * self.type.itemsize
        tokens, count = len(items.input_ids), len(items.labels)
        lasting = int(items.lengths.sum()) * row_bytes <= limit
        if lasting:
            path.touch()
            descriptor = os.open(path, os.O_RDWR)
            index = os.open(path.with_suffix(".index"), os.O_RDWR | os.O_CREAT)
            fcntl.flock(descriptor, fcntl.LOCK_SH)  # held until the job ends, so that nobody deletes the file
        else:
            descriptor, index = (_nameless(path.parent) for _ in range(2))
        self.held += [descriptor, index]
        os.ftruncate(descriptor, tokens * row_bytes)
        os.ftruncate(index, count * DIGEST_BYTES)
        bytes_of = np.memmap(os.fdopen(os.dup(descriptor), "r+b"), dtype=np.uint8, shape=(tokens, row_bytes))
        self._fill(bytes_of, index, split, items)
        if lasting:
            _keep_within(path.parent, limit)
        return torch.from_numpy(bytes_of).view(self.type)

    def _fill(self, bytes_of, index, split, items):
        """Compute the items that are missing or damaged."""
        offsets, computed, told = items.item_offsets.numpy(), 0, time.monotonic()
        for row in items.rows.tolist():
            place = row * DIGEST_BYTES
            known = os.pread(index, DIGEST_BYTES, place)
            part = bytes_of[offsets[row] : offsets[row + 1]]
            if known.strip(b"\0") and known == _digest(part):
                continue
            sums = self.engine.first_sums(batch_of(items, split, [row]))[: len(part)].contiguous()
            # Whoever else computes this item writes the same bytes, so writers need no order among themselves.
            part[:] = sums.view(torch.uint8).numpy()
            os.pwrite(index, _digest(part), place)
            computed += 1
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                print(f"first layer of the {split} items: {computed:,} of up to {len(items):,} computed", flush=True)


def storage():
    """Return the folder of the files and the bytes that they may take, as the workflow's settings say."""
    folder = os.environ.get("EMPATHY_FIRST_LAYER_FOLDER", ".cache/first_layer")
    return folder, float(os.environ.get("EMPATHY_FIRST_LAYER_GB", "20")) * 1e9


def _digest(part):
    """Digest of an item's bytes."""
    return hashlib.blake2b(part.tobytes(), digest_size=DIGEST_BYTES).digest()


def _nameless(folder):
    """Open a file that vanishes when it is closed."""
    descriptor, path = tempfile.mkstemp(dir=folder)
    os.unlink(path)
    return descriptor


def _keep_within(folder, limit):
    """Delete the files used least lately until the others take at most `limit` bytes; files in use stay."""
    sizes = {path: path.stat() for path in folder.iterdir() if not path.suffix}
    taken = sum(status.st_blocks * 512 for status in sizes.values())
    for path in sorted(sizes, key=lambda path: sizes[path].st_mtime):
        if taken <= limit:
            return
        with open(path, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            path.unlink()
            path.with_suffix(".index").unlink(missing_ok=True)
            taken -= sizes[path].st_blocks * 512


def _processor():
    """The instructions that decide about the last bits of a matrix product."""
    able = torch.cpu.get_capabilities()
    named = [name for name in ("amx_bf16", "avx512_bf16", "avx512_f", "avx2") if able.get(name)]
    return f"{able.get('architecture')} {able.get('cpu_name')} {' '.join(named)} {torch.get_num_threads()}"
