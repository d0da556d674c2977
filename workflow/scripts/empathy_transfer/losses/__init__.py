"""Losses. A loss is a file of its own, found by the name in the settings: torch only.

A loss has ``KINDS``, the kinds of task that it trains, and ``loss(outputs, labels, **settings)``, the mean of a batch.
`outputs` are those of a head (items, outputs), `labels` as `kinds` encodes them. A loss whose head has other outputs
than the kind's says so by ``outputs(number)``, how many for that number of the kind's, and ``logits(outputs)``, the
kind's outputs from these.
"""

import functools
import importlib


def loss_function(settings):
    """Return the function of a loss.

    Args:
        settings: its `name`, and what else its function takes, such as `{"name": "huber", "delta": 1.0}`.

    Raises:
        ValueError: there is no such loss.
    """
    rest = {key: value for key, value in settings.items() if key != "name"}
    return functools.partial(_module(settings).loss, **rest)


def head_outputs(settings, number):
    """Return the number of outputs of a head that is trained with a loss, where the kind has this number of them."""
    module = _module(settings)
    return module.outputs(number) if hasattr(module, "outputs") else number


def kind_outputs(settings, outputs):
    """Return the kind's outputs (items, outputs; an array) of those of a head that was trained with a loss."""
    module = _module(settings)
    return module.logits(outputs).numpy() if hasattr(module, "logits") else outputs


def _module(settings):
    """The module of a loss, given by its settings."""
    name = settings["name"]
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError:
        raise ValueError(f"unknown loss {name!r}: it must be the name of a file in the folder `losses`") from None
