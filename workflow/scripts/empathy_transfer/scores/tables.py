"""Tables of scores, sources by targets, as CSV, HTML and LaTeX.

The layout of the study's Tables 7 and 8, with a floor row, collapsed runs marked, and blank cells that say why.
"""

import csv
import io
import itertools
from dataclasses import dataclass

from empathy_transfer.kinds import kind_of
from empathy_transfer.leakage.report import LEAKED_MARK, LEAKED_REASON, read_leaked
from empathy_transfer.records.artefacts import read_csv, write_text
from empathy_transfer.records.runs import BASELINE
from empathy_transfer.report import html
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.report.tex import tex_table, tex_text
from empathy_transfer.scores.improvement import common_reason, read_improvement, read_scores

METRIC_TITLES = {"classification": "macro F1", "regression": "Pearson r"}
# What is wrong with the runs behind a number: its sign in tables, and what that means.
MARKS = {
    "collapsed": REASONS["collapsed"],
    "leaked": (LEAKED_MARK, LEAKED_REASON),
    "fewer seeds": (
        "§",
        "mean over fewer seeds than the study has. The best of a column is told by differences from the baseline on "
        "the seeds that both have",
    ),
}
CEILING_WORDS = (
    "Human ceiling: what the raters of a task leave room for: the root of the reliability of their mean (r), or how a "
    "rater scores against the others (F1)."
)
DATA_TITLES = {"full": "full training data", "half": "half of the training data"}


@dataclass(frozen=True)
class ScoreCell:
    """One cell: its text (a number with two decimals, or a reason code) and how it is set."""

    text: str
    blank: bool = False
    baseline: bool = False
    best: bool = False
    marks: tuple = ()  # of `MARKS`


def tabulate_scores(
    scores_path,
    improvement_path,
    tasks,
    kind,
    data,
    csv_path,
    html_path,
    tex_path,
    leaked_pairs_path=None,
    ceiling_paths=(),
):
    """Write the table of scores of a kind of target (classification, regression) in a data condition, three times.

    ``leaked_pairs_path`` names the flags of the audit of leakage, if there has been one; ``ceiling_paths`` the human
    ceilings of tasks whose raters are known.
    """
    ceilings = {row["task"]: row["ceiling"] for path in ceiling_paths for row in read_csv(path).to_dict("records")}
    scores, improvement = read_scores(scores_path), read_improvement(improvement_path)
    rows = score_table(scores, improvement, tasks, kind, data, read_leaked(leaked_pairs_path), ceilings)
    targets = targets_of(tasks, kind)
    write_text(csv_path, as_csv(rows, targets, kind))
    write_text(html_path, as_html(rows, targets, tasks, kind, data))
    write_text(tex_path, as_tex(rows, targets, tasks, kind, data))


def targets_of(tasks, kind):
    """The tasks whose targets stand in the table or figure of a kind, in the order of ``tasks``."""
    return [task for task, about in tasks.items() if kind == kind_of(about).MATRIX]


def score_table(scores, improvement, tasks, kind, data, leaked=frozenset(), ceilings=None):
    """Rows {source, "floor" or "ceiling": [ScoreCell per target]}: sources in the order of ``tasks``, then these.

    ``ceilings`` are {task: human ceiling of its score}; where none of the targets has one, there is no such row.

    A number is the mean over seeds of the target's main metric. The own-source cell is the baseline. The best of a
    column (before rounding; the floor doesn't compete) is marked, ties all: the one that is furthest above the baseline
    on the seeds that both have, or in a column without a baseline the largest mean. A cell is marked as collapsed when
    any of its runs is, as leaked when (source, target) is in ``leaked``, for a baseline (target, target), and as one of
    fewer seeds when any planned one is missing; a blank one holds its reason code. A study without targets of the kind
    has no rows.
    """
    targets = targets_of(tasks, kind)
    if not targets:
        return {}
    main = scores[(scores["data"] == data) & scores["main"]]
    cells = dict(iter(main.groupby(["source", "target"], sort=False)))
    values = {key: cell.dropna(subset=["value"]).set_index("seed")["value"] for key, cell in cells.items()}
    values = {key: found for key, found in values.items() if len(found)}
    floors = improvement.dropna(subset=["floor"]).groupby("target")["floor"].first().to_dict()
    rows = {source: [] for source in tasks}
    for target in targets:
        column = {source: (BASELINE if source == target else source, target) for source in tasks}
        gains = {key: _gain(values[key], values.get((BASELINE, target))) for key in column.values() if key in values}
        best = max((gain for gain in gains.values() if gain is not None), default=None)
        for source, key in column.items():
            baseline = source == target
            if key not in values:
                reason = common_reason(cells[key]["reason"] if key in cells else [])
                rows[source].append(ScoreCell(reason, blank=True, baseline=baseline))
                continue
            wrong = [cells[key]["collapsed"].any(), (source, target) in leaked, len(values[key]) < len(cells[key])]
            number, is_best = _number(values[key].mean()), gains[key] is not None and gains[key] == best
            rows[source].append(ScoreCell(number, False, baseline, is_best, tuple(itertools.compress(MARKS, wrong))))
    rows["floor"] = [
        ScoreCell(_number(floors[target])) if target in floors else ScoreCell("not_available", blank=True)
        for target in targets
    ]
    ceilings = {task: value for task, value in (ceilings or {}).items() if task in targets and value == value}
    if ceilings:
        rows["ceiling"] = [
            ScoreCell(_number(ceilings[target])) if target in ceilings else ScoreCell("no_ratings", blank=True)
            for target in targets
        ]
    return rows


