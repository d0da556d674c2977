"""What the parts of the validation share: bars, and how a part runs a simulation of single studies."""

import numpy

# (lowest, highest) mean that passes: of false positives, of wrong verdicts, of intervals that miss; and of coverage.
MOST_WRONG = (0.0, 0.065)
COVERAGE = (0.935, 0.965)


def by_statistic(studies):
    """Outcomes of single studies, a list of {statistic: number}, as {statistic: array}."""
    return {name: numpy.array([study[name] for study in studies], dtype=float) for name in studies[0]}


def each(simulate):
    """The `run` of a part (see `parts.Part`), from a function of its condition and of the generator of one study."""
    return lambda _, about, generators: by_statistic([simulate(about["condition"], one) for one in generators])
