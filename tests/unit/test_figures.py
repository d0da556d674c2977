"""Heat maps: order, labels, colour scale, and that each size can be drawn with nothing cut off or overlapping."""

import itertools
import math

import pandas as pd
import pytest
from test_scores import TASKS, make_run

from empathy_transfer.report.style import figure_style, theme_order
from empathy_transfer.scores.heat_maps import (
    cell_label,
    draw_improvement,
    plot_improvement,
    plotted_numbers,
    scale_limit,
)
from empathy_transfer.scores.improvement import collect_scores, percent_improvement


def make_improvement(tasks=TASKS):
    runs = [make_run("none", task, 0.5) for task in TASKS] + [make_run("a", "b", 0.6), make_run("r", "b", 0.4)]
    return percent_improvement(collect_scores(runs, tasks, {}, [1], ["full", "half"]), runs)


def test_tasks_are_ordered_by_theme_then_rating_then_name():
    themes = {"d1": "direct", "d2": "direct", "x": "adjacent", "b1": "abstract", "b2": "abstract", "new": "direct"}
    tasks = {task: {"theme": theme} for task, theme in themes.items()}
    scores = {"d1": [3, 4], "d2": [5, 5], "x": [5, 5], "b1": [3, 3], "b2": [3, 3]}
    rows = [
        (task, "link", rater, score) for task, pair in scores.items() for rater, score in zip("AB", pair, strict=True)
    ]
    ratings = pd.DataFrame(rows, columns=["task", "aspect", "annotator", "score"])
    assert theme_order(tasks, ratings) == ["d2", "d1", "new", "b1", "b2", "x"]
    assert theme_order(tasks) == ["d1", "d2", "new", "b1", "b2", "x"]


def test_cell_labels():
    assert cell_label(12.34, "") == "+12.3"
    assert cell_label(-91.2, "collapsed") == "−91.2†"
    assert cell_label(-0.04, "") == "0.0"
    assert cell_label(123.4, "") == "+123"
    assert cell_label(math.nan, "no_data") == "ND"


def test_leaked_cells_have_a_mark_of_their_own():
    assert cell_label(1.25, "", leaked=True) == "+1.2‡"
    assert cell_label(-91.2, "collapsed", leaked=True) == "−91.2†‡"
    assert cell_label(math.nan, "no_data", leaked=True) == "ND"
    plotted = plotted_numbers(make_improvement(), ["a", "b", "r"], ["a", "b"], "full", {("r", "b"), ("r", "a")})
    assert plotted["label"].tolist() == ["+20.0", "NR", "NR", "−20.0‡"]
    assert plotted["leaked"].tolist() == [False, False, True, True]
    with figure_style():
        figure = draw_improvement(plotted, ["a", "b", "r"], ["a", "b"], TASKS, "classification", "full", 20)
    (axes, *_) = figure.axes
    assert [entry.get_text() for entry in axes.get_legend().get_texts()][-1].startswith(
        "training or validation items of the source"
    )


def test_scale_is_robust():
    def frame(values, reasons=None):
        return pd.DataFrame({"percent": values, "reason": reasons or [""] * len(values)})

    assert scale_limit(frame([])) == 5
    assert scale_limit(frame([1.0, -1.0])) == 5
    assert scale_limit(frame([12.0, -12.0, math.nan])) == 15
    assert scale_limit(frame([400.0, -400.0])) == 50
    assert scale_limit(frame([1.0, -91.0], ["", "collapsed"])) == 5


def test_plotted_numbers_leave_out_the_diagonal():
    plotted = plotted_numbers(make_improvement(), ["a", "b", "r"], ["a", "b"], "full")
    assert list(plotted[["source", "target"]].itertuples(index=False, name=None)) == [
        ("a", "b"),
        ("b", "a"),
        ("r", "a"),
        ("r", "b"),
    ]
    assert list(plotted["label"]) == ["+20.0", "NR", "NR", "−20.0"]
    assert plotted["percent"].isna().tolist() == [False, True, True, False]


def draw(n_sources, n_targets):
    themes = ["direct", "abstract", "adjacent"]
    tasks = {
        f"task_{number:02d}": {"title": f"Task Number {number}", "theme": themes[3 * number // n_sources]}
        for number in range(n_sources)
    }
    sources, targets = list(tasks), list(tasks)[-n_targets:]
    reasons = ["", "", "collapsed", "undefined", "failed"]
    rows = [
        (source, target, -44.4 + 5 * place, reasons[place % 5])
        for place, (source, target) in enumerate((source, target) for source in sources for target in targets)
        if source != target
    ]
    improvement = pd.DataFrame(rows, columns=["source", "target", "percent", "reason"]).assign(data="full")
    improvement.loc[improvement["reason"].isin(["undefined", "failed"]), "percent"] = math.nan
    plotted = plotted_numbers(improvement, sources, targets, "full")
    return draw_improvement(plotted, sources, targets, tasks, "classification", "full", 20)


@pytest.mark.parametrize(("n_sources", "n_targets"), [(18, 12), (3, 2), (1, 1)])
def test_texts_do_not_overlap(n_sources, n_targets):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with figure_style():
        figure = draw(n_sources, n_targets)
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        axes = figure.axes[0]
        cells = [text for text in axes.texts if text.get_position()[0] % 1 == 0.5]
        width = axes.get_window_extent(renderer).width / n_targets
        assert all(text.get_window_extent(renderer).width < width for text in cells)
        titles = [label.get_window_extent(renderer) for label in axes.get_yticklabels()]
        legend, heading = axes.get_legend().get_window_extent(renderer), axes.xaxis.label.get_window_extent(renderer)
        assert legend.y1 <= heading.y0
        for upper, lower in itertools.pairwise(titles):
            assert not upper.overlaps(lower)
        texts = [text.get_window_extent(renderer) for text in axes.texts]
        assert not any(one.overlaps(two) for place, one in enumerate(texts) for two in texts[:place])


def test_figures_and_their_numbers_are_written_and_repeatable(tmp_path, monkeypatch):
    monkeypatch.setattr("empathy_transfer.scores.heat_maps.read_improvement", lambda path: make_improvement())
    ratings = tmp_path / "ratings.csv"
    ratings.write_text("task,aspect,annotator,score\na,link,A,5\n")
    figures = [tmp_path / "map.png", tmp_path / "map.svg"]
    plot_improvement(None, TASKS, "classification", "full", figures, tmp_path / "map.csv", ratings)
    first = [path.read_bytes() for path in figures]
    assert first[0].startswith(b"\x89PNG")
    assert b"<svg" in first[1]
    plot_improvement(None, TASKS, "classification", "full", figures, tmp_path / "map.csv", ratings)
    assert [path.read_bytes() for path in figures] == first
    numbers = pd.read_csv(tmp_path / "map.csv")
    assert numbers.columns.tolist() == ["source", "target", "percent", "label", "reason", "leaked"]
    assert len(numbers) == 4


def test_a_study_without_targets_of_a_kind_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("empathy_transfer.scores.heat_maps.read_improvement", lambda path: make_improvement())
    tasks = {task: TASKS[task] for task in ("a", "b")}
    with figure_style():
        figure = draw_improvement(None, ["a", "b"], [], tasks, "regression", "full", 5)
    assert figure.texts[0].get_text() == "no regression tasks in this study"
    plot_improvement(None, tasks, "regression", "full", [tmp_path / "map.svg"], tmp_path / "map.csv")
    assert (tmp_path / "map.svg").exists()
