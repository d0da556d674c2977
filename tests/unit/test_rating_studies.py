"""The simulations behind the level and power of the rating tests, a few studies each."""

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.importance.rating_tests import most_freedom, rating_model
from empathy_transfer.validation.parts import parts
from empathy_transfer.validation.rating_figure import draw_rating_power
from empathy_transfer.validation.rating_studies import (
    FEW_DATASETS,
    OWN,
    SLOPES,
    RatingCondition,
    design_model,
    rating_findings,
)
from empathy_transfer.validation.simulated_studies import Sizes, made_design, simulate_study

STILL = Sizes(*[0.0] * 6, noise=0.3, noise_spread=0.0)


def generators(number, seed=0):
    return [np.random.default_rng([seed, place]) for place in range(number)]


def test_the_model_is_the_one_that_studies_are_tested_with(truth):
    study = simulate_study(truth.design, np.random.default_rng(0), slopes=(2.0, 0.0, 0.0))[0]
    tested = rating_model(truth.pairs, ["definition", "link", "conduciveness"])
    simulated = design_model(truth.design)
    found = [model.test(study[None], model.fit(study[None])) for model in (tested, simulated)]
    for one, other in zip(*found, strict=True):
        assert one == pytest.approx(other)


def test_the_bound_of_the_degrees_of_freedom():
    assert most_freedom(tasks=18, datasets=9, aspects=3) == 7
    assert most_freedom(tasks=12, datasets=12, aspects=3) == 8
    assert most_freedom(tasks=6, datasets=3, aspects=3) == 1


def test_every_null_design_has_a_bar():
    found = [part for part in parts() if part.name in ("level", "power")]
    names = [part.condition for part in found if part.name == "level"]
    assert len(names) == 4 + len(FEW_DATASETS)
    for part in found:
        aspects = ("definition", "link", "conduciveness")
        bars = [part.about["bars"].get(f"{OWN}: {aspect}: percent_winsorised") for aspect in aspects]
        slopes = part.about["condition"].slopes
        if part.name == "level":
            assert [bar is not None for bar in bars] == [slope == 0 for slope in slopes]
            assert part.about["bars"].get("tasks: link: percent_winsorised") is None
    powers = [
        part.about["bars"].get(f"{OWN}: definition: percent_winsorised") for part in found if part.name == "power"
    ]
    assert powers == [(0.58, 1.0) if slope == 3 else None for slope in SLOPES]


def test_a_slope_is_percent_per_point_and_found_where_little_else_differs():
    design = made_design((2, 2, 2, 2, 2, 2))
    assert len(design.source) == 132
    found = [simulate_study(design, generator, STILL, (0.0, 2.0, 0.0))[0] for generator in generators(4)]
    outcomes = np.clip(np.stack(found), -25, 25)
    model = design_model(design)
    slopes = model.test(outcomes, model.fit(outcomes)).estimates
    assert slopes.mean(axis=0) == pytest.approx([0, 2, 0], abs=0.3)


def test_level_and_power_of_a_few_studies(truth):
    """The primary test finds 3 percent per point in most studies, which semi-partialling hardly ever does."""
    key = "definition: percent_winsorised"
    tests = ("semi_partialling",)
    about = {"condition": RatingCondition((3.0, 0.0, 0.0), tests=tests)}
    null = {"condition": RatingCondition((0.0, 3.0, 3.0))}
    power = rating_findings(truth._replace(draws=99), about | {"numbers": range(20)}, generators(20))
    assert power[f"{OWN}: {key}"].mean() >= 0.6
    assert power[f"semi_partialling: {key}"].mean() <= 0.4
    level = rating_findings(truth, null | {"numbers": range(20)}, generators(20, 1))
    assert list(level) == [f"{OWN}: {key}"]
    assert level[f"{OWN}: {key}"].mean() <= 0.15
    later = rating_findings(truth, about | {"numbers": range(199, 201)}, generators(2))
    assert np.isnan(later[f"semi_partialling: {key}"]).tolist() == [False, True]
    assert not np.isnan(later[f"{OWN}: {key}"]).any()


def test_the_figure_shows_level_and_power_by_slope():
    rows = []
    for condition, slope in [("no effect, sources differ within datasets", 0), *((None, slope) for slope in SLOPES)]:
        words = condition or f"definition, {slope:g} % per rating point"
        for test, value in ((OWN, 0.05 + 0.1 * slope), ("semi_partialling", 0.05), ("datasets", 0.05 + 0.08 * slope)):
            statistic = f"{test}: definition: percent_winsorised"
            part = "level" if condition else "power"
            rows.append([part, words, statistic, value, value - 0.02, value + 0.02, 500])
    table = pd.DataFrame(rows, columns="part condition statistic value low high simulations".split())
    panel = draw_rating_power(table).axes[0]
    drawn = {line.get_label(): line.get_xydata() for line in panel.lines if not line.get_label().startswith("_")}
    assert drawn["mixed model (primary)"][:, 0].tolist() == [0, *SLOPES]
    assert drawn["mixed model (primary)"][3, 1] == pytest.approx(35)
    assert len(drawn) == 3
