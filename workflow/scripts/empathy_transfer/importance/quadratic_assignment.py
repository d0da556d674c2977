"""Do differences in the construct ratings explain transfer? Permutation tests for matrices of pairs of tasks.

Scores of pairs are dependent: they share sources, targets and datasets, and tasks of one dataset are alike. Ordinary
p values ignore that. Three nulls permute tasks, each with a t statistic of the ordinary regression as its measure:

`semi_partialling` (primary): Dekker's double semi-partialling (Dekker, Krackhardt and Snijders 2007). The effects of
targets and of the source's dataset, and the other ratings, are partialled out; what is left of a rating's differences
is permuted over tasks, in both roles at once. Primary is this test of improvements that are cut off at 25 percent: of
uncut ones, a single collapsed run can make a tenth of all variance, and in simulated studies with such a run the test
of them finds something in about 6 % of the studies without any effect, and misses more of the others.
`tasks`: the ratings of whole tasks are shuffled over tasks. Too liberal where datasets differ, since it breaks up the
likeness of their tasks; shown for comparison.
`datasets`: the ratings are shuffled between datasets of equally many tasks and between the tasks within a dataset, so
that tasks of one dataset stay together.
"""

import numpy
import pandas

from empathy_transfer.features.task_facts import ASPECTS
from empathy_transfer.importance.pair_outcomes import outcome_pairs, percent_outcomes, too_few

NULLS = {"semi_partialling": "primary", "tasks": "liberal", "datasets": "secondary"}
PRIMARY_OUTCOME = "percent_winsorised"
PRIMARY_OUTCOMES = (PRIMARY_OUTCOME, "percent_winsorised_without_collapsed", "percent_winsorised_without_leaked")
NULL_COLUMNS = ["outcome", "feature", "null", "role", "slope", "t", "p", "draws", "pairs", "reason"]
RELATIVE_TOLERANCE = 1e-9


def null_table(improvement, features, draws, seed):
    """Test the three construct ratings under the three nulls, for each outcome.

    Args:
        improvement: frame as from `read_full_improvement`.
        features: frame as from `read_pair_features`, with all ordered pairs of its tasks.
        draws: number of permutations.
        seed: of the permutations.

    Returns:
        A frame with `NULL_COLUMNS`: `slope` is the change of the outcome (percent) per unit that the target is rated
        above the source, `t` its statistic, `p` two-sided, counting the true arrangement as one of the draws. Blank
        with `too_few` pairs, or `undefined` where nothing of the feature or the outcome is left to compare. An aspect
        that nobody rated has `no_ratings`; the others are tested without it.
    """
    rows = []
    for outcome in percent_outcomes(improvement):
        pairs, names = outcome_pairs(improvement, features, outcome)
        rated = [aspect for aspect in ASPECTS if aspect in names]
        tested = bool(rated) and not too_few(pairs)
        grid = _square(features, pairs) if tested else None
        for null, role in NULLS.items():
            role = "secondary" if role == "primary" and outcome not in PRIMARY_OUTCOMES else role
            generator = numpy.random.default_rng(seed)
            found = _test(null, grid, rated, draws, generator) if tested else None
            for aspect in ASPECTS:
                row = {"outcome": outcome, "feature": aspect, "null": null, "role": role, "pairs": len(pairs)}
                if aspect not in rated:
                    row["reason"] = "no_ratings"
                elif found is None:
                    row["reason"] = "too_few"
                else:
                    slope, t, p = (values[rated.index(aspect)] for values in found)
                    reason = "undefined" if numpy.isnan(p) else ""
                    row |= {"slope": slope, "t": t, "p": p, "draws": draws, "reason": reason}
                rows.append(row)
    return pandas.DataFrame(rows, columns=NULL_COLUMNS)


def double_semi_partialling(outcome, features, controls, source, target, observed, draws, generator, left_out=None):
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
        left_out: the position, among the observed ones, of one more pair that does not count in each study; or None.

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
        true = _partial_t(outcomes, own[observed, None], others[observed], left_out)
        shuffled = _partial_t(outcomes, own[moved][:, observed].T, others[observed], left_out)
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
    members = {}
    for task, dataset in enumerate(datasets):
        members.setdefault(dataset, []).append(task)
    sizes = {}
    for tasks in members.values():
        sizes.setdefault(len(tasks), []).append(tasks)
    if all(size == 1 and len(groups) == 1 for size, groups in sizes.items()):
        return None
    orders = numpy.empty((draws, len(datasets)), dtype=int)
    for order in orders:
        for groups in sizes.values():
            for place, chosen in enumerate(generator.permutation(len(groups))):
                order[groups[place]] = generator.permutation(groups[chosen])
    return orders


