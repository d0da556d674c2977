"""Tables of scores, sources by targets, as CSV, HTML and LaTeX.

The layout of the study's Tables 7 and 8, with a floor row, collapsed runs marked, and blank cells that say why.
"""

import csv
import html
import io
from dataclasses import dataclass

from empathy_transfer.leakage.report import LEAKED_MARK, LEAKED_REASON, read_leaked
from empathy_transfer.records.artefacts import write_text
from empathy_transfer.records.runs import BASELINE
from empathy_transfer.report.reasons import REASONS
from empathy_transfer.scores.improvement import common_reason, read_improvement, read_scores

# Which kinds of task share a table or figure.
KINDS = {"classification": ("classification", "multilabel"), "regression": ("regression",)}
METRIC_TITLES = {"classification": "macro F1", "regression": "Pearson r"}
COLLAPSED_MARK = "†"
FEWER_SEEDS_MARK = "§"
SIGNS = {"collapsed": COLLAPSED_MARK, "leaked": LEAKED_MARK, "fewer seeds": FEWER_SEEDS_MARK}
HOW_BEST_IS_TOLD = "The best of a column is told by differences from the baseline on the seeds that both have."
DATA_TITLES = {"full": "full training data", "half": "half of the training data"}


@dataclass(frozen=True)
class Cell:
    """One cell: its text (a number with two decimals, or a reason code) and how it is set."""

    text: str
    blank: bool = False
    baseline: bool = False
    best: bool = False
    collapsed: bool = False
    leaked: bool = False
    fewer_seeds: bool = False

    @property
    def marks(self):
        """What is wrong with the runs behind the number, in words."""
        given = {"collapsed": self.collapsed, "leaked": self.leaked, "fewer seeds": self.fewer_seeds}
        return [word for word in SIGNS if given[word]]


def tabulate_scores(
    scores_path, improvement_path, tasks, kind, data, csv_path, html_path, tex_path, leaked_pairs_path=None
):
    """Write the table of scores of a kind of target (classification, regression) in a data condition, three times.

    ``leaked_pairs_path`` names the flags of the audit of leakage, if there has been one.
    """
    scores, improvement = read_scores(scores_path), read_improvement(improvement_path)
    rows = score_table(scores, improvement, tasks, kind, data, read_leaked(leaked_pairs_path))
    targets = targets_of(tasks, kind)
    write_text(csv_path, as_csv(rows, targets, kind))
    write_text(html_path, as_html(rows, targets, tasks, kind, data))
    write_text(tex_path, as_tex(rows, targets, tasks, kind, data))


def targets_of(tasks, kind):
    """The tasks whose targets stand in the table or figure of a kind, in the order of ``tasks``."""
    return [task for task, about in tasks.items() if about["kind"] in KINDS[kind]]


