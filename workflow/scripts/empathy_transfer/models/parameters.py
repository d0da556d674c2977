"""New parameters, and parameters as one vector, so that the optimizer takes a step in a few operations."""

import math

import torch

INITIAL_STANDARD_DEVIATION = 0.02


def draw(shapes, generator):
    """Draw new parameters of these shapes, by name, as the `adapters` library does: normal weights, biases of zero."""
    drawn = {}
    for name, shape in shapes.items():
        drawn[name] = torch.zeros(shape)
        if name.endswith("weight"):
            drawn[name].normal_(std=INITIAL_STANDARD_DEVIATION, generator=generator)
    return drawn


def size_of(shapes):
    """Number of numbers in tensors of these shapes, by name."""
    return sum(map(math.prod, shapes.values()))


def split(vector, shapes):
    """Cut a vector into tensors of these shapes, by name; they share its memory."""
    parts = vector.split([math.prod(shape) for shape in shapes.values()])
    return {name: part.view(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


def shapes_of(tensors):
    """Name and shape of each tensor."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


@torch.no_grad()
def fill(tensors, values):
    """Write values, by name, into tensors, whose memory a model computes with."""
    for name, tensor in tensors.items():
        tensor.copy_(values[name])
