"""Agreement with the crowd's labels by group of writers: of language models' labels and of trained models.

Groups are each value of gender, education and race, and the thirds into which age and income cut the test texts. A
group below the least number is listed without scores, since they would say nothing. Intervals draw all texts of a
writer together, and with very few writers there is none.
"""

import itertools

import numpy as np
import pandas as pd

from empathy_transfer.records.artefacts import read_table, write_csv
from empathy_transfer.relabel.agreement import read_sources
from empathy_transfer.relabel.comparisons import predictions_path, trained_runs
from empathy_transfer.relabel.scores import BASELINE, CHOSEN, read_relabelled_scores
from empathy_transfer.relabel.training_sets import CROWD
from empathy_transfer.report.style import save_plot
from empathy_transfer.significance.cell_tests import resample_numbers
from empathy_transfer.statistics.resampling import LEAST_CLUSTERS, bootstrap_counts, make_sample

COLUMNS = [
    *["encoder", "system", "attribute", "group", "n", "clusters", "pearson_r", "pearson_low", "pearson_high", "ccc"],
    *["ccc_low", "ccc_high", "negative"],
]
# Attributes with more values than this are cut into thirds.
MOST_VALUES = 10
COLUMNS_OF_PANELS = 3


def write_slices(scores_path, test_path, labels_paths, runs_folder, codes, least, settings, slices_path):
    """Write demographics.csv: n, Pearson r and concordance with percentile intervals for each group and system.

    Systems are the models' own labels of the test texts, and the mean prediction over seeds of the baseline and of the
    correction at the chosen threshold. ``negative`` marks a concordance below 0.

    Args:
        scores_path: scores of the runs. test_path: the test set. labels_paths: {model: path of its labels of that set}.
        runs_folder: folder of the runs. codes: as in ``groups_of``. least: smallest group with scores. settings:
            ``resamples`` and ``alpha``. slices_path: CSV to write.
    """
    test = read_table(test_path).dropna(subset=["label"]).reset_index(drop=True)
    named = {(model, ""): path for model, path in labels_paths.items()}
    labels = read_sources({"": test_path}, named)[""][list(labels_paths)]
    scores = read_relabelled_scores(scores_path)
    scores = scores[scores["setting"].isin([BASELINE, CHOSEN])]
    runs = {run: read_table(predictions_path(runs_folder, run)) for run in trained_runs(scores).values()}
    systems = systems_of(test["id"], labels, scores, runs)
    write_csv(slices_path, score_slices(test, systems, codes, least, settings))


def systems_of(ids, labels, scores, runs):
    """{(encoder, system): its predictions of the texts with these ids}, from the models' labels and runs by id."""
    systems = {(None, f"labels of {model}"): given.reindex(ids).to_numpy() for model, given in labels.items()}
    for (encoder, model, _), part in scores.groupby(["encoder", "model", "setting"]):
        frames = [runs[run].set_index("id")["prediction"] for run in trained_runs(part).values()]
        name = "trained: baseline" if model == CROWD else f"trained: corrected by {model}"
        systems[encoder, name] = pd.concat(frames, axis=1).mean(axis=1).reindex(ids).to_numpy()
    return systems


def score_slices(test, systems, codes, least, settings):
    """Scores of each system, {(encoder, name): its predictions}, in each group of the test texts (a frame)."""
    rows = []
    for attribute, groups in groups_of(test, test, codes).items():
        for group, chosen in groups.items():
            for (encoder, system), predictions in systems.items():
                used = chosen & np.isfinite(predictions)
                row = {"encoder": encoder, "system": system, "attribute": attribute, "group": group, "n": used.sum()}
                if used.sum() >= least:
                    part = test[used]
                    row |= scores_of_group(
                        part["label"].to_numpy(), predictions[used], part["group"].to_numpy(), settings
                    )
                rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def groups_of(frame, test, codes):
    """{attribute: {group: which texts are in it}}, `all` first; a text whose attribute is unknown is in no group.

    Args:
        frame: the texts to group. test: those whose values, where they are many, are cut into thirds: the groups of all
            sets are those of the scores. codes: {attribute: {value as text: the group's name}}; others are as they are.
    """
    found = {"all": {"all": np.ones(len(frame), dtype=bool)}}
    for attribute in [name for name in frame.columns if name not in ("id", "group", "text", "label", "set")]:
        values, known = frame[attribute], (test if attribute in test else frame)[attribute].dropna()
        if known.nunique() > MOST_VALUES:
            found[attribute] = thirds(values, known)
        else:
            words = codes.get(attribute, {})
            texts = {value: f"{value:g}" for value in sorted(values.dropna().unique())}
            found[attribute] = {words.get(text, text): (values == value).to_numpy() for value, text in texts.items()}
    return found


