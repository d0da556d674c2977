"""How often do the tests of the construct ratings find something, in simulated studies whose truth is known?

The features are the same in all studies, so what depends on them alone (permutations, kernels) is computed once, and
all studies are tested together by the functions that test a true one. For the published protocol, kernel ridge
regression takes the place of support vectors: it has the same kernel, its settings are fixed, and it has a closed form.
"""

import numpy
from scipy.linalg import cho_factor, cho_solve

from empathy_transfer.importance.holdouts import folds
from empathy_transfer.importance.kernel_regression import Kernel, Model, fit_regressions, permutation_errors
from empathy_transfer.importance.pair_outcomes import WINSORISED_AT
from empathy_transfer.importance.permutation import PUBLISHED_C
from empathy_transfer.importance.quadratic_assignment import (
    double_semi_partialling,
    orders_within_datasets,
    shuffled_ratings,
)
from empathy_transfer.validation.simulated_studies import simulate_study

RATINGS = ("definition", "link", "conduciveness")
LEVEL = 0.05
RIDGE = 1 / PUBLISHED_C
PUBLISHED = {"splits": 10, "test_share": 0.2, "permutations": 50, "seed": 0}


def published_conditions():
    """Yield (condition, simulations, what they need) of the published protocol, see `parts.Part`; it has no bars."""
    support_vectors = Model(PUBLISHED_C, 0.1, False, False)
    for words, number, model in (("kernel ridge", 500, None), ("support vectors", 100, support_vectors)):
        yield f"no effect, {words}", number, {"run": _published, "condition": model, "bars": {}}


def _published(truth, about, generators):
    """What the protocol would report of studies without effect."""
    outcomes = numpy.stack([simulate_study(truth.design, generator)[0] for generator in generators])
    importance = published_importance(truth.pairs, truth.columns, outcomes, PUBLISHED, about["condition"])
    return {name: values.astype(float) for name, values in published_findings(*importance).items()}


def semi_partialling_p_values(design, outcomes, draws, seed):
    """p values of the ratings by double semi-partialling in each study: studies x aspects.

    Args:
        design: `simulated_studies.Design`. outcomes: studies x pairs. draws: number of permutations. seed: of these.
    """
    observed = numpy.ones(outcomes.shape[1], dtype=bool)
    studies = outcomes, design.ratings, design.controls, design.source, design.target, observed
    return double_semi_partialling(*studies, draws, numpy.random.default_rng(seed))[2]


def shuffled_p_values(design, outcomes, draws, seed, within_datasets):
    """p values when ratings are shuffled over tasks, or only as datasets allow: studies x aspects."""
    generator = numpy.random.default_rng(seed)
    tasks, datasets = task_ratings(design)
    if within_datasets:
        orders = orders_within_datasets(datasets, draws, generator)
    else:
        orders = numpy.stack([generator.permutation(len(tasks)) for _ in range(draws)])
    return shuffled_ratings(outcomes, tasks, design.source, design.target, orders)[2]


def task_ratings(design):
    """Ratings of the tasks (tasks x aspects, those of the first task being 0), and the dataset of each task."""
    tasks = design.source.max() + 1
    ratings, datasets = numpy.zeros((tasks, design.ratings.shape[1])), numpy.zeros(tasks, dtype=int)
    first = design.source == 0
    ratings[design.target[first]] = design.ratings[first]
    datasets[design.source] = design.source_dataset
    return ratings, datasets.tolist()


def variants_of(outcomes):
    """The outcomes as they are, and cut off at 25 percent; both studies x pairs."""
    return {"percent": outcomes, "percent_winsorised": numpy.clip(outcomes, -WINSORISED_AT, WINSORISED_AT)}


def published_importance(pairs, columns, outcomes, settings, model=None):
    """Importance of each feature on the training part in each study, under the published protocol.

    Args:
        pairs: frame of the pairs, for the splits. columns: {feature: pairs x columns}. outcomes: studies x pairs.
        settings: `splits`, `test_share`, `permutations`, `seed`.
        model: `kernel_regression.Model` of support vectors, or None for kernel ridge regression.

    Returns:
        tuple: mean and standard deviation of the drops in R2, each {feature: one number per study}.
    """
    generator = numpy.random.default_rng(settings["seed"])
    drops = {name: [] for name in columns}
    for train, _ in folds(pairs, "random", settings["splits"], settings["test_share"], settings["seed"]):
        kernel = Kernel(columns, train, False)
        weights, intercepts = ridge_fit(kernel, outcomes) if model is None else fit_regressions(kernel, outcomes, model)
        donors = numpy.stack([generator.permutation(train) for _ in range(settings["permutations"])])
        errors = permutation_errors(kernel, weights, intercepts, outcomes, train, donors)
        squares = ((outcomes[:, train] - errors.plain) ** 2).sum(axis=1)
        total = ((outcomes[:, train] - outcomes[:, train].mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
        for name, sums in errors.permuted.items():
            drops[name].append((sums - squares[:, None]) / total[:, None])
    drops = {name: numpy.concatenate(values, axis=1) for name, values in drops.items()}
    return (
        {name: values.mean(axis=1) for name, values in drops.items()},
        {name: values.std(axis=1, ddof=1) for name, values in drops.items()},
    )


def ridge_fit(kernel, outcomes):
    """Kernel ridge regression of each study's outcomes: weights (studies x training pairs) and intercepts."""
    gram = kernel.between(kernel.train)
    centres = outcomes[:, kernel.train].mean(axis=1)
    factor = cho_factor(gram + RIDGE * numpy.eye(len(gram)))
    return cho_solve(factor, (outcomes[:, kernel.train] - centres[:, None]).T).T, centres


def published_findings(means, deviations):
    """What the published protocol would report of each study: {finding: booleans, one per study}.

    `definition_and_link_first`: the two most important features are C1 and C2, the paper's headline.
    `<aspect>_above_zero`: the importance of an aspect is more than 1.96 of its standard deviations above 0.
    """
    ranked = numpy.argsort(-numpy.stack(list(means.values())), axis=0)
    places = [list(means).index(name) for name in RATINGS[:2]]
    found = {"definition_and_link_first": numpy.isin(ranked[:2], places).all(axis=0)}
    return found | {f"{name}_above_zero": means[name] > 1.96 * deviations[name] for name in RATINGS}
