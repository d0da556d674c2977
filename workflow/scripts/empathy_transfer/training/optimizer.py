"""AdamW with a linear schedule and clipped gradients.

The steps of `torch.optim.AdamW` (a test compares them). Torch's own class imports its compiler when it is first used,
which takes longer than many of our trainings.
"""

import torch

BETA_1 = 0.9


class AdamW:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    The learning rate rises linearly over the warm-up steps and then falls linearly to zero.

    Args:
        parameters: the tensors to train.
        learning_rate: its greatest value.
        weight_decay: share of a weight that is taken off per step, times the learning rate.
        steps: number of all steps. warmup_share: share of them in which the learning rate rises.
        max_gradient_norm: gradients are scaled down to this Euclidean norm over all parameters.
        beta_2: decay of the mean of squared gradients. epsilon: added to its root.
    """

    def __init__(
        self,
        parameters,
        learning_rate,
        weight_decay,
        steps,
        warmup_share,
        max_gradient_norm,
        beta_2=0.999,
        epsilon=1e-8,
    ):
        """Start at step 0; arguments as in the class."""
        self.parameters = list(parameters)
        self.learning_rate, self.weight_decay, self.max_gradient_norm = learning_rate, weight_decay, max_gradient_norm
        self.beta_2, self.epsilon = beta_2, epsilon
        self.steps, self.warmup = steps, round(warmup_share * steps)
        self.first = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.second = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.done = 0

    def rate(self):
        """Learning rate of the next step."""
        rising = (self.done + 1) / (self.warmup + 1)
        falling = (self.steps - self.done) / max(self.steps - self.warmup, 1)
        return self.learning_rate * min(rising, falling)

    @torch.no_grad()
    def step(self):
        """Update the parameters by their gradients, and clear these."""
        gradients = [parameter.grad for parameter in self.parameters]
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))
        scale = (self.max_gradient_norm / (norm + 1e-6)).clamp(max=1.0)
        rate, self.done = self.rate(), self.done + 1
        correction_1, correction_2 = 1 - BETA_1**self.done, 1 - self.beta_2**self.done
        for parameter, gradient, first, second in zip(self.parameters, gradients, self.first, self.second, strict=True):
            gradient = gradient * scale
            first.lerp_(gradient, 1 - BETA_1)
            second.mul_(self.beta_2).addcmul_(gradient, gradient, value=1 - self.beta_2)
            parameter.mul_(1 - rate * self.weight_decay)
            parameter.addcdiv_(first, (second / correction_2).sqrt_().add_(self.epsilon), value=-rate / correction_1)
            parameter.grad = None
