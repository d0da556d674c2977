"""Specification curves as a figure: the effects of a claim from least to most, and below them what was chosen."""

import textwrap

import numpy

from empathy_transfer.claims.specification_curve import SCHEMES
from empathy_transfer.claims.specifications import CHOICES, HALF, OWN, SCALES, TESTS, WITH, WITHOUT
from empathy_transfer.records.artefacts import read_csv
from empathy_transfer.records.runs import CONTROLS
from empathy_transfer.report.style import DIAGONAL_COLOUR, FAINT_INK, INK, save_plot

COLOURS = {"above": "#2f6db0", "below": "#b2352c", "": "#a9a9a9"}
MEANINGS = {"above": "above 0", "below": "below 0", "": "not clearly either"}
COLUMNS, PANEL, LEVEL_HEIGHT = 3, (4.6, 2.3), 0.13  # inches
TITLE_WIDTH = 48  # characters
TEXTS = (*CHOICES, "intervals", "side", "reason")
ORDER = (*SCALES, *TESTS, WITH, WITHOUT, "all", "first", OWN, HALF, *CONTROLS, *SCHEMES)
WORDS = {"with": "with {}", "without": "without {}"}
THINGS = {"collapsed": "collapsed runs", "leaked": "flagged pairs"}
NAMES = {
    "percent_cut_off": "percent, cut off",
    "any_difference": "any difference",
    "of_the_paper": "paper's test",
    "half_data": "half-data baseline",
    "own": "own baseline",
    "all": "all seeds",
    "first": "first seed",
    "tasks": "intervals: tasks",
    "datasets": "intervals: datasets",
}


def plot_specifications(specifications_path, tests_path, figure_paths, csv_path):
    """Draw the curves of all claims that have one, and write the plotted numbers beside the figure."""
    table, tests = read_csv(specifications_path, dtype=dict.fromkeys(TEXTS, "str")), read_csv(tests_path)
    table = table.fillna(dict.fromkeys(TEXTS, ""))
    plotted = table[table["reason"] == ""].sort_values(["id", "standardised"], kind="stable")
    save_plot(figure_paths, csv_path, plotted, draw_specifications, tests)


def draw_specifications(plotted, tests):
    """The figure: two axes per claim. Points are standardised effects with their intervals, the diamond is the choice
    that is marked (`specification_table.MAIN`); strokes below say what was chosen.
    """
    from matplotlib.figure import Figure

    shown = tests[tests["id"].isin(plotted["id"])]
    levels = {name: levels_of(rows) for name, rows in plotted.groupby("id")}
    rows = max(-(-len(shown) // COLUMNS), 1)
    most = max(map(len, levels.values()), default=1)
    height = rows * (PANEL[1] + LEVEL_HEIGHT * most + 0.5) + 0.5
    figure = Figure(figsize=(COLUMNS * PANEL[0], height), layout="constrained")
    grid = figure.add_gridspec(rows, COLUMNS)
    for place, test in enumerate(shown.itertuples()):
        inner = grid[place].subgridspec(2, 1, height_ratios=[PANEL[1], LEVEL_HEIGHT * most], hspace=0.03)
        upper, lower = (figure.add_subplot(part) for part in inner)
        chosen = plotted[plotted["id"] == test.id].reset_index(drop=True)
        _draw_effects(upper, chosen, test)
        _draw_choices(lower, chosen, levels[test.id], most)
    if len(shown):
        figure.legend(handles=_legend(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def levels_of(rows):
    """(choice, level, words) of all choices of a claim's specifications that were made in more than one way."""
    found = []
    for choice in (*CHOICES, "intervals"):
        levels = list(dict.fromkeys(rows[choice].astype(str)))
        if len(levels) > 1:
            found += [(choice, level, _words(choice, level)) for level in sorted(levels, key=_order)]
    return found


def _words(choice, level):
    """A level of a choice in words."""
    if choice in THINGS:
        return WORDS[level].format(THINGS[choice])
    if choice == "seeds" and level.isdigit():
        return f"seed {level}"
    return NAMES.get(level, level.replace("_", " "))


def _order(level):
    """What is usual first, single seeds last and by number."""
    return (1, int(level)) if level.isdigit() else (0, ORDER.index(level))


def _draw_effects(axes, rows, test):
    """The effects of a claim."""
    ratio = (rows["standardised"] / rows["effect"]).where(rows["effect"] != 0)
    places = numpy.arange(len(rows))
    colours = rows["side"].map(COLOURS).tolist()
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.vlines(places, rows["low"] * ratio, rows["high"] * ratio, color=colours, linewidth=0.6, alpha=0.45)
    axes.scatter(places, rows["standardised"], c=colours, s=5, linewidths=0, zorder=3)
    main = rows["main"].astype(bool)
    axes.scatter(places[main], rows.loc[main, "standardised"], marker="D", s=26, c="white", edgecolors=INK, zorder=4)
    axes.set_xlim(-1, len(rows))
    axes.set_xticks([])
    axes.tick_params(length=2, labelsize=7)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.set_ylabel("effect in SD", fontsize=7)
    above, below = (f"{share:.0%}".replace("%", " %") for share in (test.share_above, test.share_below))
    heading = [f"{test.effect_of} ({test.data} data)"]
    heading.append(
        f"median {test.median:.2f}, p = {test.p_median:.3f}; {above} above 0, {below} below, p = {test.p_share:.3f}"
    )
    note = {"xycoords": "axes fraction", "textcoords": "offset points", "size": 6.5, "color": FAINT_INK}
    axes.annotate("\n".join(heading).replace("-", "−"), (0, 1), (0, 3), va="bottom", in_layout=False, **note)
    title = "\n".join(textwrap.wrap(test.claim, TITLE_WIDTH)[:3])
    axes.set_title(title, fontsize=8, loc="left", weight="bold", pad=24)


def _draw_choices(axes, rows, levels, most):
    """What was chosen in each specification: a line of strokes per level."""
    for line, (choice, level, _) in enumerate(levels):
        chosen = rows[choice].astype(str) == level
        places = numpy.flatnonzero(chosen)
        colours = rows.loc[chosen, "side"].map(COLOURS).tolist()
        axes.vlines(places, line - 0.38, line + 0.38, color=colours, linewidth=0.7)
    starts = [line for line in range(1, len(levels)) if levels[line][0] != levels[line - 1][0]]
    for start in starts:
        axes.axhline(start - 0.5, color=DIAGONAL_COLOUR, linewidth=0.8)
    axes.set_xlim(-1, len(rows))
    axes.set_ylim(most - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks(range(len(levels)), [words for *_, words in levels], fontsize=6)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _legend():
    """What colours and the diamond are."""
    from matplotlib.lines import Line2D

    dots = [
        Line2D([], [], linestyle="", marker="o", markersize=4, color=COLOURS[side], label=words)
        for side, words in MEANINGS.items()
    ]
    diamond = {"marker": "D", "markersize": 5, "color": INK, "markerfacecolor": "white"}
    return [
        *dots,
        Line2D([], [], linestyle="", **diamond, label="percent or corrected tests; all pairs and seeds; tasks drawn"),
    ]
