"""The table of all settings as the study prints it: median over seeds and, in brackets, the best seed."""

import pandas as pd

from empathy_transfer.records.artefacts import read_csv, write_csv, write_text
from empathy_transfer.relabel.scores import METRICS, read_relabelled_scores
from empathy_transfer.relabel.training_sets import CROWD, EQUAL_SHARE
from empathy_transfer.report import html
from empathy_transfer.report.tex import tex_table
from empathy_transfer.statistics.intervals import correlation_in_words

TITLES = {"pearson_r": "Pearson r", "ccc": "CCC", "rmse": "RMSE"}
LOWER_IS_BETTER = ("rmse",)
NOTE = (
    "Median over seeds, and in brackets the best seed on the test texts, as the study prints them. A best of five "
    "seeds lies above their mean by about 1.2 standard deviations through chance alone: compare medians, and read the "
    "intervals of relabel/comparisons.csv. Bold: best median of a column and encoder; underlined: second. Settings "
    "that stand for another run, such as the chosen threshold, count too. Difference: mean concordance less the "
    "baseline's, with its {percent:g} % interval over test texts and seeds. A t-test over five against five seeds "
    "(p_published there) measures the noise of seeds only, not which texts happened to be tested."
)
# Kinds of setting as the rows of a block follow each other, so that what is compared with stands first.
ORDER = ("baseline", "alpha", "added", "both", *EQUAL_SHARE, "huber")
NAMES = ["encoder", "model", "setting"]
COLUMNS = [*NAMES, *METRICS, "difference_ccc"]


def tabulate_relabelled(scores_path, comparisons_path, level, csv_path, html_path, tex_path):
    """Write the table three times; its rows are the settings, in blocks by encoder and source of the labels.

    ``level`` is the error rate of the intervals, also of those below the table.
    """
    table, page, tex = relabelled_table(read_relabelled_scores(scores_path), read_csv(comparisons_path), level)
    write_csv(csv_path, table)
    write_text(html_path, page)
    write_text(tex_path, tex)


def relabelled_table(scores, comparisons, level):
    """The table as a frame, as an HTML page and as LaTeX."""
    rows = table_rows(scores, comparisons)
    notes = [NOTE.format(percent=100 * (1 - level)), *notes_on_size(scores, comparisons, level)]
    heads = ["encoder", "labels", "setting", *TITLES.values(), "difference in CCC"]
    lines = [
        html.Row([_cell(name, row[name], row["rank"].get(name)) for name in COLUMNS], style="block" if starts else "")
        for row, starts in zip(rows, block_starts(rows), strict=True)
    ]
    words = [_cell(name, title) for name, title in zip(COLUMNS, heads, strict=True)]
    made = html.Table("Training with the crowd's and with language models' labels.", words, lines, notes)
    page, tex = html.page("Labels from language models", [made]), tex_table(made, "booktabs,longtable", long=True)
    return pd.DataFrame(rows)[COLUMNS], page, tex


def notes_on_size(scores, comparisons, level):
    """What was trained and tested, and what that means for the best Pearson r: a sentence each per encoder."""
    notes = []
    for encoder, part in scores.groupby("encoder", sort=False):
        medians = part.groupby(["model", "setting"])["pearson_r"].median()
        size = comparisons[comparisons["encoder"] == encoder].iloc[0]
        best, added = correlation_in_words(float(medians.max()), int(size["n_test"]), level), part["n_train"].max()
        notes.append(
            f"{encoder}: {part['seed'].nunique()} seeds, {_range(part['n_base'])} training texts (up to {added:g} "
            f"with added ones), {size['n_test']:g} test texts in {size['clusters']:g} groups. "
            f"The best of the {len(medians)} medians is {best}, by Fisher's z: through the choice of test texts alone, "
            "and as if each had a writer of its own, so rather wider; and picked as the best, so rather too high."
        )
    return notes


def _range(values):
    """The least and the most of some numbers in words, or the one that all are."""
    return f"{values.min():g}" if values.nunique() == 1 else f"{values.min():g} to {values.max():g}"


def table_rows(scores, comparisons):
    """Rows as dicts with ``COLUMNS``, and ``rank`` = {metric: 1 or 2} where a median is the best or second."""
    against = comparisons[(comparisons["comparison"] == "baseline") & (comparisons["metric"] == "ccc")]
    gains = {(row.encoder, row.model, row.setting): row for row in against.itertuples()}
    rows = []
    for encoder, part in scores.groupby("encoder", sort=False):
        cells = part.groupby(["model", "setting"])
        medians = cells[list(METRICS)].median()
        best = {
            metric: sorted(medians[metric].unique(), reverse=metric not in LOWER_IS_BETTER)[:2] for metric in METRICS
        }
        for model, setting in sorted(medians.index, key=_place):
            cell = cells.get_group((model, setting))
            row = {"encoder": encoder, "model": model, "setting": setting, "rank": {}}
            for metric in METRICS:
                median = medians.loc[(model, setting), metric]
                peak = cell[metric].min() if metric in LOWER_IS_BETTER else cell[metric].max()
                row[metric] = f"{median:.3f} ({peak:.3f})"
                if median in best[metric]:
                    row["rank"][metric] = best[metric].index(median) + 1
            gain = gains.get((encoder, model, setting))
            row["difference_ccc"] = f"{gain.difference:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]" if gain else ""
            rows.append(row)
    return rows


def _place(cell):
    """Sort key of (model, setting): the crowd's labels first, in them the baseline; numbers rise, `chosen` is last."""
    model, setting = cell
    kind, _, number = setting.partition("=")
    return model != CROWD, model, ORDER.index(kind), float(number or 0) if number != "chosen" else float("inf")


def block_starts(rows):
    """Whether each row begins a block: has another encoder or other labels than the row above it."""
    blocks = [(row["encoder"], row["model"]) for row in rows]
    return [place > 0 and block != blocks[place - 1] for place, block in enumerate(blocks)]


def _cell(name, text, rank=None):
    """A cell of a column: names are set left, the best median bold, the second underlined."""
    return html.Cell(text, "words" if name in NAMES else "", bold=rank == 1, underlined=rank == 2)
