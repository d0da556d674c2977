"""Figure of the controls: what each gains over the baseline, and what transfer gains over each."""

from empathy_transfer.controls.control_tables import CONTROL_TITLES, read_control_tests
from empathy_transfer.controls.control_tests import CONTROLS, TRANSFERS
from empathy_transfer.records.runs import BASELINE
from empathy_transfer.report.style import FAINT_INK, INK, row_panels, save_plot
from empathy_transfer.scores.tables import DATA_TITLES
from empathy_transfer.significance.paired_tests import ALL, ITEMS, ONE_SEED

# Told apart by colour-blind readers, and by their markers in print.
SERIES = {
    "self": ("#0072b2", "s"),
    "random_identity": ("#e69f00", "^"),
    "random_full": ("#d55e00", "v"),
    "longer": ("#7a7a7a", "D"),
    TRANSFERS: (INK, "o"),
}
NAMES = CONTROL_TITLES | {TRANSFERS: "transfer, mean over sources"}
# Collapsed runs, and targets whose baseline is near constant answers, are drawn faint.
DOUBTFUL, FAINT = ("collapsed", "undefined"), 0.3
PANEL_WIDTH, ROW_HEIGHT, REST = 3.6, 0.52, (2, 1.9)  # inches
PLOTTED = ["target", "compared", "reference", "metric", "difference", "low", "high", "covers", "effect", "reason"]


def plot_controls(controls_path, tasks, data, figure_paths, csv_path):
    """Draw the figure of a data condition, and write the plotted numbers beside it.

    Args:
        controls_path: controls.csv. tasks: {task: its title and more}, in the order of the rows from the top.
        data: `full` or `half`. figure_paths, csv_path: the files to write.
    """
    found = read_control_tests(controls_path)
    plotted = found[(found["data"] == data) & (found["runs"] == ALL)][PLOTTED].reset_index(drop=True)
    save_plot(figure_paths, csv_path, plotted, draw_controls, tasks, data)


def draw_controls(plotted, tasks, data):
    """The figure: two panels, a row per target; lines are intervals, dots are single transfers."""
    targets = [task for task in tasks if (plotted["target"] == task).any()]
    titles = [tasks[target]["title"] for target in targets]
    figure, (left, right) = row_panels(titles, 2, PANEL_WIDTH, ROW_HEIGHT, REST)
    over_baseline = plotted[plotted["reference"] == BASELINE]
    net = plotted[plotted["reference"] != BASELINE]
    _draw_panel(left, over_baseline, targets, "compared", "gain over the baseline")
    _draw_panel(right, net, targets, "reference", "gain of transfer over the control")
    used = [name for name in SERIES if name in set(over_baseline["compared"]) | set(net["reference"])]
    if plotted["reason"].isin(DOUBTFUL).any():
        note = "faint: a run collapsed, or the baseline\nis near constant answers"
        place = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right"}
        right.annotate(note, (1, 1), (0, 4), size=7, color=FAINT_INK, **place)
    if used:
        figure.legend(handles=[_handle(name) for name in used], loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(f"Transfer and its controls, {DATA_TITLES[data]}", x=0.01, ha="left", size=12, weight="bold")
    return figure


def _draw_panel(panel, rows, targets, series, title):
    """One panel: the column `series` names the colour of a point."""
    panel.set_title(title, loc="left", size=9)
    panel.set_xlabel("difference of scores (F1 or r)" + (f"\n{ONE_SEED}" if (rows["covers"] == ITEMS).any() else ""))
    names = [name for name in SERIES if (rows[series] == name).any()]
    for row in rows.itertuples():
        name = getattr(row, series)
        if name not in SERIES or row.target not in targets:
            continue
        colour, marker = SERIES[name]
        alpha = FAINT if row.reason in DOUBTFUL else 1.0
        place = targets.index(row.target) + (names.index(name) - (len(names) - 1) / 2) * 0.8 / max(len(names), 1)
        if row.compared not in (*CONTROLS, TRANSFERS):
            panel.plot(row.difference, place, ".", color=colour, markersize=3, alpha=0.3)
            continue
        if row.low == row.low:
            panel.plot([row.low, row.high], [place, place], color=colour, linewidth=1, alpha=alpha)
        panel.plot(row.difference, place, marker, color=colour, markersize=5, alpha=alpha)
    for place in range(1, len(targets)):
        panel.axhline(place - 0.5, color=FAINT_INK, linewidth=0.3)


def _handle(name):
    """The entry of a series in the legend."""
    from matplotlib.lines import Line2D

    colour, marker = SERIES[name]
    return Line2D([], [], color=colour, marker=marker, linewidth=1, markersize=5, label=NAMES[name])
