"""The table of all models in the layout of the study: trained on one label, tested on each of the four."""

import pandas as pd

from empathy_transfer.records.artefacts import write_csv, write_text
from empathy_transfer.report import html
from empathy_transfer.similarity.answers import KEY
from empathy_transfer.similarity.runs import FAMILIES, FLOOR
from empathy_transfer.similarity.scores import POOLED, read_similarity_scores

TITLES = {
    "pearson_r": "r",
    "spearman_r": "ρ",
    "mse": "MSE",
    "accuracy": "accuracy",
    "precision_macro": "precision",
    "recall_macro": "recall",
    "f1_macro": "macro F1",
}
LOWER_IS_BETTER = ("mse",)
NAMES = ["model", "trained_on"]
NOTES = (
    "No model has seen a pair that it answers, nor either of its stories, in training; the answers of all folds are "
    "scored together. Mean over seeds where there are several. Bold: the best of a column and form.",
    "r: Pearson, ρ: Spearman, MSE: of ratings from 1 to 4. Classes: similar above 2.5; precision, recall and F1 are "
    "means over both. A cosine is taken as a rating as it stands, so errors and classes depend on how a loss spreads "
    "cosines.",
    "The study trained on 1,500 pairs that are not to be had here. Unless the published split is used, these models "
    "are trained on folds of its 500 development and test pairs, and can't be set beside its own scores. `training "
    "mean` answers all pairs with the mean rating of the training pairs.",
)


def tabulate_similarity(scores_path, level, csv_path, html_path):
    """Write the table as CSV (a row per model, label and metric) and as a page; ``level`` is that of the intervals."""
    scores = read_similarity_scores(scores_path)
    rows = pooled_scores(scores)
    write_csv(csv_path, rows)
    write_text(html_path, similarity_page(rows, level))


def pooled_scores(scores):
    """Test scores over all folds: a frame of model, label, metric, value (mean over seeds), seeds, low, high and n.

    Intervals are those of a single seed; where there are several, their mean ends.
    """
    pooled = scores[(scores["fold"] == POOLED) & (scores["split"] == "test") & scores["metric"].isin(TITLES)]
    keys = [name for name in KEY if name != "seed"]
    found = pooled.groupby([*keys, "label", "metric"], sort=False).agg(
        value=("value", "mean"),
        seeds=("seed", "nunique"),
        low=("low", "mean"),
        high=("high", "mean"),
        n=("n", "max"),
        stories=("stories", "max"),
    )
    return found.reset_index()


def similarity_page(rows, level):
    """The page: two tables for each form, of correlations and errors, and of classes."""
    tables = []
    for form in rows["form"].unique():
        part = rows[rows["form"] == form]
        for caption, metrics in (
            ("Correlation and error", ("pearson_r", "spearman_r", "mse")),
            ("Similar or not", ("accuracy", "precision_macro", "recall_macro", "f1_macro")),
        ):
            here = [name for name in metrics if (part["metric"] == name).any()]
            tables.append(_table(part, f"{caption}, {form} stories", here, level))
    if tables:
        tables[-1].notes.extend(NOTES)
    return html.page("Empathic similarity of stories", tables, "No model has been scored.")


def _table(rows, caption, metrics, level):
    """One table: a row per model and training label, columns by label and metric."""
    labels = list(rows["label"].unique())
    heads = [html.Cell("model", "words"), html.Cell("trained on", "words")]
    heads += [html.Cell(f"{label} {TITLES[name]}") for label in labels for name in metrics]
    values = rows.set_index(["family", *NAMES, "label", "metric"])["value"].unstack(["label", "metric"])
    values = values.reindex(columns=pd.MultiIndex.from_product([labels, metrics]))
    trained = values[values.index.get_level_values("family") != FLOOR]
    best = {
        column: trained[column].min() if column[1] in LOWER_IS_BETTER else trained[column].max() for column in values
    }
    order = [FLOOR, *FAMILIES]
    lines, before = [], None
    for family, model, trained_on in sorted(values.index, key=lambda key: (order.index(key[0]), *_place(key, labels))):
        found = values.loc[(family, model, trained_on)]
        cells = [html.Cell(model.replace("_", " "), "words"), html.Cell(trained_on, "words")]
        cells += [
            html.Cell("" if pd.isna(value) else f"{value:.3f}", bold=family != FLOOR and value == best[column])
            for column, value in found.items()
        ]
        lines.append(html.Row(cells, style="block" if before not in (None, (family, model)) else ""))
        before = (family, model)
    n = f"{rows['n'].max():g} pairs of {rows['stories'].max():g} stories"
    spread = rows.loc[(rows["metric"] == "pearson_r") & rows["low"].notna()]
    width = (
        f" An interval of r ({100 * (1 - level):g} %, over the choice of stories) reaches "
        f"{((spread['high'] - spread['low']) / 2).median():.2f} to either side (median); similarity/comparisons.csv "
        "has those of differences."
        if len(spread)
        else ""
    )
    return html.Table(caption, heads, lines, [f"Tested on {n}.{width}"])


def _place(key, labels):
    """Sort key of (family, model, trained on) within a family."""
    return key[1], labels.index(key[2]) if key[2] in labels else -1
