"""Level and power of the rating tests as a figure: how often each finds a slope of so many percent per rating point."""

from empathy_transfer.report.style import FAINT_INK, INK, figure_style
from empathy_transfer.validation.bars import MOST_WRONG
from empathy_transfer.validation.rating_studies import LEVEL, OWN, SLOPES

TESTS = {
    OWN: ("mixed model (primary)", "#2f6db0"),
    "datasets": ("ratings permuted between datasets", "#e3a23b"),
    "semi_partialling": ("double semi-partialling", "#8a8a8a"),
}
NOTHING = "no effect, sources differ within datasets"
SIZE = (6.2, 4.0)  # inches


def plot_rating_power(table, path):
    """Draw the figure from the table of results (see `parts.summarise_simulations`) into a PNG file of the manual."""
    with figure_style():
        draw_rating_power(table).savefig(path, dpi=130, metadata={"Software": None})


def draw_rating_power(table):
    """The figure: per test a line over slopes, from 0 (false positives) on, with 95 % intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    panel = figure.subplots()
    conditions = {NOTHING: 0.0} | {f"definition, {slope:g} % per rating point": slope for slope in SLOPES}
    for test, (title, colour) in TESTS.items():
        rows = table[table["statistic"] == f"{test}: definition: percent_winsorised"]
        rows = rows[rows["condition"].isin(list(conditions))]
        rows = rows.assign(slope=rows["condition"].map(conditions)).sort_values("slope")
        panel.fill_between(rows["slope"], 100 * rows["low"], 100 * rows["high"], color=colour, alpha=0.15, linewidth=0)
        panel.plot(rows["slope"], 100 * rows["value"], marker="o", color=colour, label=title)
    panel.axhline(100 * MOST_WRONG[1], color=INK, linewidth=0.8, linestyle=":")
    words = f"most false positives allowed ({100 * MOST_WRONG[1]:g} %)"
    panel.annotate(words, (max(SLOPES), 100 * MOST_WRONG[1]), (0, -3), textcoords="offset points",
                   ha="right", va="top", color=FAINT_INK, size=8)  # fmt: skip
    panel.set_xlabel("true slope of the definition rating (percent improvement per rating point)")
    panel.set_ylabel(f"studies with p ≤ {LEVEL:g} (percent)")
    panel.set_ylim(0, 100)
    panel.set_xlim(-0.1, max(SLOPES) + 0.1)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False, loc="upper left")
    return figure