def thirds(values, known):
    """{group: which ``values`` are in it}: from the lowest to the highest third of the values that are ``known``."""
    ends = {float(end) for end in np.quantile(known, [1 / 3, 2 / 3], method="lower")} - {known.max()}
    edges = [-np.inf, *sorted(ends), np.inf]
    groups = {}
    for low, high in itertools.pairwise(edges):
        words = [f"over {low:,.10g}"] if low > -np.inf else []
        words += [f"{'to' if words else 'up to'} {high:,.10g}"] if high < np.inf else []
        groups[" ".join(words) or "all"] = ((values > low) & (values <= high)).to_numpy()
    return groups


def scores_of_group(labels, predictions, clusters, settings):
    """Pearson r and concordance as columns, with percentile intervals over whole ``clusters`` (who wrote each text)."""
    sample = make_sample(labels, clusters)
    found = resample_numbers(sample, [predictions], bootstrap_counts(sample.n_units, settings["resamples"], 0))
    row = {"clusters": sample.n_units}
    for short, metric in (("pearson", "pearson_r"), ("ccc", "ccc")):
        tails = [settings["alpha"] / 2, 1 - settings["alpha"] / 2]
        row[metric] = found.whole[metric][0]
        if sample.n_units < LEAST_CLUSTERS:
            continue
        row[f"{short}_low"], row[f"{short}_high"] = np.quantile(found.replicates[metric][0], tails)
    return row | {"negative": bool(row["ccc"] < 0)}


def plot_groups(set_paths, test_set, codes, figure_paths, csv_path):
    """Draw how many texts of each set each group of writers wrote, and write the plotted numbers.

    Args:
        set_paths: {set: its path}. test_set: the set whose texts are cut into thirds. codes: as in ``groups_of``.
        figure_paths: files to write. csv_path: CSV with set, attribute, group, n, share.
    """
    frames = {name: read_table(path) for name, path in set_paths.items()}
    save_plot(figure_paths, csv_path, count_groups(frames, test_set, codes), draw_groups, frames)


def count_groups(frames, test_set, codes):
    """How many texts of each set each group of writers wrote (a frame); ``frames`` are the sets by name."""
    joined = pd.concat([frame.assign(set=name) for name, frame in frames.items()], ignore_index=True)
    rows = []
    for attribute, groups in groups_of(joined, frames[test_set], codes).items():
        for group, chosen in groups.items() if attribute != "all" else ():
            for name in frames:
                within = (joined["set"] == name).to_numpy()
                number = int((chosen & within).sum())
                rows.append((name, attribute, group, number, number / within.sum()))
    return pd.DataFrame(rows, columns=["set", "attribute", "group", "n", "share"])


def draw_groups(plotted, frames):
    """The figure of the counted groups."""
    from matplotlib.figure import Figure

    attributes = list(plotted["attribute"].unique())
    # The legend takes the cell behind the last attribute.
    height = len(attributes) // COLUMNS_OF_PANELS + 1
    figure = Figure(figsize=(10, 2.6 * height), layout="constrained")
    panels = figure.subplots(height, COLUMNS_OF_PANELS, squeeze=False).ravel()
    for axes, attribute in zip(panels, attributes, strict=False):
        shares = plotted[plotted["attribute"] == attribute].pivot_table(
            index="group", columns="set", values="share", sort=False
        )
        shares.plot.barh(ax=axes, legend=False, width=0.8, xlabel="share of texts", ylabel="")
        axes.invert_yaxis()
        axes.set_title(attribute)
    for axes in panels[len(attributes) :]:
        axes.set_axis_off()
    labels = [f"{name} ({len(frame):,} texts)" for name, frame in frames.items()]
    bars = panels[0].get_legend_handles_labels()[0]
    panels[len(attributes)].legend(bars, labels[: len(bars)], loc="center", frameon=False)
    return figure
