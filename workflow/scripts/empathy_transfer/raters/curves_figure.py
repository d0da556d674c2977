"""Learning curves of raters: loss on training and validation pairs, and the main score, by epoch."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from empathy_transfer.kinds import kind_of
from empathy_transfer.metrics import metric, metrics_of
from empathy_transfer.raters.comparisons import CELL, PLACE
from empathy_transfer.raters.words import MAIN, METRICS, PLAIN, architecture_in_words, loss_in_words
from empathy_transfer.records.artefacts import read_json
from empathy_transfer.records.runs import RaterRun
from empathy_transfer.report.style import FAINT_INK, save_plot

COLUMNS = [*PLACE, *CELL, "epoch", "measure", "mean", "least", "most", "seeds"]
LOSSES = {"training_loss": "training loss", "validation_loss": "validation loss"}
STYLES = {"bi": "-", "cross": "--"}
COLOURS = ("#1f6fb4", "#c8552b", "#4b8f4b", "#8a5aa8", "#6b6b6b")


def plot_curves(epochs_paths, figure_paths, csv_path):
    """Draw the curves of plain raters under the first scheme, and write those of all of them.

    Args:
        epochs_paths: epoch logs of all runs, each in the folder of its run. figure_paths: figures to write.
        csv_path: CSV with a row for each rater, epoch and measure: mean, least and most over seeds.
    """
    save_plot(figure_paths, csv_path, curves(map(Path, epochs_paths)), draw_curves)


def curves(paths):
    """Mean, least and most over seeds of each measure by epoch: a frame with `COLUMNS`."""
    rows = []
    for path in paths:
        record = read_json(path.with_name("run.json"))
        names = RaterRun.of(record).columns
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found = {measure: row[measure] for measure in ("training_loss", "validation_loss")}
            found |= scores_of_answers(row["validation_predictions"], record)
            rows += [names | {"epoch": row["epoch"], "measure": name, "value": value} for name, value in found.items()]
    frame = pd.DataFrame(rows, columns=[*PLACE, *CELL, "seed", "epoch", "measure", "value"])
    grouped = frame.groupby([*PLACE, *CELL, "epoch", "measure"], sort=False)["value"]
    return grouped.agg(mean="mean", least="min", most="max", seeds="count").reset_index()[COLUMNS]


def scores_of_answers(answers, record):
    """Scores of the validation answers by every metric, {metric: score}, from the record of the run."""
    kind = kind_of(record["kind"])
    names = sorted({*record["validation_labels"], *answers}) if record["kind"] == "classification" else None
    sides = [kind.comparable(np.asarray(side), names) for side in (record["validation_labels"], answers)]
    return {name: metric(name).value(*sides) for name in metrics_of(record["kind"], pairs=True)}


def draw_curves(plotted):
    """The figure of a frame of `curves`: a row for each task, a column for each measure."""
    from matplotlib.figure import Figure

    first = plotted.drop_duplicates("pairs")[[*PLACE]]
    places = list(first.itertuples(index=False, name=None)) or [("", "no rater")]
    figure = Figure(figsize=(10, 2.9 * len(places) + 0.5), layout="constrained")
    grid = figure.subplots(len(places), 3, squeeze=False)
    for row, (scheme, pairs) in zip(grid, places, strict=True):
        part = plotted[(plotted["pairs"] == pairs) & (plotted["scheme"] == scheme) & (plotted["variant"] == PLAIN)]
        losses = list(dict.fromkeys(part["loss"]))
        main = next((name for name in MAIN.values() if name in set(part["measure"])), MAIN["classification"])
        measures = LOSSES | {main: f"validation {METRICS[main]}"}
        for axes, (measure, title) in zip(row, measures.items(), strict=True):
            for (architecture, loss), line in part[part["measure"] == measure].groupby(["architecture", "loss"]):
                colour = COLOURS[losses.index(loss) % len(COLOURS)]
                label = f"{loss_in_words(loss)}, {architecture_in_words(architecture)}"
                style = {"color": colour, "linestyle": STYLES[architecture], "linewidth": 1.3}
                axes.plot(line["epoch"], line["mean"], label=label, **style)
                axes.fill_between(line["epoch"], line["least"], line["most"], color=colour, alpha=0.08, linewidth=0)
            axes.set(title=f"{title}, {pairs}", xlabel="epoch")
            axes.spines[["top", "right"]].set_visible(False)
            axes.xaxis.get_major_locator().set_params(integer=True)
        row[-1].legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=7, labelcolor=FAINT_INK)
    return figure
