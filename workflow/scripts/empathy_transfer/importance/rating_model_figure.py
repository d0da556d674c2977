"""The mixed model as a figure: how much differs between what, and the slopes of the ratings."""

from empathy_transfer.importance.rating_model import DEVIATION, SLOPE
from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.report.style import FAINT_INK, INK, save_plot

COLOURS = {DEVIATION: "#2f6db0", SLOPE: "#e3a23b"}
TITLES = {DEVIATION: "What differs", SLOPE: "Slopes of the ratings"}
UNITS = {DEVIATION: "standard deviation (percent improvement)", SLOPE: "percent per rating point"}
PANEL_WIDTH, ROW_HEIGHT, REST = 4.2, 0.36, (2.2, 1.2)  # inches


def plot_rating_model(model_path, figure_paths, csv_path):
    """Draw rating_model.csv, and write the plotted numbers beside it."""
    model = read_csv(model_path).astype({"reason": "object"}).fillna({"reason": ""})
    save_plot(figure_paths, csv_path, model, draw_rating_model)


def draw_rating_model(model):
    """The figure: standard deviations of the random effects, and slopes, each with its 95 % interval."""
    from matplotlib.figure import Figure

    parts = {kind: model[model["kind"] == kind] for kind in (DEVIATION, SLOPE)}
    rows = [max(len(part), 1) for part in parts.values()]
    height = ROW_HEIGHT * sum(rows) + 2 * REST[1]
    figure = Figure(figsize=(PANEL_WIDTH + REST[0], height), layout="constrained")
    panels = figure.subplots(2, 1, height_ratios=[number + 1 for number in rows])
    for panel, (kind, part) in zip(panels, parts.items(), strict=True):
        _draw_panel(panel, kind, part)
    return figure


def _draw_panel(panel, kind, part):
    """One kind of rows, the first on top."""
    panel.set_title(TITLES[kind], fontsize=10, loc="left", weight="bold")
    panel.set_xlabel(UNITS[kind])
    panel.axvline(0, color=INK, linewidth=0.8)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(length=2)
    panel.set_yticks(range(len(part)), part["title"])
    panel.set_ylim(len(part) - 0.5, -0.5)
    for place, row in enumerate(part.itertuples()):
        if row.reason:
            text = REASONS[row.reason][1]
            panel.annotate(
                text, (0.5, place), xycoords=("axes fraction", "data"), va="center", ha="center", color=FAINT_INK
            )
            continue
        if row.low == row.low:
            panel.plot(
                [row.low, row.high], [place, place], color=COLOURS[kind], linewidth=4, alpha=0.4, solid_capstyle="butt"
            )
        panel.plot(row.estimate, place, marker="o", markersize=6, color=COLOURS[kind])
