"""Scores of raters by architecture, loss and variant, with their intervals and the constant answer's score."""

from empathy_transfer.raters.words import MAIN, METRICS, architecture_in_words, model_in_words, model_order
from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.report.style import FAINT_INK, INK, save_plot

COLOURS = {"bi": "#1f6fb4", "cross": "#c8552b"}
MARKERS = {"bi": "o", "cross": "s"}
OFFSETS = {"bi": -0.14, "cross": 0.14}


def plot_raters(cells_path, figure_paths, csv_path):
    """Draw a panel for each task and scheme, and write the numbers.

    Args:
        cells_path: means of raters with intervals. figure_paths: figures to write. csv_path: CSV of the plotted means.
    """
    cells = read_csv(cells_path)
    save_plot(figure_paths, csv_path, cells[cells["metric"].isin(MAIN.values())].reset_index(drop=True), draw_raters)


def draw_raters(cells):
    """The figure of these means."""
    from matplotlib.figure import Figure

    places = list(dict.fromkeys(zip(cells["pairs"], cells["scheme"], strict=True))) or [("no rater", "")]
    rows = [_models(cells, place) for place in places]
    heights = [max(len(models), 1) + 1.2 for models in rows]
    figure = Figure(figsize=(8.2, 0.3 * sum(heights) + 0.8), layout="constrained")
    panels = figure.subplots(len(places), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, place, models in zip(panels, places, rows, strict=True):
        part = cells[(cells["pairs"] == place[0]) & (cells["scheme"] == place[1])]
        axes.set_title(f"{place[0]}, {place[1]} splits" if place[1] else place[0], loc="left")
        for row in part.itertuples():
            y = models.index((row.loss, row.variant)) + OFFSETS[row.architecture]
            style = {"color": COLOURS[row.architecture], "marker": MARKERS[row.architecture], "markersize": 4}
            axes.errorbar(
                row.value, y, xerr=[[row.value - row.low], [row.high - row.value]], linewidth=1.2, **style,
                label=architecture_in_words(row.architecture), linestyle="none",
            )  # fmt: skip
        if len(part):
            axes.axvline(part["floor"].iloc[0], color=FAINT_INK, linestyle=":", linewidth=1, label="constant answer")
            axes.set_xlabel(METRICS[part["metric"].iloc[0]])
        axes.set_yticks(range(len(models)), [model_in_words(*model) for model in models])
        axes.set_ylim(len(models) - 0.4, -0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(length=2, colors=INK)
    handles = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    if handles:
        figure.legend(handles.values(), handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _models(cells, place):
    """The models of a task and scheme: (loss, variant), plain ones first."""
    part = cells[(cells["pairs"] == place[0]) & (cells["scheme"] == place[1])]
    models = list(dict.fromkeys(zip(part["loss"], part["variant"], strict=True)))
    return sorted(models, key=model_order)
