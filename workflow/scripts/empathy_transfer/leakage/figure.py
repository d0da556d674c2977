"""Heat map of leakage: share of each target's test items that each source's training or validation items touch."""

from empathy_transfer.leakage.report import LEAKED_MARK
from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.report.style import INK, SEQUENTIAL, add_heading, label_tasks, save_plot, theme_order

# Sizes in inches.
CELL_WIDTH, CELL_HEIGHT, LEFT, RIGHT, BOTTOM, TOP = 0.58, 0.34, 2.0, 1.4, 1.8, 0.8
LEAST_LIMIT = 5.0  # percent at which the colour scale ends at least


def plot_leakage(leaked_pairs_path, tasks, figure_paths, csv_path, ratings_path):
    """Draw the heat map, and write the plotted numbers beside it (source, target, percent, label).

    ``tasks`` is {task: its title and theme}; the figure is ordered as those of improvement are.
    """
    order = theme_order(tasks, read_csv(ratings_path, verify=False))
    plotted = plotted_numbers(read_csv(leaked_pairs_path), order)
    save_plot(figure_paths, csv_path, plotted, draw_leakage, order, tasks)


def plotted_numbers(leaked, order):
    """The cells row by row: source, target, percent, and label, with a mark where the pair is flagged."""
    cells = leaked.set_index(["source", "target"]).loc[[(source, target) for source in order for target in order]]
    cells = cells.reset_index()
    percent = 100 * cells["share"]
    labels = [cell_label(value, flag) for value, flag in zip(percent, cells["leaked"].astype(bool), strict=True)]
    return cells[["source", "target"]].assign(percent=percent, label=labels)


def cell_label(percent, leaked):
    """Text of a cell: empty where nothing is touched; a share that rounds to nothing is told from none."""
    if percent == 0:
        return ""
    number = "<0.1" if percent < 0.05 else f"{percent:.1f}" if percent < 99.95 else "100"
    return number + (LEAKED_MARK if leaked else "")


def draw_leakage(plotted, order, tasks):
    """The heat map as a matplotlib figure: rows are sources, columns targets."""
    from matplotlib.figure import Figure

    width, height = CELL_WIDTH * len(order), CELL_HEIGHT * len(order)
    whole = (LEFT + width + RIGHT, BOTTOM + height + TOP)
    figure = Figure(figsize=whole)
    axes = figure.add_axes((LEFT / whole[0], BOTTOM / whole[1], width / whole[0], height / whole[1]))
    grid = plotted["percent"].to_numpy().reshape(len(order), len(order))
    limit = max(grid.max(), LEAST_LIMIT)
    image = axes.imshow(grid, cmap=SEQUENTIAL, vmin=0, vmax=limit, aspect="auto")
    roles = "source task", "target task (test items)"
    label_tasks(axes, order, order, tasks, 0, roles)
    for place, cell in enumerate(plotted.itertuples()):
        row, column = divmod(place, len(order))
        ink = "white" if cell.percent > 0.6 * limit else INK
        axes.text(column, row, cell.label, ha="center", va="center", size=8, color=ink)
    bar = figure.colorbar(image, cax=axes.inset_axes((1 + 0.15 / width, 0, 0.16 / width, 1)))
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=2)
    note = f"blank: none; {LEAKED_MARK}: more than the share from which a pair is flagged"
    add_heading(axes, "Test items touched by the source's data, in percent", note, 12)
    return figure
