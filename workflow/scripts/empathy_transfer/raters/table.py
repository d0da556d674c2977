"""The tables of the study of raters, in its layout: a table for each task, scheme of splits and architecture."""

import pandas as pd

from empathy_transfer.raters.comparisons import CELL, PLACE
from empathy_transfer.raters.words import METRICS, architecture_in_words, model_in_words, model_order
from empathy_transfer.records.artefacts import read_csv, write_csv, write_text
from empathy_transfer.report import html
from empathy_transfer.report.comparison_words import bounds_in_words
from empathy_transfer.report.tex import tex_table

# The columns of the study's tables 1 and 2, and 3 and 4.
COLUMNS = {
    "f1_weighted": ("accuracy", "precision_weighted", "recall_weighted", "f1_weighted"),
    "pearson_r": ("mse", "mae", "pearson_r", "spearman_r", "cosine"),
}
LOWER_IS_BETTER = {"mse", "mae"}
CONSTANT = "constant answer"
NOTE = (
    "Mean over {seeds} seeds on {n_test} test pairs in {clusters} groups. {main} has its {percent:g} % interval over "
    "test pairs, drawn in whole groups, and over seeds. Bold: the best mean of a column. The last row is the best "
    "answer that knows the training labels alone: a score near it means little, however high it is."
)


def tabulate_raters(scores_path, cells_path, level, csv_path, html_path, tex_path):
    """Write the tables of all tasks, schemes and architectures, as CSV, as one HTML page and in LaTeX.

    Args:
        scores_path: scores of all runs. cells_path: their means with intervals. level: error rate of the intervals.
        csv_path, html_path, tex_path: files to write.
    """
    rows = rater_rows(read_csv(scores_path), read_csv(cells_path))
    write_csv(csv_path, rows)
    tables = as_tables(rows, level)
    write_text(html_path, html.page("Raters of pairs of texts", tables, "No rater has been trained."))
    write_text(tex_path, "\n".join(tex_table(table, "booktabs") for table in tables))


def rater_rows(scores, cells):
    """Means over seeds in long form: place, cell, metric, value, low, high (where there is an interval), seeds, n_test.

    Rows whose loss is `constant answer` are the floors, one for each place, architecture and metric.

    Args:
        scores, cells: frames of scores.csv and cells.csv.
    """
    means = scores.groupby([*PLACE, *CELL, "metric"], sort=False)[["value", "floor"]].mean().reset_index()
    known = cells[[*PLACE, *CELL, "metric", "seeds", "n_test", "clusters", "low", "high"]]
    rows = means.drop(columns="floor").merge(known, how="left", on=[*PLACE, *CELL, "metric"])
    floors = means.drop_duplicates([*PLACE, "architecture", "metric"]).assign(loss=CONSTANT, variant="")
    floors = floors.drop(columns="value").rename(columns={"floor": "value"})
    return pd.concat([rows, floors], ignore_index=True)


def as_tables(rows, level):
    """A `html.Table` for each task, scheme and architecture; arguments as above."""
    tables = []
    for (scheme, pairs, architecture), part in rows.groupby([*PLACE, "architecture"], sort=False):
        main = next(metric for metric in COLUMNS if metric in set(part["metric"]))
        named = part.set_index(["loss", "variant", "metric"])
        models = list(dict.fromkeys(zip(part["loss"], part["variant"], strict=True)))
        models.sort(key=lambda model: (model[0] == CONSTANT, *model_order(model)))
        best = best_of(part[part["loss"] != CONSTANT], COLUMNS[main])
        lines = [
            html.Row(
                [html.Cell(model_in_words(*model), "words")]
                + [cell_of(named.loc[(*model, metric)], metric, best) for metric in COLUMNS[main]],
                style="block" if model[0] == CONSTANT else "",
            )
            for model in models
        ]
        heads = [html.Cell("loss", "words"), *(html.Cell(METRICS[metric]) for metric in COLUMNS[main])]
        about = part.dropna(subset=["seeds"]).iloc[0]
        sizes = {name: f"{about[name]:g}" for name in ("seeds", "n_test", "clusters")}
        note = NOTE.format(main=METRICS[main], percent=100 * (1 - level), **sizes)
        caption = f"{architecture_in_words(architecture).capitalize()}s on {pairs}, {scheme} splits"
        tables.append(html.Table(caption, heads, lines, [note]))
    return tables


def best_of(rows, metrics):
    """The best mean of each metric, {metric: value}."""
    found = {}
    for metric in metrics:
        values = rows.loc[rows["metric"] == metric, "value"]
        found[metric] = values.min() if metric in LOWER_IS_BETTER else values.max()
    return found


def cell_of(row, metric, best):
    """A mean, with its interval where there is one."""
    text = f"{row['value']:.3f}{bounds_in_words(row['low'], row['high'], '.3f')}"
    return html.Cell(text, bold=row["value"] == best[metric] and row.name[0] != CONSTANT)
