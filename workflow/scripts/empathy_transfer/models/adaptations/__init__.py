"""How an encoder is adapted to a task. A type of adaptation is a file of its own, found by the name in the settings.

A type has ``TRAINS_ENCODER``, whether every weight of the encoder is trained. A type that adds an adapter has
``library_config(settings)``, its configuration in the `adapters` library. The packed engine also asks for
``shapes(config, settings)``, names and shapes of the adapter's tensors, and for ``after_feed_forward``, what the
adapter does to a layer; a type without these is computed by the library alone.
"""

import importlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Adaptation:
    """An adaptation: its settings (`type`, and what that takes), and the frozen adapters that lie below it.

    `sources` are paths of their files, or their tensors by name, in the order of the stack: what the first one gives,
    the next one takes.
    """

    settings: dict
    sources: tuple = ()

    @property
    def type(self):
        """The module of the type.

        Raises:
            ValueError: there is no such type.
        """
        try:
            return importlib.import_module(f"{__name__}.{self.settings['type']}")
        except ModuleNotFoundError:
            raise ValueError(
                f"unknown adapter type {self.settings['type']!r}: it must be the name of a file in `models/adaptations`"
            ) from None

    @property
    def packed(self):
        """Whether the packed engine can compute it."""
        return self.type.TRAINS_ENCODER or hasattr(self.type, "after_feed_forward") or not self.adds_adapter

    @property
    def adds_adapter(self):
        """Whether it adds an adapter, which is what a run's adapter file holds."""
        return hasattr(self.type, "library_config")

    def shapes(self, config):
        """Names and shapes of the adapter's tensors in an encoder of this configuration; empty without an adapter."""
        return self.type.shapes(config, self.settings) if hasattr(self.type, "shapes") else {}
