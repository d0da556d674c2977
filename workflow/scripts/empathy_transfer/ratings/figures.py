"""Bar chart of rating differences: how often two raters differ by how much, per aspect (Figure 8 of the study)."""

from empathy_transfer.ratings.agreement import ASPECTS
from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.report.style import FAINT_INK, INK, save_plot

# Told apart by colour-blind readers and in print: dark, middle and light.
COLOURS = dict(zip(ASPECTS, ("#1b4f72", "#4c9bc9", "#c9c9c9"), strict=True))
GROUP_WIDTH = 0.8


def plot_differences(differences_path, figure_paths, csv_path):
    """Draw the bar chart of differences.csv, and write the plotted numbers beside it."""
    differences = read_csv(differences_path)
    plotted = differences[differences["aspect"].isin(ASPECTS)].reset_index(drop=True)
    save_plot(figure_paths, csv_path, plotted, draw_differences)


def draw_differences(plotted):
    """The bar chart as a matplotlib figure; ``plotted`` has the columns aspect, difference and count."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    values = sorted(plotted["difference"].unique())
    figure = Figure(figsize=(max(5.0, 1.0 * len(values)), 3.2))
    axes = figure.add_subplot()
    width = GROUP_WIDTH / len(ASPECTS)
    for place, aspect in enumerate(ASPECTS):
        counts = plotted[plotted["aspect"] == aspect].set_index("difference")["count"].reindex(values, fill_value=0)
        middles = [position + (place - (len(ASPECTS) - 1) / 2) * width for position in range(len(values))]
        bars = axes.bar(middles, counts, width, color=COLOURS[aspect], edgecolor="white", label=aspect)
        axes.bar_label(bars, [str(count) if count else "" for count in counts], size=8, color=INK, padding=1)
    axes.set_xticks(range(len(values)), [f"{value:g}" for value in values])
    axes.set(xlabel="difference between two raters", ylabel="number of comparisons")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.legend(frameon=False)
    axes.set_title("How much raters differ", loc="left", size=12, weight="bold", pad=22)
    place = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate("per construct aspect, on scales from 1 to 5", (0, 1), (0, 8), color=FAINT_INK, **place)
    return figure
