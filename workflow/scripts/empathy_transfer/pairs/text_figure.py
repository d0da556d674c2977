"""Words of the two texts of each pair, and labels: one row of panels per pair task."""

import numpy as np
import pandas

from empathy_transfer.records.artefacts import read_table
from empathy_transfer.report.style import FAINT_INK, INK, save_plot, short_title

COLUMNS = """
    pairs label text items words_low words_first_quarter words_median words_third_quarter words_high words_mean
    rank_correlation
""".split()
# A task with more different labels has its numbers shown in bins of equal width.
MOST_LABELS, BINS = 9, 6
SIDES = {"context": "first", "text": "second"}
COLOURS = {"first": "#1b4f72", "second": "#4c9bc9"}
WIDTH, ROW_HEIGHT, REST = 9.0, 1.75, 0.9  # inches
BOX = 0.36
ALL = "all"


def plot_pair_texts(tables, tasks, figure_paths, csv_path):
    """Draw word counts by label and the labels of each pair task, and write the plotted numbers beside it.

    Args:
        tables: paths of prepared tables, in which each pair of a task stands once. tasks: {task: {title, kind,
            and labels and ordered of a classification}}, in the order of the figure.

    Words are parted by white space. Boxes have quartiles, whiskers the 5th and the 95th percentile.
    """
    rows = []
    for pairs, task in tasks.items():
        own = [path for path in tables if path.parent.name == pairs]
        frame = pandas.concat([read_table(path, columns=["context", "text", "label"]) for path in own])
        rows += text_rows(pairs, frame, task)
    plotted = pandas.DataFrame(rows, columns=COLUMNS)
    save_plot(figure_paths, csv_path, plotted, draw_pair_texts, tasks)


def text_rows(pairs, frame, task):
    """Rows (`COLUMNS`) of one task: of each label that occurs and of all, and of each text.

    `rank_correlation` is Spearman's, of words and numbers or ordered levels, in the rows of all labels: how far length
    tells the label.
    """
    frame = frame.reset_index(drop=True)
    if task["kind"] == "regression":
        labels, named = frame["label"], shown_labels(frame["label"])
        order = sorted(named.unique(), key=lambda label: float(label.split(" ")[0]))
    else:
        named, order = frame["label"], [label for label in task["labels"] if label in set(frame["label"])]
        labels = named.map(task["labels"].index) if task.get("ordered") else None
    rows = []
    for column, side in SIDES.items():
        words = frame[column].str.split().str.len()
        differ = labels is not None and words.nunique() > 1 and labels.nunique() > 1
        correlation = words.corr(labels, method="spearman") if differ else np.nan
        for label in [*order, ALL]:
            chosen = words if label == ALL else words[named == label]
            low, first, median, third, high = np.percentile(chosen, [5, 25, 50, 75, 95])
            told = correlation if label == ALL else np.nan
            rows.append((pairs, label, side, len(chosen), low, first, median, third, high, chosen.mean(), told))
    return rows


def shown_labels(labels):
    """Numbers as the labels of boxes: as they are where they are few, else the bin that each lies in."""
    if labels.nunique() <= MOST_LABELS:
        return labels.map(lambda value: f"{value:.3g}")
    edges = np.linspace(labels.min(), labels.max(), BINS + 1)
    places = np.clip(np.digitize(labels, edges) - 1, 0, BINS - 1)
    return pandas.Series([f"{edges[place]:.3g} to {edges[place + 1]:.3g}" for place in places], index=labels.index)


def draw_pair_texts(plotted, tasks):
    """The figure: labels of a task on the left, words of both texts by label on the right."""
    from matplotlib.figure import Figure

    shown = [pairs for pairs in tasks if pairs in set(plotted["pairs"])]
    figure = Figure(figsize=(WIDTH, ROW_HEIGHT * len(shown) + REST), layout="constrained")
    panels = figure.subplots(len(shown), 2, squeeze=False, width_ratios=[1, 1.7])
    for pairs, (left, right) in zip(shown, panels, strict=True):
        rows = plotted[plotted["pairs"] == pairs]
        _draw_labels(left, rows[(rows["text"] == "first") & (rows["label"] != ALL)], tasks[pairs]["title"])
        _draw_words(right, rows)
    panels[0][0].set_ylabel("pairs")
    panels[0][1].set_ylabel("words")
    panels[-1][0].set_xlabel("label")
    panels[-1][1].set_xlabel("label")
    handles = [
        panels[0][1].plot([], [], "s", color=colour, label=f"{side} text")[0] for side, colour in COLOURS.items()
    ]
    figure.legend(handles=handles, loc="outside upper right", frameon=False, ncols=2)
    figure.suptitle("Labels of pairs, and words of their texts", x=0.01, ha="left", size=12, weight="bold")
    return figure


def _draw_labels(axes, rows, title):
    """Bars: how many pairs have each label."""
    bars = axes.bar(range(len(rows)), rows["items"], 0.7, color="#c9c9c9")
    axes.bar_label(bars, size=7, color=INK, padding=1)
    axes.margins(y=0.18)
    axes.set_xticks(range(len(rows)), rows["label"])
    axes.set_title(short_title(title), loc="left", size=9)
    axes.tick_params(labelsize=7, length=2)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_words(axes, rows):
    """Boxes of words by label, side by side for the two texts; the title says how far length tells the label."""
    told = []
    for place, (side, colour) in enumerate(COLOURS.items()):
        chosen = rows[(rows["text"] == side) & (rows["label"] != ALL)]
        boxes = [
            {
                "whislo": row.words_low,
                "q1": row.words_first_quarter,
                "med": row.words_median,
                "q3": row.words_third_quarter,
                "whishi": row.words_high,
            }
            for row in chosen.itertuples()
        ]
        positions = np.arange(len(boxes)) + (place - 0.5) * BOX
        lines = {"color": "white", "linewidth": 1.2}
        face = {"facecolor": colour, "edgecolor": colour}
        axes.bxp(
            boxes,
            positions,
            widths=0.8 * BOX,
            showfliers=False,
            patch_artist=True,
            boxprops=face,
            medianprops=lines,
            whiskerprops={"color": colour},
            capprops={"color": colour},
        )
        whole = rows[(rows["text"] == side) & (rows["label"] == ALL)].iloc[0]
        told += [f"{side} {whole.rank_correlation:+.2f}"] if not np.isnan(whole.rank_correlation) else []
        labels = chosen["label"]
    axes.set_xticks(range(len(labels)), labels)
    axes.set_ylim(bottom=0)
    if told:
        note = f"rank correlation of words and label: {', '.join(told)}"
        axes.set_title(note.replace("-", "\N{MINUS SIGN}"), loc="right", size=7.5, color=FAINT_INK)
    axes.tick_params(labelsize=7, length=2)
    axes.spines[["top", "right"]].set_visible(False)
