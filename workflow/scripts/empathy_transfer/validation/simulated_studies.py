"""Simulated studies: percent improvements of all pairs of tasks whose truth is known.

What makes true matrices hard to analyse is always there: targets differ in how much they can gain, a lucky or unlucky
baseline moves a whole column, sources of one dataset are alike and so are targets, pairs of datasets go together or
don't, the noise of targets differs, and one run collapses. On top, the construct ratings have an effect of known size,
or none.
"""

from typing import NamedTuple

import numpy

from empathy_transfer.features.task_facts import ASPECTS
from empathy_transfer.importance.quadratic_assignment import residuals


class Sizes(NamedTuple):
    """Standard deviations of the effects on the percent improvement, in percent.

    `noise` is that of a pair in the median target; `noise_spread` is the standard deviation of its logarithm between
    targets. `source_task` is what a source brings whatever its dataset: part of the harder condition.
    """

    target: float = 3.0
    target_dataset: float = 3.0
    baseline: float = 2.0
    source_dataset: float = 2.0
    dataset_pair: float = 2.0
    source_task: float = 0.0
    noise: float = 3.0
    noise_spread: float = 0.4


COLLAPSED_FROM, COLLAPSED_TO = -95.0, -50.0  # percent; the two collapsed runs in print lie at -52 and -90


class Design(NamedTuple):
    """The pairs of a study: where each pair's source and target stand, their datasets, and the rating differences.

    `source`, `target`, `source_dataset`, `target_dataset` are whole numbers from 0 on, `ratings` is pairs x aspects
    (target - source), `controls` are the columns of target and source dataset that the primary test partials out.
    """

    source: numpy.ndarray
    target: numpy.ndarray
    source_dataset: numpy.ndarray
    target_dataset: numpy.ndarray
    ratings: numpy.ndarray
    controls: numpy.ndarray


def make_design(features):
    """The design of a frame of pair features, all ordered pairs of its tasks with ratings."""
    tasks, datasets = list(dict.fromkeys(features["source"])), list(dict.fromkeys(features["source_dataset"]))
    source, target = (features[name].map(tasks.index).to_numpy() for name in ("source", "target"))
    ends = (features[name].map(datasets.index).to_numpy() for name in ("source_dataset", "target_dataset"))
    source_dataset, target_dataset = ends
    controls = numpy.hstack([numpy.eye(len(tasks))[target], numpy.eye(len(datasets))[source_dataset]])
    return Design(source, target, source_dataset, target_dataset, features[list(ASPECTS)].to_numpy(float), controls)


def simulate_study(design, generator, sizes=None, effect=0.0):
    """Percent improvements of one study, as measured, and which pair collapsed.

    Args:
        design: the pairs.
        generator: NumPy random generator.
        sizes: `Sizes`; None for the default.
        effect: percent that a pair gains per unit by which the target's definition is rated above the source's.

    Returns:
        tuple: percent improvements of the pairs, and the position of the collapsed one.
    """
    sizes = sizes or Sizes()
    tasks, datasets = design.source.max() + 1, design.source_dataset.max() + 1
    normal = generator.standard_normal
    gain = sizes.target * normal(tasks)[design.target]
    gain += sizes.target_dataset * normal(datasets)[design.target_dataset]
    gain += sizes.source_dataset * normal(datasets)[design.source_dataset]
    gain += sizes.dataset_pair * normal((datasets, datasets))[design.source_dataset, design.target_dataset]
    gain += sizes.source_task * normal(tasks)[design.source]
    noise = sizes.noise * numpy.exp(sizes.noise_spread * normal(tasks))[design.target] * normal(len(gain))
    baseline = sizes.baseline * normal(tasks)[design.target]
    gain += effect * design.ratings[:, 0] + noise
    # The baseline that a transfer is compared with is itself off by some percent of its true value.
    percent = 100 * ((1 + gain / 100) / (1 + baseline / 100) - 1)
    collapsed = int(generator.integers(len(percent)))
    percent[collapsed] = generator.uniform(COLLAPSED_FROM, COLLAPSED_TO)
    return percent, collapsed


def expected_variance(design, sizes=None):
    """Variance of the improvements over pairs without effect of ratings and without collapsed run, about.

    Returns:
        tuple: the variance of all, and of what is left beside targets and source datasets.
    """
    sizes = sizes or Sizes()
    noise = sizes.noise**2 * numpy.exp(2 * sizes.noise_spread**2)
    left = sizes.dataset_pair**2 + sizes.source_task**2 + noise
    return left + sum(size**2 for size in (sizes[0], sizes[1], sizes.baseline, sizes.source_dataset)), left


def effect_size(design, share, sizes=None, beside_controls=True):
    """The slope of the definition rating with which it explains a given share of the variance.

    Args:
        design: the pairs.
        share: of the variance, from 0 to below 1, once the effect is part of it.
        sizes: `Sizes`; None for the default.
        beside_controls: whether both variances are those left beside targets, source datasets and the other two
            ratings (what a regression with these calls partial R2); else both are those of all improvements.
    """
    values, (whole, left) = design.ratings[:, 0], expected_variance(design, sizes)
    if beside_controls:
        others = numpy.column_stack([numpy.ones(len(values)), design.controls, design.ratings[:, 1:]])
        values = residuals(values[:, None], others)[:, 0]
    explained = share / (1 - share) * (left if beside_controls else whole)
    return float(numpy.sqrt(explained / values.var()))
