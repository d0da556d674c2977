"""The table of themes: the study's tasks by theme, with their mean ratings, as CSV, HTML and LaTeX.

The layout of the study's Table 5. A theme was given to each task by hand; a star marks those whose mean rating lies
outside the band of their theme.
"""

import pandas as pd

from empathy_transfer.ratings.agreement import ASPECTS, mean_ratings, read_ratings
from empathy_transfer.records.artefacts import write_csv, write_text
from empathy_transfer.report import html
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.report.style import THEMES
from empathy_transfer.report.tex import tex_table

COLUMNS = ["theme", "task", "title", *ASPECTS, "mean", "raters", "band", "deviates", "reason"]
HEADS = {"definition": "Def.", "link": "Link", "conduciveness": "Cond.", "mean": "Mean"}
# A mean above the first number is that of a direct task, one below the second (19/6, printed as 3.17) that of an
# adjacent one; both numbers themselves belong to the abstract band. The tolerance is for means of thirds.
DIRECT_ABOVE, ADJACENT_BELOW, TOLERANCE = 3.5, 19 / 6, 1e-9
TITLE = "Tasks by theme"
CAPTION = (
    "Mean construct ratings of each task (1 to 5) over the raters, and the mean over the three aspects; within a "
    "theme, tasks are sorted by it. A star marks a task whose mean lies outside the band of its theme: direct above "
    "3.50, abstract from 3.17 to 3.50, adjacent below 3.17."
)


def tabulate_themes(ratings_path, tasks, csv_path, html_path, tex_path):
    """Write the table of themes three times. ``tasks`` is {task: its title, theme and more}."""
    table = theme_table(read_ratings(ratings_path), tasks)
    write_csv(csv_path, table)
    write_text(html_path, as_html(table))
    write_text(tex_path, as_tex(table))


def theme_table(ratings, tasks):
    """One row per task, by theme and then by mean rating, highest first: a frame with ``COLUMNS``.

    ``definition``, ``link`` and ``conduciveness`` are means over raters, ``mean`` is the mean of these three, ``band``
    the theme whose band it lies in, and ``deviates`` whether that is not the task's theme. A task of which an aspect
    has no rating has neither mean nor band, and the reason ``no_ratings``. Ratings of other tasks are left out.
    """
    means = mean_ratings(ratings)
    raters = ratings.groupby("task")["annotator"].nunique()
    rows = []
    for task, about in tasks.items():
        rated = means.loc[task] if task in means.index else pd.Series(None, index=ASPECTS, dtype="float64")
        mean = rated.mean(skipna=False)
        band = theme_band(mean)
        row = {"theme": about["theme"], "task": task, "title": about["title"], **rated, "mean": mean}
        row |= {"raters": int(raters.get(task, 0)), "band": band, "reason": "" if band else "no_ratings"}
        rows.append(row | {"deviates": band not in ("", about["theme"])})
    rows.sort(key=lambda row: (THEMES.index(row["theme"]), -round(row["mean"], 9) if row["band"] else 0.0, row["task"]))
    return pd.DataFrame(rows, columns=COLUMNS)


def theme_band(mean):
    """The theme whose band a mean rating lies in, or an empty text for NaN; 3.5 and 19/6 themselves are abstract."""
    if mean != mean:
        return ""
    if mean > DIRECT_ABOVE + TOLERANCE:
        return "direct"
    return "abstract" if mean >= ADJACENT_BELOW - TOLERANCE else "adjacent"


def legend(table):
    """How far mean ratings alone tell the themes apart, and what the marks mean."""
    rated = table[table["reason"] == ""]
    inside = len(rated) - int(rated["deviates"].sum())
    lines = [f"{inside} of {len(rated)} rated tasks lie in the band of their theme."]
    if len(rated) < len(table):
        lines.append(f"no ratings: {REASONS['no_ratings'][1]}.")
    return lines


def as_html(table):
    """The table as one HTML page that needs nothing else."""
    return html.page(TITLE, [_as_table(table)])


def as_tex(table):
    """The table as LaTeX; the document needs the package booktabs."""
    return tex_table(_as_table(table), "booktabs")


def _as_table(table):
    """The table as it is set: each theme heads its tasks."""
    lines = []
    for theme, rows in table.groupby("theme", sort=False):
        lines.append(html.Row([], html.Cell(theme), "floor"))
        for row in rows.to_dict("records"):
            texts = [f"{row[name]:.2f}" if row[name] == row[name] else "" for name in HEADS]
            cells = [html.Cell(text) if text else html.Cell("no ratings", "blank") for text in texts]
            lines.append(html.Row(cells, html.Cell(row["title"], mark="*" if row["deviates"] else "")))
    return html.Table(CAPTION, [html.Cell(name) for name in ["task", *HEADS.values()]], lines, legend(table))