def as_csv(rows, targets, kind):
    """The table as CSV: the numbers as printed, `number (collapsed, leaked, fewer seeds)`, or a reason code."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(["source", *targets] if rows else ["note"])
    if not rows:
        writer.writerow([nothing_of(kind)])
    for source, cells in rows.items():
        writer.writerow(
            [source, *(f"{cell.text} ({', '.join(cell.marks)})" if cell.marks else cell.text for cell in cells)]
        )
    return sink.getvalue()


def as_html(rows, targets, tasks, kind, data):
    """The table as one HTML page that needs nothing else."""
    table = _as_table("source \\ target", rows, targets, tasks, kind, data)
    return html.page(table_title(kind, data), [table] if rows else [], f"{nothing_of(kind)}.")


def as_tex(rows, targets, tasks, kind, data):
    """The table as LaTeX; the document needs the packages booktabs and graphicx."""
    if not rows:
        return f"% {table_title(kind, data)}\n\\emph{{{tex_text(nothing_of(kind))}}}\n"
    return tex_table(_as_table("source", rows, targets, tasks, kind, data), "booktabs,graphicx", turned=True)


def _as_table(corner, rows, targets, tasks, kind, data):
    """The table as it is set; ``corner`` stands over the sources."""
    titles = {task: about["title"] for task, about in tasks.items()} | {"floor": "Floor", "ceiling": "Human ceiling"}
    lines = [
        html.Row(list(map(_as_cell, cells)), html.Cell(titles[source]), "" if source in tasks else "floor")
        for source, cells in rows.items()
    ]
    heads = [html.Cell(text) for text in (corner, *(titles[target] for target in targets))]
    words = caption(kind, data) + (f" {CEILING_WORDS}" if "ceiling" in rows else "")
    return html.Table(words, heads, lines, legend(rows))


def _as_cell(cell):
    """A cell as it is set."""
    if cell.blank:
        return html.Cell(cell.text, "blank baseline" if cell.baseline else "blank")
    signs = "".join(MARKS[mark][0] for mark in cell.marks)
    return html.Cell(cell.text, "baseline" if cell.baseline else "", cell.best, cell.baseline, signs)


def table_title(kind, data):
    """Title of the table of a kind in a data condition."""
    return f"Scores of {kind} targets, {DATA_TITLES[data]}"


def caption(kind, data):
    """One sentence that says what to see."""
    return (
        f"{table_title(kind, data)}: {METRIC_TITLES[kind]} on the test items, mean over seeds; rows are source tasks, "
        "columns targets. Underlined: the target's own baseline, without transfer. Bold: best of the column, before "
        "rounding. Floor: constant answers."
    )


def legend(rows):
    """Explanations of the reason codes and marks that the table holds."""
    cells = [cell for row in rows.values() for cell in row]
    codes = {cell.text for cell in cells if cell.blank}
    lines = [f"{code}: {REASONS[code][1]}." for code in REASONS if code in codes]
    found = {mark for cell in cells for mark in cell.marks}
    return lines + [f"{sign}: {words}." for mark, (sign, words) in MARKS.items() if mark in found]


def nothing_of(kind):
    """What stands in place of a table or figure without targets."""
    return f"no {kind} tasks in this study"


def _gain(own, baseline):
    """How far scores by seed lie above the baseline's; None without a shared seed, the mean without a baseline."""
    if baseline is None:
        return own.mean()
    seeds = baseline.index.intersection(own.index)
    return own[seeds].mean() - baseline[seeds].mean() if len(seeds) else None


def _number(value):
    """A score with two decimals; a rounded zero has no sign."""
    return f"{round(value, 2) + 0.0:.2f}"
