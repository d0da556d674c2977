"""Titles are texts of users: figures and tables show them as they are written, whatever is in them."""

import itertools
import warnings
from xml.etree import ElementTree

import numpy
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from empathy_transfer.records.artefacts import write_figure
from empathy_transfer.report.style import figure_style, label_tasks, row_panels, save_plot, short_title, symbol
from empathy_transfer.report.tex import tex_text
from study_copy import ROOT

LIBRARY = ROOT / "workflow/scripts/empathy_transfer"
PIECES = ["$", "$$", "\\", "\\$", "_", "^", "{", "}", "%", "&", "#", "~", "\\frac", "<b>", "-->"]
# Alone, in pairs around a word (which mathtext would take for a formula), and what languages bring.
TITLES = [
    *PIECES,
    *(f"a {one}word{two} z" for one, two in itertools.product(PIECES[:8], repeat=2)),
    "Prices in $ and in $",
    "$x^2$",
    "אמפתיה",
    "التعاطف",
    "同理心",
    "smile \N{GRINNING FACE}",
    "family \N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}",
    "",
]


def drawn(figure):
    """Texts of a figure that has been drawn."""
    figure.draw(FigureCanvasAgg(figure).get_renderer())
    return [text.get_text() for axes in figure.axes for text in (*axes.get_xticklabels(), *axes.get_yticklabels())]


@pytest.mark.filterwarnings("ignore:Glyph")
def test_titles_at_rows_and_columns_stay_as_they_are_written():
    tasks = {f"task{number}": {"title": title} for number, title in enumerate(TITLES)}
    with figure_style():
        figure = Figure()
        label_tasks(figure.add_subplot(), list(tasks), list(tasks), tasks)
        assert drawn(figure) == TITLES + TITLES
        figure, _ = row_panels(TITLES, 1, 3, 0.3, (1, 1))
        assert [text for text in drawn(figure) if text in TITLES or text == ""][-len(TITLES) :] == TITLES


@pytest.mark.filterwarnings("ignore:Glyph")
def test_titles_can_be_written_in_every_format_and_are_no_formulas(tmp_path):
    def draw(plotted):
        figure = Figure(figsize=(1, 1))
        for title in plotted["title"]:
            figure.text(0, 0, short_title(title))
        assert not any(text.get_parse_math() for text in figure.texts)
        return figure

    paths = [tmp_path / f"titles.{form}" for form in ("png", "svg", "pdf")]
    save_plot(paths, tmp_path / "titles.csv", pd.DataFrame({"title": [*TITLES, "a bell \a and \x85"]}), draw)
    assert all(path.stat().st_size > 1000 for path in paths)
    ElementTree.parse(paths[1])


def test_every_figure_is_drawn_in_the_style_in_which_titles_are_no_formulas():
    """Else another module could draw in one of its own."""
    makers = [path for path in LIBRARY.rglob("*.py") if "Figure(" in path.read_text("utf-8")]
    makers += [path for path in LIBRARY.rglob("*.py") if " = row_panels(" in path.read_text("utf-8")]
    assert len(makers) >= 9
    for path in makers:
        text = path.read_text("utf-8")
        assert "save_plot(" in text or "with figure_style():" in text, path
        # A string such as f"${name}$" would be shown with its dollar signs.
        assert 'f"$' not in text, path


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Two\nlines", "Two lines"),
        (" a\t b\r\n\u2028c ", "a b c"),
        ("a\x00b\x1b[1mc", "a b [1mc"),
        ("x" * 43, "x" * 43),
        ("s" * 100 + "the very end", "s" * 30 + "…the very end"),
        ("s" * 31 + "e" * 13, "s" * 30 + "…" + "e" * 12),
    ],
)
def test_a_title_is_one_line_and_a_long_one_loses_its_middle(title, shown):
    assert short_title(title) == shown


def test_long_titles_leave_rows_and_columns_their_room(tmp_path):
    title = "A title as long as a paragraph " * 20
    with warnings.catch_warnings(), figure_style():
        warnings.simplefilter("error")  # of a layout in which nothing has room
        figure, (panel,) = row_panels([title, "short"], 1, 3, 0.4, (1, 1))
        write_figure(tmp_path / "rows.png", figure)
    assert panel.get_position().width > 0.2


@pytest.mark.parametrize("mark", ["†", "‡", "*", "$"])
def test_the_symbol_of_a_legend_has_its_middle_at_the_origin(mark):
    with figure_style():
        low, high = symbol(mark).get_extents().get_points()
    assert numpy.allclose(low, -high)
    assert (high > 0).all()


def test_latex_reads_no_character_of_a_title_as_a_command():
    assert tex_text("50 % of $x_1$ & {y}^2\n#\\z~") == (
        r"50 \% of \$x\_1\$ \& \{y\}\textasciicircum{}2 \#\textbackslash{}z\textasciitilde{}"
    )
