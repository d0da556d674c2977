"""The items of a training job: which are used, and in which batches."""

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256

import numpy as np
import torch

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.data.subsets import capped_share, nested_subset
from empathy_transfer.data.token_file import unpack_texts
from empathy_transfer.kinds import kind_of
from empathy_transfer.records.artefacts import read_tensors

# Batches are made of items of like length, from chunks of this many batches in random order: little padding in
# attention, and still another mixture in each epoch.
CHUNK_BATCHES = 16
# A batch is filled up to a multiple of this many tokens, and of more in large batches: every new shape of a matrix
# product is prepared anew, which takes longer than the product itself.
TOKEN_STEP = 32
# Filling is at most this share of a batch, where it is more than the least step.
FILLING = 1 / 16
DATA_SHARES = {"full": 1.0, "half": 0.5}


@dataclass(frozen=True)
class Items:
    """Tokenised items on the CPU: flat ids, their offsets and labels (see `token_file`), and the rows in use.

    An item has one sequence of tokens, or `sequences` of them behind one another: those of two texts that are encoded
    each for itself. `offsets` are those of sequences.
    """

    input_ids: torch.Tensor
    token_type_ids: torch.Tensor
    offsets: torch.Tensor
    labels: torch.Tensor
    rows: np.ndarray
    sequences: int = 1

    def __len__(self):
        """Return the number of items."""
        return len(self.rows)

    @property
    def lengths(self):
        """Number of tokens of each item in use, all of its sequences together."""
        return self.item_offsets.diff().numpy()[self.rows]

    @property
    def item_offsets(self):
        """Where each item begins and ends in the flat ids (all items + 1)."""
        return self.offsets[:: self.sequences]

    def sequences_of(self, rows):
        """Return the places of the sequences of these items, item by item."""
        return (np.asarray(rows)[:, None] * self.sequences + np.arange(self.sequences)).ravel()


@dataclass(frozen=True)
class Batch:
    """The sequences of a few items, packed: T tokens behind one another, the last ones filling that belongs to none.

    `input_ids` and `token_type_ids` are (T, int64), `lengths` the tokens of each sequence, `places` where each begins
    in its split's flat ids, `labels` those of the items, as in the tokens file.
    """

    split: str
    places: list
    lengths: list
    input_ids: torch.Tensor
    token_type_ids: torch.Tensor
    labels: torch.Tensor

    def __len__(self):
        """Return the number of sequences."""
        return len(self.lengths)

    def to(self, device):
        """Return the batch on a device, without waiting for the copy."""
        names = ("input_ids", "token_type_ids", "labels")
        return replace(self, **{name: _sent(getattr(self, name), device) for name in names})

    def starts(self):
        """Return where each sequence begins in this batch (sequences, int64)."""
        starts = np.cumsum([0, *self.lengths[:-1]])
        return _sent(torch.from_numpy(starts), self.input_ids.device)

    @cached_property
    def ends(self):
        """Where sequences begin and end (sequences + 1, int32), as kernels want it; sent once for all layers."""
        ends = torch.tensor([0, *self.lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32)
        return _sent(ends, self.input_ids.device)

    def positions(self):
        """Return the position of each token in its sequence (T, int64); 0 for filling."""
        places = np.zeros(len(self.input_ids), dtype=np.int64)
        np.concatenate([np.arange(length) for length in self.lengths], out=places[: sum(self.lengths)])
        return _sent(torch.from_numpy(places), self.input_ids.device)

    def padded(self):
        """Return padded ids, token types and attention mask (sequences x tokens, int64)."""
        used = sum(self.lengths)
        parts = self.input_ids, self.token_type_ids, torch.ones_like(self.input_ids)
        pad = torch.nn.utils.rnn.pad_sequence
        return [pad(part[:used].split(self.lengths), batch_first=True) for part in parts]


def _sent(tensor, device):
    """Return a tensor of the CPU on a device; only from pinned memory does a GPU copy without making this job wait."""
    if torch.device(device).type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def batch_of(items, split, rows):
    """Return the `Batch` of these rows of a split."""
    rows = np.asarray(rows)
    places = items.sequences_of(rows)
    starts, ends = items.offsets[places].tolist(), items.offsets[places + 1].tolist()
    lengths = [end - start for start, end in zip(starts, ends, strict=True)]
    filling = torch.zeros(filling_of(sum(lengths)), dtype=torch.int64)
    ids, kinds = (
        torch.cat([*(flat[start:end] for start, end in zip(starts, ends, strict=True)), filling])
        for flat in (items.input_ids, items.token_type_ids)
    )
    return Batch(split, starts, lengths, ids, kinds, items.labels[rows])


def filling_of(tokens):
    """Return the number of tokens by which a batch is filled up: to a multiple of a step that doubles with its size."""
    step = TOKEN_STEP
    while 2 * step <= FILLING * tokens:
        step *= 2
    return -tokens % step


def derived_seed(purpose, target, seed):
    """Return a seed (63 bits) for one purpose (`data` or `initialisation`) from the target and the study's seed.

    Neither source nor share of data enters, so that a baseline and all transfers of a target see the same items in
    the same order and start from the same weights.
    """
    return int.from_bytes(sha256(f"{purpose}:{target}:{seed}".encode()).digest()[:8], "big") >> 1


def choose_items(tokens_path, task, data, seed, caps):
    """Choose the items of a run: returns ({split: Items}, {split: ids of its items}).

    The training items are a part of those of the cap, and half of them for `half`, drawn per seed; validation and
    test items depend on the task alone. Whole groups are taken, stratified by label (see `subsets`).

    Args:
        tokens_path: the task's tokens. task: name, kind and labels of the target task.
        data: `full` or `half`. seed: seed of the study. caps: greatest number of items by split, or None.
    """
    tensors, _ = read_tensors(tokens_path)
    chosen, ids = {}, {}
    for split in SPLITS:
        part = {
            name.removeprefix(f"{split}."): value for name, value in tensors.items() if name.startswith(f"{split}.")
        }
        count, fixed = len(part["labels"]), split != "train"
        share = capped_share(count, caps[split]) * (1.0 if fixed else DATA_SHARES[data])
        draw = derived_seed("items" if fixed else "data", task["task"], split if fixed else seed)
        mask = nested_subset(
            unpack_texts(part, "groups"), kind_of(task).values(part["labels"].numpy(), task), task["kind"], share, draw
        )
        names = ("input_ids", "token_type_ids", "offsets", "labels")
        chosen[split] = Items(**{name: part[name] for name in names}, rows=np.flatnonzero(mask))
        ids[split] = [name for name, wanted in zip(unpack_texts(part, "ids"), mask, strict=True) if wanted]
    return chosen, ids


def training_batches(lengths, batch_size, generator):
    """Return the batches of one epoch: a list of arrays of positions, of like length within a batch."""
    order = torch.randperm(len(lengths), generator=generator).numpy()
    batches = []
    for start in range(0, len(order), batch_size * CHUNK_BATCHES):
        chunk = order[start : start + batch_size * CHUNK_BATCHES]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        batches += [chunk[place : place + batch_size] for place in range(0, len(chunk), batch_size)]
    return [batches[place] for place in torch.randperm(len(batches), generator=generator).tolist()]


def evaluation_batches(lengths, batch_size):
    """Return batches of positions that hold every item once, sorted by length."""
    order = np.argsort(lengths, kind="stable")
    return [order[place : place + batch_size] for place in range(0, len(order), batch_size)]
