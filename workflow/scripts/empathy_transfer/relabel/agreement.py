"""How far language models agree with each other and with the crowd, and which labels look wrong."""

import itertools

import numpy as np
import pandas as pd
from scipy import stats

from empathy_transfer.agreement.intervals import alpha_error, alpha_interval
from empathy_transfer.agreement.krippendorff_alpha import krippendorff_alpha
from empathy_transfer.agreement.pairs import LEAST_PAIRS
from empathy_transfer.labelling.valid_labels import valid_labels
from empathy_transfer.records.artefacts import read_table, write_csv
from empathy_transfer.relabel.suspicion import read_embeddings, suspicious_labels
from empathy_transfer.relabel.training_sets import CROWD

AGREEMENT_COLUMNS = [
    "set", "first", "second", "n", "clusters", "krippendorff_alpha", "alpha_low", "alpha_high", "alpha_se", "pearson_r",
]  # fmt: skip
# Shares of the most suspicious labels by which two ways to find them are compared.
TOP_SHARES = (0.05, 0.1, 0.2)


def write_label_agreement(set_paths, labels_paths, settings, listed, agreement_path, disagreements_path):
    """Write agreement.csv, and the texts by id on which a pair of sources disagrees most.

    Args:
        set_paths: {set: its path}. labels_paths: {(model, set): path of its labels}. settings: ``resamples`` and
            ``alpha``, of the interval of Krippendorff's alpha over whole groups of texts (their writers). listed: how
            many texts are listed per set and pair. agreement_path, disagreements_path: CSV files to write.
    """
    sources = read_sources(set_paths, labels_paths)
    groups = {name: read_table(set_paths[name], columns=["id", "group"]).set_index("id")["group"] for name in sources}
    found, apart = compare_sources(sources, groups, settings, listed)
    write_csv(agreement_path, found)
    write_csv(disagreements_path, apart)


def compare_sources(sources, groups, settings, listed):
    """(agreement, disagreements) as frames; ``sources`` as in ``read_sources``, ``groups`` {set: group of each id}."""
    rows, worst = [], []
    for name, labels in sources.items():
        for first, second in itertools.combinations(labels.columns, 2):
            both = labels[[first, second]].dropna()
            alpha, r = alpha_and_r(both.to_numpy())
            row = {"set": name, "first": first, "second": second, "n": len(both), "pearson_r": r}
            row |= {"krippendorff_alpha": alpha}
            if alpha is not None:
                row |= alpha_error(both.to_numpy(), groups[name].reindex(both.index).to_numpy(), settings["resamples"])
                row |= dict(zip(("alpha_low", "alpha_high"), alpha_interval(row, settings["alpha"]), strict=True))
            rows.append(row)
            apart = both.assign(set=name, first=first, second=second, difference=both[second] - both[first])
            apart = apart.rename(columns={first: "first_label", second: "second_label"})
            order = apart["difference"].abs().sort_values(ascending=False, kind="stable").index[:listed]
            worst.append(apart.loc[order].reset_index())
    columns = ["set", "first", "second", "id", "first_label", "second_label", "difference"]
    return pd.DataFrame(rows, columns=AGREEMENT_COLUMNS), pd.concat(worst)[columns]


def read_sources(set_paths, labels_paths):
    """{set: frame of labels, a row per id and a column per source: `crowd`, then the models by name}."""
    frames = {}
    for name, path in set_paths.items():
        frame = read_table(path, columns=["id", "label"]).set_index("id").rename(columns={"label": CROWD})
        for model, labelled in sorted(key for key in labels_paths if key[1] == name):
            frame[model] = valid_labels(labels_paths[model, labelled], frame.index)
        frames[name] = frame
    return frames


def alpha_and_r(labels):
    """(Krippendorff's alpha at interval level, Pearson r) of labels (n x 2); None where one is undefined."""
    if len(labels) < LEAST_PAIRS:
        return None, None
    varied = np.ptp(labels, axis=0).min() > 0
    return krippendorff_alpha(labels, "interval")[0], float(np.corrcoef(labels.T)[0, 1]) if varied else None


def write_audit(set_path, labels_paths, embeddings_path, seed, audit_path, summary_path):
    """Write how suspicious each crowd label of a set is, by id, and how cleanlab and the models agree on that.

    The audit has the columns id, crowd, one per model, cleanlab_quality, cleanlab_prediction and cleanlab_rank (1 is
    the most suspicious). The summary says per model: Spearman's correlation of its distance from the crowd with
    cleanlab's suspicion, and the share of the most suspicious labels that both name, beside what chance would give.

    Args:
        set_path: the set. labels_paths: {model: path of its labels of the set}. embeddings_path: of `suspicion`.
        seed: of the folds. audit_path, summary_path: CSV files to write.
    """
    named = {(model, ""): path for model, path in labels_paths.items()}
    labels = read_sources({"": set_path}, named)[""].dropna(subset=[CROWD])
    found = suspicious_labels(labels.reset_index(), *read_embeddings(embeddings_path), seed)
    audit = labels.assign(cleanlab_quality=found["quality"], cleanlab_prediction=found["prediction"])
    audit = audit.assign(cleanlab_rank=audit["cleanlab_quality"].rank(method="first").astype(int))
    write_csv(audit_path, audit.sort_values("cleanlab_rank").reset_index())
    rows = []
    for model in labels_paths:
        both = audit.dropna(subset=[model])
        distance, suspicion = (both[CROWD] - both[model]).abs(), -both["cleanlab_quality"]
        correlation = stats.spearmanr(distance, suspicion)
        for share in TOP_SHARES:
            number = max(1, round(share * len(both)))
            tops = [set(part.nlargest(number).index) for part in (distance, suspicion)]
            common = len(tops[0] & tops[1]) / number
            rows.append(
                (model, len(both), correlation.statistic, correlation.pvalue, share, number, common, number / len(both))
            )
    columns = ["model", "n", "spearman_r", "spearman_p", "top_share", "top_number", "named_by_both", "by_chance"]
    write_csv(summary_path, pd.DataFrame(rows, columns=columns))
