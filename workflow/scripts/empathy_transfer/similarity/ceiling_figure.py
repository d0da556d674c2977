"""The human ceiling beside every model's score, label by label."""

import pandas as pd

from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.report.style import FAINT_INK, INK, row_panels, save_plot

PEOPLE_COLOUR, MODEL_COLOUR = "#c8552b", "#1f6fb4"
PEOPLE = "people"
# Behind a number, so that no line crosses it.
WHITE = {"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
# In this order, then others.
LABELS = ("empathy", "event", "emotion", "moral")


def plot_ceiling(beside_path, figure_paths, csv_path):
    """Draw Pearson r of people and models, a panel per label, and write the numbers.

    The CSV has block (whose ceiling it is), kind (people, or a model's family), name, label, value, low and high.
    """
    save_plot(figure_paths, csv_path, ceiling_points(read_csv(beside_path)), draw_ceiling)


def ceiling_points(beside):
    """What is drawn, from beside_ceiling.csv: in each block first the people, then the models."""
    blocks = []
    for (group, form), part in beside.groupby(["group", "form"], sort=False):
        people = part.drop_duplicates("label")
        name = "people, " + f"{group} ({people['raters'].iloc[0]:.0f} raters, {people['items'].iloc[0]:.0f} pairs)"
        columns = {"ceiling_r": "value", "ceiling_low": "low", "ceiling_high": "high"}
        own = people[["label", *columns]].rename(columns=columns).assign(kind=PEOPLE, name=name)
        models = part.assign(kind=part["family"], name=part["model"])
        both = pd.concat([own, models[["label", "value", "low", "high", "kind", "name"]]])
        blocks.append(both.assign(block=f"{group}, {form}"))
    columns = ["block", "kind", "name", "label", "value", "low", "high"]
    return pd.concat(blocks, ignore_index=True)[columns] if blocks else pd.DataFrame(columns=columns)


def draw_ceiling(points):
    """The figure of some `ceiling_points`."""
    from matplotlib.lines import Line2D

    rows = list(points[["block", "kind", "name"]].drop_duplicates().itertuples(index=False))
    labels = [label for label in LABELS if label in set(points["label"])]
    labels += sorted(set(points["label"]) - set(labels))
    names = [_title(row) for row in rows]
    figure, panels = row_panels(names, max(len(labels), 1), 2.3, 0.3, (2.6, 1.1))
    panels[0].set_yticks(range(max(len(rows), 1)), names or [""])
    for panel, label in zip(panels, labels, strict=False):
        shown = points[points["label"] == label].set_index(["block", "kind", "name"])
        for place, row in enumerate(rows):
            if row in shown.index:
                _draw(panel, place, shown.loc[row], row.kind == PEOPLE)
            if row.kind == PEOPLE and row in shown.index:
                last = max(at for at, other in enumerate(rows) if other.block == row.block)
                panel.plot([shown.loc[row]["value"]] * 2, [place, last + 0.4], color=PEOPLE_COLOUR, linestyle=":", lw=1)
            if row.kind == PEOPLE and place:
                panel.axhline(place - 0.5, color=FAINT_INK, linewidth=0.5)
        panel.set_title(label, size=9, weight="bold")
        panel.set_xlim(*_limits(points))
        panel.set_xlabel("Pearson r")
    handles = [
        Line2D([], [], marker="D", color=PEOPLE_COLOUR, label="a rater with the mean of the others (human ceiling)"),
        Line2D([], [], marker="o", color=MODEL_COLOUR, label="a model with the mean of the raters"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _limits(points):
    """One range of the axis for all panels, so that they can be compared."""
    numbers = points[["value", "low", "high"]].stack()
    low, high = min([0.0, *numbers]), max([0.5, *numbers])
    return low - 0.05, high + 0.05


def _title(row):
    """What a row is called."""
    return row.name if row.kind == PEOPLE else f"{row.name} ({row.kind})"


def _draw(panel, place, point, people):
    """A number and its interval."""
    colour = PEOPLE_COLOUR if people else MODEL_COLOUR
    if pd.notna(point["low"]):
        panel.plot([point["low"], point["high"]], [place, place], color=colour, linewidth=1.4)
    panel.plot(point["value"], place, marker="D" if people else "o", markersize=5, color=colour, zorder=4)
    panel.annotate(f"{point['value']:.2f}", (point["value"], place), (0, 5), textcoords="offset points",
                   ha="center", size=6.5, color=INK, bbox=WHITE, zorder=3)  # fmt: skip
