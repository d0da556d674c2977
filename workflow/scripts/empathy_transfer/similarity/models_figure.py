"""Pearson's r of each model by label, with intervals over the choice of stories."""

from empathy_transfer.report.style import FAINT_INK, row_panels, save_plot
from empathy_transfer.similarity.runs import CONTRASTIVE, EMBEDDING, FAMILIES, FINE_TUNED, UNTRAINED, ZERO_SHOT
from empathy_transfer.similarity.scores import read_similarity_scores
from empathy_transfer.similarity.table import pooled_scores

COLOURS = {EMBEDDING: "#6b6b6b", CONTRASTIVE: "#1f6fb4", ZERO_SHOT: "#8a5aa8", FINE_TUNED: "#c8552b"}
WORDS = {EMBEDDING: "embedding", CONTRASTIVE: "contrastive", ZERO_SHOT: "asked", FINE_TUNED: "fine-tuned"}


def plot_models(scores_path, level, figure_paths, csv_path):
    """Draw r and its interval by model and label, for the first form of the stories, and write the numbers."""
    scores = read_similarity_scores(scores_path)
    save_plot(figure_paths, csv_path, plotted_models(scores), draw_models, level)


def plotted_models(scores):
    """What is drawn: a frame of model (in words), family, label, value, low and high, in the order of the rows."""
    rows = pooled_scores(scores)
    rows = rows[
        (rows["metric"] == "pearson_r") & rows["family"].isin(FAMILIES) & (rows["form"] == rows["form"].iloc[0])
    ]
    rows = rows.assign(order=rows["family"].map(FAMILIES.index))
    rows = rows.sort_values(["order", "trained_on", "model"], kind="stable")
    names = [
        model.replace("_", " ") + (f", on {trained_on}" if trained_on != UNTRAINED else "")
        for model, trained_on in zip(rows["model"], rows["trained_on"], strict=True)
    ]
    return rows.assign(name=names)[
        ["name", "family", "model", "trained_on", "form", "label", "value", "low", "high", "n"]
    ]


def draw_models(plotted, level):
    """The figure: a panel per label, a row per model and training label."""
    from matplotlib.lines import Line2D

    names, labels = list(dict.fromkeys(plotted["name"])), list(dict.fromkeys(plotted["label"]))
    figure, panels = row_panels(names, max(len(labels), 1), 1.9, 0.24, (2.6, 1.1))
    ends = [min([0, *plotted["low"]]) - 0.02, max([0.1, *plotted["high"]]) + 0.02]
    for panel, label in zip(panels, labels, strict=False):
        for row in plotted[plotted["label"] == label].itertuples():
            place, colour = names.index(row.name), COLOURS[row.family]
            panel.plot([row.low, row.high], [place, place], color=colour, linewidth=1.2, solid_capstyle="butt")
            panel.plot(row.value, place, "o", color=colour, markersize=3.5)
        panel.set_xlim(ends)
        panel.set_title(label, size=9)
        panel.set_xlabel("Pearson r")
    families = [family for family in FAMILIES if family in set(plotted["family"])]
    marks = [Line2D([], [], color=COLOURS[one], marker="o", markersize=3.5, label=WORDS[one]) for one in families]
    if marks:
        figure.legend(handles=marks, loc="outside lower center", ncols=len(marks), frameon=False)
    note = f"lines: {100 * (1 - level):g} % intervals over the choice of stories"
    figure.suptitle(note, size=8, color=FAINT_INK)
    return figure
