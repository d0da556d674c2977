"""How much better each single predictor ranks sources than a random order does, with intervals over targets."""

from empathy_transfer.importance.predictors import PREDICTOR_NAMES
from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.report.style import FAINT_INK, INK, row_panels, save_plot
from empathy_transfer.statistics.verdicts import BETTER, UNDECIDED, WORSE

TITLES = {
    "ndcg": "NDCG above random",
    "regret_1": "regret of the first below random (%)",
    "regret_3": "regret of the first three below random (%)",
    "spearman": "Spearman's r within targets",
}
COLOURS = {BETTER: "#2f6db0", WORSE: "#b5402f", UNDECIDED: "#8a9aab"}
PANEL_WIDTH, ROW_HEIGHT, REST = 2.6, 0.26, (1.8, 1.6)  # inches


def plot_predictors(predictors_path, figure_paths, csv_path):
    """Draw the gain of all predictors in all measures, on all pairs, and write the plotted numbers beside it."""
    frame = read_csv(predictors_path, dtype={"reason": str, "verdict": str}).fillna({"reason": "", "verdict": ""})
    plotted = frame[frame["outcome"] == "percent"].reset_index(drop=True)
    save_plot(figure_paths, csv_path, plotted, draw_predictors)


def draw_predictors(plotted):
    """The figure: a panel per measure, a row per predictor; lines are 95 % intervals over targets.

    A predictor is blue or red where its verdict is `better` or `worse`: a false discovery rate of 5 % or less.
    """
    figure, panels = row_panels(list(PREDICTOR_NAMES.values()), len(TITLES), PANEL_WIDTH, ROW_HEIGHT, REST)
    blank = set()
    for panel, (measure, title) in zip(panels, TITLES.items(), strict=True):
        rows = plotted[plotted["measure"] == measure].set_index("predictor").reindex(PREDICTOR_NAMES)
        blank |= _draw_panel(panel, rows, title)
    figure.suptitle("How well single predictors rank the sources of a target", weight="bold", size=12)
    marks = "; ".join(": ".join(REASONS[code]) for code in sorted(blank))
    figure.legend(
        handles=_legend(), loc="outside lower center", ncols=4, frameon=False, title=marks or None, title_fontsize=8
    )
    return figure


def _draw_panel(panel, rows, title):
    """One measure; returns the reason codes of its blank rows."""
    from matplotlib.transforms import blended_transform_factory

    counts = rows["targets"].dropna()
    panel.set_title(f"{title}\nup to {int(counts.max()) if len(counts) else 0} targets", fontsize=9)
    panel.grid(axis="y", color="#eeeeee", linewidth=0.6)
    panel.set_axisbelow(True)
    beside = blended_transform_factory(panel.transAxes, panel.transData)
    blank = set()
    for place, row in enumerate(rows.itertuples()):
        if row.gain != row.gain:
            code = row.reason if row.reason in REASONS else "not_available"
            blank.add(code)
            panel.text(
                0.5, place, REASONS[code][0], transform=beside, ha="center", va="center", size=7, color=FAINT_INK
            )
            continue
        colour = COLOURS[row.verdict]
        panel.plot([row.low_targets, row.high_targets], [place, place], color=colour, linewidth=1.2)
        panel.plot(row.gain, place, marker="o", markersize=4, color=colour)
    return blank


def _legend():
    """What points, lines and colours are."""
    from matplotlib.lines import Line2D

    words = {BETTER: "better than a random order", WORSE: WORSE, UNDECIDED: UNDECIDED}
    points = [
        Line2D([], [], linestyle="", marker="o", markersize=4, color=COLOURS[name], label=word)
        for name, word in words.items()
    ]
    return [*points, Line2D([], [], color=INK, linewidth=1.2, label="95 % over targets")]
