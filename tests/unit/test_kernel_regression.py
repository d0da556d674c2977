"""The precomputed kernel against scikit-learn's own, and permutation errors against its permutation importance."""

import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from empathy_transfer.importance.kernel_regression import Kernel, Model, fit, permutation_errors, predict


@pytest.fixture
def problem():
    """Three features, one of them of two columns: (columns, outcome, training positions, test positions)."""
    generator = np.random.default_rng(1)
    columns = {"a": generator.normal(size=(60, 1)) * 3, "b": generator.normal(size=(60, 2)), "c": np.ones((60, 1))}
    outcome = columns["a"][:, 0] + columns["b"][:, 0] ** 2 + 5
    return columns, outcome, np.arange(40), np.arange(40, 60)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("C", [1.0, 100.0])
def test_same_predictions_as_scikit_learn(problem, scaled, C):
    columns, outcome, train, test = problem
    values = np.hstack(list(columns.values()))
    if scaled:
        values = StandardScaler().fit(values[train]).transform(values)
    expected = SVR(C=C).fit(values[train], outcome[train]).predict(values[test])
    kernel = Kernel(columns, train, scaled)
    found = predict(kernel, *fit(kernel, outcome[None], Model(C, 0.1, scaled, False)), test)
    assert found[0] == pytest.approx(expected, abs=1e-6)


def test_a_scaled_outcome_gives_predictions_in_its_own_unit(problem):
    columns, outcome, train, test = problem
    values = np.hstack(list(columns.values()))
    centre, spread = outcome[train].mean(), outcome[train].std()
    fitted = SVR(C=2.0, epsilon=0.2).fit(values[train], (outcome[train] - centre) / spread)
    kernel = Kernel(columns, train, False)
    found = predict(kernel, *fit(kernel, outcome[None], Model(2.0, 0.2, False, True)), test)
    assert found[0] == pytest.approx(fitted.predict(values[test]) * spread + centre, abs=1e-6)


def test_importance_of_single_columns_agrees_with_scikit_learn(problem):
    _, _, train, test = problem
    generator = np.random.default_rng(2)
    values = generator.normal(size=(60, 3))
    outcome = 2 * values[:, 0] + values[:, 1] + 0.1 * generator.normal(size=60)
    model = SVR(C=10.0).fit(values[train], outcome[train])
    expected = permutation_importance(model, values[test], outcome[test], n_repeats=2000, random_state=0)
    kernel = Kernel({name: values[:, [place]] for place, name in enumerate("abc")}, train, False)
    donors = np.stack([generator.permutation(test) for _ in range(2000)])
    fitted = fit(kernel, outcome[None], Model(10.0, 0.1, False, False))
    errors = permutation_errors(kernel, *fitted, outcome[None], test, donors)
    total = ((outcome[test] - outcome[test].mean()) ** 2).sum()
    for place, name in enumerate("abc"):
        drops = (errors.permuted[name][0] - ((outcome[test] - errors.plain[0]) ** 2).sum()) / total
        assert drops.mean() == pytest.approx(expected.importances_mean[place], abs=0.03)
        assert drops.std() == pytest.approx(expected.importances_std[place], abs=0.03)
        assert errors.observed[name].sum() == pytest.approx(errors.permuted[name][0].mean())


def test_columns_of_a_feature_move_together(problem):
    columns, outcome, train, test = problem
    values = np.hstack(list(columns.values()))
    model = SVR(C=10.0).fit(values[train], outcome[train])
    order = np.roll(test, 3)
    moved = values[test].copy()
    moved[:, 1:3] = values[order, 1:3]
    kernel = Kernel(columns, train, False)
    fitted = fit(kernel, outcome[None], Model(10.0, 0.1, False, False))
    errors = permutation_errors(kernel, *fitted, outcome[None], test, order[None])
    expected = r2_score(outcome[test], model.predict(moved))
    total = ((outcome[test] - outcome[test].mean()) ** 2).sum()
    assert 1 - errors.permuted["b"][0, 0] / total == pytest.approx(expected, abs=1e-6)
    # A constant feature changes nothing.
    assert errors.permuted["c"][0, 0] == pytest.approx(((outcome[test] - errors.plain[0]) ** 2).sum())


def test_several_draws_are_fitted_as_one_by_one(problem):
    columns, outcome, train, test = problem
    other = np.random.default_rng(3).permutation(outcome)
    model, kernel = Model(5.0, 0.1, True, True), Kernel(columns, train, True)
    both = predict(kernel, *fit(kernel, np.vstack([outcome, other]), model), test)
    for row, single in zip(both, (outcome, other), strict=True):
        assert row == pytest.approx(predict(kernel, *fit(kernel, single[None], model), test)[0])


def test_constant_outcomes_and_features_predict_the_constant():
    columns = {"a": np.ones((10, 1))}
    kernel = Kernel(columns, np.arange(8), True)
    found = predict(kernel, *fit(kernel, np.full((1, 10), 7.0), Model(1.0, 0.1, True, True)), np.arange(8, 10))
    assert found[0] == pytest.approx([7, 7], abs=1e-6)
