"""Heat maps of percent improvement, sources by targets.

The layout of the study's Figures 6 and 7: annotated cells, diverging colours centred at 0, an empty diagonal. Blank
cells are hatched, never zero; collapsed runs and cells with leaked test items are marked.
"""

import math

import pandas as pd

from empathy_transfer.leakage.report import LEAKED_MARK, LEAKED_REASON, read_leaked
from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.report.style import (
    BLANK_COLOUR,
    DIAGONAL_COLOUR,
    DIVERGING,
    FAINT_INK,
    HATCH_COLOUR,
    INK,
    add_heading,
    ink_on,
    label_tasks,
    save_plot,
    symbol,
    theme_order,
)
from empathy_transfer.scores.improvement import read_improvement
from empathy_transfer.scores.tables import METRIC_TITLES, nothing_of, targets_of

# Sizes in inches. Few columns get wider cells, so that title and legend find room.
CELL_WIDTH, WIDEST_CELL, CELL_HEIGHT, LEAST_WIDTH = 0.58, 1.1, 0.34, 3.6
LEFT, RIGHT, BOTTOM, TOP = 2.0, 2.4, 2.2, 1.0
# The colour scale ends at the 90th percentile of the changes' sizes, in steps of 5 and within these bounds (percent).
SCALE_SHARE, SCALE_LEAST, SCALE_MOST = 0.9, 5, 50
SUBTITLES = {
    "full": "full training data, compared with the target's baseline; mean over seeds",
    "half": "half of the training data, compared with the target's full-data baseline; mean over seeds",
}


def plot_improvement(
    improvement_path, tasks, kind, data, figure_paths, csv_path, ratings_path=None, leaked_pairs_path=None
):
    """Draw the heat map of a kind of target in a data condition, and write the plotted numbers beside it.

    ``tasks`` is {task: its title, kind and theme}; ``figure_paths`` are the files to write, in the format of their
    suffix; ``ratings_path`` names the construct ratings that order the tasks within a theme, ``leaked_pairs_path`` the
    flags of the audit of leakage, if there has been one.
    """
    improvement = read_improvement(improvement_path)
    sources = theme_order(tasks, None if ratings_path is None else read_csv(ratings_path, verify=False))
    targets = [task for task in sources if task in set(targets_of(tasks, kind))]
    plotted = plotted_numbers(improvement, sources, targets, data, read_leaked(leaked_pairs_path))
    about = sources, targets, tasks, kind, data, scale_limit(improvement)
    save_plot(figure_paths, csv_path, plotted, draw_improvement, *about)


def plotted_numbers(improvement, sources, targets, data, leaked=frozenset()):
    """The cells of the heat map, row by row and without the diagonal.

    Columns: source, target, percent, label (the text of the cell), reason (a reason code or empty), leaked (whether
    the pair is in ``leaked``).
    """
    known = improvement[improvement["data"] == data].set_index(["source", "target"])[["percent", "reason"]]
    cells = dict(zip(known.index, known.itertuples(index=False, name=None), strict=True))
    rows = []
    for source in sources:
        for target in targets:
            if source != target:
                percent, reason = cells.get((source, target), (math.nan, "not_run"))
                flag = (source, target) in leaked
                rows.append((source, target, percent, cell_label(percent, reason, flag), reason, flag))
    columns = ["source", "target", "percent", "label", "reason", "leaked"]
    return pd.DataFrame(rows, columns=columns).astype({"percent": "float64"})


def cell_label(percent, reason, leaked=False):
    """Text of a cell: a signed number, with marks of a collapsed run and a leaked pair, or the mark of its reason."""
    if math.isnan(percent):
        return REASONS[reason][0]
    decimals = 0 if abs(percent) >= 99.95 else 1
    rounded = round(percent, decimals)
    number = f"{rounded:+.{decimals}f}".replace("-", "−") if rounded else "0.0"
    return number + (REASONS["collapsed"][0] if reason == "collapsed" else "") + (LEAKED_MARK if leaked else "")


def scale_limit(improvement):
    """Where the colour scale ends, in percent: one value for all heat maps of a study.

    The 90th percentile of the sizes of all changes without a collapsed run, rounded up to a multiple of 5, and
    between 5 and 50: a few extreme cells then don't wash out the others.
    """
    sizes = improvement.loc[improvement["reason"] != "collapsed", "percent"].abs().dropna()
    if sizes.empty:
        return SCALE_LEAST
    return min(max(5 * math.ceil(sizes.quantile(SCALE_SHARE) / 5), SCALE_LEAST), SCALE_MOST)


