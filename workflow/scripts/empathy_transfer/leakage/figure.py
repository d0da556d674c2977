"""Heat map of leakage: share of each target's test items that each source's training items touch."""

from empathy_transfer.leakage.report import LEAKED_MARK
from empathy_transfer.records.artefacts import read_csv, write_csv, write_figure
from empathy_transfer.report.style import FAINT_INK, INK, figure_style, theme_order

# Sizes in inches.
CELL_WIDTH, CELL_HEIGHT, LEFT, RIGHT, BOTTOM, TOP = 0.58, 0.34, 2.0, 1.4, 1.8, 0.8
COLOURS = "Blues"
LEAST_LIMIT = 5.0  # percent at which the colour scale ends at least


def plot_leakage(leaked_pairs_path, tasks, figure_paths, csv_path, ratings_path):
    """Draw the heat map, and write the plotted numbers beside it (source, target, percent, label).

    ``tasks`` is {task: its title and theme}; the figure is ordered as those of improvement are.
    """
    order = theme_order(tasks, read_csv(ratings_path, verify=False))
    plotted = plotted_numbers(read_csv(leaked_pairs_path), order)
    with figure_style():
        write_figure(figure_paths, draw_leakage(plotted, order, tasks))
    write_csv(csv_path, plotted)


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
    image = axes.imshow(grid, cmap=COLOURS, vmin=0, vmax=limit, aspect="auto")
    titles = [tasks[task]["title"] for task in order]
    axes.set_xticks(range(len(order)), titles)
    axes.set_yticks(range(len(order)), titles)
    axes.tick_params(length=0)
    for label in axes.get_xticklabels():
        label.set(rotation=40, ha="right", rotation_mode="anchor")
    axes.set_xlabel("target task (test items)", weight="bold", labelpad=6)
    axes.set_ylabel("source task (training items)", weight="bold", labelpad=8)
    for place, cell in enumerate(plotted.itertuples()):
        row, column = divmod(place, len(order))
        ink = "white" if cell.percent > 0.6 * limit else INK
        axes.text(column, row, cell.label, ha="center", va="center", size=8, color=ink)
    bar = figure.colorbar(image, cax=axes.inset_axes((1 + 0.15 / width, 0, 0.16 / width, 1)))
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=2)
    heading = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(
        "Test items touched by training items, in percent", (0, 1), (0, 26), **heading, size=12, weight="bold"
    )
    note = f"blank: none; {LEAKED_MARK}: more than the share from which a pair is flagged"
    axes.annotate(note, (0, 1), (0, 12), **heading, color=FAINT_INK)
    return figure
