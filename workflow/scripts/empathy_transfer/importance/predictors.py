"""How well each single predictor ranks the sources of a target, beside a random order.

Nothing is fitted: a predictor is one number per pair that is known (or computed) without training the pair, with a
direction that is set beforehand. Its ranking of a target's sources is compared with the measured improvements.

NDCG, regret and Spearman's correlation are those of the studies that choose intermediate tasks (Vu et al. 2020, Poth
et al. 2021). Sources that a predictor can't tell apart stand in random order, and each measure is the mean over these
orders, so that a constant predictor scores exactly as a random one. Whether a predictor is better than that is tested
by exchanging tasks (`ranking_test.py`), with one false discovery rate for all predictors and measures.
"""

import math

import numpy
import pandas
from scipy.stats import false_discovery_control, spearmanr, t
from sklearn.metrics import ndcg_score

from empathy_transfer.features.pair_features import FEATURE_NAMES, TRANSITIONS, read_pair_features
from empathy_transfer.features.transferability import ESTIMATORS
from empathy_transfer.importance.pair_outcomes import known_pairs, percent_outcomes, read_full_improvement
from empathy_transfer.importance.ranking_test import ranking_p_values
from empathy_transfer.records.artefacts import read_csv, write_csv
from empathy_transfer.statistics.dataset_jackknife import datasets_of
from empathy_transfer.statistics.verdicts import BETTER, UNDECIDED, WORSE

SIMILARITY_NAMES = {
    "dataset_similarity_centred": "Data Emb Sim, centred",
    "dataset_similarity_all_texts": "Data Emb Sim, all texts",
    "task_similarity_centred": "Task Emb Sim, centred",
}
ESTIMATOR_NAMES = {
    "log_me": "LogME",
    "h_score": "H-score",
    "leep": "LEEP",
    "nce": "NCE",
    "nearest_neighbours": "Nearest neighbours",
}
OTHER_NAMES = {"source_average": "Source's mean elsewhere"}
PREDICTOR_NAMES = FEATURE_NAMES | SIMILARITY_NAMES | ESTIMATOR_NAMES | OTHER_NAMES
# What a high value says, for every feature that is a difference of target and source.
MORE_IN_SOURCE = ("definition", "link", "conduciveness", "labels", "samples", "tokens", "vocabulary")
MEASURES = ("ndcg", "regret_1", "regret_3", "spearman")
# Of these, less is better.
COSTS = ("regret_1", "regret_3")
USED_OUTCOMES = ("percent", "percent_without_collapsed", "percent_without_leaked")
LEVELS = ("targets", "datasets")
MINIMUM_UNITS = 3
FALSE_DISCOVERIES = 0.05
TARGET_COLUMNS = ["outcome", "predictor", "target", "target_dataset", "sources", "measure", "value", "random", "reason"]
INTERVALS = [f"{end}_{level}" for level in LEVELS for end in ("low", "high")]
COLUMNS = [
    *"outcome predictor name measure targets value random gain".split(),
    *INTERVALS,
    "p",
    "q",
    "verdict",
    "reason",
]


def rank_predictors(paths, draws, seed, by_target_path, predictors_path):
    """Write predictors_by_target.csv and predictors.csv.

    Args:
        paths: of `improvement`, `features`, `datasets` and `tasks` (the two similarities), and the list `estimates`.
        draws: greatest number of permutations of tasks behind a p value. seed: of these.
        by_target_path: for `target_table`. predictors_path: for `summary_table`.
    """
    improvement, features = read_full_improvement(paths["improvement"]), read_pair_features(paths["features"])
    similarities = read_csv(paths["datasets"]), read_csv(paths["tasks"])
    scores = predictor_scores(features, *similarities, read_estimates(paths["estimates"]))
    by_target = target_table(scores, improvement)
    write_csv(by_target_path, by_target)
    write_csv(predictors_path, summary_table(by_target, predictor_p_values(scores, improvement, draws, seed)))


def predictor_scores(features, datasets, tasks, estimates):
    """One row per ordered pair of tasks and one column per predictor, higher for sources that promise more.

    Differences are turned round, so that the source with more (definition, link, samples, labels ...) comes first; a
    transition is 1 within the same kind of task, data source or language setting, else 0.

    Args:
        features: frame as from `read_pair_features`. datasets: dataset_similarity.csv. tasks: task_similarity.csv.
        estimates: frame as from `read_estimates`.
    """
    keys = ["source", "target"]
    frame = features[[*keys, "source_dataset", "target_dataset", *FEATURE_NAMES]].copy()
    for name in MORE_IN_SOURCE:
        frame[name] = -frame[name]
    for name in TRANSITIONS:
        ends = frame[name].str.split("--", expand=True).reindex(columns=[0, 1])
        frame[name] = (ends[0] == ends[1]).astype(float)
    names = {"centred": "dataset_similarity_centred", "all_texts": "dataset_similarity_all_texts"}
    frame = frame.merge(datasets[[*keys, *names]].rename(columns=names), on=keys, how="left")
    names = {"centred": "task_similarity_centred"}
    frame = frame.merge(tasks[[*keys, *names]].rename(columns=names), on=keys, how="left")
    return frame.merge(estimates, on=keys, how="left")


