"""Scores of predictions. A metric is a file of its own, found by its name.

A metric has ``KINDS``, the kinds of task that it scores, and ``value(labels, predictions)``. Both are arrays as
`kinds` gives them for comparing: booleans (items, classes), or numbers (items). It may have ``resampled(labels,
predictions, seed, resamples)``, its value in resamples of the items, where there is a faster way than one by one.
With ``OF_PAIRS`` only the studies of pairs of texts report it, which print it; the transfer study's tables stay short.
"""

import importlib
import pkgutil


def metric(name):
    """Return the module of a metric; ModuleNotFoundError where there is none of this name."""
    return importlib.import_module(f"{__name__}.{name}")


def metrics_of(kind, pairs=False):
    """Return the names of all metrics of a kind of task, in alphabetical order; `pairs`: in a study of pairs."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    known = [(name, metric(name)) for name in names]
    return [name for name, found in known if kind in found.KINDS and (pairs or not hasattr(found, "OF_PAIRS"))]
