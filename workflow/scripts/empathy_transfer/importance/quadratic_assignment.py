"""Permutation tests for matrices of pairs of tasks: do differences in the construct ratings go with transfer?

Scores of pairs are dependent: they share sources, targets and datasets, and tasks of one dataset are alike. Three nulls
permute tasks, each with a t statistic of the ordinary regression as its measure:

`semi_partialling`: Dekker's double semi-partialling (Dekker, Krackhardt and Snijders 2007). The effects of targets and
of the source's dataset, and the other ratings, are partialled out; what is left of a rating's differences is permuted
over tasks, in both roles at once. Beside these effects next to nothing is left of a rating, so it has little power.
`tasks`: the ratings of whole tasks are shuffled over tasks. Too liberal where datasets differ, since it breaks up the
likeness of their tasks; shown for comparison.
`datasets`: the ratings are shuffled between datasets of equally many tasks and between the tasks within a dataset, so
that tasks of one dataset stay together.
"""

import numpy

RELATIVE_TOLERANCE = 1e-9


def double_semi_partialling(outcome, features, controls, source, target, observed, draws, generator):
    """Dekker's double semi-partialling for several features of ordered pairs.

    Each feature is regressed on the others and the controls over all ordered pairs. Its residuals, as a matrix of
    tasks, are permuted in rows and columns at once, and take the feature's place in the regression of the outcome; the
    t statistic, being pivotal, is compared with the true one.

    Args:
        outcome: one number per pair, not read where `observed` is false; or studies x pairs.
        features: array of pairs x features.
        controls: array of pairs x controls; an intercept is added.
        source: position of each pair's source task, 0 to the number of tasks - 1.
        target: that of its target task; all ordered pairs of different tasks must be there.
        observed: whether each pair's outcome is known.
        draws: number of permutations.
        generator: NumPy random generator.

    Returns:
        Slopes, t statistics and two-sided p values, one per feature (or studies x features); NaN where nothing of a
        feature, or of the outcome, is left beside the other columns.
    """
    number = int(max(source.max(), target.max())) + 1
    orders = numpy.stack([generator.permutation(number) for _ in range(draws)])
    place = numpy.full((number, number), -1)
    place[source, target] = numpy.arange(len(source))
    moved = place[orders[:, source], orders[:, target]]  # draws x pairs
    outcomes = numpy.atleast_2d(outcome)[:, observed]
    slopes, statistics, probabilities = (numpy.full((len(outcomes), features.shape[1]), numpy.nan) for _ in range(3))
    for position in range(features.shape[1]):
        others = numpy.column_stack([numpy.ones(len(source)), controls, numpy.delete(features, position, axis=1)])
        own = residuals(features[:, [position]], others)[:, 0]
        values = features[:, position]
        if (own**2).sum() <= RELATIVE_TOLERANCE * max(((values - values.mean()) ** 2).sum(), 1e-12):
            continue  # what is left is rounding
        true = _partial_t(outcomes, own[observed, None], others[observed])
        shuffled = _partial_t(outcomes, own[moved][:, observed].T, others[observed])
        slopes[:, position], statistics[:, position] = true[0][:, 0], true[1][:, 0]
        probabilities[:, position] = two_sided(true[1][:, 0], shuffled[1])
    return tuple(found.reshape(*outcome.shape[:-1], -1) for found in (slopes, statistics, probabilities))


def shuffled_ratings(outcome, ratings, source, target, orders):
    """Test the differences of ratings (target - source) against ratings that are moved between tasks.

    Args:
        outcome: one number per pair, or studies x pairs.
        ratings: tasks x aspects.
        source: position of each pair's source task.
        target: that of its target task.
        orders: draws x tasks; which task's ratings each task gets.

    Returns:
        As from `double_semi_partialling`; the regression has an intercept and all aspects, and nothing else.
    """

    outcomes = numpy.atleast_2d(outcome)

    def statistics(values):
        """Slopes and t statistics, each studies x aspects."""
        differences = values[target] - values[source]
        found = []
        for position in range(differences.shape[1]):
            others = numpy.delete(differences, position, axis=1)
            design = numpy.column_stack([numpy.ones(len(source)), others])
            found.append([part[:, 0] for part in _partial_t(outcomes, differences[:, [position]], design)])
        return numpy.moveaxis(numpy.array(found), 0, 2)

    slopes, true = statistics(ratings)
    shuffled = numpy.stack([statistics(ratings[order])[1] for order in orders], axis=2)
    probabilities = two_sided(true, shuffled)
    return tuple(found.reshape(*outcome.shape[:-1], -1) for found in (slopes, true, probabilities))


