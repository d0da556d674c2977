"""The table of all settings as the study prints it: median over seeds and, in brackets, the best seed."""

import html

import pandas as pd

from empathy_transfer.artefacts import read_csv, write_csv, write_text
from empathy_transfer.relabel.correlation_intervals import in_words
from empathy_transfer.relabel.scores import METRICS, read_scores
from empathy_transfer.relabel.training_sets import CROWD
from empathy_transfer.scores.tables import html_page, html_table, tex_text

TITLES = {"pearson_r": "Pearson r", "ccc": "CCC", "rmse": "RMSE"}
LOWER_IS_BETTER = ("rmse",)
NOTE = (
    "Median over seeds, and in brackets the best seed on the test texts, as the study prints them. A best of five "
    "seeds lies above their mean by about 1.2 standard deviations through chance alone: compare medians, and read the "
    "intervals of relabel/comparisons.csv. Bold: best median of a column and encoder; underlined: second. Difference: "
    "mean concordance less the baseline's, with its interval over test texts and seeds. A t-test over five against "
    "five seeds (p_published there) measures the noise of seeds only, not which texts happened to be tested."
)
COLUMNS = ["encoder", "model", "setting", *METRICS, "difference_ccc"]


def tabulate_relabelled(scores_path, comparisons_path, level, csv_path, html_path, tex_path):
    """Write the table three times; its rows are the settings by encoder and source of the labels.

    ``level`` is the error rate of the intervals, also of those below the table.
    """
    scores, comparisons = read_scores(scores_path), read_csv(comparisons_path)
    rows = table_rows(scores, comparisons)
    notes = [NOTE, *notes_on_size(scores, comparisons, level)]
    write_csv(csv_path, pd.DataFrame(rows)[COLUMNS])
    heads = ["encoder", "labels", "setting", *TITLES.values(), "difference in CCC"]
    lines = ["".join(f"<td>{_html(row, name)}</td>" for name in COLUMNS) for row in rows]
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in heads)
    body = html_table(
        "Training with the crowd's and with language models' labels.",
        head,
        [f"<tr>{line}</tr>" for line in lines],
        notes,
    )
    write_text(html_path, html_page("Labels from language models", body))
    write_text(tex_path, _tex(rows, heads, notes))


def notes_on_size(scores, comparisons, level):
    """What the number of test texts means for the best Pearson r: a sentence per encoder."""
    notes = []
    for encoder, part in scores.groupby("encoder", sort=False):
        medians = part.groupby(["model", "setting"])["pearson_r"].median()
        sizes = comparisons.loc[comparisons["encoder"] == encoder, "n_test"]
        notes.append(
            f"{encoder}: the best median is {in_words(float(medians.max()), int(sizes.iloc[0]), level)}, by Fisher's "
            "z: through the choice of test texts alone, and as if each had a writer of its own, so rather wider."
        )
    return notes


def table_rows(scores, comparisons):
    """Rows as dicts with ``COLUMNS``, and ``rank`` = {metric: 1 or 2} where a median is the best or second."""
    against = comparisons[(comparisons["comparison"] == "baseline") & (comparisons["metric"] == "ccc")]
    gains = {(row.encoder, row.model, row.setting): row for row in against.itertuples()}
    rows = []
    for encoder, part in scores.groupby("encoder", sort=False):
        cells = part.groupby(["model", "setting"])
        medians = cells[list(METRICS)].median()
        order = sorted(medians.index, key=lambda cell: (cell[0] != CROWD, cell[0]))
        # A stand-in has the scores of the run that it stands for and does not compete with it.
        competing = part[part["setting"] == part["trained_as"]].groupby(["model", "setting"])[list(METRICS)].median()
        best = {
            metric: sorted(competing[metric].unique(), reverse=metric not in LOWER_IS_BETTER)[:2] for metric in METRICS
        }
        for model, setting in order:
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


def _html(row, name):
    """A cell as HTML."""
    text = html.escape(row[name])
    return {1: f"<b>{text}</b>", 2: f"<u>{text}</u>"}.get(row["rank"].get(name), text)


def _tex(rows, heads, notes):
    """The table as LaTeX, with its notes below; the document needs the packages booktabs and longtable."""
    lines = [
        "% needs \\usepackage{booktabs,longtable}",
        f"\\begin{{longtable}}{{lll{'r' * (len(COLUMNS) - 3)}}}",
        "\\toprule",
    ]
    lines += [f"{' & '.join(map(tex_text, heads))} \\\\", "\\midrule", "\\endhead"]
    for row in rows:
        cells = []
        for name in COLUMNS:
            text = tex_text(row[name])
            cells.append({1: f"\\textbf{{{text}}}", 2: f"\\underline{{{text}}}"}.get(row["rank"].get(name), text))
        lines.append(f"{' & '.join(cells)} \\\\")
    below = [f"{{\\footnotesize {tex_text(note)}\\par}}" for note in notes]
    return "\n".join([*lines, "\\bottomrule", "\\end{longtable}", *below, ""])
