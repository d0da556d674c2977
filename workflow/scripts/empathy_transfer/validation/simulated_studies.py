"""Simulated studies: percent improvements of all pairs of tasks whose truth is known.

What makes true matrices hard to analyse is always there: targets differ in how much they can gain, a lucky or unlucky
baseline moves a whole column, sources of one dataset are alike and so are targets, pairs of datasets go together or
don't, the noise of targets differs, and one run collapses. On top, the construct ratings have an effect of known size,
or none.
"""

from typing import NamedTuple

import numpy

from empathy_transfer.features.task_facts import ASPECTS


class Sizes(NamedTuple):
    """Standard deviations of the effects on the percent improvement, in percent.

    `noise` is that of a pair in the median target; `noise_spread` is the standard deviation of its logarithm between
    targets. `source_task` is what a source brings whatever its dataset.
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
    (target - source).
    """

    source: numpy.ndarray
    target: numpy.ndarray
    source_dataset: numpy.ndarray
    target_dataset: numpy.ndarray
    ratings: numpy.ndarray

    @property
    def controls(self):
        """The columns of target and source dataset that semi-partialling takes out: pairs x both."""
        return numpy.hstack([numpy.eye(end.max() + 1)[end] for end in (self.target, self.source_dataset)])


def make_design(features):
    """The design of a frame of pair features, all ordered pairs of its tasks with ratings."""
    tasks, datasets = list(dict.fromkeys(features["source"])), list(dict.fromkeys(features["source_dataset"]))
    source, target = (features[name].map(tasks.index).to_numpy() for name in ("source", "target"))
    ends = (features[name].map(datasets.index).to_numpy() for name in ("source_dataset", "target_dataset"))
    source_dataset, target_dataset = ends
    return Design(source, target, source_dataset, target_dataset, features[list(ASPECTS)].to_numpy(float))


def made_design(datasets, seed=0):
    """The design of a study of datasets with so many tasks each, whose ratings correlate as those in print do.

    Ratings are .8 alike within a dataset, and correlate .6, .6 and .35 with one another.
    """
    generator = numpy.random.default_rng([seed, *datasets])
    dataset = numpy.repeat(numpy.arange(len(datasets)), datasets)
    alike = numpy.linalg.cholesky([[1, 0.6, 0.6], [0.6, 1, 0.35], [0.6, 0.35, 1]]).T
    common, own = generator.standard_normal((len(datasets), 3))[dataset], generator.standard_normal((len(dataset), 3))
    ratings = numpy.clip(3 + 1.2 * (numpy.sqrt(0.8) * common + numpy.sqrt(0.2) * own) @ alike, 1, 5)
    source, target = numpy.nonzero(~numpy.eye(len(dataset), dtype=bool))
    return Design(source, target, dataset[source], dataset[target], ratings[target] - ratings[source])


def simulate_study(design, generator, sizes=None, slopes=(0.0, 0.0, 0.0)):
    """Percent improvements of one study, as measured, and which pair collapsed.

    Args:
        design: the pairs.
        generator: NumPy random generator.
        sizes: `Sizes`; None for the default.
        slopes: percent that a pair gains per point by which the target is rated above the source, for each rating.

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
    gain += design.ratings @ numpy.asarray(slopes) + noise
    # The baseline that a transfer is compared with is itself off by some percent of its true value.
    percent = 100 * ((1 + gain / 100) / (1 + baseline / 100) - 1)
    collapsed = int(generator.integers(len(percent)))
    percent[collapsed] = generator.uniform(COLLAPSED_FROM, COLLAPSED_TO)
    return percent, collapsed
