"""Our AdamW against torch's."""

import pytest
import torch

from empathy_transfer.training.optimizer import AdamW


def train(make_step, seed=0):
    """Minimise a small function by 20 steps and return the parameters."""
    torch.manual_seed(seed)
    parameters = [torch.randn(5, 3, requires_grad=True), torch.randn(3, requires_grad=True)]
    inputs = torch.randn(20, 7, 5)
    step = make_step(parameters)
    for batch in inputs:
        (batch @ parameters[0] + parameters[1]).pow(4).mean().backward()
        step()
    return [parameter.detach() for parameter in parameters]


@pytest.mark.parametrize("warmup_share", [0.0, 0.25])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_twenty_steps_equal_those_of_torch(warmup_share, weight_decay):
    def of_torch(parameters):
        optimizer = torch.optim.AdamW(parameters, lr=0.05, weight_decay=weight_decay)
        warmup = round(warmup_share * 20)
        rates = [min((step + 1) / (warmup + 1), (20 - step) / (20 - warmup)) for step in range(20)]
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rates[min(step, 19)])

        def step():
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()

        return step

    def of_ours(parameters):
        return AdamW(parameters, 0.05, weight_decay, 20, warmup_share, 1.0).step

    for ours, theirs in zip(train(of_ours), train(of_torch), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


def test_the_learning_rate_rises_then_falls():
    optimizer = AdamW([torch.zeros(1, requires_grad=True)], 0.6, 0.0, steps=6, warmup_share=1 / 3, max_gradient_norm=1)
    rates = []
    for _ in range(6):
        rates.append(optimizer.rate())
        optimizer.parameters[0].grad = torch.zeros(1)
        optimizer.step()
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.45, 0.3, 0.15])
