"""Dropout masks at a price that a CPU can pay."""

import math
import random

import torch

# Four million masks are drawn at once: many times what one layer needs.
POOL = 1 << 22


class Dropout:
    """Masks of 0 and 1 / (1 - probability), with which activations are multiplied while training.

    On a CPU drawing a fresh random number for each activation costs as much as the matrix products, so each mask is a
    part of one pool that is drawn anew in every epoch, from a random place on. On a GPU each mask is drawn afresh, from
    torch's own generator: the attention kernel draws from it, too. All depend on the last seed alone.
    """

    def __init__(self, probability, device, kind):
        """Prepare masks of a torch type on a device; `seed` must come before the first mask."""
        self.probability, self.device, self.kind = probability, torch.device(device), kind
        self.pool, self.places, self.generator = None, None, None

    def seed(self, seed):
        """Start anew from a seed."""
        if self.device.type == "cpu":
            self.generator = torch.Generator().manual_seed(seed)
        else:
            torch.cuda.manual_seed(seed)
        self.places = random.Random(seed)
        self.pool = None

    def mask(self, shape):
        """Return a mask of this shape; it must not be written to."""
        size = math.prod(shape)
        if self.device.type != "cpu":
            return self._draw(size).view(shape)
        if self.pool is None or 2 * size > len(self.pool):
            self.pool = self._draw(max(POOL, 2 * size))
        start = self.places.randrange(len(self.pool) - size + 1)
        return self.pool[start : start + size].view(shape)

    def _draw(self, size):
        """Draw independent masks."""
        kept = torch.rand(size, generator=self.generator, device=self.device) >= self.probability
        return kept.to(self.kind).div_(1 - self.probability)
