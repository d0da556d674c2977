"""Heat maps of how similar tasks are, by their texts and by what was learnt of them (Figures 9 and 10 of the study)."""

import math

from empathy_transfer.records.artefacts import read_csv, write_csv, write_figure
from empathy_transfer.report.style import (
    BLANK_COLOUR,
    DIAGONAL_COLOUR,
    DIVERGING,
    FAINT_INK,
    HATCH_COLOUR,
    INK,
    SEQUENTIAL,
    figure_style,
    ink_on,
    label_tasks,
    theme_order,
)

# Per kind of similarity: title, and per panel (column of the table, subtitle, colours, what the colour bar says).
PANELS = {
    "dataset": (
        "How similar the texts of tasks are",
        [
            ("similarity", "cosine of the mean embeddings of training texts", SEQUENTIAL, "cosine"),
            ("centred", "the same without what all tasks have in common", DIVERGING, "cosine"),
        ],
    ),
    "task": (
        "Which sources a target's trained model is most similar to",
        [
            ("rank", "rank of the source (1 = nearest) by Fisher information", f"{SEQUENTIAL}_r", "rank"),
            ("centred_rank", "the same without what all tasks have in common", f"{SEQUENTIAL}_r", "rank"),
        ],
    ),
}
CELL, LEFT, BOTTOM, TOP, RIGHT = 0.4, 1.7, 1.9, 1.0, 1.1  # inches


def plot_similarity(similarity_path, tasks, similarity, figure_paths, csv_path, ratings_path=None):
    """Draw the heat maps of a similarity, plain and centred, and write the plotted numbers beside them.

    ``tasks`` is {task: its title and theme}; ``similarity`` is ``dataset`` or ``task``; ``ratings_path`` names the
    construct ratings that order the tasks within a theme. The CSV has one row per panel and source, one column per
    target.
    """
    import pandas

    frame = read_csv(similarity_path)
    order = theme_order(tasks, None if ratings_path is None else read_csv(ratings_path, verify=False))
    order = [task for task in order if task in set(frame["source"]) | set(frame["target"])]
    title, panels = PANELS[similarity]
    matrices = {column: as_matrix(frame, column, order) for column, *_ in panels}
    with figure_style():
        write_figure(figure_paths, draw_similarity(matrices, title, panels, tasks))
    rows = [matrix.reset_index().assign(panel=column) for column, matrix in matrices.items()]
    write_csv(csv_path, pandas.concat(rows, ignore_index=True)[["panel", "source", *order]])


def as_matrix(frame, column, order):
    """One column of a table of pairs as a square frame, sources by targets."""
    matrix = frame.pivot(index="source", columns="target", values=column).reindex(index=order, columns=order)
    return matrix.rename_axis(index="source", columns=None)


def draw_similarity(matrices, title, panels, tasks):
    """The heat maps as a matplotlib figure; ``matrices`` are square frames by column, sources by targets."""
    from matplotlib.figure import Figure

    order = list(next(iter(matrices.values())).index)
    if len(order) < 2:
        figure = Figure(figsize=(6, 1))
        figure.text(0.5, 0.5, "fewer than two tasks to compare", ha="center", va="center", fontsize=11)
        return figure
    side = max(CELL * len(order), 2.6)
    whole = (len(panels) * (LEFT + side + RIGHT), BOTTOM + side + TOP)
    figure = Figure(figsize=whole)
    for number, (column, subtitle, colours, meaning) in enumerate(panels):
        left = number * (LEFT + side + RIGHT) + LEFT
        axes = figure.add_axes((left / whole[0], BOTTOM / whole[1], side / whole[0], side / whole[1]))
        _draw_panel(figure, axes, matrices[column], colours, meaning)
        label_tasks(axes, order, order, tasks, pads=(None, None))
        heading = {"xycoords": "axes fraction", "textcoords": "offset points"}
        axes.annotate(subtitle, (0, 1), (0, 6), **heading, color=FAINT_INK)
        if number == 0:
            axes.annotate(title, (0, 1), (0, 24), **heading, size=12, weight="bold")
    return figure


def _draw_panel(figure, axes, matrix, colours, meaning):
    """Fill and annotate the cells of one panel; a task's cell with itself is grey where it has no value."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.patches import Rectangle

    values = matrix.to_numpy(dtype=float)
    axes.set(xlim=(0, len(matrix)), ylim=(len(matrix), 0))
    scale = ScalarMappable(Normalize(*_limits(values, colours, meaning)), colours)
    for row in range(len(matrix)):
        for column in range(len(matrix)):
            value = values[row, column]
            look = {"facecolor": DIAGONAL_COLOUR, "edgecolor": "white", "linewidth": 0.8}
            if not math.isnan(value):
                look["facecolor"] = scale.to_rgba(value)
                text = f"{value:g}" if meaning == "rank" else f"{value:.2f}".replace("-", "−")
                ink = ink_on(look["facecolor"])
                axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", size=7, color=ink)
            elif row != column:
                look = {"facecolor": BLANK_COLOUR, "edgecolor": HATCH_COLOUR, "hatch": "////", "linewidth": 0}
            axes.add_patch(Rectangle((column, row), 1, 1, **look))
    bar = figure.colorbar(scale, cax=axes.inset_axes((1.03, 0, 0.03, 1)))
    bar.set_label(meaning, color=INK)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=2)


def _limits(values, colours, meaning):
    """Ends of the colour scale: from the least value up for cosines, the same to both sides if they are centred."""
    known = values[~(values != values)]
    if colours == DIVERGING:
        return -1.0, 1.0
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    return (1.0, max(high, 2.0)) if meaning == "rank" else (min(low, 0.99), 1.0)
