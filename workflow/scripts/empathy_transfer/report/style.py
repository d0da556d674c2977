"""How figures look: order of tasks, colours, type sizes, and what several are made of. One place for all figures."""

import contextlib
import re

from empathy_transfer.records.artefacts import write_csv, write_figure

THEMES = ("direct", "abstract", "adjacent")
# Diverging and legible to colour-blind readers: red is a loss, blue a gain, white no change.
DIVERGING = "RdBu"
# From little to much, in one hue.
SEQUENTIAL = "Blues"
DIAGONAL_COLOUR = "#e8e8e8"
BLANK_COLOUR = "#f7f7f7"
HATCH_COLOUR = "#b5b5b5"
INK, FAINT_INK = "#222222", "#6b6b6b"
# The most characters of a title beside rows and columns, so that it leaves them room: its start, and its end.
TITLE_START, TITLE_END = 30, 12

SETTINGS = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that figures are the same on every machine
    "font.size": 9.0,
    "axes.linewidth": 0.8,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "path",
    "text.color": INK,
    "text.parse_math": False,  # titles are texts of users, in which $ and \\ mean themselves
    "figure.facecolor": "white",
}


@contextlib.contextmanager
def figure_style():
    """Matplotlib with the study's settings."""
    import matplotlib

    with matplotlib.rc_context(SETTINGS):
        yield


def save_plot(figure_paths, csv_path, plotted, draw, *about):
    """Write the figure that ``draw(plotted, *about)`` gives, and the plotted numbers beside it."""
    with figure_style():
        write_figure(figure_paths, draw(plotted, *about))
    write_csv(csv_path, plotted)


def row_panels(names, count, panel_width, row_height, rest):
    """A figure of panels side by side with a row per name from the top, and the panels, each with a line at 0.

    Sizes are in inches; ``rest`` is (width, height) beside panels and rows.
    """
    from matplotlib.figure import Figure

    rows = max(len(names), 1)
    figure = Figure(figsize=(panel_width * count + rest[0], row_height * rows + rest[1]), layout="constrained")
    panels = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    for panel in panels:
        panel.axvline(0, color=INK, linewidth=0.8)
        panel.tick_params(length=2)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_yticks(range(len(names)), map(short_title, names))
    panels[0].set_ylim(rows - 0.5, -0.5)
    return figure, panels


def label_tasks(axes, sources, targets, tasks, middle=0.5, names=("source task", "target task"), pads=(8, 6)):
    """Titles of the tasks at the rows (sources) and columns (targets) of a heat map, whose cells have this middle."""
    titles = {task: short_title(tasks[task]["title"]) for task in [*sources, *targets]}
    axes.set_xticks([place + middle for place in range(len(targets))], [titles[task] for task in targets])
    axes.set_yticks([place + middle for place in range(len(sources))], [titles[task] for task in sources])
    axes.tick_params(length=0)
    axes.set_ylabel(names[0], weight="bold", labelpad=pads[0])
    axes.set_xlabel(names[1], weight="bold", labelpad=pads[1])
    for label in axes.get_xticklabels():
        label.set(rotation=40, ha="right", rotation_mode="anchor")


def short_title(title):
    """A title as figures show it: in one line, without control characters, a long one without its middle."""
    # The C0 and C1 sets of Unicode, of which an SVG file must hold none.
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", title).split())
    return line if len(line) <= TITLE_START + 1 + TITLE_END else f"{line[:TITLE_START]}…{line[-TITLE_END:]}"


def symbol(mark):
    """A mark such as † as the shape of a legend's entry, its middle at the origin."""
    from matplotlib.text import TextPath
    from matplotlib.transforms import Affine2D

    path = TextPath((0, 0), mark)
    box = path.get_extents()
    return path.transformed(Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2))


def add_heading(axes, title, note, height):
    """A title over the axes and a note below it, so many points above them."""
    place = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(title, (0, 1), (0, height + 14), **place, size=12, weight="bold")
    axes.annotate(note, (0, 1), (0, height), **place, color=FAINT_INK)


def ink_on(colour):
    """Text colour that stands out from a cell's colour: by its relative luminance (WCAG 2)."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3])
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.22 else INK


def theme_order(tasks, ratings=None):
    """Task names as figures order them: by theme, within it by mean rating (highest first), then by name.

    ``tasks`` is {task: its theme and more}; ``ratings`` a frame with the columns task, aspect, annotator, score (mean
    over annotators, then over aspects). Tasks without ratings follow the rated ones of their theme.
    """
    means = {}
    if ratings is not None:
        aspects = ratings.groupby(["task", "aspect"])["score"].mean()
        means = aspects.groupby("task").mean().to_dict()
    return sorted(tasks, key=lambda task: (THEMES.index(tasks[task]["theme"]), -round(means.get(task, 0.0), 9), task))
