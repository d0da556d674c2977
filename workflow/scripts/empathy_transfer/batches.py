"""The items of a training job: which are used, and in which batches."""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import torch

from empathy_transfer.artefacts import read_table, read_tensors
from empathy_transfer.subsets import capped_share, nested_subset

# Batches are made of items of like length, from chunks of this many batches in random order: little padding, and
# still another mixture in each epoch.
CHUNK_BATCHES = 16
DATA_SHARES = {"full": 1.0, "half": 0.5}


@dataclass(frozen=True)
class Items:
    """Tokenised items on the CPU: flat ids, their offsets, and labels (see `tokens.tokenise_task`)."""

    input_ids: torch.Tensor
    token_type_ids: torch.Tensor
    offsets: torch.Tensor
    labels: torch.Tensor
    rows: np.ndarray

    def __len__(self):
        """Return the number of items."""
        return len(self.rows)

    @property
    def lengths(self):
        """Number of tokens of each item."""
        return (self.offsets[1:] - self.offsets[:-1]).numpy()[self.rows]

    def batch(self, positions):
        """Return padded ids, token types and mask (items x tokens) and the labels of the items at these positions."""
        rows = self.rows[positions]
        starts, ends = self.offsets[rows].tolist(), self.offsets[rows + 1].tolist()
        shape = (len(rows), max(end - start for start, end in zip(starts, ends, strict=True)))
        ids, kinds, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
        for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
            ids[row, : end - start] = self.input_ids[start:end]
            kinds[row, : end - start] = self.token_type_ids[start:end]
            mask[row, : end - start] = 1
        return ids, kinds, mask, self.labels[rows]


def derived_seed(purpose, target, seed):
    """Return a seed (63 bits) for one purpose (`data` or `initialisation`) from the target and the study's seed.

    Neither source nor share of data enters, so that a baseline and all transfers of a target see the same items in
    the same order and start from the same weights.
    """
    return int.from_bytes(sha256(f"{purpose}:{target}:{seed}".encode()).digest()[:8], "big") >> 1


def load_items(tokens, split, rows):
    """Return the items of a split at these row numbers."""
    names = ["input_ids", "token_type_ids", "offsets", "labels"]
    return Items(**{name: tokens[f"{split}.{name}"] for name in names}, rows=rows)


def choose_items(tokens_path, split_paths, task, data, seed, caps):
    """Choose the items of a run: returns ({split: Items}, ids of the test items).

    The training items are a part of those of the cap, and half of them for `half`, drawn per seed; validation and
    test items depend on the task alone. Whole groups are taken, stratified by label (see `subsets`).

    Args:
        tokens_path: the task's tokens. split_paths: the split tables by name.
        task: name and kind of the target task.
        data: `full` or `half`. seed: seed of the study. caps: greatest number of items by split, or None.
    """
    tokens, _ = read_tensors(tokens_path)
    chosen = {}
    for split, path in split_paths.items():
        frame = read_table(path, columns=["id", "group", "label"])
        fixed = split != "train"
        share = capped_share(len(frame), caps[split]) * (1.0 if fixed else DATA_SHARES[data])
        draw = derived_seed("items" if fixed else "data", task["task"], split if fixed else seed)
        mask = nested_subset(frame["group"].tolist(), frame["label"].tolist(), task["kind"], share, draw)
        chosen[split] = load_items(tokens, split, np.flatnonzero(mask))
        if split == "test":
            ids = frame["id"].to_numpy()[mask]
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
