"""Bars of permutation importance, as in the study's Figure 2, with what the same bars are under shuffled scores."""

from empathy_transfer.features.pair_features import FEATURE_NAMES, FEATURES
from empathy_transfer.importance.permutation import PROTOCOLS
from empathy_transfer.importance.report import PART_TITLES, read_importance, says_nothing
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.report.style import BLANK_COLOUR, FAINT_INK, INK, row_panels, save_plot
from empathy_transfer.statistics.verdicts import PREDICTIVE, UNDECIDED

PLOTTED = "protocol part feature name importance std band_low band_high verdict reason printed".split()
BAR_COLOURS = {PREDICTIVE: "#2f6db0", UNDECIDED: "#b9c7d6"}
BAND_COLOUR = "#e3a23b"
MOST_TICKS = 4  # steps between them; numbers such as −0.075 would run into one another
PANEL_WIDTH, ROW_HEIGHT, REST = 3.0, 0.3, (1.2, 1.7)  # inches


def plot_importance(importance_path, figure_paths, csv_path):
    """Draw the importance of both protocols on both parts, and write the plotted numbers beside it."""
    importance = read_importance([importance_path])
    save_plot(figure_paths, csv_path, importance[PLOTTED], lambda _: draw_importance(importance))


def draw_importance(importance):
    """The figure: a panel per protocol and part, a bar per feature in the order of Table 6.

    Lines on bars are one standard deviation of the drops to each side, as in the paper; ochre spans hold 95 percent of
    the importance under shuffled scores; diamonds are the printed numbers. Blank rows say why. Where held-out pairs are
    not predicted, importance means nothing: bars are pale, and the panel says so.
    """
    groups = [(protocol, part) for protocol in PROTOCOLS for part in PART_TITLES]
    figure, panels = row_panels(list(FEATURE_NAMES.values()), len(groups), PANEL_WIDTH, ROW_HEIGHT, REST)
    for panel, (protocol, part) in zip(panels, groups, strict=True):
        rows = importance[(importance["protocol"] == protocol) & (importance["part"] == part)].set_index("feature")
        _draw_panel(panel, rows.reindex(FEATURES), protocol, part)
    figure.legend(handles=_legend(), loc="outside lower center", ncols=5, frameon=False)
    return figure


def _draw_panel(panel, rows, protocol, part):
    """One protocol and part."""
    from matplotlib.ticker import MaxNLocator
    from matplotlib.transforms import blended_transform_factory

    panel.set_title(f"{protocol}, {PART_TITLES[part]} part{_fit(rows)}", fontsize=9)
    panel.set_xlabel("drop in R²")
    panel.xaxis.set_major_locator(MaxNLocator(MOST_TICKS))
    mute = says_nothing(rows[rows["reason"] == ""])
    beside = blended_transform_factory(panel.transAxes, panel.transData)
    for place, row in enumerate(rows.itertuples()):
        if row.reason:
            mark = {"facecolor": BLANK_COLOUR, "edgecolor": "none", "pad": 1.0}
            text = REASONS[row.reason][1]
            panel.text(0.5, place, text, transform=beside, ha="center", va="center", size=7, color=FAINT_INK, bbox=mark)
            continue
        panel.barh(place, row.band_high - row.band_low, left=row.band_low, height=0.86, color=BAND_COLOUR, alpha=0.35)
        panel.barh(place, row.importance, height=0.5, color=BAR_COLOURS[row.verdict], alpha=0.4 if mute else 1.0)
        panel.errorbar(row.importance, place, xerr=row.std, color=INK, linewidth=0.9, capsize=2)
        if protocol == "published" and part == "train" and row.printed == row.printed:
            panel.plot(row.printed, place, marker="D", markersize=4, color=INK, markerfacecolor="white")
    if mute:
        panel.set_title(f"{panel.get_title()}\nsays nothing: held-out pairs are not predicted", fontsize=9)


def _fit(rows):
    """The R2 of a panel, in words."""
    known = rows["r2"].dropna()
    return f" (R² {known.iloc[0]:.2f})".replace("-", "−") if len(known) else ""


def _legend():
    """What bars, lines, spans and diamonds are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        *(Patch(facecolor=colour, label=verdict) for verdict, colour in BAR_COLOURS.items()),
        Line2D([], [], color=INK, linewidth=0.9, label="± 1 standard deviation of the drops"),
        Patch(facecolor=BAND_COLOUR, alpha=0.35, label="95 % under shuffled scores"),
        Line2D([], [], linestyle="", marker="D", markersize=4, color=INK, markerfacecolor="white", label="printed"),
    ]
