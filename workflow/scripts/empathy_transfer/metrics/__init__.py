"""Scores of predictions. A metric is a file of its own, found by its name.

A metric has ``KINDS``, the kinds of task that it scores, and ``value(labels, predictions)``. Both are arrays as
`kinds` gives them for comparing: booleans (items, classes), or numbers (items). It may have ``resampled(labels,
predictions, seed, resamples)``, its value in resamples of the items, where there is a faster way than one by one.
"""

import importlib
import pkgutil


def metric(name):
    """Return the module of a metric; ModuleNotFoundError where there is none of this name."""
    return importlib.import_module(f"{__name__}.{name}")


def metrics_of(kind):
    """Return the names of all metrics of a kind of task, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [name for name in names if kind in metric(name).KINDS]