def read_estimates(paths):
    """All estimates, averaged over seeds: a frame with source, target and a column per estimator.

    A seed without a value leaves the mean without one.
    """
    parts = [part for part in map(read_csv, paths) if len(part)]
    if not parts:  # a study of one task
        return pandas.DataFrame(columns=["source", "target", *ESTIMATORS])
    frame = pandas.concat(parts, ignore_index=True)
    means = frame.groupby(["source", "target", "estimator"])["value"].agg(lambda values: values.mean(skipna=False))
    return means.unstack().reindex(columns=list(ESTIMATORS)).reset_index()


def target_table(scores, improvement):
    """Every measure of every predictor for every target, as a frame with `TARGET_COLUMNS`.

    `random` is what a random order of the same sources gives. A source without improvement, or without a value of the
    predictor, is left out for this predictor. `reason`: `not_available` (fewer than two sources have a value),
    `too_few` (fewer than three sources for Spearman's correlation, not more than k for the regret of k), `undefined`
    (all improvements are equal), `constant` (the predictor tells no source from another: its value is the random one).
    """
    rows = []
    for outcome, pairs in pairs_by_outcome(scores, improvement):
        for target, part in pairs.groupby("target", sort=False):
            for predictor in PREDICTOR_NAMES:
                found = part.dropna(subset=[predictor])
                about = {"outcome": outcome, "predictor": predictor, "target": target, "sources": len(found)}
                about["target_dataset"] = part["target_dataset"].iloc[0]
                measured = measures(found[predictor].to_numpy(float), found["percent"].to_numpy(float))
                rows += [about | {"measure": measure} | values for measure, values in measured.items()]
    return pandas.DataFrame(rows, columns=TARGET_COLUMNS)


def pairs_by_outcome(scores, improvement):
    """(outcome, frame of the pairs that have it, with their predictors and `percent`) for each outcome."""
    for outcome in [name for name in percent_outcomes(improvement) if name in USED_OUTCOMES]:
        known = known_pairs(improvement, outcome)
        pairs = scores.merge(known[["source", "target", "percent"]], on=["source", "target"])
        pairs["source_average"] = elsewhere(pairs)
        yield outcome, pairs


def predictor_p_values(scores, improvement, draws, seed):
    """{(outcome, predictor, measure): p value of the mean gain over a random order}, where there is a gain."""
    found = {}
    for outcome, pairs in pairs_by_outcome(scores, improvement):
        datasets = datasets_of(pairs)
        tasks = sorted(datasets)
        grids = {
            name: pairs.pivot(index="source", columns="target", values=name).reindex(index=tasks, columns=tasks)
            for name in ("percent", *PREDICTOR_NAMES)
        }
        percent = grids.pop("percent").to_numpy(float)
        for predictor, grid in grids.items():
            about = [datasets[task] for task in tasks], draws, numpy.random.default_rng(seed)
            tested = ranking_p_values(grid.to_numpy(float), percent, *about)
            found |= {(outcome, predictor, measure): p for measure, p in tested.items()}
    return found


def elsewhere(pairs):
    """Mean improvement of each pair's source on the other targets; missing where it has no other."""
    sums = pairs.groupby("source")["percent"].transform("sum") - pairs["percent"]
    return sums / (pairs.groupby("source")["percent"].transform("count") - 1).replace(0, numpy.nan)


def measures(predicted, percent):
    """The measures of one ranking: {measure: its value, random and reason}.

    `ndcg` takes the improvement above the target's worst source as gain. `regret_k` is the best improvement minus the
    best among the k sources that are predicted first, in percent of the baseline. `spearman` is the rank correlation,
    and 0 for a constant prediction.

    Args:
        predicted: one number per source, higher for better. percent: measured improvements.
    """
    count = len(predicted)
    reason = "not_available" if count < 2 else "undefined" if numpy.ptp(percent) == 0 else ""
    if reason:
        return {measure: _blank(reason) for measure in MEASURES}
    equal = numpy.zeros(count)
    told = "constant" if numpy.ptp(predicted) == 0 else ""
    found = {"ndcg": {"value": ndcg(predicted, percent), "random": ndcg(equal, percent), "reason": told}}
    for top in (1, 3):
        if count > top:
            values = {"value": regret(predicted, percent, top), "random": regret(equal, percent, top)}
        found[f"regret_{top}"] = values | {"reason": told} if count > top else _blank("too_few")
    found["spearman"] = {"value": spearman(predicted, percent), "random": 0.0, "reason": told}
    return found if count > 2 else found | {"spearman": _blank("too_few")}


