"""Do differences in the construct ratings explain transfer? Tests that know that pairs of tasks are dependent.

`mixed_model` (primary): slopes of the three ratings in a model with random effects of targets, sources, the datasets of
both and pairs of datasets, tested by t (Kenward and Roger). Targets and sources tell of a rating by how they differ
from others, weighed by how much they differ anyway; the permutation tests of ordinary regressions that stand beside it
(`quadratic_assignment`) use less of this, or nothing. Primary is the test of improvements that are cut off at 25
percent: of uncut ones, a single collapsed run can make a tenth of all variance.
"""

import numpy
import pandas

from empathy_transfer.features.task_facts import ASPECTS
from empathy_transfer.importance.pair_outcomes import outcome_pairs, percent_outcomes, too_few
from empathy_transfer.importance.quadratic_assignment import (
    double_semi_partialling,
    orders_within_datasets,
    shuffled_ratings,
)
from empathy_transfer.statistics.mixed_slopes import SlopeModel

PRIMARY_NULL = "mixed_model"
NULLS = {PRIMARY_NULL: "primary", "semi_partialling": "secondary", "tasks": "liberal", "datasets": "secondary"}
PRIMARY_OUTCOME = "percent_winsorised"
PRIMARY_OUTCOMES = (PRIMARY_OUTCOME, "percent_winsorised_without_collapsed", "percent_winsorised_without_leaked")
NULL_COLUMNS = "outcome feature null role slope standard_error t freedom p draws pairs reason".split()
RANDOM_EFFECTS = ("target", "source", "target_dataset", "source_dataset", "dataset_pair")


def null_table(improvement, features, draws, seed):
    """Test the three construct ratings by each test, for each outcome.

    Args:
        improvement: frame as from `read_full_improvement`.
        features: frame as from `read_pair_features`, with all ordered pairs of its tasks.
        draws: number of permutations.
        seed: of the permutations.

    Returns:
        A frame with `NULL_COLUMNS`: `slope` is the change of the outcome (percent) per unit that the target is rated
        above the source, `t` its statistic, `p` two-sided: by t with `freedom` degrees of freedom, or over `draws`
        permutations, counting the true arrangement as one of them. Blank with `too_few` pairs, or `undefined` where
        nothing of the feature or the outcome is left to compare. An aspect that nobody rated has `no_ratings`; the
        others are tested without it.
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
                    row |= {name: values[rated.index(aspect)] for name, values in found.items()}
                    row |= {"reason": "undefined" if numpy.isnan(row["p"]) else ""}
                    row |= {"draws": draws} if null != PRIMARY_NULL else {}
                rows.append(row)
    return pandas.DataFrame(rows, columns=NULL_COLUMNS)


def random_groups(pairs):
    """The group of each pair by kind of random effect, as numbers.

    Args:
        pairs: frame with source, target, source_dataset, target_dataset.

    Returns:
        A list of arrays, in the order of `RANDOM_EFFECTS`.
    """
    both = pairs["source_dataset"].astype(str) + "--" + pairs["target_dataset"].astype(str)
    return [pandas.factorize(values)[0] for values in [*(pairs[name] for name in RANDOM_EFFECTS[:-1]), both]]


def rating_model(pairs, aspects, groups=None):
    """The `SlopeModel` of the rating differences of these pairs, with the groups of `random_groups` or others.

    See `most_freedom` for the bound of the degrees of freedom.
    """
    tasks, datasets = (len(set(pairs[f"source{kind}"]) | set(pairs[f"target{kind}"])) for kind in ("", "_dataset"))
    return SlopeModel(
        pairs[aspects].to_numpy(float), groups or random_groups(pairs), most_freedom(tasks, datasets, len(aspects))
    )


def most_freedom(tasks, datasets, aspects):
    """The most degrees of freedom of the slope of a rating, one of so many aspects.

    A rating has one value per task, and those of a dataset's tasks are alike. So its slope is not known better than by
    a regression of one number per dataset on the rating, nor by one of one number per task on all ratings, however many
    pairs they make. Without this bound, strong effects of datasets make up to 8 % of false positives at 5 %.
    """
    return min(datasets - 2, tasks - aspects - 1)


def _test(null, grid, aspects, draws, generator):
    """What one test finds of the ratings of some aspects: {column: one number per aspect}."""
    known = grid[grid["outcome"].notna()]
    outcome = known["outcome"].to_numpy(float)
    if null == PRIMARY_NULL:
        model = rating_model(known, aspects)
        _, _, (slopes, errors, freedom, p) = model.test_closely(outcome)
        return {"slope": slopes, "standard_error": errors, "t": slopes / errors, "freedom": freedom, "p": p}
    return dict(zip(("slope", "t", "p"), _permuted(null, grid, known, aspects, draws, generator), strict=True))


def _permuted(null, grid, known, aspects, draws, generator):
    """Slopes, t statistics and p values by one of the permutation tests."""
    if null == "semi_partialling":
        effects = [pandas.get_dummies(grid[name]).to_numpy(float) for name in ("target", "source_dataset")]
        ends = (grid["source_place"].to_numpy(), grid["target_place"].to_numpy())
        matrices = grid["outcome"].to_numpy(float), grid[aspects].to_numpy(float), numpy.hstack(effects)
        return double_semi_partialling(*matrices, *ends, grid["outcome"].notna().to_numpy(), draws, generator)
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
