"""The importance analysis of simulated studies, for the rules of claims that read it.

It is that of a study (sound protocol, held-out pairs of two unseen tasks) but for one thing: kernel ridge regression
with fixed settings takes the place of support vectors, since it has a closed form, so that all studies are fitted at
once. Features are those of the published study, and two similarities, which the printed tables lack.
"""

from typing import NamedTuple

import numpy
import pandas

from empathy_transfer.features.pair_features import SIMILARITIES, available_features, feature_columns
from empathy_transfer.importance.holdouts import folds
from empathy_transfer.importance.kernel_regression import Kernel, permutation_errors
from empathy_transfer.importance.permutation import as_table, measure_sound, permutations, with_shuffled
from empathy_transfer.importance.rating_tests import PRIMARY_NULL
from empathy_transfer.validation.calibration import RATINGS, ridge_fit
from empathy_transfer.validation.rating_studies import primary_p_values

# Fewer draws than in a study: with these, 300 studies take a minute.
SETTINGS = {"seed": 0, "shuffles": 20, "permutations": 5, "interval_draws": 500}


class Pooled(NamedTuple):
    """Errors of all studies on held-out pairs, as `permutation.pooled_errors` gives them of one.

    Squares of the model's and of the training mean's (studies x draws x pairs); after permutation, per feature studies
    x draws x permutations, and of the first draw studies x pairs.
    """

    squares: numpy.ndarray
    total: numpy.ndarray
    permuted: dict
    observed: dict

    def of_study(self, place):
        """The errors of one study."""
        parts = [{name: values[place] for name, values in errors.items()} for errors in self[2:]]
        return self.squares[place], self.total[place], *parts


def with_similarities(pairs):
    """The pairs with two similarities: of datasets, the same for all of their tasks, and of tasks."""
    generator, found = numpy.random.default_rng(0), {}
    for name, ends in zip(SIMILARITIES, (("source_dataset", "target_dataset"), ("source", "target")), strict=True):
        units = sorted(set(pairs[ends[0]]))
        values = generator.uniform(0.2, 0.9, (len(units), len(units)))
        values = (values + values.T) / 2
        numpy.fill_diagonal(values, 1.0)
        found[name] = values[[units.index(one) for one in pairs[ends[0]]], [units.index(one) for one in pairs[ends[1]]]]
    return pairs.assign(**found)


def importance_of_studies(pairs, design, outcomes):
    """A list of (importance, nulls), the frames that claims are judged by, one for each study.

    Args:
        pairs: frame of pair features, see `with_similarities`. design: `simulated_studies.Design` of the same pairs.
        outcomes: percent improvements (studies x pairs).
    """
    columns = feature_columns(pairs, available_features(pairs))
    pooled = _pooled(pairs, columns, outcomes)
    p, found = primary_p_values(design, outcomes), []
    for place, outcome in enumerate(outcomes):
        errors = pooled.of_study(place)
        rows = measure_sound(pairs.assign(outcome=outcome), columns, None, {}, SETTINGS, lambda *_, found=errors: found)
        table = as_table([row for row in rows if row["part"] == "test"], list(columns), "")
        nulls = pandas.DataFrame({"feature": RATINGS, "null": PRIMARY_NULL, "p": p[place]})
        found.append((table.assign(protocol="sound", pairs=len(pairs), name=table["feature"]), nulls))
    return found


def _pooled(pairs, columns, outcomes):
    """The `Pooled` errors of all studies, with the same permutations in each, as `measure_sound` would draw them."""
    shuffled = []
    for outcome in outcomes:
        generator = numpy.random.default_rng(SETTINGS["seed"])
        shuffled.append(with_shuffled(outcome, SETTINGS["shuffles"], generator))
    donors = permutations(numpy.arange(len(pairs)), SETTINGS["permutations"], generator)
    draws = numpy.concatenate(shuffled)
    first = numpy.arange(len(outcomes)) * (1 + SETTINGS["shuffles"])
    squares, total = numpy.zeros(draws.shape), numpy.zeros(draws.shape)
    permuted = {name: numpy.zeros((len(draws), len(donors))) for name in columns}
    observed = {name: numpy.zeros(outcomes.shape) for name in columns}
    for train, test in folds(pairs, "both"):
        kernel = Kernel(columns, train, True)
        weights, intercepts = ridge_fit(kernel, draws)
        errors = permutation_errors(kernel, weights, intercepts, draws, test, donors[:, test])
        squares[:, test] = (draws[:, test] - errors.plain) ** 2
        total[:, test] = (draws[:, test] - draws[:, train].mean(axis=1, keepdims=True)) ** 2
        for name in columns:
            permuted[name] += errors.permuted[name]
            observed[name][:, test] = errors.observed[name][first]
    studies = len(outcomes)
    by_study = {name: values.reshape(studies, -1, len(donors)) for name, values in permuted.items()}
    return Pooled(squares.reshape(studies, -1, len(pairs)), total.reshape(studies, -1, len(pairs)), by_study, observed)