def ndcg(predicted, percent):
    """Normalised discounted cumulative gain over all sources, from 0 to 1; the gain is percent - its least."""
    return float(ndcg_score([percent - percent.min()], [predicted]))


def regret(predicted, percent, top):
    """The best percent minus the best among the `top` sources that are predicted first; mean over orders of ties."""
    limit = numpy.sort(predicted)[::-1][top - 1]
    sure, tied = percent[predicted > limit], numpy.sort(percent[predicted == limit])
    drawn, best = top - len(sure), sure.max(initial=-numpy.inf)
    ways = math.comb(len(tied), drawn)
    # The place-th smallest of the tied is the greatest drawn in this many of the ways to draw.
    mean = sum(max(value, best) * math.comb(place, drawn - 1) / ways for place, value in enumerate(tied))
    return float(percent.max() - mean)


def spearman(predicted, percent):
    """Spearman's correlation, 0 where nothing is told apart."""
    return 0.0 if numpy.ptp(predicted) == 0 else float(spearmanr(predicted, percent).statistic)


def summary_table(by_target, tests):
    """Means over targets, as a frame with `COLUMNS`.

    `gain` is the mean difference to a random order, positive where the predictor is better, whatever the measure; its
    95 % intervals are over targets, or over datasets with all their targets, and empty with fewer than three. `q` is
    the false discovery rate (Benjamini and Hochberg) over all rows of an outcome. `verdict` is `better` or `worse` than
    random where q is at most 5 %, else `undecided`, or the reason why there is no value at all.

    Args:
        by_target: frame as from `target_table`. tests: as from `predictor_p_values`.
    """
    rows = []
    for (outcome, predictor, measure), part in by_target.groupby(["outcome", "predictor", "measure"], sort=False):
        known = part.dropna(subset=["value"])
        row = {"outcome": outcome, "predictor": predictor, "name": PREDICTOR_NAMES[predictor], "measure": measure}
        row |= {"targets": len(known), "reason": ""}
        if known.empty:
            reason = part["reason"].mode().iloc[0]
            rows.append(row | {"verdict": reason, "reason": reason})
            continue
        row |= {"value": known["value"].mean(), "random": known["random"].mean()}
        gains = (known["value"] - known["random"]).to_numpy() * (-1 if measure in COSTS else 1)
        limits = intervals(gains, known["target_dataset"].to_numpy())
        rows.append(row | {"gain": gains.mean()} | limits | {"p": tests.get((outcome, predictor, measure), numpy.nan)})
    table = pandas.DataFrame(rows, columns=COLUMNS).astype({"p": "float64", "q": "float64", "verdict": "object"})
    for _, part in table[table["p"].notna()].groupby("outcome"):
        table.loc[part.index, "q"] = false_discovery_control(part["p"].to_numpy(float), method="bh")
    ranked = table["gain"].notna()
    found = [ranking_verdict(*row) for row in table.loc[ranked, ["gain", "q"]].itertuples(index=False)]
    table.loc[ranked, "verdict"] = found
    return table


def intervals(gains, datasets):
    """95 % intervals of the mean gain over targets and over datasets, by Student's t with their degrees of freedom.

    That over datasets takes the sums of a dataset's deviations as the independent parts of the mean's error.
    """
    found = {}
    for level, units in (("targets", numpy.arange(len(gains))), ("datasets", datasets)):
        _, index = numpy.unique(units, return_inverse=True)
        size, mean = int(index.max()) + 1, gains.mean()
        half = numpy.nan
        if size >= MINIMUM_UNITS:
            parts = numpy.bincount(index, gains - mean)
            error = math.sqrt(size / (size - 1) * (parts**2).sum()) / len(gains)
            half = t.isf(0.025, size - 1) * error
        found |= {f"low_{level}": float(mean - half), f"high_{level}": float(mean + half)}
    return found


def ranking_verdict(gain, q):
    """`better`, `worse` or `undecided`, from the gain over a random order and its false discovery rate."""
    if not q <= FALSE_DISCOVERIES:
        return UNDECIDED
    return BETTER if gain > 0 else WORSE


def _blank(reason):
    """A measure without a value."""
    return {"value": numpy.nan, "random": numpy.nan, "reason": reason}
