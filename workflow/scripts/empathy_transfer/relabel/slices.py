"""Agreement with the crowd's labels by group of writers: of language models' labels and of trained models.

Groups are those of the test texts: each value of gender, education and race, and thirds of age and income. A group
below the least number is listed without scores, since they would say nothing. Intervals draw all texts of a writer
together, and with very few writers there is none.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from empathy_transfer.artefacts import read_table, write_csv, write_figure
from empathy_transfer.relabel.agreement import read_sources
from empathy_transfer.relabel.comparisons import resample
from empathy_transfer.relabel.scores import BASELINE, CHOSEN, read_scores
from empathy_transfer.relabel.training_sets import CROWD
from empathy_transfer.significance.resampling import bootstrap_counts, make_sample
from empathy_transfer.style import INK, figure_style

COLUMNS = [
    *["encoder", "system", "attribute", "group", "n", "clusters", "pearson_r", "pearson_low", "pearson_high", "ccc"],
    *["ccc_low", "ccc_high", "negative"],
]
# Attributes with more values than this are cut into thirds.
MOST_VALUES = 10
# A bootstrap of fewer writers says nothing of another draw of them.
LEAST_CLUSTERS = 5


def write_slices(scores_path, test_path, labels_paths, runs_folder, least, settings, slices_path):
    """Write demographics.csv: n, Pearson r and concordance with percentile intervals for each group and system.

    Systems are the models' own labels of the test texts, and the mean prediction over seeds of the baseline and of the
    correction at the chosen threshold. ``negative`` marks a concordance below 0.

    Args:
        scores_path: scores of the runs. test_path: the test set. labels_paths: {model: path of its labels of that set}.
        runs_folder: folder of the runs. least: smallest group with scores. settings: ``resamples`` and ``alpha``.
        slices_path: CSV to write.
    """
    test = read_table(test_path).dropna(subset=["label"]).reset_index(drop=True)
    systems = {}
    for model, path in labels_paths.items():
        labels = read_sources({"": test_path}, {(model, ""): path})[""][model]
        systems[None, f"labels of {model}"] = labels.reindex(test["id"]).to_numpy()
    for (encoder, model, setting), runs in read_scores(scores_path).groupby(["encoder", "model", "setting"]):
        if setting in (BASELINE, CHOSEN):
            means = mean_prediction(runs, Path(runs_folder)).reindex(test["id"])
            systems[encoder, "trained: baseline" if model == CROWD else f"trained: corrected by {model}"] = (
                means.to_numpy()
            )
    rows = []
    for attribute, groups in groups_of(test).items():
        for group, chosen in groups.items():
            for (encoder, system), predictions in systems.items():
                used = chosen & np.isfinite(predictions)
                row = {
                    "encoder": encoder,
                    "system": system,
                    "attribute": attribute,
                    "group": group,
                    "n": int(used.sum()),
                }
                if used.sum() >= least:
                    part = test[used]
                    row |= scores_of(part["label"].to_numpy(), predictions[used], part["group"].to_numpy(), settings)
                rows.append(row)
    write_csv(slices_path, pd.DataFrame(rows, columns=COLUMNS))


def mean_prediction(runs, folder):
    """Mean over seeds of the predictions of a setting's runs, by id."""
    frames = []
    for run in runs.itertuples():
        model = CROWD if run.trained_as == BASELINE else run.model
        path = folder / run.encoder / model / run.trained_as / f"seed={run.seed}" / "predictions.parquet"
        frames.append(read_table(path).set_index("id")["prediction"])
    return pd.concat(frames, axis=1).mean(axis=1)


def groups_of(test):
    """{attribute: {group: which texts are in it}}, `all` first; a text whose attribute is unknown is in no group."""
    found = {"all": {"all": np.ones(len(test), dtype=bool)}}
    for attribute in [name for name in test.columns if name not in ("id", "group", "text", "label")]:
        values = test[attribute]
        if values.nunique() > MOST_VALUES:
            thirds = pd.qcut(values, 3, labels=False, duplicates="drop")
            ends = values.groupby(thirds).agg(["min", "max"])
            words = {third: f"{low:.0f} to {high:.0f}" for third, low, high in ends.itertuples()}
            values = thirds.map(words).astype("object")
        else:
            values = values.map(lambda value: None if pd.isna(value) else f"{value:g}").astype("object")
        found[attribute] = {group: (values == group).to_numpy() for group in values.dropna().unique()}
        found[attribute] = dict(sorted(found[attribute].items(), key=lambda item: float(item[0].split()[0])))
    return found


def scores_of(labels, predictions, clusters, settings):
    """Pearson r and concordance as columns, with percentile intervals over whole ``clusters`` (who wrote each text)."""
    sample = make_sample(labels, clusters)
    found = resample(sample, [predictions], bootstrap_counts(sample.n_units, settings["resamples"], 0))
    row = {"clusters": sample.n_units}
    for short, metric in (("pearson", "pearson_r"), ("ccc", "ccc")):
        tails = [settings["alpha"] / 2, 1 - settings["alpha"] / 2]
        row[metric] = found.whole[metric][0]
        if sample.n_units < LEAST_CLUSTERS:
            continue
        row[f"{short}_low"], row[f"{short}_high"] = np.quantile(found.replicates[metric][0], tails)
    return row | {"negative": bool(row["ccc"] < 0)}


def plot_groups(set_paths, figure_paths, csv_path):
    """Draw how many texts of each set each group of writers wrote, and write the plotted numbers.

    Args:
        set_paths: {set: its path}. figure_paths: files to write. csv_path: CSV with set, attribute, group, n, share.
    """
    from matplotlib.figure import Figure

    frames = {name: read_table(path) for name, path in set_paths.items()}
    joined = pd.concat([frame.assign(set=name) for name, frame in frames.items()], ignore_index=True)
    rows = []
    for attribute, groups in groups_of(joined.drop(columns="set")).items():
        for group, chosen in groups.items() if attribute != "all" else ():
            for name in frames:
                within = (joined["set"] == name).to_numpy()
                number = int((chosen & within).sum())
                rows.append((name, attribute, group, number, number / within.sum()))
    plotted = pd.DataFrame(rows, columns=["set", "attribute", "group", "n", "share"])
    attributes = list(plotted["attribute"].unique())
    with figure_style():
        figure = Figure(figsize=(3 * max(len(attributes), 1), 3.4), layout="constrained")
        for axes, attribute in zip(
            figure.subplots(1, max(len(attributes), 1), squeeze=False)[0], attributes, strict=False
        ):
            shares = plotted[plotted["attribute"] == attribute].pivot_table(
                index="group", columns="set", values="share", sort=False
            )
            shares.plot.bar(ax=axes, legend=False, width=0.8, xlabel="")
            axes.set_title(attribute, color=INK)
            axes.set_ylabel("share of texts" if attribute == attributes[0] else "")
        names = figure.axes[0].get_legend_handles_labels()
        figure.legend(*names, loc="outside lower center", ncols=len(frames), frameon=False)
        write_figure(figure_paths, figure)
    write_csv(csv_path, plotted)