def orders_within_datasets(datasets, draws, generator):
    """Random orders of tasks that keep which tasks share a dataset: datasets of one size are exchanged, and so are the
    tasks of a dataset.

    Args:
        datasets: the dataset of each task.
        draws: number of orders.
        generator: NumPy random generator.

    Returns:
        Array draws x tasks, or None if only one such order exists.
    """
    return None if len(datasets) < 2 else orders_of_tasks(datasets, [None] * len(datasets), draws, generator)


def orders_of_tasks(datasets, alike, draws, generator):
    """Random orders of tasks, draws x tasks: datasets whose tasks are alike are exchanged, and so are these tasks.

    Args:
        datasets: the dataset of each task. alike: a value for each task; tasks of different values are never exchanged.
    """
    members = {}
    for task in sorted(range(len(datasets)), key=lambda task: (alike[task], task)):
        members.setdefault(datasets[task], []).append(task)
    kinds = {}
    for tasks in members.values():
        kinds.setdefault(tuple(alike[task] for task in tasks), []).append(tasks)
    orders = numpy.empty((draws, len(datasets)), dtype=int)
    for order in orders:
        for kind, groups in kinds.items():
            for place, chosen in enumerate(generator.permutation(len(groups))):
                own, other = numpy.array(groups[place]), numpy.array(groups[chosen])
                for value in set(kind):
                    same = numpy.array([entry == value for entry in kind])
                    order[own[same]] = generator.permutation(other[same])
    return orders


def two_sided(true, shuffled):
    """Share of statistics at least as far from 0 as the true one, itself among them; NaN where that is undefined.

    `true` is one number, or an array; `shuffled` has one axis more, that of the draws, at its end.
    """
    true = numpy.asarray(true)
    # Arrangements that amount to the true one differ from it by rounding.
    as_far = (numpy.abs(shuffled) >= numpy.abs(true)[..., None] * (1 - RELATIVE_TOLERANCE)).sum(axis=-1)
    return numpy.where(numpy.isnan(true), numpy.nan, (1 + as_far) / (1 + shuffled.shape[-1]))


def residuals(values, others):
    """What is left of columns of values beside the columns of others, which may depend on each other."""
    left, singular, _ = numpy.linalg.svd(others, full_matrices=False)
    basis = left[:, singular > singular.max() * RELATIVE_TOLERANCE]
    return values - basis @ (basis.T @ values)


def _partial_t(outcomes, values, others):
    """Slope and t statistic of each column of values in the regression of each outcome on it and the other columns.

    `outcomes` is studies x pairs; both results are studies x columns. A column of which nothing is left has t = 0; all
    of a study are NaN where nothing is left of its outcome.
    """
    left, left_outcomes = residuals(values, others), residuals(outcomes.T, others)
    freedom = outcomes.shape[1] - numpy.linalg.matrix_rank(others) - 1
    products, squares = left_outcomes.T @ left, (left**2).sum(axis=0)[None, :]
    total, whole = (left_outcomes**2).sum(axis=0)[:, None], (values**2).sum(axis=0)
    centred = ((outcomes - outcomes.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)[:, None]
    usable = squares > RELATIVE_TOLERANCE * whole
    slopes = numpy.where(usable, products / numpy.where(usable, squares, 1.0), 0.0)
    unexplained = numpy.maximum(total - slopes**2 * squares, 0.0)
    errors = numpy.sqrt(unexplained / max(freedom, 1) / numpy.where(usable, squares, 1.0))
    statistics = numpy.divide(slopes, errors, out=numpy.zeros_like(slopes), where=errors > 0)
    blank = (total <= RELATIVE_TOLERANCE * numpy.maximum(centred, 1e-12)) | (freedom < 1)
    return numpy.where(blank, numpy.nan, slopes), numpy.where(blank, numpy.nan, statistics)
