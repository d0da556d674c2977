"""How reliable a study's answers and ratings are: tasks beside each other, and what ratings predict once corrected."""

from empathy_transfer.ratings.agreement import ASPECTS, read_ratings
from empathy_transfer.records.artefacts import write_csv, write_figure
from empathy_transfer.reliability.constructs import GENERAL, SPECIFIC
from empathy_transfer.reliability.report import read_reliability
from empathy_transfer.report.style import FAINT_INK, INK, figure_style, short_title, theme_order

COLOURS = {GENERAL: "#b5622f", SPECIFIC: "#2f6db0", "": "#8a9aab"}
CEILING, EFFECT = "#222222", "r within targets"
ROW_HEIGHT, REST, WIDTHS = 0.27, 1.9, (3.0, 2.6, 2.8)  # inches


def plot_reliability(reliability_path, ratings_path, tasks, figure_paths, csv_path):
    """Draw reliability.csv, tasks in the order of figures, and write the plotted rows beside it."""
    table = read_reliability(reliability_path)
    parts = table["part"].isin(["seeds", "scores", "ceilings"])
    parts |= (table["part"] == "rating_effects") & (table["statistic"].str.endswith(EFFECT))
    plotted = table[parts].reset_index(drop=True)
    order = theme_order(tasks, read_ratings(ratings_path))
    with figure_style():
        write_figure(figure_paths, draw_reliability(plotted, {task: tasks[task]["title"] for task in order}))
    write_csv(csv_path, plotted)


def draw_reliability(plotted, titles):
    """The figure of rows of reliability.csv; ``titles`` is {task: its title}, from the top."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(sum(WIDTHS) + 1.8, ROW_HEIGHT * max(len(titles), 4) + REST), layout="constrained")
    seeds, scores, effects = figure.subplots(1, 3, width_ratios=WIDTHS)
    rows = {part: frame.set_index("name") for part, frame in plotted.groupby("part")}
    for panel in (seeds, scores):
        panel.set_ylim(len(titles) - 0.5, -0.5)
        panel.set_yticks(
            range(len(titles)), map(short_title, titles.values()) if panel is seeds else [""] * len(titles)
        )
    for panel in (seeds, scores, effects):
        panel.grid(axis="y", color="#eeeeee", linewidth=0.6)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(length=2)
    for place, task in enumerate(titles):
        _draw_task(seeds, scores, place, {part: frame.loc[task] for part, frame in rows.items() if task in frame.index})
    for panel in (seeds, scores):
        panel.set_xlim(min(panel.get_xlim()[0], 0.0), 1.03)
    seeds.set_title("Agreement of answers between seeds\n(Krippendorff's alpha)", fontsize=9)
    scores.set_title("Score of the baseline,\nand human ceiling where raters are known", fontsize=9)
    _draw_effects(effects, rows.get("rating_effects"))
    figure.suptitle("How reliable answers, labels and ratings are", weight="bold", size=12)
    figure.legend(handles=_legend(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def _draw_task(seeds, scores, place, rows):
    """One task: its agreement between seeds, its score and its ceiling."""
    row = rows.get("seeds")
    if row is not None and row["number"] == row["number"]:
        colour = COLOURS[row["construct"]]
        seeds.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.2)
        seeds.plot(row["number"], place, marker="o", markersize=5, color=colour)
    score, limit = rows.get("scores"), rows.get("ceilings")
    if limit is not None and limit["number"] == limit["number"]:
        scores.plot([limit["low"], limit["high"]], [place, place], color=CEILING, linewidth=3, alpha=0.25)
        scores.plot(limit["number"], place, marker="|", markersize=13, markeredgewidth=1.6, color=CEILING)
    if score is not None and score["uncorrected"] == score["uncorrected"]:
        colour = COLOURS[score["construct"]]
        scores.plot(score["uncorrected"], place, marker="D", markersize=4.5, color=colour)


def _draw_effects(panel, rows):
    """What ratings predict: as measured, and corrected below it."""
    panel.set_title("Improvement against rating difference\n(r within targets)", fontsize=9)
    panel.axvline(0, color=INK, linewidth=0.8)
    panel.set_ylim(len(ASPECTS) - 0.5, -0.5)
    panel.set_yticks(range(len(ASPECTS)), ASPECTS)
    for place, aspect in enumerate(ASPECTS):
        if rows is None or aspect not in rows.index:
            panel.text(0, place, "no ratings", ha="center", va="center", size=7, color=FAINT_INK)
            continue
        row = rows.loc[aspect]
        for shift, prefix, face in ((-0.12, "uncorrected", "white"), (0.12, "", COLOURS[SPECIFIC])):
            number = row[prefix or "number"]
            low, high = (row[f"{prefix}_{end}" if prefix else end] for end in ("low", "high"))
            panel.plot([low, high], [place + shift] * 2, color=COLOURS[SPECIFIC], linewidth=1.2)
            panel.plot(number, place + shift, marker="o", markersize=5, color=COLOURS[SPECIFIC], markerfacecolor=face)


def _legend():
    """What marks and colours are."""
    from matplotlib.lines import Line2D

    point = {"linestyle": "", "markersize": 5}
    return [
        Line2D([], [], marker="s", color=COLOURS[GENERAL], label="general score of empathy", **point),
        Line2D([], [], marker="s", color=COLOURS[SPECIFIC], label="specific construct", **point),
        Line2D([], [], marker="|", color=CEILING, label="human ceiling", linestyle="", markersize=11),
        Line2D([], [], color=INK, linewidth=1.2, label="95 %"),
        Line2D([], [], marker="o", color=COLOURS[SPECIFIC], markerfacecolor="white", label="r as measured", **point),
        Line2D([], [], marker="o", color=COLOURS[SPECIFIC], label="r corrected", **point),
    ]
