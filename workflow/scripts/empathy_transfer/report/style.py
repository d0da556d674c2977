"""How figures look: order of tasks, colours, type sizes. One place for all figures of the study."""

import contextlib

THEMES = ("direct", "abstract", "adjacent")
# Diverging and legible to colour-blind readers: red is a loss, blue a gain, white no change.
DIVERGING = "RdBu"
# From little to much, in one hue.
SEQUENTIAL = "Blues"
DIAGONAL_COLOUR = "#e8e8e8"
BLANK_COLOUR = "#f7f7f7"
HATCH_COLOUR = "#b5b5b5"
INK, FAINT_INK = "#222222", "#6b6b6b"

SETTINGS = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that figures are the same on every machine
    "font.size": 9.0,
    "axes.linewidth": 0.8,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "path",
    "text.color": INK,
    "figure.facecolor": "white",
}


@contextlib.contextmanager
def figure_style():
    """Matplotlib with the study's settings."""
    import matplotlib

    with matplotlib.rc_context(SETTINGS):
        yield


def ink_on(colour):
    """Text colour that stands out from a cell's colour: by its relative luminance (WCAG 2)."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3])
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.22 else INK


def theme_order(tasks, ratings=None):
    """Task names as figures order them: by theme, within it by mean rating (highest first), then by name.

    ``tasks`` is {task: its theme and more}; ``ratings`` a frame with the columns task, aspect, annotator, score (mean
    over annotators, then over aspects). Tasks without ratings follow the rated ones of their theme.
    """
    means = {}
    if ratings is not None:
        aspects = ratings.groupby(["task", "aspect"])["score"].mean()
        means = aspects.groupby("task").mean().to_dict()
    return sorted(tasks, key=lambda task: (THEMES.index(tasks[task]["theme"]), -round(means.get(task, 0.0), 9), task))
