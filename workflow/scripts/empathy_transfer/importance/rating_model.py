"""A mixed model of transfer beside the tests of the ratings: how much differs between what, and the ratings' slopes.

Percent improvement = intercept + slopes x rating differences + effects of targets, of sources, of the datasets of both,
of pairs of datasets, of pairs of tasks, of a target's seed (whose baseline all sources are compared with), of a
source's seed (whose adapter all targets continue from), and noise. All but the slopes are normal, and their variances
are fitted by restricted maximum likelihood. Improvements are cut off as in the primary test.
"""

import numpy
import pandas
from scipy.stats import t as student

from empathy_transfer.features.pair_features import FEATURE_NAMES, read_pair_features
from empathy_transfer.features.task_facts import ASPECTS
from empathy_transfer.importance.pair_outcomes import (
    WINSORISED_AT,
    outcome_pairs,
    read_full_improvement,
    too_few,
)
from empathy_transfer.importance.rating_tests import PRIMARY_OUTCOME, RANDOM_EFFECTS, random_groups, rating_model
from empathy_transfer.records.artefacts import write_csv
from empathy_transfer.records.runs import BASELINE
from empathy_transfer.scores.improvement import read_scores
from empathy_transfer.statistics.variance_components import profile_interval

COMPONENTS = {
    "target": "target task",
    "source": "source task",
    "target_dataset": "dataset of the target",
    "source_dataset": "dataset of the source",
    "dataset_pair": "pair of datasets",
    "pair": "pair of tasks",
    "target_seed": "seed of the target (its baseline)",
    "source_seed": "seed of the source (its adapter)",
    "noise": "rest",
}
SEED_EFFECTS = {"pair": ["source", "target"], "target_seed": ["target", "seed"], "source_seed": ["source", "seed"]}
NOISE = "noise"
SLOPE, DEVIATION = "slope", "deviation"
MODEL_COLUMNS = "kind name title estimate low high standard_error freedom p share groups".split()
MODEL_COLUMNS += ["seeds", "observations", "reason"]
# Beyond, a fit takes minutes: seeds are averaged, and variances have no intervals.
MOST_OBSERVATIONS, MOST_CONTRASTS = 1200, 700


def model_ratings(improvement_path, features_path, scores_path, model_path):
    """Write rating_model.csv; `scores_path` is scores.csv, or None where there are no scores by seed."""
    improvement, features = read_full_improvement(improvement_path), read_pair_features(features_path)
    write_csv(model_path, model_table(improvement, features, read_scores(scores_path) if scores_path else None))


def model_table(improvement, features, scores=None):
    """The mixed model of improvements that are cut off at 25 percent.

    Args:
        improvement: frame as from `read_full_improvement`.
        features: frame as from `read_pair_features`.
        scores: frame as from `read_scores`, or None: then pairs have one number each, and there are no seeds.

    Returns:
        A frame with `MODEL_COLUMNS`. `kind` is `slope` (percent per unit that the target is rated above the source;
        `p` two-sided, by t as in the primary test) or `deviation` (standard deviation of a random
        effect in percent; `share` of the sum of all variances; `groups` is how many there are). `low` and `high` are
        95 % intervals: by t, and by the profile of the likelihood. `reason` is `too_few`, `no_ratings`, or
        `undefined` (all improvements are equal).
    """
    pairs, names = outcome_pairs(improvement, features, PRIMARY_OUTCOME)
    rated = [aspect for aspect in ASPECTS if aspect in names]
    observed = _observations(pairs, improvement, scores)
    groups = _groups(observed)
    reason = "too_few" if too_few(pairs) else "undefined" if numpy.ptp(observed["outcome"]) == 0 else ""
    rows = _fitted(observed, rated, groups) if not reason else []
    known = {row["name"] for row in rows}
    for aspect in ASPECTS:
        if aspect not in known:
            rows.append({"kind": SLOPE, "name": aspect, "reason": reason or "no_ratings"})
    rows += [{"kind": DEVIATION, "name": name, "reason": reason} for name in (*groups, NOISE) if reason]
    titles = FEATURE_NAMES | COMPONENTS
    frame = pandas.DataFrame(rows).assign(title=lambda table: table["name"].map(titles), observations=len(observed))
    order = {name: place for place, name in enumerate([*ASPECTS, *COMPONENTS])}
    frame = frame.sort_values("name", key=lambda column: column.map(order)).reindex(columns=MODEL_COLUMNS)
    return frame.assign(seeds=observed["seed"].nunique()).reset_index(drop=True)


def _observations(pairs, improvement, scores):
    """A row per pair and seed with `outcome` (percent, cut off) and `seed`; per pair where seeds are not to be told."""
    one = pairs.assign(seed=0)
    if scores is None or pairs.empty:
        return one
    known = scores[scores["main"] & (scores["data"] == "full") & scores["value"].notna()]
    keys = ["source", "target", "seed", "value"]
    baselines = known.loc[known["source"] == BASELINE, ["target", "seed", "value"]]
    runs = known[keys].merge(baselines, on=["target", "seed"], suffixes=("", "_baseline"))
    rows = pairs.merge(improvement[["source", "target", "baseline"]], on=["source", "target"])
    rows = rows.merge(runs, on=["source", "target"]).sort_values(["source", "target", "seed"], ignore_index=True)
    if rows["seed"].nunique() < 2 or len(rows) > MOST_OBSERVATIONS:
        return one
    percent = 100 * (rows["value"] - rows["value_baseline"]) / rows["baseline"]
    return rows.assign(outcome=percent.clip(-WINSORISED_AT, WINSORISED_AT))


def _groups(observed):
    """The group of each observation by component; those of seeds only where there are several."""
    groups = dict(zip(RANDOM_EFFECTS, random_groups(observed), strict=True))
    if observed["seed"].nunique() > 1:
        for name, columns in SEED_EFFECTS.items():
            groups[name] = observed.groupby(columns, sort=False).ngroup().to_numpy()
    return groups


def _fitted(observed, rated, groups):
    """The rows of the slopes and of the components."""
    outcome = observed["outcome"].to_numpy(float)
    model = rating_model(observed, rated, list(groups.values()))
    best, least, found = model.test_closely(outcome)
    rows = []
    for place, name in enumerate(rated):
        estimate, error, freedom, p = (float(values[place]) for values in found)
        row = {"kind": SLOPE, "name": name, "estimate": estimate, "standard_error": error, "freedom": freedom, "p": p}
        half = student.ppf(0.975, freedom) * error
        row |= {"low": estimate - half, "high": estimate + half, "reason": "undefined" if numpy.isnan(p) else ""}
        rows.append(row)
    for place, name in enumerate((*groups, NOISE)):
        row = {"kind": DEVIATION, "name": name, "estimate": best[place], "share": best[place] ** 2 / (best**2).sum()}
        if model.whole.basis.shape[1] <= MOST_CONTRASTS:
            row["low"], row["high"] = profile_interval(model.whole, outcome, best, least, place)
        row["groups"] = groups[name].max() + 1 if name in groups else len(outcome)
        rows.append(row | {"reason": ""})
    return rows
