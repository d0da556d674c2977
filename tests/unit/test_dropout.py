"""Dropout masks: their values, their share, and what they depend on."""

import pytest
import torch

from empathy_transfer.models.dropout import POOL, Dropout


def test_a_mask_holds_zero_and_the_scale_in_the_wanted_share():
    dropout = Dropout(0.2, "cpu", torch.float32)
    dropout.seed(1)
    mask = dropout.mask((500, 1000))
    assert mask.shape == (500, 1000)
    assert sorted(mask.unique().tolist()) == [0.0, pytest.approx(1.25)]
    # The standard error of a share over 500,000 draws is 0.0006.
    assert float((mask == 0).float().mean()) == pytest.approx(0.2, abs=0.003)
    assert float(mask.mean()) == pytest.approx(1.0, abs=0.004)


def test_masks_follow_from_the_seed_alone_and_differ_from_each_other():
    one, other = (Dropout(0.5, "cpu", torch.float32) for _ in range(2))
    one.seed(3)
    other.seed(3)
    first, second = one.mask((64, 64)), one.mask((64, 64))
    assert torch.equal(first, other.mask((64, 64)))
    assert not torch.equal(first, second)
    other.seed(4)
    assert not torch.equal(first, other.mask((64, 64)))


def test_a_mask_may_be_larger_than_the_pool():
    dropout = Dropout(0.5, "cpu", torch.bfloat16)
    dropout.seed(1)
    assert dropout.mask((POOL + 7,)).shape == (POOL + 7,)
