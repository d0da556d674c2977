"""The sweep over thresholds: concordance on validation, share replaced, distance of training and test labels."""

import pandas as pd

from empathy_transfer.relabel.scores import BASELINE, read_relabelled_scores
from empathy_transfer.relabel.training_sets import CROWD
from empathy_transfer.report.style import FAINT_INK, save_plot

# Measure, and what its panel is called and measured in.
PANELS = {
    "validation_ccc": ("concordance on validation", "CCC"),
    "share_concerned": ("labels replaced", "share"),
    "label_distance": ("distance of training from test labels", "Wasserstein, units of the label"),
}
COLOURS = ("#1f6fb4", "#c8552b", "#4b8f4b", "#8a5aa8")


def plot_sweep(scores_path, figure_paths, csv_path):
    """Draw mean and range over seeds against the threshold, a row of panels per encoder, and write the numbers.

    The dotted line is the crowd's labels alone. ``figure_paths`` are the files to write; the CSV has encoder, model,
    threshold, measure, mean, least, most and seeds.
    """
    scores = read_relabelled_scores(scores_path)
    save_plot(figure_paths, csv_path, sweep(scores), draw_sweep, scores)


def sweep(scores):
    """Mean and range over seeds of each panel's measure by threshold: a frame."""
    swept = scores[scores["kind"] == "alpha"]
    return (
        swept.melt(["encoder", "model", "number"], list(PANELS), "measure")
        .groupby(["encoder", "model", "number", "measure"], sort=False)["value"]
        .agg(mean="mean", least="min", most="max", seeds="count")
        .reset_index()
        .rename(columns={"number": "threshold"})
    )


def draw_sweep(plotted, scores):
    """The figure of a `sweep` of these scores."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    encoders = list(plotted["encoder"].unique())
    crowd = scores[(scores["model"] == CROWD) & (scores["setting"] == BASELINE)]
    figure = Figure(figsize=(10, 3.2 * max(len(encoders), 1) + 0.4), layout="constrained")
    grid = figure.subplots(max(len(encoders), 1), len(PANELS), squeeze=False)
    for row, encoder in zip(grid, encoders, strict=False):
        reference = crowd[crowd["encoder"] == encoder]
        for axes, (measure, (title, unit)) in zip(row, PANELS.items(), strict=True):
            _draw(axes, plotted[(plotted["encoder"] == encoder) & (plotted["measure"] == measure)])
            alone = {"color": FAINT_INK, "linewidth": 1, "linestyle": ":", "label": "the crowd's labels alone"}
            axes.axhline(reference[measure].mean(), **alone)
            axes.set(title=f"{title}, {encoder}" if len(encoders) > 1 else title, ylabel=unit)
            axes.set_xlabel("threshold (units of the label)")
    if encoders:
        seeds = plotted["seeds"].max()
        band = Patch(color=FAINT_INK, alpha=0.15, linewidth=0, label=f"from the least to the most of {seeds} seeds")
        lines = grid[0, 0].get_legend_handles_labels()[0]
        figure.legend(handles=[*lines, band], loc="outside lower center", ncols=len(lines) + 1, frameon=False)
    return figure


def _draw(axes, plotted: pd.DataFrame):
    """One panel: a line per model, with the range over seeds."""
    for colour, (model, line) in zip(COLOURS, plotted.groupby("model"), strict=False):
        line = line.sort_values("threshold")
        axes.plot(
            line["threshold"], line["mean"], color=colour, marker="o", markersize=3.5, label=f"labels of {model}, mean"
        )
        axes.fill_between(line["threshold"], line["least"], line["most"], color=colour, alpha=0.15, linewidth=0)
