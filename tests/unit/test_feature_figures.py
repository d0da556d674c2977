"""Figures of similarities and predictors: what stands in which cell, and what is drawn where nothing is known."""

import math

import pandas as pd
import pytest

from empathy_transfer.features.similarity_figure import PANELS, as_matrix, draw_similarity
from empathy_transfer.importance.predictor_figure import draw_predictors
from empathy_transfer.importance.predictors import COLUMNS

TASKS = {name: {"title": name.upper(), "theme": "direct"} for name in "abc"}


def texts(axes):
    """Texts of the cells of a panel, by (row, column)."""
    found = {}
    for text in axes.texts:
        column, row = text.get_position()
        if column % 1 == 0.5 and row % 1 == 0.5:
            found[int(row), int(column)] = text.get_text()
    return found


@pytest.mark.parametrize("similarity", list(PANELS))
def test_cells_hold_sources_by_targets(similarity):
    title, panels = PANELS[similarity]
    rows = [
        {"source": source, "target": target, **{column: place + 0.25 for column, *_ in panels}}
        for place, (source, target) in enumerate([("a", "b"), ("b", "a"), ("c", "a")])
    ]
    matrices = {column: as_matrix(pd.DataFrame(rows), column, ["a", "b", "c"]) for column, *_ in panels}
    assert matrices[panels[0][0]].loc["c", "a"] == 2.25
    figure = draw_similarity(matrices, title, panels, TASKS)
    first = texts(figure.axes[0])
    assert set(first) == {(0, 1), (1, 0), (2, 0)}
    assert first[2, 0] == "2.25"


def test_fewer_than_two_tasks_have_nothing_to_compare():
    title, panels = PANELS["task"]
    empty = pd.DataFrame(columns=["source", "target", "rank", "centred_rank"])
    figure = draw_similarity({column: as_matrix(empty, column, []) for column, *_ in panels}, title, panels, TASKS)
    assert figure.texts[0].get_text() == "fewer than two tasks to compare"


def test_all_blank_cells_are_drawn():
    title, panels = PANELS["dataset"]
    blank = pd.DataFrame(math.nan, index=list("abc"), columns=list("abc"))
    figure = draw_similarity(dict.fromkeys([column for column, *_ in panels], blank), title, panels, TASKS)
    assert texts(figure.axes[0]) == {}


def test_predictors_without_a_value_say_why():
    rows = [
        {"predictor": "link", "measure": "ndcg", "targets": 3, "gain": 0.1, "verdict": "better", "reason": ""},
        {"predictor": "leep", "measure": "ndcg", "targets": 0, "verdict": "too_few", "reason": "too_few"},
    ]
    frame = pd.DataFrame(rows).reindex(columns=COLUMNS)
    figure = draw_predictors(frame)
    assert "up to 3 targets" in figure.axes[0].get_title()
    marks = [text.get_text() for text in figure.axes[0].texts]
    assert (marks.count("TF"), set(marks)) == (1, {"TF", "NA"})
    assert figure.legends[0].get_title().get_text().startswith("NA: not available; TF: too few")
    assert len(draw_predictors(frame[:0]).axes) == 4