def score_table(scores, improvement, tasks, kind, data, leaked=frozenset()):
    """Rows {source or "floor": [Cell per target]}: sources in the order of ``tasks``, then the floor.

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
                rows[source].append(Cell(reason, blank=True, baseline=baseline))
                continue
            collapsed = bool(cells[key]["collapsed"].any())
            flagged, fewer = (source, target) in leaked, len(values[key]) < len(cells[key])
            number, is_best = _number(values[key].mean()), gains[key] is not None and gains[key] == best
            rows[source].append(Cell(number, False, baseline, is_best, collapsed, flagged, fewer))
    rows["floor"] = [
        Cell(_number(floors[target])) if target in floors else Cell("not_available", blank=True) for target in targets
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
    title = table_title(kind, data)
    if not rows:
        body = f"<p>{html.escape(nothing_of(kind))}.</p>"
    else:
        head = "".join(f'<th scope="col">{html.escape(tasks[target]["title"])}</th>' for target in targets)
        lines = [
            f"<tr{' class=floor' if source == 'floor' else ''}>"
            f'<th scope="row">{html.escape(_title(source, tasks))}</th>'
            f"{''.join(map(_html_cell, cells))}</tr>"
            for source, cells in rows.items()
        ]
        heads = f'<th scope="col">source \\ target</th>{head}'
        body = html_table(caption(kind, data), heads, lines, legend(rows))
    return html_page(title, body)


def html_table(caption, heads, rows, notes):
    """A table with its notes as HTML: ``heads`` and ``rows`` are HTML already, ``caption`` and ``notes`` text."""
    return (
        f"<table>\n<caption>{html.escape(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody>\n</table>\n"
        + "".join(f"<p class=legend>{html.escape(note)}</p>\n" for note in notes)
    )


def html_page(title, body):
    """One HTML page that needs nothing else."""
    return PAGE.replace("{title}", html.escape(title)).replace("{body}", body)


def as_tex(rows, targets, tasks, kind, data):
    """The table as LaTeX; the document needs the packages booktabs and graphicx."""
    if not rows:
        return f"% {table_title(kind, data)}\n\\emph{{{tex_text(nothing_of(kind))}}}\n"
    heads = [f"\\rotatebox{{60}}{{{tex_text(tasks[target]['title'])}}}" for target in targets]
    lines = ["% needs \\usepackage{booktabs,graphicx}", "\\begin{table}", "\\centering\\small"]
    lines += [
        f"\\caption{{{tex_text(caption(kind, data))}}}",
        f"\\begin{{tabular}}{{l{'r' * len(targets)}}}",
        "\\toprule",
    ]
    lines += [f"{' & '.join(['source', *heads])} \\\\", "\\midrule"]
    for source, cells in rows.items():
        lines += ["\\midrule"] if source == "floor" else []
        lines.append(f"{' & '.join([tex_text(_title(source, tasks)), *map(_tex_cell, cells)])} \\\\")
    lines += ["\\bottomrule", "\\end{tabular}"]
    lines += [f"\\par\\footnotesize {tex_text(line)}" for line in legend(rows)]
    return "\n".join([*lines, "\\end{table}", ""])


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
    if any(cell.collapsed for cell in cells):
        lines.append(f"{COLLAPSED_MARK}: {REASONS['collapsed'][1]}.")
    if any(cell.leaked for cell in cells):
        lines.append(f"{LEAKED_MARK}: {LEAKED_REASON}.")
    if any(cell.fewer_seeds for cell in cells):
        lines.append(f"{FEWER_SEEDS_MARK}: mean over fewer seeds than the study has. {HOW_BEST_IS_TOLD}")
    return lines


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


def _title(source, tasks):
    """What stands at the head of a row."""
    return "Floor" if source == "floor" else tasks[source]["title"]


def _html_cell(cell):
    """A cell as HTML."""
    if cell.blank:
        return (
            f'<td class="blank{" baseline" if cell.baseline else ""}">{html.escape(cell.text.replace("_", " "))}</td>'
        )
    text = html.escape(cell.text)
    text = f"<b>{text}</b>" if cell.best else text
    text = f"<u>{text}</u>" if cell.baseline else text
    marks = "".join(SIGNS[word] for word in cell.marks)
    mark = f"<sup>{marks}</sup>" if marks else ""
    return f"<td{' class=baseline' if cell.baseline else ''}>{text}{mark}</td>"


def _tex_cell(cell):
    """A cell as LaTeX."""
    if cell.blank:
        return f"\\tiny {tex_text(cell.text)}"
    text = f"\\textbf{{{cell.text}}}" if cell.best else cell.text
    text = f"\\underline{{{text}}}" if cell.baseline else text
    marks = tex_text("".join(SIGNS[word] for word in cell.marks))
    return f"{text}\\textsuperscript{{{marks}}}" if marks else text


def tex_text(text):
    """Text with the characters that LaTeX reads as commands escaped."""
    special = {character: f"\\{character}" for character in "&%$#_{}"}
    special |= {
        "~": "\\textasciitilde{}",
        "^": "\\textasciicircum{}",
        "\\": "\\textbackslash{}",
        "†": "\\dag{}",
        "‡": "\\ddag{}",
        "§": "\\S{}",
    }
    return "".join(special.get(character, character) for character in text)


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; color: #222; margin: 2rem; }
table { border-collapse: collapse; border-top: 2px solid #222; border-bottom: 2px solid #222; }
caption { text-align: left; max-width: 60rem; padding-bottom: .8rem; }
thead th { border-bottom: 1px solid #222; vertical-align: bottom; font-weight: 600; max-width: 6rem; }
th, td { padding: .25rem .6rem; text-align: right; }
tbody th, thead th:first-child, .words { text-align: left; white-space: nowrap; }
tbody th { font-weight: normal; }
td { font-variant-numeric: tabular-nums; white-space: nowrap; }
tbody tr:hover { background: #f2f5f9; }
td.baseline { background: #eef1f4; }
td.blank { color: #6b6b6b; font-size: .75em; }
tr.floor th, tr.floor td, tr.block td { border-top: 1px solid #222; }
tr.floor th, tr.floor td { font-style: italic; }
p.legend { max-width: 60rem; margin: .3rem 0; color: #555; font-size: .9em; }
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