def two_sided(true, shuffled):
    """Share of statistics at least as far from 0 as the true one, itself among them; NaN where that is undefined.

    `true` is one number, or an array; `shuffled` has one axis more, that of the draws, at its end.
    """
    true = numpy.asarray(true)
    # Arrangements that amount to the true one differ from it by rounding.
    as_far = (numpy.abs(shuffled) >= numpy.abs(true)[..., None] * (1 - RELATIVE_TOLERANCE)).sum(axis=-1)
    return numpy.where(numpy.isnan(true), numpy.nan, (1 + as_far) / (1 + shuffled.shape[-1]))


def _test(null, grid, aspects, draws, generator):
    """Slopes, t statistics and p values of the ratings of some aspects under one null."""
    if null == "semi_partialling":
        effects = [pandas.get_dummies(grid[name]).to_numpy(float) for name in ("target", "source_dataset")]
        values = grid[aspects].to_numpy(float)
        known = grid["outcome"].notna().to_numpy()
        ends = (grid["source_place"].to_numpy(), grid["target_place"].to_numpy())
        outcome = grid["outcome"].to_numpy(float)
        return double_semi_partialling(outcome, values, numpy.hstack(effects), *ends, known, draws, generator)
    known = grid[grid["outcome"].notna()]
    ends = (known["source_place"].to_numpy(), known["target_place"].to_numpy())
    tasks = grid.drop_duplicates("source").sort_values("source_place")
    # Only differences are known. The ratings follow from those to the first task, up to a constant that drops out.
    first = grid[grid["target_place"] == 0].set_index("source_place")[aspects]
    ratings = -first.reindex(range(len(tasks)), fill_value=0.0).to_numpy(float)
    if null == "tasks":
        orders = numpy.stack([generator.permutation(len(tasks)) for _ in range(draws)])
    else:
        orders = orders_within_datasets(tasks["source_dataset"].tolist(), draws, generator)
    if orders is None:
        return tuple(numpy.full(len(aspects), numpy.nan) for _ in range(3))
    return shuffled_ratings(known["outcome"].to_numpy(float), ratings, *ends, orders)


def _square(features, pairs):
    """All ordered pairs of the tasks in `pairs`, with places of tasks, and the outcome where it is known."""
    tasks = [task for task in dict.fromkeys(features["source"]) if task in set(pairs["source"]) | set(pairs["target"])]
    places = {task: place for place, task in enumerate(tasks)}
    grid = features[features["source"].isin(tasks) & features["target"].isin(tasks)]
    grid = grid.merge(pairs[["source", "target", "outcome"]], on=["source", "target"], how="left")
    return grid.assign(source_place=grid["source"].map(places), target_place=grid["target"].map(places))


def residuals(values, others):
    """What is left of columns of values beside the columns of others, which may depend on each other."""
    left, singular, _ = numpy.linalg.svd(others, full_matrices=False)
    basis = left[:, singular > singular.max() * RELATIVE_TOLERANCE]
    return values - basis @ (basis.T @ values)


def _partial_t(outcomes, values, others, left_out=None):
    """Slope and t statistic of each column of values in the regression of each outcome on it and the other columns.

    `outcomes` is studies x pairs; both results are studies x columns. A column of which nothing is left has t = 0; all
    of a study are NaN where nothing is left of its outcome. `left_out` is the pair that does not count, per study.
    """
    left, left_outcomes = residuals(values, others), residuals(outcomes.T, others)
    freedom = outcomes.shape[1] - numpy.linalg.matrix_rank(others) - 1
    products, squares = left_outcomes.T @ left, (left**2).sum(axis=0)[None, :]
    total, whole = (left_outcomes**2).sum(axis=0)[:, None], (values**2).sum(axis=0)
    centred = ((outcomes - outcomes.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)[:, None]
    if left_out is not None:
        # Leaving a pair out is the same as giving it a column of its own, which takes one product from each sum.
        rest = residuals(numpy.eye(len(left)), others)[left_out, left_out][:, None]
        own, own_outcome = left[left_out], left_outcomes[left_out, numpy.arange(len(outcomes))][:, None]
        products, squares = products - own_outcome * own / rest, squares - own**2 / rest
        total, freedom = total - own_outcome**2 / rest, freedom - 1
    usable = squares > RELATIVE_TOLERANCE * whole
    slopes = numpy.where(usable, products / numpy.where(usable, squares, 1.0), 0.0)
    unexplained = numpy.maximum(total - slopes**2 * squares, 0.0)
    errors = numpy.sqrt(unexplained / max(freedom, 1) / numpy.where(usable, squares, 1.0))
    statistics = numpy.divide(slopes, errors, out=numpy.zeros_like(slopes), where=errors > 0)
    blank = (total <= RELATIVE_TOLERANCE * numpy.maximum(centred, 1e-12)) | (freedom < 1)
    return numpy.where(blank, numpy.nan, slopes), numpy.where(blank, numpy.nan, statistics)
