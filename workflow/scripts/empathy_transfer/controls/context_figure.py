"""Figure of the context ablation: what each baseline loses without its context, and with another's."""

from empathy_transfer.controls.context_effects import ABLATED, read_context_ablation
from empathy_transfer.report.style import FAINT_INK, row_panels, save_plot
from empathy_transfer.significance.paired_tests import ITEMS, ONE_SEED
from empathy_transfer.statistics.verdicts import UNDECIDED

SERIES = {"blanked": ("#0072b2", "o"), "shuffled": ("#d55e00", "s")}
NAMES = {"blanked": "context blanked", "shuffled": "context of another item"}
# Why a difference has no test.
UNTESTED = {"too_few": "too few groups of items", "no_variance": "no resample varies"}
UNTESTED_MARKER = "x"
PLOTTED = "target condition metric with_context n_test intact difference low high covers effect reason".split()
# Corrected for the number of targets, so that a point may be hollow beside an interval without 0.
HOLLOW = "not significant, corrected"
WIDTH, ROW_HEIGHT, HEIGHT_OF_REST = 5.6, 0.36, 1.5  # inches


def plot_context_ablation(ablation_path, tasks, figure_paths, csv_path):
    """Draw the figure, and write the plotted numbers beside it.

    Args:
        ablation_path: context_ablation.csv. tasks: {task: its title and more}, in the order of the rows from the top.
        figure_paths, csv_path: the files to write.
    """
    found = read_context_ablation(ablation_path)[PLOTTED]
    save_plot(figure_paths, csv_path, found, draw_context_ablation, tasks)


def draw_context_ablation(found, tasks):
    """The figure: a row per target, a point with its interval per condition.

    Points are filled where the difference is significant after correction, hollow where it is not, and crosses where
    there is no test.
    """
    from matplotlib.lines import Line2D

    targets = [task for task in tasks if (found["target"] == task).any()]
    titles = [tasks[target]["title"] for target in targets]
    figure, (axes,) = row_panels(titles, 1, WIDTH, ROW_HEIGHT, (0, HEIGHT_OF_REST))
    for row in found.itertuples():
        colour, marker = SERIES[row.condition]
        place = targets.index(row.target) + (ABLATED.index(row.condition) - (len(ABLATED) - 1) / 2) * 0.36
        if row.low == row.low:
            axes.plot([row.low, row.high], [place, place], color=colour, linewidth=1)
        filled = colour if row.effect not in ("", UNDECIDED) else "white"
        marker = marker if row.effect else UNTESTED_MARKER
        axes.plot(row.difference, place, marker, color=colour, markerfacecolor=filled, markersize=5)
    for place in range(1, len(targets)):
        axes.axhline(place - 0.5, color=FAINT_INK, linewidth=0.3)
    note = f"\n{ONE_SEED}" if (found["covers"] == ITEMS).any() else ""
    axes.set_xlabel(f"difference from the score with the own context (F1 or r){note}")
    handles = [
        Line2D([], [], color=colour, marker=marker, linewidth=1, markersize=5, label=NAMES[name])
        for name, (colour, marker) in SERIES.items()
    ]
    faint = {"color": FAINT_INK, "linestyle": "", "markersize": 5}
    handles.append(Line2D([], [], marker="o", markerfacecolor="white", label=HOLLOW, **faint))
    if reasons := [words for reason, words in UNTESTED.items() if (found["reason"] == reason).any()]:
        words = "no test: " + ",\nor ".join(reasons)
        handles.append(Line2D([], [], marker=UNTESTED_MARKER, label=words, **faint))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    axes.set_title("Do baselines use the context?", loc="left", size=12, weight="bold")
    return figure
