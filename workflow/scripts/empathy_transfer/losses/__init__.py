"""Losses. A loss is a file of its own, found by the name in the settings: torch only.

A loss has ``KINDS``, the kinds of task that it trains, and ``loss(outputs, labels, **settings)``, the mean of a batch.
`outputs` are those of a head (items, outputs), `labels` as `kinds` encodes them.
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
    name, rest = settings["name"], {key: value for key, value in settings.items() if key != "name"}
    try:
        module = importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError:
        raise ValueError(f"unknown loss {name!r}: it must be the name of a file in the folder `losses`") from None
    return functools.partial(module.loss, **rest)
