"""The sweep over thresholds: concordance on validation, share replaced, distance of training and test labels."""

import pandas as pd

from empathy_transfer.artefacts import write_csv, write_figure
from empathy_transfer.relabel.scores import BASELINE, read_scores
from empathy_transfer.relabel.training_sets import CROWD
from empathy_transfer.style import FAINT_INK, INK, figure_style

PANELS = {
    "validation_ccc": "concordance on validation",
    "share_concerned": "share of labels replaced",
    "label_distance": "distance of training and test labels",
}
COLOURS = ("#1f6fb4", "#c8552b", "#4b8f4b", "#8a5aa8")


def plot_sweep(scores_path, figure_paths, csv_path):
    """Draw mean and range over seeds against the threshold, a row of panels per encoder, and write the numbers.

    The grey line is the crowd's labels alone. ``figure_paths`` are the files to write; the CSV has encoder, model,
    threshold, measure, mean, least, most and seeds.
    """
    from matplotlib.figure import Figure

    scores = read_scores(scores_path)
    swept = scores[scores["kind"] == "alpha"]
    plotted = (
        swept.melt(["encoder", "model", "number"], list(PANELS), "measure")
        .groupby(["encoder", "model", "number", "measure"], sort=False)["value"]
        .agg(mean="mean", least="min", most="max", seeds="count")
        .reset_index()
        .rename(columns={"number": "threshold"})
    )
    encoders = list(plotted["encoder"].unique())
    with figure_style():
        figure = Figure(figsize=(10, 3.2 * max(len(encoders), 1)), layout="constrained")
        grid = figure.subplots(max(len(encoders), 1), len(PANELS), squeeze=False)
        for row, encoder in zip(grid, encoders, strict=False):
            reference = scores[
                (scores["encoder"] == encoder) & (scores["model"] == CROWD) & (scores["setting"] == BASELINE)
            ]
            for axes, (measure, title) in zip(row, PANELS.items(), strict=True):
                _draw(axes, plotted[(plotted["encoder"] == encoder) & (plotted["measure"] == measure)])
                axes.axhline(reference[measure].mean(), color=FAINT_INK, linewidth=1, linestyle=":")
                axes.set_title(title, color=INK)
                axes.set_xlabel("threshold (units of the label)")
            row[0].set_ylabel(encoder)
            row[0].legend(frameon=False)
        write_figure(figure_paths, figure)
    write_csv(csv_path, plotted)


def _draw(axes, plotted: pd.DataFrame):
    """One panel: a line per model, with the range over seeds."""
    for colour, (model, line) in zip(COLOURS, plotted.groupby("model"), strict=False):
        line = line.sort_values("threshold")
        axes.plot(line["threshold"], line["mean"], color=colour, marker="o", markersize=3.5, label=f"labels of {model}")
        axes.fill_between(line["threshold"], line["least"], line["most"], color=colour, alpha=0.15, linewidth=0)