def draw_improvement(plotted, sources, targets, tasks, kind, data, limit):
    """The heat map as a matplotlib figure: rows ``sources``, columns ``targets``, colours up to +-``limit`` percent."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    if not targets:
        figure = Figure(figsize=(6, 1))
        figure.text(0.5, 0.5, nothing_of(kind), ha="center", va="center", fontsize=11)
        return figure
    width = max(CELL_WIDTH * len(targets), min(WIDEST_CELL * len(targets), LEAST_WIDTH))
    height = CELL_HEIGHT * len(sources)
    whole = (LEFT + width + RIGHT, BOTTOM + height + TOP)
    figure = Figure(figsize=whole)
    axes = figure.add_axes((LEFT / whole[0], BOTTOM / whole[1], width / whole[0], height / whole[1]))
    colours = ScalarMappable(Normalize(-limit, limit), DIVERGING)
    _draw_cells(axes, plotted, sources, targets, colours)
    label_tasks(axes, sources, targets, tasks)
    _mark_themes(axes, sources, targets, tasks)
    _draw_legend(figure, axes, plotted, height)
    _draw_colour_bar(figure, axes, plotted["percent"], colours, width, height)
    add_heading(axes, f"Percent change of {METRIC_TITLES[kind]} by transfer", SUBTITLES[data], 28)
    return figure


def _draw_cells(axes, plotted, sources, targets, colours):
    """Fill and annotate the cells; blank ones are hatched, the diagonal is grey."""
    from matplotlib.patches import Rectangle

    axes.set(xlim=(0, len(targets)), ylim=(len(sources), 0))
    for task in targets:
        place = (targets.index(task), sources.index(task))
        axes.add_patch(Rectangle(place, 1, 1, facecolor=DIAGONAL_COLOUR, edgecolor="white", linewidth=0.8))
    for cell in plotted.itertuples():
        column, row = targets.index(cell.target), sources.index(cell.source)
        blank = math.isnan(cell.percent)
        if blank:
            look = {"facecolor": BLANK_COLOUR, "edgecolor": HATCH_COLOUR, "hatch": "////", "linewidth": 0}
            ink, patch = FAINT_INK, {"facecolor": BLANK_COLOUR, "edgecolor": "none", "pad": 1.2}
        else:
            look = {"facecolor": colours.to_rgba(cell.percent), "edgecolor": "white", "linewidth": 0.8}
            ink, patch = ink_on(look["facecolor"]), None
        axes.add_patch(Rectangle((column, row), 1, 1, **look))
        axes.text(column + 0.5, row + 0.5, cell.label, ha="center", va="center", size=8, color=ink, bbox=patch)


def _mark_themes(axes, sources, targets, tasks):
    """Lines between the themes, and their names on the right (sources) and above (targets)."""
    for start, end, theme in _theme_spans(sources, tasks):
        if start:
            axes.axhline(start, color=INK, linewidth=1.5)
        place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
        axes.annotate(theme, (1, (start + end) / 2), (6, 0), **place, va="center", style="italic")
    for start, end, theme in _theme_spans(targets, tasks):
        if start:
            axes.axvline(start, color=INK, linewidth=1.5)
        place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        axes.annotate(theme, ((start + end) / 2, 1), (0, 6), **place, ha="center", style="italic")


def _theme_spans(order, tasks):
    """(first place, place after the last, theme) for each run of tasks of one theme."""
    themes = [tasks[task]["theme"] for task in order]
    starts = [place for place in range(len(order)) if place == 0 or themes[place] != themes[place - 1]]
    return [(start, end, themes[start]) for start, end in zip(starts, [*starts[1:], len(order)], strict=True)]


def _draw_legend(figure, axes, plotted, height):
    """What the grey, hatched and marked cells mean, below the titles of the targets."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles, labels = [Patch(facecolor=DIAGONAL_COLOUR)], ["source = target"]
    for code in [code for code in REASONS if code in set(plotted["reason"])]:
        mark, explanation = REASONS[code]
        collapsed = code == "collapsed"
        blank = Patch(facecolor=BLANK_COLOUR, edgecolor=HATCH_COLOUR, hatch="////", linewidth=0)
        handles.append(Line2D([], [], linestyle="", marker=symbol(mark), color=INK) if collapsed else blank)
        labels.append(explanation if collapsed else f"{mark}: {explanation}")
    if (plotted["leaked"] & plotted["percent"].notna()).any():
        handles.append(Line2D([], [], linestyle="", marker=symbol(LEAKED_MARK), color=INK))
        labels.append(LEAKED_REASON)
    lowest = axes.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).y0 / figure.dpi  # inches above the edge
    anchor = (0, (lowest - BOTTOM) / height - 0.08 / height)
    axes.legend(handles, labels, loc="upper left", bbox_to_anchor=anchor, frameon=False, borderpad=0, fontsize=8.5)


def _draw_colour_bar(figure, axes, percent, colours, width, height):
    """The colour scale on the right, with a point at each end beyond which numbers go on."""
    low, high = percent.min() < colours.norm.vmin, percent.max() > colours.norm.vmax
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get((bool(low), bool(high)), "neither")
    length = min(max(height, 1.2), 3.0)
    place = (1 + 1.05 / width, 1 - length / height, 0.16 / width, length / height)
    bar = figure.colorbar(colours, cax=axes.inset_axes(place), extend=extend)
    bar.set_ticks([share * colours.norm.vmax for share in (-1, -0.5, 0, 0.5, 1)])
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:+g} %".replace("-", "−") if value else "0 %")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=2)
